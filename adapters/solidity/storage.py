"""Where a gateway keeps its heads: the storage slots that state proofs open.

Source: docs/encodings.md, section Solidity (slot 0 outbox heads, slot 1 outcome heads, `mapping(bytes32 => bytes32)`), and
the storage layout in the Solidity documentation.
"""

from __future__ import annotations

from schemas.claim import Direction
from schemas.primitives import Bytes32, LaneId
from schemas.suites import integer_word, keccak256


def head_slot(lane_id: LaneId, direction: int) -> Bytes32:
    """Return the slot of a lane's head: keccak256(lane_id ‖ direction as a word); direction 0 outbox, 1 outcomes.

    Raises:
        ValueError: the direction is neither.
    """
    return Bytes32(keccak256(lane_id + integer_word(Direction(direction))))
