"""RLP of ethereum/tests: each value with its one encoding, `INVALID` and `VALID` cases, and spoiled forms of every encoding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rlp as second

from light_clients import rlp
from light_clients.errors import RlpNotCanonical
from tests.vector_table.item import Item, Verdict, judged, unusable

FAMILY = "rlp"


def items(folder: Path) -> Iterator[Item]:
    """One row for each case, and for each encoding one with a byte too many and one with a byte too few."""
    for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix != ".json":
            yield unusable(FAMILY, name, "documentation, no vector")
            continue
        for case, vector in json.loads(path.read_text()).items():
            yield from _rows(f"{name} {case}", vector)


def _rows(name: str, vector: dict[str, Any]) -> Iterator[Item]:
    out = vector["out"].removeprefix("0x")
    if len(out) % 2:
        yield unusable(FAMILY, name, "half a byte is no encoding")
        return
    encoded = bytes.fromhex(out)
    if vector["in"] in ("INVALID", "VALID"):
        expected: Verdict = "refused" if vector["in"] == "INVALID" else "accepted"
        yield judged(FAMILY, name, expected, lambda: rlp.decode(encoded), "the verdict of the suite")
        return
    value = _value(vector["in"])

    def judge() -> None:
        if rlp.encode(value) != encoded or rlp.decode(encoded) != value or second.decode(encoded, strict=True) != value:
            raise RlpNotCanonical("The value has another encoding.")

    yield judged(FAMILY, name, "accepted", judge, "the rlp package reads the same")
    for what, spoiled in (("a byte more", encoded + b"\x00"), ("a byte less", encoded[:-1])):
        yield judged(
            FAMILY,
            f"{name}, {what}",
            _second(spoiled),
            lambda data=spoiled: rlp.decode(data),
            "as the rlp package says",
        )


def _second(data: bytes) -> Verdict:
    try:
        second.decode(data, strict=True)
    except second.exceptions.RLPException:
        return "refused"
    return "accepted"


def _value(given: Any) -> Any:
    if isinstance(given, list):
        return [_value(item) for item in given]
    if isinstance(given, str) and given.startswith("#"):
        given = int(given[1:])
    if isinstance(given, int):
        return given.to_bytes((given.bit_length() + 7) // 8, "big")
    return given.encode("latin-1")
