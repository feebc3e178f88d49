"""The two directions of a lane: under which names the way out and the way back are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from relay.journey import Stage, skipped_stages
from relay.store.verifiers import Kind, verifier_at
from schemas.claim import Direction


@dataclass(frozen=True, slots=True)
class Side:
    """The names under which one direction of a lane is kept: stages, columns, the wait's kind, purposes of transactions."""

    direction: Direction
    claimed: Stage
    attested: Stage
    submitted: Stage
    entries: str
    head: str
    height: str
    block_hash: str
    wait_kind: str
    purpose: str
    anchoring: str


OUT = Side(
    Direction.OUTBOX,
    Stage.CLAIMED,
    Stage.ATTESTED,
    Stage.SUBMITTED,
    "final",
    "final_head",
    "final_height",
    "final_hash",
    "lane",
    "deliver",
    "anchor",
)
BACK = Side(
    Direction.OUTCOMES,
    Stage.OUTCOME_CLAIMED,
    Stage.OUTCOME_ATTESTED,
    Stage.SETTLE_SUBMITTED,
    "delivered",
    "outcome_head",
    "outcome_height",
    "outcome_hash",
    "back",
    "settle",
    "anchor_back",
)
ANCHORING = (OUT.anchoring, BACK.anchoring)
"""Purposes of transactions that anchor a head."""
COLUMN = {
    Stage.CLAIMED: "claimed",
    Stage.ATTESTED: "attested",
    Stage.SUBMITTED: "submitted",
    Stage.OUTCOME_CLAIMED: "outcome_claimed",
    Stage.OUTCOME_ATTESTED: "outcome_attested",
    Stage.SETTLE_SUBMITTED: "settle_submitted",
}


def side_of(purpose: str) -> Side:
    """The side that a transaction of this purpose serves."""
    return BACK if purpose in (BACK.purpose, BACK.anchoring) else OUT


def consumed(lane: Row[Any], side: Side) -> int:
    """How far the ledger at the consuming end has come."""
    return int(lane.settled if side is BACK else lane.delivered)


def ready(lane: Row[Any], side: Side, kind: Kind) -> int:
    """How far a direction may be carried: to the last entry that is signed for, or proved where nobody signs."""
    return int(getattr(lane, COLUMN[side.claimed if kind is Kind.LIGHT_CLIENT else side.attested]))


def skipped(connection: Connection, lane: Row[Any]) -> frozenset[Stage]:
    """The stages that a lane does not have by its verifiers; one that was not read yet is taken for a committee."""
    out = verifier_at(connection, lane.destination, bytes(lane.destination_verifier))
    back = verifier_at(connection, lane.source, bytes(lane.source_verifier))
    return skipped_stages(
        out=out is not None and out.kind == Kind.LIGHT_CLIENT, back=back is not None and back.kind == Kind.LIGHT_CLIENT
    )
