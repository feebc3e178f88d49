"""Payload kinds and their binary form: one byte of kind, then deterministic CBOR.

Sources: docs/encodings.md (section Payload); RFC 8949 section 4.2 (deterministic encoding). The ledger treats a
payload as bytes; this codec is for the people and programs at both ends.
"""

from __future__ import annotations

import io
from typing import Annotated, Any, Literal

import cbor2
from pydantic import BaseModel, ConfigDict, Field

from schemas.primitives import HexBytes, SchemaError


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
    arguments: list[str | int | bool] = Field(default_factory=list, max_length=256)


Payload = Annotated[RawPayload | TextPayload | CallPayload, Field(discriminator="kind")]


def encode_payload(payload: RawPayload | TextPayload | CallPayload) -> bytes:
    """Encode a payload: kind byte (0 raw, 1 text, 2 call) and deterministic CBOR."""
    if isinstance(payload, RawPayload):
        return b"\x00" + cbor2.dumps(payload.data, canonical=True)
    if isinstance(payload, TextPayload):
        return b"\x01" + cbor2.dumps(payload.text, canonical=True)
    return b"\x02" + cbor2.dumps([payload.method, payload.arguments], canonical=True)


def decode_payload(data: bytes) -> RawPayload | TextPayload | CallPayload:
    """Decode a payload strictly: known kind, right shape, deterministic encoding, nothing left over.

    Raises:
        SchemaError: the bytes are no payload of a known kind in deterministic form.
    """
    if not data:
        raise SchemaError("an empty payload has no kind; show it as raw bytes")
    payload = _from_value(data[0], _load(data[1:]))
    if encode_payload(payload) != data:
        raise SchemaError("the payload is not in deterministic CBOR (RFC 8949 section 4.2)")
    return payload


def _load(data: bytes) -> Any:
    stream = io.BytesIO(data)
    try:
        value = cbor2.load(stream)
    except (cbor2.CBORDecodeError, ValueError, RecursionError) as error:
        raise SchemaError(f"the payload is not CBOR: {error}") from error
    if stream.tell() != len(data):
        raise SchemaError(f"{len(data) - stream.tell()} bytes follow the payload's CBOR value")
    return value


def _from_value(kind: int, value: Any) -> RawPayload | TextPayload | CallPayload:
    if kind == 0 and isinstance(value, bytes):
        return RawPayload(data=value)
    if kind == 1 and isinstance(value, str):
        return TextPayload(text=value)
    if kind == 2 and isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        arguments = value[1]
        if isinstance(arguments, list) and all(isinstance(item, str | int) for item in arguments):
            try:
                return CallPayload(method=value[0], arguments=arguments)
            except ValueError as error:
                raise SchemaError(f"the call is not well formed: {error}") from error
    raise SchemaError(f"no payload of kind {kind} has this shape; known kinds are 0 raw, 1 text, 2 call")


def describe_payload(data: bytes) -> str:
    """Show a payload to a person: the text, the call, or hexadecimal."""
    try:
        payload = decode_payload(data)
    except SchemaError:
        return "0x" + data.hex()
    if isinstance(payload, TextPayload):
        return payload.text
    if isinstance(payload, CallPayload):
        return f"{payload.method}({', '.join(map(repr, payload.arguments))})"
    return "0x" + payload.data.hex()
