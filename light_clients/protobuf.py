"""Protocol Buffers as the light clients read and write them: strictly, and without generated code.

Encoding: Protocol Buffers documentation, Encoding. What is hashed or signed is written here field by field, because two
encoders may differ in what they leave out; what is read is refused where two readers could understand it differently: a
varint longer than needed, a field number of another wire type, a single field that stands twice, bytes that end early.
Groups (wire types 3 and 4) are refused; no ledger here has them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from light_clients.errors import ProtobufFieldInvalid, ProtobufNotCanonical, ProtobufTruncated

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""The wire types that are read."""

MAXIMUM_FIELDS = 200_000
"""Of one message: more than any block has transactions."""

_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """Reads one varint of at most 64 bits.

    Args:
        data: Any bytes.
        offset: Where it begins.

    Returns:
        The number, unsigned, and the offset behind it.

    Raises:
        ProtobufTruncated: The bytes end before it does.
        ProtobufNotCanonical: It is longer than needed, or than 64 bits.
    """
    value = shift = 0
    for place in range(offset, min(len(data), offset + 10)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64 or (byte == 0 and shift):
                raise ProtobufNotCanonical("A number is written longer than needed.")
            return value, place + 1
        shift += 7
    if len(data) - offset >= 10:
        raise ProtobufNotCanonical("A number has more than 64 bits.")
    raise ProtobufTruncated("The bytes end inside a number.")


class Message:
    """One message, its fields by number in the order in which they stand.

    Attributes:
        fields: (number, value) pairs; an integer for varints and fixed sizes, bytes otherwise.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: tuple[tuple[int, int | bytes], ...]) -> None:
        self.fields = fields

    @classmethod
    def read(cls, data: bytes, known: Collection[int] | None = None, *, ordered: bool = False) -> Self:
        """Reads a message.

        Args:
            data: The bytes of one message, without a length before them.
            known: The numbers that may stand in it; ``None`` for any.
            ordered: Whether the numbers must ascend, as canonical writers have them.

        Raises:
            ProtobufTruncated: The bytes end inside a field.
            ProtobufNotCanonical: A number is longer than needed, or fields are out of order.
            ProtobufFieldInvalid: A field is not known, of an unknown wire type, or there are too many.
        """
        fields: list[tuple[int, int | bytes]] = []
        offset, size, last = 0, len(data), 0
        value: int | bytes
        while offset < size:
            key, offset = read_varint(data, offset)
            number, wire = key >> 3, key & 7
            if not 0 < number < 1 << 29 or (known is not None and number not in known):
                raise ProtobufFieldInvalid("A field is not one of this message.", found=number)
            if ordered and number < last:
                raise ProtobufNotCanonical("The fields of a message are out of order.", found=number)
            last = number
            if wire == VARINT:
                value, offset = read_varint(data, offset)
            elif wire == LENGTH:
                length, offset = read_varint(data, offset)
                value = data[offset : offset + length]
                offset += length
            elif wire in _FIXED_SIZES:
                value = int.from_bytes(data[offset : offset + _FIXED_SIZES[wire]], "little")
                offset += _FIXED_SIZES[wire]
            else:
                raise ProtobufFieldInvalid("A field has a wire type that no ledger here writes.", found=wire)
            fields.append((number, value))
            if len(fields) > MAXIMUM_FIELDS:
                raise ProtobufFieldInvalid("A message has too many fields.", expected=MAXIMUM_FIELDS)
        if offset > size:
            raise ProtobufTruncated("The bytes end inside a field.")
        return cls(tuple(fields))

    def _only(self, number: int) -> int | bytes | None:
        found = [value for of, value in self.fields if of == number]
        if len(found) > 1:
            raise ProtobufFieldInvalid("A single field stands twice.", found=number)
        return found[0] if found else None

    def has(self, number: int) -> bool:
        """Whether the field stands in the message at all."""
        return any(of == number for of, _ in self.fields)

    def integer(self, number: int) -> int:
        """An unsigned number of at most 64 bits; 0 where it is left out.

        Raises:
            ProtobufFieldInvalid: It stands twice, or is no number.
        """
        value = self._only(number)
        if isinstance(value, bytes):
            raise ProtobufFieldInvalid("A field is bytes and should be a number.", found=number)
        return value or 0

    def signed(self, number: int) -> int:
        """An int32, int64 or sfixed64: two's complement of 64 bits.

        Raises:
            ProtobufFieldInvalid: It stands twice, or is no number.
        """
        value = self.integer(number)
        return value - (1 << 64) if value >> 63 else value

    def octets(self, number: int) -> bytes:
        """Bytes, or a message still to be read; empty where it is left out.

        Raises:
            ProtobufFieldInvalid: It stands twice, or is no bytes.
        """
        value = self._only(number)
        if isinstance(value, int):
            raise ProtobufFieldInvalid("A field is a number and should be bytes.", found=number)
        return value or b""

    def text(self, number: int) -> str:
        """UTF-8 text; empty where it is left out.

        Raises:
            ProtobufFieldInvalid: It stands twice, or is no UTF-8.
        """
        return as_text(self.octets(number), number)

    def repeated(self, number: int) -> tuple[bytes, ...]:
        """Every value of a repeated field of bytes, texts or messages, in order.

        Raises:
            ProtobufFieldInvalid: One of them is a number.
        """
        found = tuple(value for of, value in self.fields if of == number and isinstance(value, bytes))
        if len(found) != sum(of == number for of, _ in self.fields):
            raise ProtobufFieldInvalid("A field is a number and should be bytes.", found=number)
        return found

    def integers(self, number: int) -> tuple[int, ...]:
        """Every value of a repeated field of numbers, packed or not, in order.

        Raises:
            ProtobufNotCanonical: A packed number is longer than needed.
            ProtobufTruncated: Packed bytes end inside a number.
        """
        found: list[int] = []
        for of, value in self.fields:
            if of == number:
                found.extend([value] if isinstance(value, int) else read_packed(value))
        return tuple(found)


def read_packed(data: bytes) -> list[int]:
    """The varints of a packed field.

    Raises:
        ProtobufNotCanonical: One is longer than needed.
        ProtobufTruncated: The bytes end inside one.
    """
    found, offset = [], 0
    while offset < len(data):
        value, offset = read_varint(data, offset)
        found.append(value)
    return found


def as_text(data: bytes, number: int = 0) -> str:
    """UTF-8 bytes as text.

    Args:
        data: Any bytes.
        number: The field, for the error.

    Raises:
        ProtobufFieldInvalid: They are no UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ProtobufFieldInvalid("A text is not UTF-8.", found=number) from error


def varint(value: int) -> bytes:
    """A number of at most 64 bits; a negative one as its two's complement, ten bytes.

    Args:
        value: From -2^63 to 2^64 - 1.
    """
    rest = value & 0xFFFF_FFFF_FFFF_FFFF
    written = bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def integer_field(number: int, value: int) -> bytes:
    """A varint field; nothing for 0, as proto3 writes it."""
    return varint(number << 3 | VARINT) + varint(value) if value else b""


def sfixed64_field(number: int, value: int) -> bytes:
    """A signed number of eight bytes, little-endian; nothing for 0."""
    return varint(number << 3 | FIXED64) + value.to_bytes(8, "little", signed=True) if value else b""


def octets_field(number: int, value: bytes) -> bytes:
    """Bytes; nothing for empty ones."""
    return message_field(number, value) if value else b""


def text_field(number: int, value: str) -> bytes:
    """Text as UTF-8; nothing for an empty one."""
    return octets_field(number, value.encode())


def message_field(number: int, value: bytes) -> bytes:
    """A message or an item of a repeated field, written even where it is empty."""
    return varint(number << 3 | LENGTH) + varint(len(value)) + value


def packed_field(number: int, values: Collection[int]) -> bytes:
    """A packed field of numbers; nothing where there are none."""
    return octets_field(number, b"".join(varint(value) for value in values))


def delimited(value: bytes) -> bytes:
    """A message with its length before it, as a stream has it."""
    return varint(len(value)) + value
