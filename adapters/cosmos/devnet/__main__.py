"""The command `python -m adapters.cosmos.devnet`: a development network of evmd nodes in the foreground."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.cosmos.devnet.build import VERSION
from adapters.cosmos.devnet.network import EvmdNetwork
from adapters.cosmos.devnet.node import EvmdError
from adapters.foreground import run, write_key


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; one line of JSON on standard output says when it is ready.

    Args:
        arguments: the command line without the program, or None for the process's own.

    Returns:
        The exit status: 0 after a stop, 2 when it could not start.
    """
    given = _parser().parse_args(arguments)
    network = EvmdNetwork(
        chain_id=given.chain_id,
        validators=given.validators,
        followers=given.followers,
        block_s=given.block_s,
        folder=given.folder,
    )

    def ready() -> dict[str, Any]:
        bank = given.folder.resolve() / "faucet.key"
        write_key(bank, network.bank)
        return {
            "adapter": "cosmos",
            "consensus": "cometbft",
            "software": f"evmd {VERSION}, a development network",
            "endpoints": network.urls,
            "options": {"faucet_key_file": str(bank)},
            "client_options": {},
        }

    return run(network, ready, (EvmdError,), watch_input=given.watch_input)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.cosmos.devnet",
        description="A development network of real evmd nodes (an EVM on CometBFT) on 127.0.0.1. Go builds evmd once.",
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="new or empty, removed at the end: nodes, keys (mode 600)"
    )
    parser.add_argument("--chain-id", default="relayhub-1", help="name of the Cosmos chain; the EVM's number is 262144")
    parser.add_argument("--validators", type=int, choices=range(1, 5), default=1, help="each with a node of its own")
    parser.add_argument("--followers", type=int, default=0, help="nodes that only follow")
    parser.add_argument(
        "--block-s", "--block-interval", type=float, default=1.0, help="seconds between a block and the next proposal"
    )
    parser.add_argument("--watch-input", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
