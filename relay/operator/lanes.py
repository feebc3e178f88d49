"""Lanes as an operator knows them: only from what both gateways that it pinned said when they opened their end.

Whether anybody signs for an end, and for which contract, is asked at that ledger: of the gateway who verifies there, and of the
verifier what is behind it. Officers change it, so it is asked again after an event that says so, after a refusal that says that
the hub knows another one, and once after each start; meanwhile what was read before is used.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from adapters.protocol import LaneOpened
from relay.keys import SECP256K1
from schemas.attestation import Place
from schemas.claim import Direction
from schemas.lane import Lane
from schemas.primitives import ChainWord, LaneId, SchemaError
from schemas.suites import SUITES

SOURCE, DESTINATION = 0, 1


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """One opened end of a lane.

    Attributes:
        peer_code_hash: hash of the peer gateway's code, as pinned there.
        height: the block that opened it.
        committee: the contract that checks signatures there; empty where nobody signs, None where it was not read yet.
        doubted: whether who verifies there has to be read (again).
        scheme: what signers sign with there, `secp256k1` or `sm2`, by the machine of that ledger.
    """

    peer_code_hash: bytes
    height: int
    committee: bytes | None = None
    doubted: bool = True
    scheme: str = SECP256K1


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
        """Where an attestation counts, if that end is open and has a committee."""
        end = self.verifying_end(direction)
        if end is None or not end.committee:
            return None
        if direction:
            return Place(self.lane.source, self.lane.source_gateway, end.committee, epoch)
        return Place(self.lane.destination, self.lane.destination_gateway, end.committee, epoch)

    def own_end(self, chain: ChainWord, gateway: bytes) -> int | None:
        """Which end of the lane a gateway is; None if it is neither."""
        ends = [(self.lane.source, self.lane.source_gateway), (self.lane.destination, self.lane.destination_gateway)]
        return ends.index((chain, gateway)) if (chain, gateway) in ends else None


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
            known.ends.setdefault(opened.end, OpenEnd(opened.peer_code_hash, opened.position.height))
        return lane

    def doubt(self, lane_id: LaneId, end: int) -> None:
        """Have it read again who verifies at an end."""
        with self._lock:
            known = self._lanes.get(lane_id)
            if known is not None and end in known.ends:
                known.ends[end] = replace(known.ends[end], doubted=True)

    def doubted(self, chain: ChainWord, gateway: bytes) -> list[tuple[LaneId, int]]:
        """The ends at a gateway where it has to be read who verifies."""
        found = []
        with self._lock:
            for lane_id, known in self._lanes.items():
                number = known.own_end(chain, gateway)
                end = None if number is None else known.ends.get(number)
                if number is not None and end is not None and end.doubted:
                    found.append((lane_id, number))
        return found

    def learn(
        self,
        lane_id: LaneId,
        end: int,
        committee: bytes | None,
        *,
        doubted: bool = False,
        scheme: str = SECP256K1,
    ) -> None:
        """Note the contract that checks signatures at an end, and what by: empty where nobody signs, None where it cannot be told."""
        with self._lock:
            known = self._lanes.get(lane_id)
            if known is not None and end in known.ends:
                known.ends[end] = replace(known.ends[end], committee=committee, doubted=doubted, scheme=scheme)

    def get(self, lane_id: LaneId) -> KnownLane | None:
        """The lane of that id, if a gateway opened it."""
        with self._lock:
            return self._lanes.get(lane_id)
