"""The official BLS12-381 suites (ethereum/bls12-381-tests): every file with its own verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from py_arkworks_bls12381 import G2Point

from light_clients.crypto import bls
from light_clients.errors import SignatureInvalid
from tests.vector_table.item import Item, judged, unusable

FAMILY = "bls"
HASH_TO_CURVE_TAG = b"QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_"
"""RFC 9380, appendix J.10.1."""


def items(folder: Path) -> Iterator[Item]:
    """One row for each file; the folder that it stands in says what it asks."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        judge = JUDGES.get(file.parent.name)
        if file.suffix != ".json" or judge is None:
            yield unusable(
                FAMILY, name, "documentation, no vector" if file.suffix == ".md" else "no such suite is known"
            )
            continue
        yield _row(name, file.parent.name, judge, json.loads(file.read_text()))


def _row(name: str, kind: str, judge: Callable[[Any], object], vector: dict[str, Any]) -> Item:
    output, given = vector["output"], vector["input"]
    expected = "refused" if output in (False, None) else "accepted"
    why = "the verdict of the suite"
    if kind == "deserialization_G1" and output and _hex(given["pubkey"]) == bls.INFINITY_KEY:
        expected, why = "refused", "infinity is a point, and no key: KeyValidate (draft-irtf-cfrg-bls-signature, 2.5)"

    def verify() -> None:
        found = judge(given)
        if found is not True and found != output:
            raise SignatureInvalid("The door answers otherwise.")

    return judged(FAMILY, name, expected, verify, why)


def _keys(given: dict[str, Any]) -> tuple[bls.PublicKey, ...]:
    return bls.decode_public_keys([_hex(key) for key in given["pubkeys"]])


def _verify(given: dict[str, Any]) -> object:
    key = bls.decode_public_key(_hex(given["pubkey"]))
    return bls.verify(key, _hex(given["message"]), _hex(given["signature"])) or None


def _fast_aggregate_verify(given: dict[str, Any]) -> object:
    return bls.fast_aggregate_verify(_keys(given), _hex(given["message"]), _hex(given["signature"])) or None


def _aggregate_verify(given: dict[str, Any]) -> object:
    messages = [_hex(message) for message in given["messages"]]
    return bls.aggregate_verify(_keys(given), messages, _hex(given["signature"])) or None


def _batch_verify(given: dict[str, Any]) -> object:
    rows = zip(_keys(given), given["messages"], given["signatures"], strict=True)
    return all(bls.verify(key, _hex(message), _hex(signature)) for key, message, signature in rows) or None


def _sign(given: dict[str, Any]) -> object:
    return "0x" + bls.sign(_hex(given["privkey"]), _hex(given["message"])).hex()


def _aggregate(given: list[str]) -> object:
    return "0x" + bls.aggregate([_hex(signature) for signature in given]).hex()


def _key(given: dict[str, Any]) -> object:
    return bls.decode_public_key(_hex(given["pubkey"])).encoded == _hex(given["pubkey"])


def _signature(given: dict[str, Any]) -> object:
    return bls.aggregate([_hex(given["signature"])]) == _hex(given["signature"])


def _hash(given: dict[str, Any]) -> object:
    """x and y, each as the suite writes an element of the extension field: two hexadecimal numbers with a comma."""
    point = G2Point.from_compressed_bytes(bls.hash_to_g2(given["msg"].encode(), HASH_TO_CURVE_TAG))
    encoded = bytes(point.to_xy_bytes_be())
    x0, x1, y0, y1 = ("0x" + encoded[place : place + 48].hex() for place in range(0, 192, 48))
    return {"x": f"{x0},{x1}", "y": f"{y0},{y1}"}


JUDGES: dict[str, Callable[[Any], object]] = {
    "verify": _verify,
    "fast_aggregate_verify": _fast_aggregate_verify,
    "aggregate_verify": _aggregate_verify,
    "batch_verify": _batch_verify,
    "sign": _sign,
    "aggregate": _aggregate,
    "deserialization_G1": _key,
    "deserialization_G2": _signature,
    "hash_to_G2": _hash,
}


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
