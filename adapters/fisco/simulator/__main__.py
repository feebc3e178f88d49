"""Start a simulated FISCO BCOS network as a process; stops with SIGTERM, SIGINT or the end of standard input (--watch-input)."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from adapters.fisco.simulator.network import FiscoNetwork


def main() -> None:
    """Run until told to stop; one line of JSON on standard output says when it is ready."""
    options = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    network = FiscoNetwork(
        options.folder,
        line=options.line,
        national=options.national,
        group=options.group,
        chain=options.chain,
        nodes=options.nodes,
        block_interval_s=options.block_interval,
        empty_blocks=options.empty_blocks,
        first_port=options.port,
        tls=options.tls,
    )
    with network:
        ready = {
            "simulator": "FISCO BCOS simulator, no FISCO BCOS node",
            "adapter": "fisco",
            "consensus": "fisco",
            "endpoints": network.endpoints,
            "options": network.options | ({"web3": network.web3} if network.web3 else {}),
            "client_options": network.client_options,
            "first_block": network.ledger.blocks[0].hash.hex(),
        }
        print(json.dumps(ready), flush=True)  # noqa: T201 - the program's answer
        if options.watch_input:
            threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
        stop.wait()


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.fisco.simulator",
        description="A simulator of a FISCO BCOS network for development and tests. It is no FISCO BCOS node.",
    )
    parser.add_argument("--folder", type=Path, required=True, help="made anew: sealers' keys (mode 600), addresses")
    parser.add_argument("--line", type=int, choices=(2, 3), default=3, help="2 for 2.9.1, 3 for 3.16")
    parser.add_argument("--national", action="store_true", help="SM2 and SM3 in place of secp256k1 and keccak-256")
    parser.add_argument("--group", default="", help="its name; 1 or group0 unless said otherwise")
    parser.add_argument("--chain", default="", help="the chain's id; 1 or chain0 unless said otherwise")
    parser.add_argument("--nodes", type=int, default=4, help="sealers, each with a node on a port of its own")
    parser.add_argument("--port", type=int, default=0, help="the first node's port; 0 for free ones")
    parser.add_argument("--block-interval", type=float, default=1.0, help="seconds; 0 seals only when told")
    parser.add_argument("--empty-blocks", action="store_true", help="seal without transactions too")
    parser.add_argument("--tls", action="store_true", help="listen with TLS and ask for a client's certificate")
    parser.add_argument("--watch-input", action="store_true", help="stop when standard input ends")
    return parser.parse_args()


if __name__ == "__main__":
    main()
