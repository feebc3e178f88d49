"""Lanes as an operator knows them: only from what both gateways that it pinned said when they opened their end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from adapters.protocol import LaneOpened
from schemas.attestation import Place
from schemas.claim import Direction
from schemas.lane import Lane
from schemas.primitives import ChainWord, LaneId, SchemaError
from schemas.suites import SUITES

SOURCE, DESTINATION = 0, 1


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """One opened end of a lane: who judges the peer there, the peer's code hash, and the block that opened it."""

    verifier: bytes
    peer_code_hash: bytes
    height: int


@dataclass(slots=True)
class KnownLane:
    """A lane with the ends that are open."""

    lane: Lane
    ends: dict[int, OpenEnd] = field(default_factory=dict)

    def claimed_chain(self, direction: Direction) -> ChainWord:
        """The ledger whose history a claim speaks of: the source for the outbox, the destination for the outcomes."""
        return self.lane.destination if direction else self.lane.source

    def verifying_end(self, direction: Direction) -> OpenEnd | None:
        """The end at which a claim is judged, if it is open."""
        return self.ends.get(SOURCE if direction else DESTINATION)

    def place(self, direction: Direction, epoch: int) -> Place | None:
        """Where an attestation counts, if that end is open."""
        end = self.verifying_end(direction)
        if end is None:
            return None
        if direction:
            return Place(self.lane.source, self.lane.source_gateway, end.verifier, epoch)
        return Place(self.lane.destination, self.lane.destination_gateway, end.verifier, epoch)


def lane_of(opened: LaneOpened) -> Lane | None:
    """The lane whose id follows from the event's preimages in one of the suites, or None where they do not hash to it."""
    for suite in SUITES.values():
        try:
            lane = Lane(
                opened.hub,
                suite,
                opened.source,
                opened.source_gateway,
                opened.destination,
                opened.destination_gateway,
                opened.channel,
            )
        except SchemaError:
            return None
        if lane.lane_id == opened.lane_id:
            return lane
    return None


class LaneBook:
    """Every lane of the ledgers that are followed; shared by the followers' threads."""

    def __init__(self) -> None:
        self._lanes: dict[LaneId, KnownLane] = {}
        self._lock = threading.Lock()

    def add(self, chain: ChainWord, gateway: bytes, opened: LaneOpened) -> Lane | None:
        """Note an opened end.

        Args:
            chain: the ledger whose pinned gateway said so.
            gateway: that gateway.
            opened: what it said.

        Returns:
            The lane, or None where the event is no opening of that gateway's own end: an endpoint invented it.
        """
        lane = lane_of(opened)
        if lane is None or opened.end not in (SOURCE, DESTINATION):
            return None
        own = (
            (lane.destination, lane.destination_gateway)
            if opened.end == DESTINATION
            else (lane.source, lane.source_gateway)
        )
        if own != (chain, gateway):
            return None
        with self._lock:
            known = self._lanes.setdefault(opened.lane_id, KnownLane(lane))
            known.ends[opened.end] = OpenEnd(opened.verifier, opened.peer_code_hash, opened.position.height)
        return lane

    def get(self, lane_id: LaneId) -> KnownLane | None:
        """The lane of that id, if a gateway opened it."""
        with self._lock:
            return self._lanes.get(lane_id)
