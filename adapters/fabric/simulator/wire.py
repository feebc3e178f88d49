"""Protocol Buffers written field by field, for what is hashed or signed (Protocol Buffers documentation, Encoding)."""

from __future__ import annotations


def varint(value: int) -> bytes:
    """A varint."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


def message(*fields: tuple[int, int | str | bytes | None]) -> bytes:
    """A protobuf message: numbers other than 0 as varints, text and bytes with a length; ``None`` and 0 are left out."""
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += varint(number << 3) + varint(value) if value else b""
        elif value is not None:
            data = value.encode() if isinstance(value, str) else value
            written += varint(number << 3 | 2) + varint(len(data)) + data
    return written


def explicit(number: int, value: int) -> bytes:
    """A number of a choice, written even where it is 0."""
    return varint(number << 3) + varint(value)
