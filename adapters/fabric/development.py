"""The development-only method of the simulator: what it is, and certificates for keys. A real peer does not offer it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.fabric.connections import Connection
from adapters.fabric.identities import key_of
from adapters.protocol import BadAnswer, Misconfigured, Rejected

SWITCHES = "/relayhub.simulator.Switches/Act"


def software_of(peer: Connection) -> str:
    """The name of the software, where the node is the simulator; empty on a real one.

    Raises:
        AdapterError: the node does not answer.
    """
    try:
        software = act(peer, {"do": "about"}).get("software", "")
    except (Misconfigured, Rejected):
        return ""
    return software[:200] if isinstance(software, str) and software.isprintable() else ""


def certify(peer: Connection, private_keys: Sequence[bytes], folder: Path) -> None:
    """Have certificates of members made for keys that have none in a folder yet, and put them there.

    Raises:
        Misconfigured: a key is none.
        AdapterError: the simulator does not answer, or not as it must.
    """
    try:
        keys = [key_of(key).public_key() for key in private_keys]
    except ValueError:
        raise Misconfigured("A key is no P-256 key of 32 bytes; give the member's own.") from None
    points = [key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex() for key in keys]
    folder.mkdir(parents=True, exist_ok=True)
    fresh = [point for point in dict.fromkeys(points) if not _file(folder, point).exists()]
    if not fresh:
        return
    issued = act(peer, {"do": "endow", "keys": fresh}).get("certificates")
    if not isinstance(issued, list) or len(issued) != len(fresh) or not all(isinstance(pem, str) for pem in issued):
        raise BadAnswer(f"{peer.label} issues another number of certificates.", endpoint=peer.label)
    for point, pem in zip(fresh, issued, strict=True):
        path = _file(folder, point)
        path.touch(mode=0o600)
        path.write_text(pem, encoding="utf-8")


def act(peer: Connection, asked: dict[str, object]) -> dict[str, object]:
    """Call the method.

    Raises:
        AdapterError: by kind; `Misconfigured` where the node does not offer it.
    """
    answer = peer.unary(SWITCHES, json.dumps(asked).encode())
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"{peer.label} answers what is no JSON.", endpoint=peer.label) from error
    if not isinstance(found, dict):
        raise BadAnswer(f"{peer.label} answers what is no object.", endpoint=peer.label)
    return found


def _file(folder: Path, point: str) -> Path:
    return folder / f"member-{point[2:34]}.pem"
