"""What a direction can lean on whose verifier is a light client, alone or beside a committee: stored proofs, and anchors.

A *point* is a block whose state shows the head after so many entries: the hub's own evidence (table `proofs`) of a header that
the light client on the ledger would accept, and, beside a committee, a claim at that very block with its quorum. Evidence is kept
from the first sight: it has its worth long after nodes forgot that state, as long as the client on the ledger trusts the set that
sealed it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select

from adapters.solidity.verifiers import both_proof, qbft_proof, validators_hash
from light_clients.bft.types import BftHeader
from light_clients.proofs.gateway import SlotEvidence
from light_clients.qbft.codec import parse_header
from light_clients.qbft.signed import signed_form
from relay.steps.anchors import standing
from relay.steps.sides import Side
from relay.steps.signatures import committee_proofs
from relay.store.tables import claims, proofs
from relay.store.verifiers import Kind, light_client_of
from schemas.claim import Claim
from schemas.primitives import Head, LaneId

LOOKED_AT = 8
"""Stored proofs that are read to find one that fits: only those around a change of the validators do not."""


@dataclass(frozen=True, slots=True)
class Point:
    """A head that a block's state shows: the claim, and the proof as the verifier takes it."""

    claim: Claim
    proof: bytes


def fits(header: BftHeader, client: Row[Any]) -> bool:
    """Whether a light client on a ledger, as the hub last read it, would accept a header that the hub's own accepted."""
    listed = validators_hash(header.extra.validators)
    return bool(header.height >= client.validators_since and listed == bytes(client.validators_hash))


def believes(client: Row[Any], now: float) -> bool:
    """Whether a light client on a ledger believes anything, as the hub last read it: not if it is frozen or expired."""
    return not client.frozen and (not client.expires_at or now < client.expires_at)


class Supports:
    """The points and anchors of one direction of a lane, read as they are asked for.

    Args:
        connection: an open transaction; it must stay open while this is asked.
        lane: the lane's row.
        side: the direction.
        verifier: the row of its verifier.
        generation: of the lane, as the ledger says it now.
        now: Unix seconds; a light client that is frozen or whose trusting period is over believes no proof, and keeps its anchors.
    """

    def __init__(
        self, connection: Connection, lane: Row[Any], side: Side, verifier: Row[Any], generation: bytes, now: float
    ) -> None:
        self._connection = connection
        self._lane = lane
        self._side = side
        self._verifier = verifier
        client = light_client_of(connection, verifier)
        self._client = client if client is not None and believes(client, now) else None
        self._anchors = list(standing(connection, lane, side, generation))
        self._points: dict[int, Point] = {}
        self.short_claims: list[int] = []
        """Attested claims that struck signers left without a quorum."""

    def below(self, first: int, last: int) -> int | None:
        """The furthest support within first … last."""
        place = bisect_right(self._anchors, last)
        anchor = self._anchors[place - 1] if place and self._anchors[place - 1] >= first else None
        point = self._point(and_(proofs.c.nonce >= first, proofs.c.nonce <= last), proofs.c.nonce.desc())
        return max((nonce for nonce in (anchor, point) if nonce is not None), default=None)

    def above(self, last: int) -> int | None:
        """The nearest support after `last`."""
        place = bisect_right(self._anchors, last)
        anchor = self._anchors[place] if place < len(self._anchors) else None
        point = self._point(proofs.c.nonce > last, proofs.c.nonce)
        return min((nonce for nonce in (anchor, point) if nonce is not None), default=None)

    def add(self, nonce: int) -> None:
        """Another head will be anchored."""
        insort(self._anchors, nonce)

    def point(self, nonce: int) -> Point | None:
        """The point of that nonce, None where an anchor is there: it costs no proof."""
        return None if nonce in self._anchors else self._points[nonce]

    def _point(self, where: ColumnElement[bool], order: Any) -> int | None:
        """The first usable point in an order; the newest block of those that show one head."""
        if self._client is None:
            return None
        query = (
            select(proofs)
            .where(proofs.c.lane_id == self._lane.lane_id, proofs.c.direction == int(self._side.direction), where)
            .where(proofs.c.height >= self._client.validators_since)
            .order_by(order, proofs.c.height.desc())
            .limit(LOOKED_AT)
        )
        if self._verifier.kind == Kind.BOTH:
            query = query.join(claims, _attested_there()).add_columns(claims.c.id, claims.c.epoch)
        for row in self._connection.execute(query):
            if row.nonce in self._points:
                return int(row.nonce)
            point = self._usable(row, self._client)
            if point is not None:
                self._points[row.nonce] = point
                return int(row.nonce)
        return None

    def _usable(self, row: Row[Any], client: Row[Any]) -> Point | None:
        evidence = SlotEvidence.from_bytes(row.evidence)
        header = parse_header(evidence.header)
        if not fits(header, client):
            return None
        signed = signed_form(evidence.header)
        proof = qbft_proof((signed.header, signed.seals), evidence.account_proof, evidence.storage_proof)
        if self._verifier.kind == Kind.BOTH:
            signatures = committee_proofs(self._connection, self._verifier, [row])[row.id]
            if not signatures:
                self.short_claims.append(row.id)
                return None
            proof = both_proof(signatures, proof)
        lane_id, head = LaneId(row.lane_id), Head(row.head)
        claim = Claim(lane_id, self._side.direction, row.nonce, head, header.height, header.block_hash)
        return Point(claim, proof)


def _attested_there() -> ColumnElement[bool]:
    """A claim of the proof's own block with its quorum."""
    return and_(
        claims.c.lane_id == proofs.c.lane_id,
        claims.c.direction == proofs.c.direction,
        claims.c.nonce == proofs.c.nonce,
        claims.c.height == proofs.c.height,
        claims.c.state == "attested",
    )
