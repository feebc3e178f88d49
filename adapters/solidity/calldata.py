"""Calldata of the gateway's hot path, by hand: send, deliver, settle, anchor, retry, and the committee's proof bytes.

Sources: docs/encodings.md (sections Solidity, Proof bytes) and the Solidity contract ABI specification. Every function
gives the canonical encoding: head words, then tails in the order of the fields, without gaps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from adapters.protocol import Action, Anchoring, BadAnswer, Delivery
from schemas.claim import Claim
from schemas.message import Message
from schemas.outcome import Settled
from schemas.primitives import LaneId
from schemas.suites import integer_word, keccak256

MESSAGE_TYPE = "(uint64,bytes,bytes,uint64,uint64,uint64,uint64,bytes32,bytes)"
CLAIM_TYPE = "(bytes32,uint8,uint64,bytes32,uint64,bytes32)"
SETTLED_TYPE = f"({MESSAGE_TYPE},uint8,bytes)"


def selector(signature: str) -> bytes:
    """Return the four bytes that name a function, from its canonical signature."""
    return keccak256(signature.encode())[:4]


SEND = selector("send(bytes32,bytes,bytes,uint64,uint64,uint64)")
DELIVER = selector(f"deliver(bytes32,{MESSAGE_TYPE}[],bytes32[],{CLAIM_TYPE},bytes)")
SETTLE = selector(f"settle(bytes32,{SETTLED_TYPE}[],bytes32[],{CLAIM_TYPE},bytes)")
ANCHOR = selector(f"anchor(bytes32,uint8,bytes32,bytes32[],{CLAIM_TYPE},bytes)")
RETRY = selector(f"retry(bytes32,{SETTLED_TYPE})")
PROBE = selector(f"probe(bytes32,{CLAIM_TYPE},bytes)")
LOAD = selector("load(bytes32,bytes,bytes,uint64,uint64,uint64,uint256)")
ANCHOR_LOG = selector("anchorLog(uint64,bytes32)")
LOGGED_ANCHOR = selector("loggedAnchor(address)")

SIGNATURE_BYTES = (64, 65)

_MESSAGE_HEAD = struct.Struct(">" + "24xQ" * 7 + "32s24xQ")
_THREE_WORDS = struct.Struct(">" + "24xQ" * 3)
_CLAIM = struct.Struct(">32s31xB24xQ32s24xQ32s")
_PADDING = tuple(bytes(-length % 32) for length in range(32))


def encode_send(
    lane_id: bytes, receiver: bytes, payload: bytes, gas_limit: int, callback_gas: int, expires_at: int
) -> bytes:
    """Encode `send`: gas in units, `expires_at` in Unix seconds (0 = never)."""
    return SEND + _send_arguments(lane_id, receiver, payload, [gas_limit, callback_gas, expires_at])


def encode_load(
    lane_id: bytes, receiver: bytes, payload: bytes, gas_limit: int, callback_gas: int, expires_at: int, count: int
) -> bytes:
    """Encode `load` of the Loader contract: `count` messages of the same payload in one transaction."""
    return LOAD + _send_arguments(lane_id, receiver, payload, [gas_limit, callback_gas, expires_at, count])


def encode_deliver(
    lane_id: bytes, messages: Sequence[Message], suffix_ids: Sequence[bytes], claim: Claim, proof: bytes
) -> bytes:
    """Encode `deliver`: messages in order, later ids under the same claim, and its proof (empty = anchored)."""
    return DELIVER + _consume(lane_id, [_message(message) for message in messages], suffix_ids, claim, proof)


def encode_settle(
    lane_id: bytes, settled: Sequence[Settled], suffix_ids: Sequence[bytes], claim: Claim, proof: bytes
) -> bytes:
    """Encode `settle`: entries in order (their payloads are left out), later outcome ids, the claim and its proof."""
    return SETTLE + _consume(lane_id, [_settled(entry) for entry in settled], suffix_ids, claim, proof)


def encode_anchor(
    lane_id: bytes, direction: int, head: bytes, ids: Sequence[bytes], claim: Claim, proof: bytes
) -> bytes:
    """Encode `anchor`: `ids` fold `head` onto the claim's head; an empty proof says that the claim's head is anchored."""
    listed = _words(ids)
    ids_at = 32 * 11
    return b"".join(
        (
            ANCHOR,
            lane_id,
            integer_word(direction),
            head,
            integer_word(ids_at),
            encode_claim(claim),
            integer_word(ids_at + len(listed)),
            listed,
            encode_bytes(proof),
        )
    )


def encode_action(action: Action) -> bytes:
    """Encode a delivery, a settlement or an anchoring."""
    if isinstance(action, Anchoring):
        claim = action.claim
        return encode_anchor(action.lane_id, claim.direction, action.head, action.ids, claim, action.proof)
    if isinstance(action, Delivery):
        return encode_deliver(action.lane_id, action.messages, action.suffix_ids, action.claim, action.proof)
    return encode_settle(action.lane_id, action.settled, action.suffix_ids, action.claim, action.proof)


def encode_retry(lane_id: bytes, entry: Settled) -> bytes:
    """Encode `retry` of a failed callback with the same entry that was settled."""
    return RETRY + lane_id + integer_word(64) + _settled(entry)


def encode_probe(lane_id: bytes, claim: Claim, proof: bytes) -> bytes:
    """Encode the view `probe`: what the lane's verifier says to a claim."""
    return PROBE + lane_id + encode_claim(claim) + integer_word(32 * 8) + encode_bytes(proof)


def committee_proof(epoch: int, signatures: Iterable[tuple[int, bytes]]) -> bytes:
    """Encode a committee's proof from (index of the signer in the epoch, signature of 65 bytes, or of 64 under SM2).

    Raises:
        ValueError: an index is twice or not 0 to 255, or a signature has neither 64 nor 65 bytes.
    """
    ordered = sorted(signatures)
    bitmap = 0
    for index, signature in ordered:
        if not 0 <= index <= 255 or bitmap >> index & 1 or len(signature) not in SIGNATURE_BYTES:
            raise ValueError("a committee's proof needs each signer once, 0 to 255, with a signature of 64 or 65 bytes")
        bitmap |= 1 << index
    parts = [encode_bytes(signature) for _, signature in ordered]
    return b"".join((integer_word(epoch), integer_word(bitmap), integer_word(96), encode_list(parts)))


def encode_claim(claim: Claim) -> bytes:
    """Encode a claim: six words."""
    return _CLAIM.pack(claim.lane_id, claim.direction, claim.nonce, claim.head, claim.height, claim.block_hash)


def encode_bytes(data: bytes) -> bytes:
    """Encode `bytes`: a length word, the data, zeros up to a whole word."""
    return integer_word(len(data)) + data + _PADDING[len(data) % 32]


def _send_arguments(lane_id: bytes, receiver: bytes, payload: bytes, numbers: list[int]) -> bytes:
    receiver_tail = encode_bytes(receiver)
    receiver_at = 32 * (3 + len(numbers))
    return b"".join(
        (
            lane_id,
            integer_word(receiver_at),
            integer_word(receiver_at + len(receiver_tail)),
            *map(integer_word, numbers),
            receiver_tail,
            encode_bytes(payload),
        )
    )


def _consume(lane_id: bytes, entries: list[bytes], suffix_ids: Sequence[bytes], claim: Claim, proof: bytes) -> bytes:
    listed, suffix = encode_list(entries), _words(suffix_ids)
    entries_at = 32 * 10
    suffix_at = entries_at + len(listed)
    return b"".join(
        (
            lane_id,
            integer_word(entries_at),
            integer_word(suffix_at),
            encode_claim(claim),
            integer_word(suffix_at + len(suffix)),
            listed,
            suffix,
            encode_bytes(proof),
        )
    )


def _message(message: Message, *, with_payload: bool = True) -> bytes:
    sender, receiver = encode_bytes(message.sender), encode_bytes(message.receiver)
    sender_at = 32 * 9
    receiver_at = sender_at + len(sender)
    head = _MESSAGE_HEAD.pack(
        message.nonce,
        sender_at,
        receiver_at,
        message.expires_at,
        message.gas_limit,
        message.callback_gas,
        message.payload_length,
        message.payload_hash,
        receiver_at + len(receiver),
    )
    return b"".join((head, sender, receiver, encode_bytes(message.payload if with_payload else b"")))


def _settled(entry: Settled) -> bytes:
    message = _message(entry.message, with_payload=False)
    return _THREE_WORDS.pack(96, entry.status, 96 + len(message)) + message + encode_bytes(entry.result)


def _words(words: Sequence[bytes]) -> bytes:
    return integer_word(len(words)) + b"".join(words)


def encode_list(items: list[bytes]) -> bytes:
    """Encode an array of dynamic items: its length, where each item stands behind that word, the items."""
    offsets = []
    place = 32 * len(items)
    for item in items:
        offsets.append(integer_word(place))
        place += len(item)
    return b"".join((integer_word(len(items)), *offsets, *items))


def encode_seal(lane_id: LaneId, tickets: Sequence[bytes]) -> bytes:
    """Encode `seal(bytes32,bytes32[])` of a gateway that gives tickets: they get their place in the lane, the oldest first.

    Args:
        lane_id: the lane.
        tickets: of 32 bytes each.
    """
    words = [bytes(lane_id), (64).to_bytes(32, "big"), len(tickets).to_bytes(32, "big"), *tickets]
    return _SEAL + b"".join(words)


def encode_ticket(lane_id: LaneId, ticket: bytes) -> bytes:
    """Encode the question `ticket(bytes32,bytes32)`: where a ticket stands; see `decode_ticket`."""
    return _TICKET + lane_id + ticket


def decode_ticket(output: bytes) -> tuple[int, int, bytes]:
    """Read what a gateway answers of a ticket: its state (0 unknown, 1 waits, 2 sealed), the message's nonce and id.

    Raises:
        BadAnswer: it is no such answer.
    """
    if len(output) != 96:
        raise BadAnswer("the answer about a ticket is truncated, extended or altered; leave the endpoint.")
    return int.from_bytes(output[:32], "big"), int.from_bytes(output[32:64], "big"), output[64:]


_SEAL, _TICKET = keccak256(b"seal(bytes32,bytes32[])")[:4], keccak256(b"ticket(bytes32,bytes32)")[:4]
