"""The part of CBOR that payloads are made of, read without trust: integers, bytes, texts, arrays, true and false.

A general CBOR decoder builds dates, decimals, patterns and shared references for whoever wrote the bytes. A payload is
written by a stranger, so this reader knows nothing but the seven forms above and its depth is bounded. Whether the
encoding is the deterministic one is checked by its caller, who encodes the value again and compares.

Source: RFC 8949 sections 3 and 3.4.3 (big integers).
"""

from __future__ import annotations

from typing import TypeAlias

from schemas.primitives import SchemaError

MAX_DEPTH = 4
"""Arrays in arrays; no payload kind needs more than two."""

CborValue: TypeAlias = "int | bool | bytes | str | list[CborValue]"


def load(data: bytes) -> CborValue:
    """Read exactly one value that fills the bytes.

    Raises:
        SchemaError: another type, an indefinite length, bytes missing or left over, or arrays nested too deeply.
    """
    value, end = _read(data, 0, 0)
    if end != len(data):
        raise SchemaError(f"{len(data) - end} bytes follow the payload's CBOR value")
    return value


def _read(data: bytes, start: int, depth: int) -> tuple[CborValue, int]:
    if depth > MAX_DEPTH:
        raise SchemaError(f"the payload's CBOR nests more than {MAX_DEPTH} arrays")
    first = _take(data, start, 1)[0]
    if first in (0xF4, 0xF5):
        return first == 0xF5, start + 1
    major, argument, offset = _head(data, start, first)
    if major == 0:
        return argument, offset
    if major == 1:
        return -1 - argument, offset
    if major == 2:
        return _take(data, offset, argument), offset + argument
    if major == 3:
        return _text(_take(data, offset, argument)), offset + argument
    if major == 4:
        return _array(data, offset, argument, depth)
    if major == 6 and argument in (2, 3):
        digits, offset = _read(data, offset, depth + 1)
        if isinstance(digits, bytes):
            number = int.from_bytes(digits, "big")
            return (number if argument == 2 else -1 - number), offset
    raise SchemaError(f"the payload's CBOR holds a type that payloads do not have (initial byte 0x{first:02x})")


def _head(data: bytes, start: int, first: int) -> tuple[int, int, int]:
    """Return the major type, the argument, and where the item's content begins."""
    major, information = first >> 5, first & 0x1F
    if information < 24:
        return major, information, start + 1
    if information > 27:
        raise SchemaError("the payload's CBOR has an indefinite or reserved length; payloads give every length")
    size = 1 << (information - 24)
    return major, int.from_bytes(_take(data, start + 1, size), "big"), start + 1 + size


def _take(data: bytes, start: int, size: int) -> bytes:
    if size > len(data) - start:
        raise SchemaError("the payload's CBOR ends in the middle of a value")
    return data[start : start + size]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise SchemaError("the payload's CBOR text is not UTF-8") from error


def _array(data: bytes, offset: int, count: int, depth: int) -> tuple[list[CborValue], int]:
    items: list[CborValue] = []
    for _ in range(count):
        item, offset = _read(data, offset, depth + 1)
        items.append(item)
    return items, offset
