"""Tars, the encoding of FISCO BCOS 3.x transactions: a small strict codec of the types that they use.

A field is a head and a value. The head is one byte, the tag in its upper four bits and the type in its lower four; a tag of 15 or
more takes a second byte. Integers are big-endian in the smallest of 1, 2, 4 or 8 bytes that holds them, zero has a type of its own;
a text has its length in 1 or 4 bytes before it; a list of bytes is a "simple list". Fields of a structure stand by ascending tag.

Source: Tencent Tars, the protocol specification (docs, "tars protocol"), sections on data types and on structures.
"""

from __future__ import annotations

from collections.abc import Mapping

Value = int | str | bytes | Mapping[int, "Value"]
"""An integer of 64 bits, a text, a list of bytes, or a structure by tags."""

_INT8, _INT16, _INT32, _INT64, _TEXT1, _TEXT4 = 0, 1, 2, 3, 6, 7
_BEGIN, _END, _ZERO, _SIMPLE = 10, 11, 12, 13
_SIZES = {_INT8: 1, _INT16: 2, _INT32: 4, _INT64: 8}
MAXIMUM_SIZE = 16 * 1024 * 1024
"""Bytes that are read at once."""
MAXIMUM_DEPTH = 8


class TarsRefused(ValueError):
    """The bytes are no Tars of the types that a transaction uses."""


def encode(structure: Mapping[int, Value]) -> bytes:
    """Encode the fields of a structure, without a head of its own.

    Args:
        structure: values by their tags, 0 to 255.

    Raises:
        ValueError: an integer does not fit 64 bits, or a text 32 bits of length.
    """
    return b"".join(_field(tag, structure[tag]) for tag in sorted(structure))


def decode(data: bytes) -> dict[int, Value]:
    """Read the fields of a structure.

    Args:
        data: the whole encoding, without a head of its own.

    Returns:
        Values by their tags.

    Raises:
        TarsRefused: it breaks off, holds a type that no transaction has, or its tags do not ascend.
    """
    if len(data) > MAXIMUM_SIZE:
        raise TarsRefused(f"{len(data)} bytes are more than {MAXIMUM_SIZE}; no transaction is as large")
    return _Reader(data).structure(depth=0)


def _head(tag: int, kind: int) -> bytes:
    return bytes((tag << 4 | kind,)) if tag < 15 else bytes((0xF0 | kind, tag))


def _field(tag: int, value: Value) -> bytes:
    if isinstance(value, int):
        return _integer(tag, value)
    if isinstance(value, str):
        text = value.encode()
        if len(text) < 256:
            return _head(tag, _TEXT1) + bytes((len(text),)) + text
        return _head(tag, _TEXT4) + len(text).to_bytes(4, "big") + text
    if isinstance(value, bytes):
        return _head(tag, _SIMPLE) + _head(0, _INT8) + _integer(0, len(value)) + value
    return _head(tag, _BEGIN) + encode(value) + _head(0, _END)


def _integer(tag: int, value: int) -> bytes:
    """An integer in its smallest form; a length that is zero is written as a zero too."""
    if value == 0:
        return _head(tag, _ZERO)
    for kind, size in _SIZES.items():
        if -(1 << (8 * size - 1)) <= value < 1 << (8 * size - 1):
            return _head(tag, kind) + value.to_bytes(size, "big", signed=True)
    raise ValueError(f"{value} does not fit 64 bits")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def structure(self, *, depth: int) -> dict[int, Value]:
        """Read fields up to the end of the structure, which for the outermost one is the end of the data."""
        if depth > MAXIMUM_DEPTH:
            raise TarsRefused("structures stand in each other more deeply than in any transaction")
        fields: dict[int, Value] = {}
        last = -1
        while depth or self._at < len(self._data):
            tag, kind = self._read_head()
            if kind == _END and tag == 0 and depth:
                return fields
            if tag <= last:
                raise TarsRefused(f"tag {tag} stands after tag {last}")
            fields[tag] = self._value(kind, depth)
            last = tag
        return fields

    def _value(self, kind: int, depth: int) -> Value:
        if kind == _ZERO or kind in _SIZES:
            return self._read_integer(kind)
        if kind in (_TEXT1, _TEXT4):
            size = int.from_bytes(self._take(1 if kind == _TEXT1 else 4), "big")
            try:
                return self._take(size).decode()
            except UnicodeDecodeError as error:
                raise TarsRefused("a text is no UTF-8") from error
        if kind == _SIMPLE:
            if self._read_head() != (0, _INT8):
                raise TarsRefused("a simple list is of something else than bytes")
            tag, size_kind = self._read_head()
            size = self._read_integer(size_kind)
            if tag != 0 or size < 0:
                raise TarsRefused("a simple list has no length")
            return self._take(size)
        if kind == _BEGIN:
            return self.structure(depth=depth + 1)
        raise TarsRefused(f"no transaction has a field of type {kind}")

    def _read_integer(self, kind: int) -> int:
        if kind == _ZERO:
            return 0
        if kind not in _SIZES:
            raise TarsRefused(f"type {kind} is no integer")
        return int.from_bytes(self._take(_SIZES[kind]), "big", signed=True)

    def _read_head(self) -> tuple[int, int]:
        byte = self._take(1)[0]
        tag, kind = byte >> 4, byte & 15
        return (self._take(1)[0] if tag == 15 else tag), kind

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise TarsRefused("the bytes break off")
        taken = self._data[self._at : end]
        self._at = end
        return taken
