"""Batches for a committee: one for each attested claim. The claim ends where the batch ends, so neither suffix ids nor anchors.

Nothing here ever needs an anchor: where claims are worth nothing any more, new prefixes are attested at a newer block.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from relay.attestations import claim_of
from relay.context import Context
from relay.steps.entries import entries_of
from relay.steps.loads import Batch
from relay.steps.setback import open_again
from relay.steps.sides import COLUMN, Side
from relay.steps.signatures import committee_proofs
from relay.store import Lease
from relay.store.tables import claims
from schemas.primitives import LaneId


def prefix_batches(
    context: Context, lease: Lease, lane: Row[Any], side: Side, verifier: Row[Any], room: int
) -> list[Batch]:
    """A batch for each attested claim that is not submitted, in order; none if a signer was struck out of a quorum."""
    submitted = getattr(lane, COLUMN[side.submitted])
    with context.store.read() as connection:
        rows = connection.execute(
            select(claims)
            .where(claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction))
            .where(claims.c.state == "attested", claims.c.nonce > submitted)
            .where(claims.c.nonce <= getattr(lane, COLUMN[side.attested]))
            .order_by(claims.c.nonce, claims.c.id)
            .limit(max(0, room))
        ).all()
        if not rows:
            return []
        proofs = committee_proofs(connection, verifier, rows)
        found = entries_of(connection, lane, side, submitted + 1, rows[-1].nonce)
    short = [identifier for identifier, proof in proofs.items() if not proof]
    if short:
        open_again(lease, LaneId(lane.lane_id), side, short)
        return []
    batches, start = [], submitted + 1
    for row in rows:
        if row.nonce < start:
            continue
        entries = found[start - submitted - 1 : row.nonce - submitted]
        batches.append(Batch(start, entries, (), claim_of(row), proofs[row.id]))
        start = row.nonce + 1
    return batches
