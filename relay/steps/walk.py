"""Batches and anchors for a verifier that judges heads as they stand in a block: a light client, alone or beside a committee.

The plan is `relay.steps.plan`; here it is given what the database and the ledger know, and its steps become calls. A look reads
no more than what fits into the transactions that may be on their way, however long the backlog is: a walk goes on with the next look
where its last anchor stands.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from adapters.protocol import Anchoring, Ledger
from relay.context import Context
from relay.steps.entries import batch_ends, entries_of, heads_after, ids_of
from relay.steps.loads import Batch, Link, Load
from relay.steps.plan import Anchor, Step, plan
from relay.steps.setback import open_again
from relay.steps.sides import COLUMN, Side, ready
from relay.steps.supports import Supports
from relay.steps.unsupported import note_unsupported
from relay.store import Lease
from relay.store.verifiers import Kind
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head, LaneId

ENTRIES_BYTES = 100_000
"""Calldata bytes of the entries of one batch: a light client's proof and suffix ids go beside them into one transaction."""


def walked_loads(
    context: Context, lease: Lease, lane: Row[Any], side: Side, verifier: Row[Any], ledger: Ledger, room: int
) -> list[Load]:
    """What to send next; nothing where the verifier would believe nothing now, which is then written down as a wait.

    Raises:
        AdapterError: the ledger does not say how the lane stands there.
    """
    gateway = bytes(context.chain(verifier.chain).gateway)
    ends = ledger.lane_ends(gateway, LaneId(lane.lane_id))
    if ends.verifier != bytes(verifier.address):
        return []  # it was changed just now; the look that sees it says so
    first = getattr(lane, COLUMN[side.submitted]) + 1
    covered = min(ready(lane, side, Kind(verifier.kind)), lane.final)
    with context.store.read() as connection:
        supports = Supports(connection, lane, side, verifier, ends.generation, context.clock())

        def longest(start: int) -> int:
            return batch_ends(connection, lane, side, start, covered, batches=1, room=ENTRIES_BYTES)[0]

        steps = plan(first, covered, supports, longest, spacing=lane.batch_limit, room=room)
        loads = _loads(connection, lane, side, steps, supports, ends.generation)
    if supports.short_claims:
        open_again(lease, LaneId(lane.lane_id), side, supports.short_claims)
        return []
    if not loads and first <= covered and room > 0:
        note_unsupported(context, lease, lane, side, verifier)
    return loads


def _loads(
    connection: Connection, lane: Row[Any], side: Side, steps: list[Step], supports: Supports, generation: bytes
) -> list[Load]:
    nonces = {step.leans_on for step in steps} | {step.nonce for step in steps if isinstance(step, Anchor)}
    heads = heads_after(connection, lane, side, sorted(nonces))
    loads: list[Load] = []
    for step in steps:
        point = supports.point(step.leans_on)
        if point is not None:
            claim, proof = point.claim, point.proof
        else:
            claim, proof = _anchored(lane, side, step.leans_on, heads[step.leans_on]), b""
        if isinstance(step, Anchor):
            ids = ids_of(connection, lane, side, step.nonce + 1, step.leans_on)
            action = Anchoring(claim.lane_id, heads[step.nonce], ids, claim, proof)
            loads.append(Link(step.nonce, step.leans_on, action, generation))
        else:
            entries = entries_of(connection, lane, side, step.first, step.last)
            suffix_ids = ids_of(connection, lane, side, step.last + 1, step.leans_on)
            loads.append(Batch(step.first, entries, suffix_ids, claim, proof))
    return loads


def _anchored(lane: Row[Any], side: Side, nonce: int, head: Head) -> Claim:
    """A claim whose head is anchored: the gateway looks at no block."""
    block_hash = BlockHash(getattr(lane, side.block_hash))
    return Claim(LaneId(lane.lane_id), side.direction, nonce, head, getattr(lane, side.height), block_hash)
