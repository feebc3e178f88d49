"""Start a simulated Fabric channel as a process; stops with SIGTERM, SIGINT or the end of standard input (--watch-input)."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import threading
from pathlib import Path

from adapters.fabric.adapter import FabricLedger
from adapters.fabric.sealing import Sealer
from adapters.fabric.simulator.network import SOFTWARE, FabricNetwork
from adapters.protocol import AdapterOptions, Endpoint


def main() -> None:
    """Run until told to stop; one line of JSON on standard output says when it is ready."""
    options = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    count = options.organisations + options.orderers
    network = FabricNetwork(
        options.folder,
        channel=options.channel,
        organisations=options.organisations,
        orderers=options.orderers,
        consensus=options.consensus,
        block_interval_s=options.block_interval,
        mutual_tls=options.mutual_tls,
        ports=list(range(options.port, options.port + count)) if options.port else (),
    )
    with network:
        names = options.chaincode or ([] if options.bare else ["gateway"])
        for name in names:
            network.start_chaincode(name)
        sealers = [_start_sealer(network, name, stop) for name in names] if options.seal else []
        ready = {
            "adapter": "fabric",
            "consensus": "fabric",
            "simulator": SOFTWARE,
            "endpoints": network.endpoints,
            "options": network.options,
            "client_options": {"channel": options.channel},
            **({"gateway": names[0], "verifier": names[0]} if names else {}),
        }
        print(json.dumps(ready), flush=True)  # noqa: T201 - the program's answer
        if options.watch_input:
            threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
        stop.wait()
        for sealer in sealers:
            sealer.join()


def _start_sealer(network: FabricNetwork, chaincode: str, stop: threading.Event) -> threading.Thread:
    """Seal what waits, as a member of its own."""
    ledger = FabricLedger(AdapterOptions((Endpoint(network.endpoints[0]),), extra=network.options))
    key = secrets.token_bytes(31).rjust(32, b"\0")
    ledger.endow([key])
    sealer = Sealer(ledger, chaincode.encode(), key)
    thread = threading.Thread(target=sealer.run, args=(stop, network.block_interval_s / 2), daemon=True)
    thread.start()
    return thread


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.fabric.simulator",
        description="A simulator of a Hyperledger Fabric channel for development and tests. It is no Fabric node.",
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="made anew: network file, certificates, clients' keys"
    )
    parser.add_argument("--channel", default="trade", help="its name")
    parser.add_argument("--organisations", type=int, default=2, help="each with one peer")
    parser.add_argument("--orderers", type=int, default=4, help="consenters, each on a port of its own")
    parser.add_argument("--consensus", choices=("BFT", "etcdraft"), default="BFT", help="SmartBFT or raft")
    parser.add_argument("--port", type=int, default=0, help="the first peer's port; 0 for free ones")
    parser.add_argument(
        "--block-interval",
        "--batch-timeout",
        type=float,
        default=1.0,
        help="seconds that transactions wait for a block",
    )
    parser.add_argument("--mutual-tls", action="store_true", help="ask clients for TLS certificates")
    parser.add_argument(
        "--chaincode", action="append", default=[], help="names under which the gateway chaincode is started; gateway"
    )
    parser.add_argument("--bare", action="store_true", help="start no chaincode")
    parser.add_argument("--seal", action="store_true", help="seal what waits, where no hub does")
    parser.add_argument("--watch-input", action="store_true", help="stop when standard input ends")
    return parser.parse_args()


if __name__ == "__main__":
    main()
