"""The command `python -m adapters.chainmaker.simulator`: one simulated network in the foreground."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from adapters.chainmaker.simulator.network import ChainMakerNetwork
from adapters.chainmaker.simulator.node import SOFTWARE

LIGHT_CLIENT_OPTIONS = {"trusting_period_s": 2**32 - 1}
"""The first block has the time that ChainMaker gives it, years ago; a client that is pinned to it must not be over already."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: the command line without the program, or None for the process's own.

    Returns:
        The exit status: 0 after a stop, 2 when it could not start.
    """
    given = _parser().parse_args(arguments)
    try:
        if given.folder is None:
            with tempfile.TemporaryDirectory(prefix="relayhub-chainmaker-") as folder:
                _run(given, Path(folder))
        else:
            _run(given, given.folder)
    except (OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - this is the command's output
        return 2
    return 0


def _run(given: argparse.Namespace, folder: Path) -> None:
    network = ChainMakerNetwork(
        folder,
        chain=given.chain,
        suite=given.suite,
        organisations=given.organisations,
        block_interval_s=given.block_interval,
        port=given.port,
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with network:
        status = {
            "simulator": SOFTWARE,
            "adapter": "chainmaker",
            "chain_id": f"cmaker:{given.chain}",
            "consensus": "chainmaker",
            "endpoints": network.endpoints,
            "options": network.options(),
            "client_options": LIGHT_CLIENT_OPTIONS,
            "folder": str(folder),
        }
        print(json.dumps(status), flush=True)  # noqa: T201 - this is the command's output
        if given.until_input_ends:
            threading.Thread(target=_stop_at_end, args=(stop,), daemon=True).start()
        stop.wait()


def _stop_at_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.chainmaker.simulator",
        description="A simulator of a ChainMaker 2.3.2 network: TBFT nodes on 127.0.0.1, real blocks, no real node.",
    )
    parser.add_argument(
        "--folder", type=Path, help="where keys and certificates are written (default: a temporary one)"
    )
    parser.add_argument("--chain", default="chain1", help="the chain's id (default chain1)")
    parser.add_argument("--suite", choices=("ecc", "sm"), default="ecc", help="P-256 and SHA-256, or SM2 and SM3")
    parser.add_argument("--organisations", type=_positive, default=4, help="each has one node (default 4)")
    parser.add_argument("--block-interval", type=_interval, default=1.0, help="seconds between blocks (default 1)")
    parser.add_argument("--port", type=int, default=0, help="of the first node, the others follow (default: free ones)")
    parser.add_argument("--until-input-ends", action="store_true", help="stop when standard input ends")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("give a number of at least 1")
    return value


def _interval(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("give seconds above 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
