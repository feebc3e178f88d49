"""Sized values: 32-byte words that refuse zero, 64-bit counters, names in NFC UTF-8, CAIP-2 chain names.

Sources: the hub's protocol (docs/protocol.md, sections Names and Words), CAIP-2 and CAIP-10 (Chain Agnostic
Improvement Proposals), Unicode Standard Annex 15 (NFC).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

UINT64_MAX = 2**64 - 1
NAME_MAX_BYTES = 64
ACCOUNT_MAX_BYTES = 64
RESULT_MAX_BYTES = 256

_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})*)")
_NAMESPACE = re.compile(r"[-a-z0-9]{3,8}")
_REFERENCE = re.compile(r"[-_a-zA-Z0-9]{1,32}")


class SchemaError(ValueError):
    """A value that the protocol does not allow; the text says which and what is allowed."""


def bytes_from_hex(text: str) -> bytes:
    """Read hexadecimal text, with or without `0x`.

    Raises:
        SchemaError: the text is not an even number of hexadecimal digits.
    """
    match = _HEX.fullmatch(text)
    if match is None:
        raise SchemaError(f"not hexadecimal: {text[:80]!r}; give an even number of hexadecimal digits after 0x")
    return bytes.fromhex(match.group(1))


def hex0x(data: bytes) -> str:
    """Write bytes as lower-case hexadecimal with `0x`."""
    return "0x" + data.hex()


def uint64(value: int, name: str) -> int:
    """Return `value` if it fits an unsigned 64-bit word.

    Raises:
        SchemaError: it is no integer, negative, or larger than 2**64 - 1.
    """
    if type(value) is not int or not 0 <= value <= UINT64_MAX:
        raise SchemaError(f"{name} must be an integer from 0 to {UINT64_MAX}, not {value!r}")
    return value


def account_bytes(value: bytes, name: str) -> bytes:
    """Return `value` if it is 1 to 64 bytes, the size of any ledger's native account or program name.

    Raises:
        SchemaError: it is empty or longer than 64 bytes.
    """
    if not isinstance(value, bytes) or not 1 <= len(value) <= ACCOUNT_MAX_BYTES:
        raise SchemaError(f"{name} must be 1 to {ACCOUNT_MAX_BYTES} bytes")
    return value


def name_text(value: str, name: str) -> str:
    """Return `value` if it is a name of the protocol: NFC, printable, 1 to 64 bytes in UTF-8.

    Raises:
        SchemaError: it is empty, too long, not in NFC, or holds control, invisible, line-breaking or unassigned characters.
    """
    if not isinstance(value, str) or not value:
        raise SchemaError(f"{name} must not be empty")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for character in value):
        raise SchemaError(f"{name} {value!r} holds control, invisible or unassigned characters; leave them out")
    if value != value.strip():
        raise SchemaError(f"{name} {value!r} begins or ends with a space; leave it out")
    if unicodedata.normalize("NFC", value) != value:
        raise SchemaError(f"{name} {value!r} is not in Unicode NFC; normalise it first")
    if len(value.encode()) > NAME_MAX_BYTES:
        raise SchemaError(f"{name} {value!r} has {len(value.encode())} bytes in UTF-8; at most {NAME_MAX_BYTES}")
    return value


class FixedBytes(bytes):
    """Bytes of one size, the base of the sized types. In JSON: lower-case hexadecimal with `0x`."""

    size: ClassVar[int] = 32
    allow_zero: ClassVar[bool] = True
    __slots__ = ()

    def __new__(cls, value: bytes) -> Self:
        """Check the size (and that it is not zero where the type forbids zero).

        Raises:
            SchemaError: wrong size, or zero where zero is never valid.
        """
        if len(value) != cls.size:
            raise SchemaError(f"{cls.__name__} must be {cls.size} bytes, not {len(value)}")
        if not cls.allow_zero and not any(value):
            raise SchemaError(f"{cls.__name__} must not be zero")
        return super().__new__(cls, value)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Read the value from hexadecimal text with or without `0x`."""
        return cls(bytes_from_hex(text))

    def hex0x(self) -> str:
        """Write the value as hexadecimal with `0x`."""
        return "0x" + self.hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex0x()})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate from bytes or hexadecimal text; serialise to hexadecimal text."""

        def read(value: Any) -> FixedBytes:
            if isinstance(value, str):
                return cls.from_hex(value)
            if isinstance(value, bytes):
                return cls(value)
            raise SchemaError(f"{cls.__name__} must be hexadecimal text")

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(hex0x, when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^0x[0-9a-f]{{{2 * cls.size}}}$", "title": cls.__name__}


class Bytes32(FixedBytes):
    """Any 32-byte word."""


class Word(FixedBytes):
    """A 32-byte word that is never zero."""

    allow_zero = False


class ChainWord(Word):
    """SHA-256(CAIP-2 id ‖ 0x00 ‖ hash of the first block): the name of a ledger inside hashes."""


class LaneId(Word):
    """The hash that names a lane."""


class MessageId(Word):
    """The hash that names a message."""


class OutcomeId(Word):
    """The hash that names what became of a message."""


class Head(Word):
    """A lane's running hash after some number of entries."""


class BlockHash(Word):
    """The hash of a block, as its own ledger computes it."""


class Digest(Word):
    """A 32-byte digest that is signed."""


def _read_uint64(value: Any) -> int:
    if isinstance(value, str):
        if not re.fullmatch(r"0|[1-9][0-9]{0,19}", value):
            raise SchemaError(f"not a decimal number: {value[:40]!r}")
        value = int(value)
    return uint64(value, "value")


def _read_hex(value: Any) -> bytes:
    if isinstance(value, str):
        return bytes_from_hex(value)
    if isinstance(value, bytes):
        return value
    raise SchemaError("must be hexadecimal text")


Uint64 = Annotated[
    int,
    BeforeValidator(_read_uint64),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^(0|[1-9][0-9]{0,19})$"}),
]
"""An unsigned 64-bit integer; a decimal string in JSON, because JavaScript rounds large numbers."""

HexBytes = Annotated[
    bytes,
    BeforeValidator(_read_hex),
    PlainSerializer(hex0x, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-f]{2})*$"}),
]
"""Bytes of any length; hexadecimal with `0x` in JSON."""

Account = Annotated[
    bytes,
    BeforeValidator(_read_hex),
    Field(min_length=1, max_length=ACCOUNT_MAX_BYTES),
    PlainSerializer(hex0x, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^0x([0-9a-f]{{2}}){{1,{ACCOUNT_MAX_BYTES}}}$"}),
]
"""A ledger's native account, program address or name: 1 to 64 bytes."""

Result = Annotated[
    bytes,
    BeforeValidator(_read_hex),
    Field(max_length=RESULT_MAX_BYTES),
    PlainSerializer(hex0x, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^0x([0-9a-f]{{2}}){{0,{RESULT_MAX_BYTES}}}$"}),
]
"""What a receiver returned or reverted with: at most 256 bytes."""


def exact_integer(value: Any) -> Any:
    """Let an integer pass to an enumeration and nothing that merely equals one.

    Raises:
        SchemaError: the value is a truth value, a fraction, a text or anything else.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise SchemaError(f"must be an integer, not {value!r}")
    return value


class ChainId(str):
    """A CAIP-2 chain name such as `eip155:1337`, at most 41 characters."""

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        """Check the form `namespace:reference` of CAIP-2.

        Raises:
            SchemaError: the text is no CAIP-2 name.
        """
        namespace, _, reference = value.partition(":")
        if not _NAMESPACE.fullmatch(namespace) or not _REFERENCE.fullmatch(reference):
            raise SchemaError(f"{value!r} is no CAIP-2 chain name; expected something like eip155:1337")
        return super().__new__(cls, value)

    @classmethod
    def of(cls, namespace: str, reference: str) -> Self:
        """Name a ledger, hashing a reference that CAIP-2 cannot hold or that looks like a hashed one."""
        if not _REFERENCE.fullmatch(reference) or reference.startswith("hashed-"):
            reference = "hashed-" + hashlib.sha256(reference.encode()).hexdigest()[:16]
        return cls(f"{namespace}:{reference}")

    def word(self, first_block: BlockHash) -> ChainWord:
        """Compute the chain word from the hash of the ledger's first block."""
        return ChainWord(hashlib.sha256(self.encode() + b"\x00" + first_block).digest())
