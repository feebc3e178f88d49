"""Run a sealer as a process: `python -m adapters.fabric.sealer --help`. It seals as the member whose folder it is given."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.fabric.adapter import FabricLedger
from adapters.fabric.options import read_bytes
from adapters.fabric.sealing import Sealer
from adapters.protocol import AdapterOptions, Endpoint, Misconfigured


def main() -> None:
    """Seal until told to stop; one line of JSON says when it begins."""
    options = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    extra = {"network": options.network, "reader": options.member, "certificates": options.member}
    if options.tls_certificate:
        extra |= {"tls_certificate": options.tls_certificate, "tls_key": options.tls_key}
    ledger = FabricLedger(AdapterOptions((Endpoint(options.endpoint),), extra=extra))
    sealer = Sealer(ledger, options.gateway.encode(), member_key(Path(options.member)))
    print(json.dumps({"seals": options.gateway, "at": ledger.endpoint}), flush=True)  # noqa: T201 - the program's answer
    sealer.run(stop, options.pause)
    ledger.close()


def member_key(folder: Path) -> bytes:
    """The private key in a member's folder, 32 bytes.

    Raises:
        Misconfigured: there is no P-256 key in `key.pem`.
    """
    path = folder / "key.pem"
    try:
        key = load_pem_private_key(read_bytes(path, "member's key"), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.key_size != 256:
        raise Misconfigured(f"{path} is no P-256 key in PEM; give the folder of a member.")
    return key.private_numbers().private_value.to_bytes(32, "big")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.fabric.sealer",
        description="Seals messages that wait under tickets at a gateway on Hyperledger Fabric.",
    )
    parser.add_argument("--endpoint", required=True, help="a peer of the network file, grpcs://HOST:PORT")
    parser.add_argument("--network", required=True, help="the network file")
    parser.add_argument("--member", required=True, help="folder with cert.pem and key.pem of the member that seals")
    parser.add_argument("--gateway", required=True, help="the chaincode's name")
    parser.add_argument("--tls-certificate", default="", help="ours, where TLS is mutual")
    parser.add_argument("--tls-key", default="", help="its key")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two looks")
    return parser.parse_args()


if __name__ == "__main__":
    main()
