"""Payload kinds and their binary form: one byte of kind, then deterministic CBOR.

Sources: docs/encodings.md (section Payload); RFC 8949 section 4.2 (deterministic encoding). The ledger treats a
payload as bytes; this codec is for the people and programs at both ends.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal, TypeAlias

import cbor2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.cbor import CborValue, load
from schemas.primitives import Bytes32, HexBytes, SchemaError

JOINERS = "\u200c\u200d"
"""Invisible characters that scripts and emoji need: zero-width non-joiner and joiner."""


def _within_a_word(value: int) -> int:
    if not -(2**256) <= value < 2**256:
        raise SchemaError("an integer of a call must fit a 256-bit word")
    return value


Integer256 = Annotated[int, AfterValidator(_within_a_word)]
"""An integer that a ledger's word can hold, signed or unsigned."""


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RawPayload(_Payload):
    """Bytes without further meaning; CBOR byte string."""

    kind: Literal["raw"] = "raw"
    data: HexBytes


class TextPayload(_Payload):
    """A text in any script; CBOR text string."""

    kind: Literal["text"] = "text"
    text: str


class CallPayload(_Payload):
    """A call that the receiver understands; CBOR array [method, arguments]."""

    kind: Literal["call"] = "call"
    method: str = Field(min_length=1, max_length=256)
    arguments: list[str | Integer256 | bool] = Field(default_factory=list, max_length=256)


class DocumentPayload(_Payload):
    """A body that is kept beside the ledger, as a record of the evidence log; CBOR byte string of 32 bytes.

    Attributes:
        record: SHA-256(32-byte salt ‖ body), the record's id.
    """

    kind: Literal["document"] = "document"
    record: Bytes32


AnyPayload: TypeAlias = RawPayload | TextPayload | CallPayload | DocumentPayload
Payload = Annotated[AnyPayload, Field(discriminator="kind")]


def encode_payload(payload: AnyPayload) -> bytes:
    """Encode a payload: kind byte (0 raw, 1 text, 2 call, 3 document) and deterministic CBOR."""
    if isinstance(payload, RawPayload):
        return b"\x00" + cbor2.dumps(payload.data, canonical=True)
    if isinstance(payload, TextPayload):
        return b"\x01" + cbor2.dumps(payload.text, canonical=True)
    if isinstance(payload, DocumentPayload):
        return b"\x03" + cbor2.dumps(bytes(payload.record), canonical=True)
    return b"\x02" + cbor2.dumps([payload.method, payload.arguments], canonical=True)


def decode_payload(data: bytes) -> AnyPayload:
    """Decode a payload strictly: known kind, right shape, deterministic encoding, nothing left over.

    Raises:
        SchemaError: the bytes are no payload of a known kind in deterministic form.
    """
    if not data:
        raise SchemaError("an empty payload has no kind; show it as raw bytes")
    payload = _from_value(data[0], load(data[1:]))
    if encode_payload(payload) != data:
        raise SchemaError("the payload is not in deterministic CBOR (RFC 8949 section 4.2)")
    return payload


def _from_value(kind: int, value: CborValue) -> AnyPayload:
    if kind == 0 and isinstance(value, bytes):
        return RawPayload(data=value)
    if kind == 1 and isinstance(value, str):
        return TextPayload(text=value)
    if kind == 2 and isinstance(value, list) and len(value) == 2:
        method, arguments = value
        if isinstance(arguments, list):
            try:
                return CallPayload.model_validate({"method": method, "arguments": arguments})
            except ValueError as error:
                raise SchemaError(f"the call is not well formed: {error}") from error
    if kind == 3 and isinstance(value, bytes) and len(value) == Bytes32.size:
        return DocumentPayload(record=Bytes32(value))
    raise SchemaError(f"no payload of kind {kind} has this shape; known kinds are 0 raw, 1 text, 2 call, 3 document")


def describe_payload(data: bytes) -> str:
    """Show a payload to a person on one line: the text, the call, or hexadecimal.

    Control characters, line breaks and invisible formatting are escaped: a stranger's text moves no cursor and
    reverses no line on the reader's screen.
    """
    try:
        payload = decode_payload(data)
    except SchemaError:
        return "0x" + data.hex()
    if isinstance(payload, TextPayload):
        return _visible(payload.text)
    if isinstance(payload, CallPayload):
        return f"{_visible(payload.method)}({', '.join(_visible(repr(item)) for item in payload.arguments)})"
    if isinstance(payload, DocumentPayload):
        return f"document {payload.record.hex0x()}"
    return "0x" + payload.data.hex()


def _visible(text: str) -> str:
    return "".join(
        character
        if character in JOINERS or unicodedata.category(character) not in {"Cc", "Cf", "Zl", "Zp"}
        else character.encode("unicode_escape").decode()
        for character in text
    )
