"""Start a development network of real evmd nodes as a process; stops with SIGTERM, SIGINT or the end of standard input (--watch-input)."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from adapters.cosmos.devnet.network import EvmdNetwork


def main() -> None:
    """Run until told to stop; one line of JSON on standard output says when it is ready."""
    options = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    network = EvmdNetwork(
        chain_id=options.chain_id,
        validators=options.validators,
        followers=options.followers,
        block_s=options.block_interval,
        folder=options.folder,
    )
    with network:
        faucet = options.folder / "faucet.key"
        faucet.touch(mode=0o600)
        faucet.write_text(network.bank.hex() + "\n")
        ready = {
            "adapter": "cosmos",
            "consensus": "cometbft",
            "software": "evmd 0.3.2, a development network",
            "endpoints": network.urls,
            "options": {"faucet_key_file": str(faucet.resolve())},
            "client_options": {},
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        if options.watch_input:
            threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
        stop.wait()


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.cosmos.devnet",
        description="A development network of real evmd nodes (an EVM on CometBFT) on 127.0.0.1. Go builds evmd once.",
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="made anew and removed at the end: nodes, keys (mode 600)"
    )
    parser.add_argument("--chain-id", default="relayhub-1", help="name of the Cosmos chain; the EVM's number is 262144")
    parser.add_argument("--validators", type=int, choices=range(1, 5), default=1, help="each with a node of its own")
    parser.add_argument("--followers", type=int, default=0, help="nodes that only follow")
    parser.add_argument(
        "--block-interval", type=float, default=1.0, help="seconds between a block and the next proposal"
    )
    parser.add_argument("--watch-input", action="store_true", help="stop when standard input ends")
    return parser.parse_args()


if __name__ == "__main__":
    main()
