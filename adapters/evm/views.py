"""Read-only calls of the gateway, by hand: the lane's counters.

Source: `IGateway` and `LaneView` in adapters/solidity/contracts/Interfaces.sol; the contract ABI specification.
"""

from __future__ import annotations

from adapters.protocol import BadAnswer, LaneEnds
from schemas.primitives import LaneId
from schemas.suites import keccak256

LANE_SELECTOR = keccak256(b"lane(bytes32)")[:4]
PAUSED = keccak256(b"paused()")[:4]
_WORDS_OF_LANE_VIEW = 20
_OPENED, _CLOSED, _PAUSED, _SENT, _SETTLED, _DELIVERED = 1, 3, 4, 15, 16, 17
"""Word positions in the answer; word 0 is the offset of the struct."""


def lane_call(lane_id: LaneId) -> bytes:
    """Encode `lane(laneId)`."""
    return LANE_SELECTOR + lane_id


def read_lane_ends(lane: bytes, paused: bytes) -> LaneEnds | None:
    """Read the answers to `lane(laneId)` and `paused()`; None if the gateway never opened the lane.

    Raises:
        BadAnswer: an answer is not of the gateway's form.
    """
    if len(lane) < 32 * _WORDS_OF_LANE_VIEW or len(paused) != 32:
        raise BadAnswer("the contract does not answer as a gateway; check its address.")
    words = [int.from_bytes(lane[place : place + 32], "big") for place in range(0, 32 * _WORDS_OF_LANE_VIEW, 32)]
    if words[0] != 32 or any(words[place] > 1 for place in (_OPENED, _CLOSED, _PAUSED)):
        raise BadAnswer("the contract does not answer as a gateway; check its address.")
    if not words[_OPENED]:
        return None
    return LaneEnds(
        sent=words[_SENT],
        settled=words[_SETTLED],
        delivered=words[_DELIVERED],
        paused=bool(words[_PAUSED]) or any(paused),
        closed=bool(words[_CLOSED]),
    )
