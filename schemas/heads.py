"""Running hashes of a lane: how ids fold into a head.

Source: the hub's protocol (docs/protocol.md, section The lane digest).
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.primitives import Bytes32, Head, LaneId, SchemaError
from schemas.suites import Suite, integer_word


def outbox_genesis(lane_id: LaneId) -> Head:
    """H_0 of an outbox: the lane's own id."""
    return Head(lane_id)


def outcomes_genesis(suite: Suite, lane_id: LaneId) -> Head:
    """R_0 of a lane's outcomes: H(TAG("outcomes"), lane_id, 0)."""
    return Head(suite.hash(suite.tag("outcomes") + lane_id + integer_word(0)))


def genesis(suite: Suite, lane_id: LaneId, direction: int) -> Head:
    """Return the head before any entry: direction 0 is the outbox, 1 the outcomes.

    Raises:
        SchemaError: the direction is neither.
    """
    if direction not in (0, 1):
        raise SchemaError(f"direction must be 0 (outbox) or 1 (outcomes), not {direction}")
    return outcomes_genesis(suite, lane_id) if direction else outbox_genesis(lane_id)


def fold(suite: Suite, head: bytes, entry_id: bytes) -> Head:
    """H_n = H(TAG("step"), H_{n-1}, id_n): one entry onto a head.

    Raises:
        SchemaError: the head or the id is not 32 bytes.
    """
    return fold_all(suite, head, (entry_id,))


def fold_all(suite: Suite, head: bytes, entry_ids: Iterable[bytes]) -> Head:
    """Fold entries in order onto a head; return the last head.

    Raises:
        SchemaError: the head or an id is not 32 bytes.
    """
    digest, step, current = suite.hash, suite.tag("step"), bytes(Bytes32(head))
    for entry_id in entry_ids:
        if len(entry_id) != 32:
            raise SchemaError(f"an entry's id must be 32 bytes, not {len(entry_id)}")
        current = digest(step + current + entry_id)
    return Head(current)
