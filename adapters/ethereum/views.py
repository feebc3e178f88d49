"""Read-only calls of the gateway and of verifiers, by hand: what a lane keeps, and what kind a verifier is.

Source: `IGateway`, `LaneView` and `IVerifier` in adapters/solidity/contracts/Interfaces.sol; the contract ABI specification.
"""

from __future__ import annotations

from adapters.protocol import BadAnswer, LaneEnds, VerifierParts
from schemas.primitives import LaneId
from schemas.suites import keccak256

LANE_SELECTOR = keccak256(b"lane(bytes32)")[:4]
PAUSED = keccak256(b"paused()")[:4]
VERIFIER_CALLS = tuple(keccak256(name)[:4] for name in (b"kind()", b"committee()", b"lightClient()"))
_WORDS_OF_LANE_VIEW = 20
_OPENED, _CLOSED, _PAUSED, _VERIFIER, _SENT, _SETTLED, _DELIVERED, _GENERATION = 1, 3, 4, 6, 15, 16, 17, 19
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
        verifier=words[_VERIFIER].to_bytes(32, "big")[12:],
        generation=words[_GENERATION].to_bytes(32, "big"),
    )


def read_verifier_parts(verifier: bytes, kind: bytes, committee: bytes, light_client: bytes) -> VerifierParts | None:
    """Read the answers of a verifier to `kind()`, `committee()` and `lightClient()`; None if it is no verifier.

    Args:
        verifier: its address.
        kind: the answer to `kind()`, empty if there was none.
        committee: the answer to `committee()`; only a `both` gives one.
        light_client: the answer to `lightClient()`; only a `both` gives one.
    """
    length = int.from_bytes(kind[32:64], "big")
    name = kind[64 : 64 + min(length, 32)]
    if name == b"committee":
        return VerifierParts("committee", verifier, b"")
    if name == b"light-client":
        return VerifierParts("light-client", b"", verifier)
    if name == b"both" and len(committee) == len(light_client) == 32:
        return VerifierParts("both", committee[12:], light_client[12:])
    return None
