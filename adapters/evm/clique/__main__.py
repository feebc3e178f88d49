"""The command `python -m adapters.evm.clique`: a development network of geth nodes in the foreground."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from adapters.built_programs import BuildFailed
from adapters.evm.clique.build import VERSION
from adapters.evm.clique.network import CliqueNetwork
from adapters.evm.clique.node import GethError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop (SIGTERM, SIGINT, the end of standard input with --watch-input).

    One line of JSON on standard output says when it is ready; progress and errors go to standard error.

    Args:
        arguments: the command line without the program, or None for the process's own.

    Returns:
        The exit status: 0 after a stop, 2 when it could not start.
    """
    given = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    network = CliqueNetwork(
        chain_id=given.chain_id, signers=given.signers, period_s=given.period, epoch=given.epoch, folder=given.folder
    )
    try:
        with network:
            _announce(network, given.folder.resolve())
            if given.watch_input:
                sys.stdin.read()
            else:
                threading.Event().wait()
    except (BuildFailed, GethError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - this is the command's output
        return 2
    return 0


def _announce(network: CliqueNetwork, folder: Path) -> None:
    """Write the bank's key for the option `faucet_key_file`, and say how the network is spoken to."""
    bank = folder / "faucet.key"
    with os.fdopen(os.open(bank, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(network.bank.hex() + "\n")
    ready = {
        "adapter": "evm",
        "consensus": "clique",
        "software": f"geth {VERSION}, a development network",
        "endpoints": network.urls,
        "options": {"faucet_key_file": str(bank)},
        "client_options": {},
    }
    print(json.dumps(ready), flush=True)  # noqa: T201 - this is the command's output


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


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
