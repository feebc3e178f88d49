"""The gateway's events from the topics and data of a log, by hand.

Only the canonical form that the contract emits is read: exact lengths, offsets in order, zero padding. Anything else is
`BadAnswer`: the endpoint altered it, or the address is no gateway of ours. What an event says is believed only when it
folds to a proved head.

Sources: docs/encodings.md, section Solidity (events), and the contract ABI specification.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.protocol import (
    BadAnswer,
    GatewayEvent,
    HeadMoved,
    LaneOpened,
    MessageDelivered,
    MessageSent,
    Position,
    VerifierChanged,
)
from schemas.message import Message
from schemas.outcome import Status
from schemas.primitives import RESULT_MAX_BYTES, Bytes32, ChainWord, Head, LaneId, MessageId, SchemaError
from schemas.suites import EVM, SM, keccak256

MESSAGE_SENT = keccak256(b"MessageSent(bytes32,uint64,bytes32,bytes32,bytes,bytes,uint64,uint64,uint64,bytes)")
MESSAGE_DELIVERED = keccak256(b"MessageDelivered(bytes32,uint64,bytes32,uint8,bytes)")
HEAD_MOVED = keccak256(b"HeadMoved(bytes32,uint8,uint64,bytes32)")
LANE_OPENED = keccak256(b"LaneOpened(bytes32,uint8,string,bytes32,bytes,bytes32,bytes,string,address,bytes32)")
VERIFIER_CHANGED = keccak256(b"VerifierChanged(bytes32,address)")

_SENT_HEAD = struct.Struct(">32s32s" + "24sQ" * 6)
_DELIVERED_HEAD = struct.Struct(">32s" + "24sQ" * 2)
_OPENED_HEAD = struct.Struct(">" + "24sQ" * 2 + "32s24sQ32s" + "24sQ" * 2 + "12s20s32s")
SENDER_LENGTHS = (20, 33)
"""Bytes of an account: of an Ethereum-like ledger, and of Fabric."""

_ZERO24 = bytes(24)
_ZERO12 = bytes(12)


def decode_event(topics: Sequence[bytes], data: bytes, position: Position) -> GatewayEvent:
    """Decode one log of a gateway.

    Args:
        topics: one to four topics of 32 bytes, the first one of `SIGNATURES`.
        data: the log's data.
        position: where the log stands; kept in the event.

    Raises:
        BadAnswer: it is none of the five events, or not in the contract's exact form.
    """
    reader = _READERS.get(bytes(topics[0])) if topics else None
    if reader is None:
        raise BadAnswer("a log is none of the gateway's events; check the gateway's address.")
    try:
        return reader(topics, data, position)
    except SchemaError as error:
        raise BadAnswer(
            f"an event of the gateway holds what the protocol does not allow ({error}); leave the endpoint."
        ) from error


def _form(good: bool) -> None:
    if not good:
        raise BadAnswer("an event of the gateway is truncated, extended or altered; leave the endpoint.")


def _tails(data: bytes, place: int, offsets: Sequence[int]) -> list[bytes]:
    """Read `bytes` tails that stand one behind the other from `place` to the end, as the offsets say."""
    tails = []
    for offset in offsets:
        _form(offset == place and len(data) >= place + 32)
        length = int.from_bytes(data[place : place + 32], "big")
        start = place + 32
        place = start + (length + 31) // 32 * 32
        _form(place <= len(data) and not any(data[start + length : place]))
        tails.append(data[start : start + length])
    _form(place == len(data))
    return tails


def _topic_integer(topic: bytes) -> int:
    _form(len(topic) == 32 and topic[:24] == _ZERO24)
    return int.from_bytes(topic[24:], "big")


def _read_sent(topics: Sequence[bytes], data: bytes, position: Position) -> MessageSent:
    _form(len(topics) == 3 and len(data) >= _SENT_HEAD.size)
    (message_id, head, *words) = _SENT_HEAD.unpack_from(data)
    _form(all(pad == _ZERO24 for pad in words[::2]))
    sender_at, receiver_at, expires_at, gas_limit, callback_gas, payload_at = words[1::2]
    sender, receiver, payload = _tails(data, _SENT_HEAD.size, (sender_at, receiver_at, payload_at))
    nonce = _topic_integer(topics[2])
    _form(nonce > 0 and len(sender) in SENDER_LENGTHS and 1 <= len(receiver) <= 64)
    lane_id = LaneId(topics[1])
    fields = (nonce, sender, receiver, expires_at, gas_limit, callback_gas, len(payload))
    return MessageSent(
        lane_id=lane_id,
        message_id=MessageId(message_id),
        head=Head(head),
        message=_message(lane_id, message_id, fields, payload),
        position=position,
    )


def _message(
    lane_id: LaneId, message_id: bytes, fields: tuple[int, bytes, bytes, int, int, int, int], payload: bytes
) -> Message:
    """Make the message with its payload's hash in the suite of its lane, which the id tells; `evm` where neither fits."""
    first = Message(*fields, Bytes32(EVM.hash(payload)), payload)
    if first.message_id(EVM, lane_id) != message_id:
        other = replace(first, payload_hash=Bytes32(SM.hash(payload)))
        if other.message_id(SM, lane_id) == message_id:
            return other
    return first


def _read_delivered(topics: Sequence[bytes], data: bytes, position: Position) -> MessageDelivered:
    _form(len(topics) == 3 and len(data) >= _DELIVERED_HEAD.size)
    message_id, status_pad, status, offset_pad, result_at = _DELIVERED_HEAD.unpack_from(data)
    _form(status_pad == _ZERO24 and offset_pad == _ZERO24 and 1 <= status <= 4)
    (result,) = _tails(data, _DELIVERED_HEAD.size, (result_at,))
    nonce = _topic_integer(topics[2])
    _form(nonce > 0 and len(result) <= RESULT_MAX_BYTES)
    return MessageDelivered(LaneId(topics[1]), nonce, MessageId(message_id), Status(status), result, position)


def _read_head(topics: Sequence[bytes], data: bytes, position: Position) -> HeadMoved:
    _form(len(topics) == 3 and len(data) == 64 and data[:24] == _ZERO24)
    direction = _topic_integer(topics[2])
    _form(1 <= direction <= 3)
    nonce = int.from_bytes(data[24:32], "big")
    return HeadMoved(LaneId(topics[1]), direction, nonce, Head(data[32:]), position)


def _read_opened(topics: Sequence[bytes], data: bytes, position: Position) -> LaneOpened:
    _form(len(topics) == 2 and len(data) >= _OPENED_HEAD.size)
    unpacked = _OPENED_HEAD.unpack_from(data)
    (end_pad, end, hub_pad, hub_at, source, source_pad, source_at, destination) = unpacked[:8]
    (destination_pad, destination_at, channel_pad, channel_at, verifier_pad, verifier, peer_code_hash) = unpacked[8:]
    _form(all(pad == _ZERO24 for pad in (end_pad, hub_pad, source_pad, destination_pad, channel_pad)))
    _form(verifier_pad == _ZERO12 and end <= 1)
    hub, source_gateway, destination_gateway, channel = _tails(
        data, _OPENED_HEAD.size, (hub_at, source_at, destination_at, channel_at)
    )
    return LaneOpened(
        lane_id=LaneId(topics[1]),
        end=end,
        hub=_text(hub),
        source=ChainWord(source),
        source_gateway=source_gateway,
        destination=ChainWord(destination),
        destination_gateway=destination_gateway,
        channel=_text(channel),
        verifier=verifier,
        peer_code_hash=peer_code_hash,
        position=position,
    )


def _read_changed(topics: Sequence[bytes], data: bytes, position: Position) -> VerifierChanged:
    _form(len(topics) == 2 and len(data) == 32 and data[:12] == _ZERO12)
    return VerifierChanged(LaneId(topics[1]), data[12:], position)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadAnswer("a lane was opened under a name that is no UTF-8; open another one.") from error


_READERS: dict[bytes, Callable[[Sequence[bytes], bytes, Position], GatewayEvent]] = {
    MESSAGE_SENT: _read_sent,
    MESSAGE_DELIVERED: _read_delivered,
    HEAD_MOVED: _read_head,
    LANE_OPENED: _read_opened,
    VERIFIER_CHANGED: _read_changed,
}
SIGNATURES: tuple[bytes, ...] = tuple(_READERS)
"""First topics of the events that the hub and the operators read."""
