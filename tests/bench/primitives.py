"""Microseconds of CPU an operation, best of several, and ratios to the primitive measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

from light_clients import qbft
from light_clients.crypto.secp256k1 import recover_address, sign
from schemas.heads import fold
from schemas.message import Message
from schemas.primitives import BlockHash, ChainId, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.qbft_chain import first_spec, next_spec


def measure_primitives() -> dict[str, float]:
    """Header verification against one recover; a message's id; a fold; one keccak of 560 bytes."""
    first = first_spec()
    second = next_spec(first)
    state = qbft.bootstrap(first.sealed(), BlockHash(first.hash()), qbft.QbftConfiguration())
    header = second.sealed()
    digest, key = keccak256(b"bench digest"), keccak256(b"bench key")
    signature = sign(key, digest)
    lane_id, head = LaneId(keccak256(b"lane")), Head(keccak256(b"head"))
    sender = ChainId("eip155:1").word(BlockHash(digest))[:20]
    message = Message.create(EVM, nonce=1, sender=sender, receiver=sender, payload=bytes(200), gas_limit=100_000)
    block = bytes(range(256)) * 2 + bytes(48)
    recover_us = _best_us(lambda: recover_address(digest, signature))
    header_us = _best_us(lambda: qbft.verify_header(state, header, second.timestamp))
    return {
        "secp256k1_recover_us": recover_us,
        "qbft_header_us": header_us,
        "qbft_header_ratio_to_recover": header_us / recover_us,
        "message_id_us": _best_us(lambda: message.message_id(EVM, lane_id)),
        "fold_us": _best_us(lambda: fold(EVM, head, lane_id)),
        "keccak_560_us": _best_us(lambda: keccak256(block)),
    }


def _best_us(operation: Callable[[], object], repeats: int = 15, loops: int = 300) -> float:
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(loops):
            operation()
        best = min(best, time.process_time() - began)
    return best / loops * 1e6
