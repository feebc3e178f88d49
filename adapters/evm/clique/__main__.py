"""The command `python -m adapters.evm.clique`: a development network of geth nodes in the foreground."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.evm.clique.build import VERSION
from adapters.evm.clique.network import CliqueNetwork
from adapters.evm.clique.node import GethError
from adapters.foreground import run, write_key


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; one line of JSON on standard output says when it is ready.

    Args:
        arguments: the command line without the program, or None for the process's own.

    Returns:
        The exit status: 0 after a stop, 2 when it could not start.
    """
    given = _parser().parse_args(arguments)
    network = CliqueNetwork(
        chain_id=given.chain_id, signers=given.signers, period_s=given.period, epoch=given.epoch, folder=given.folder
    )

    def ready() -> dict[str, Any]:
        bank = given.folder.resolve() / "faucet.key"
        write_key(bank, network.bank)
        return {
            "adapter": "evm",
            "consensus": "clique",
            "software": f"geth {VERSION}, a development network",
            "endpoints": network.urls,
            "options": {"faucet_key_file": str(bank)},
            "client_options": {},
        }

    return run(network, ready, (GethError,), watch_input=given.watch_input)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.evm.clique",
        description="A development network of real geth nodes that seal Clique blocks, on 127.0.0.1. Go builds geth once.",
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="new or empty, removed at the end: nodes, keys (mode 600)"
    )
    parser.add_argument("--chain-id", type=_positive, required=True, help="EIP-155 chain id")
    parser.add_argument("--signers", type=_positive, default=3, help="each with a node of its own (default 3)")
    parser.add_argument("--period", type=_positive, default=1, help="seconds between blocks (default 1)")
    parser.add_argument("--epoch", type=_positive, default=30_000, help="blocks between two lists of the signers")
    parser.add_argument("--watch-input", action="store_true", help="stop when standard input ends")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("give a number of at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
