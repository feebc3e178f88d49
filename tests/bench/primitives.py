"""Microseconds of CPU of what every message costs: its id, a fold of its head, one hash."""

from __future__ import annotations

from schemas.heads import fold
from schemas.message import Message
from schemas.primitives import BlockHash, ChainId, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.bench.best import best_us


def measure_primitives() -> dict[str, float]:
    """A message's id; a fold; one keccak of 560 bytes."""
    digest = keccak256(b"bench digest")
    lane_id, head = LaneId(keccak256(b"lane")), Head(keccak256(b"head"))
    sender = ChainId("eip155:1").word(BlockHash(digest))[:20]
    message = Message.create(EVM, nonce=1, sender=sender, receiver=sender, payload=bytes(200), gas_limit=100_000)
    block = bytes(range(256)) * 2 + bytes(48)
    return {
        "message_id_us": best_us(lambda: message.message_id(EVM, lane_id)),
        "fold_us": best_us(lambda: fold(EVM, head, lane_id)),
        "keccak_560_us": best_us(lambda: keccak256(block)),
    }
