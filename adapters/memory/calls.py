"""Calldata of the in-process gateway, read back: the same bytes that the Solidity gateway takes.

Sources: docs/encodings.md, section Solidity, and the contract ABI specification; written by `adapters.solidity.calldata`.
"""

from __future__ import annotations

from typing import Any

from adapters.memory.gateway import Frame, Gateway, LogNote, Reverted
from adapters.protocol import Anchoring, Delivery, Settlement
from adapters.solidity.calldata import (
    ANCHOR,
    ANCHOR_LOG,
    CLAIM_TYPE,
    DELIVER,
    LOGGED_ANCHOR,
    MESSAGE_TYPE,
    SEND,
    SETTLE,
    SETTLED_TYPE,
)
from schemas.claim import Claim, Direction
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import BlockHash, Bytes32, Head, LaneId, SchemaError
from schemas.suites import integer_word

_SEND_TYPES = ["bytes32", "bytes", "bytes", "uint64", "uint64", "uint64"]
_DELIVER_TYPES = ["bytes32", f"{MESSAGE_TYPE}[]", "bytes32[]", CLAIM_TYPE, "bytes"]
_ANCHOR_TYPES = ["bytes32", "uint8", "bytes32", "bytes32[]", CLAIM_TYPE, "bytes"]
_SETTLE_TYPES = ["bytes32", f"{SETTLED_TYPE}[]", "bytes32[]", CLAIM_TYPE, "bytes"]


def run_call(gateway: Gateway, frame: Frame, calldata: bytes) -> None:
    """Run a transaction's calldata at the gateway.

    Raises:
        Reverted: it is no call of the gateway, or the gateway refuses it.
    """
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    selector, arguments = calldata[:4], calldata[4:]
    try:
        if selector == SEND:
            _send(gateway, frame, decode(_SEND_TYPES, arguments))
        elif selector == DELIVER:
            lane_id, messages, suffix_ids, claim, proof = decode(_DELIVER_TYPES, arguments)
            taken = tuple(_message(fields) for fields in messages)
            gateway.deliver(frame, Delivery(LaneId(lane_id), taken, tuple(suffix_ids), _claim(claim), proof))
        elif selector == SETTLE:
            lane_id, entries, suffix_ids, claim, proof = decode(_SETTLE_TYPES, arguments)
            settled = tuple(Settled(_message(message), Status(status), result) for message, status, result in entries)
            gateway.settle(frame, Settlement(LaneId(lane_id), settled, tuple(suffix_ids), _claim(claim), proof))
        elif selector == ANCHOR:
            lane_id, direction, head, ids, claim, proof = decode(_ANCHOR_TYPES, arguments)
            if direction != claim[1]:
                raise Reverted("WrongDirection")
            gateway.anchor(Anchoring(LaneId(lane_id), Head(head), tuple(ids), _claim(claim), proof))
        elif selector == ANCHOR_LOG:
            gateway.anchor_log(frame, LogNote(*decode(["uint64", "bytes32"], arguments)))
        else:
            raise Reverted("UnknownFunction")
    except (DecodingError, SchemaError, ValueError, OverflowError) as error:
        raise Reverted("CalldataMalformed") from error


def answer(gateway: Gateway, calldata: bytes) -> bytes:
    """What a view answers; empty where the calldata is of none."""
    if calldata[:4] != LOGGED_ANCHOR:
        return b""
    note = gateway.logged_anchor(calldata[4 + 12 :])
    return integer_word(note.size) + note.root


def _send(gateway: Gateway, frame: Frame, fields: tuple[Any, ...]) -> None:
    lane_id, receiver, payload, gas_limit, callback_gas, expires_at = fields
    state = gateway.lanes.get(LaneId(lane_id))
    if state is None:
        raise Reverted("UnknownLane")
    message = Message.create(
        state.lane.suite,
        nonce=state.sent + 1,
        sender=frame.sender,
        receiver=receiver,
        payload=payload,
        gas_limit=gas_limit,
        callback_gas=callback_gas,
        expires_at=expires_at,
    )
    gateway.send(frame, state.lane.lane_id, message)


def _message(fields: tuple[Any, ...]) -> Message:
    nonce, sender, receiver, expires_at, gas_limit, callback_gas, length, digest, payload = fields
    return Message(nonce, sender, receiver, expires_at, gas_limit, callback_gas, length, Bytes32(digest), payload)


def _claim(fields: tuple[Any, ...]) -> Claim:
    lane_id, direction, nonce, head, height, block_hash = fields
    return Claim(LaneId(lane_id), Direction(direction), nonce, Head(head), height, BlockHash(block_hash))
