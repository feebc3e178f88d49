"""Step 3, for one lane and direction: turn what is attested, or proved, into transactions that deliver or settle.

The transactions are only written down here, in the order of the lane; the submitter of the ledger signs and sends them. What
stands behind a batch depends on the direction's verifier: `relay.steps.prefixes` for a committee, `relay.steps.walk` for a light
client, alone or in both. Only where a ledger refused the whole of a batch is a shorter part tried, with the ids of the rest
behind it (a window with less room than a batch, a block with less gas than its callbacks).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from adapters.protocol import AdapterError, Call, Ledger, Rejected
from relay.context import Context
from relay.crash import crash_point
from relay.errors import NotFound
from relay.journey import Reached, step
from relay.steps import rivals
from relay.steps.anchors import forget_behind, keep, on_their_way
from relay.steps.loads import Batch, Link, Load
from relay.steps.prefixes import prefix_batches
from relay.steps.setback import (
    ENDPOINT_REASONS,
    REVERTS,
    is_due_again,
    is_stranded,
    lost_transactions,
    most_entries,
    note_down,
    note_refusal,
    step_back,
    stops_all,
)
from relay.steps.sides import COLUMN, Side, consumed, ready, skipped
from relay.steps.unsupported import WAITS, end_support_waits
from relay.steps.walk import walked_loads
from relay.store import Lease, waits
from relay.store.lanes import WORKING, get, journey_of, save_journey
from relay.store.tables import transactions
from relay.store.verifiers import Kind, verifier_of
from relay.store.waits import SETBACKS
from schemas.primitives import LaneId
from schemas.suites import Suite, suite_named

IN_FLIGHT = 60
"""Transactions of one lane and direction that may be queued or sent at once."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where one direction of a lane is carried to, read once.

    Attributes:
        lane: the lane's row.
        side: the direction.
        verifier: the row of the verifier that judges it.
        chain: the row of the ledger on which that stands.
        careful: whether the last attempt reverted, so that the next is simulated first.
        most: entries that the next transaction carries at most, 0 for any number.
    """

    lane: Row[Any]
    side: Side
    verifier: Row[Any]
    chain: Row[Any]
    careful: bool
    most: int = 0


def carry(context: Context, lease: Lease, lane_id: LaneId, side: Side) -> str | None:
    """Queue transactions for everything with a quorum, or with a proof where nobody signs.

    Returns:
        The ledger to wake, if anything was queued.
    """
    with context.store.read() as connection:
        lane = get(connection, lane_id)
        try:
            verifier = verifier_of(connection, lane, side.direction)
        except NotFound:
            return None  # the keeper reads it at the ledger's next look
        lost = lost_transactions(connection, lane, side)
        stranded = not lost and is_stranded(connection, lane, side)
        held = waits.find(connection, side.wait_kind, lane_id.hex())
        down = waits.find(connection, "chain", verifier.chain)
        anchors = on_their_way(connection, lane, side)
    if lost or stranded:
        step_back(context, lease, lane_id, side, lost)
        return carry(context, lease, lane_id, side)
    if getattr(lane, COLUMN[side.submitted]) >= ready(lane, side, Kind(verifier.kind)):
        if held is not None and held.code in WAITS:
            end_support_waits(lease, lane, side)  # somebody else carried what was waited for
        return None
    reverts = held is not None and held.code in REVERTS
    row = context.chain(verifier.chain)
    if held is not None and held.code in SETBACKS and not is_due_again(held, row, time.time()):
        return None
    if reverts and (anchors or getattr(lane, COLUMN[side.submitted]) > consumed(lane, side)):
        return None  # one more attempt is on its way
    if down is not None and down.code in ENDPOINT_REASONS:
        note_down(lease, lane_id, side, verifier.chain, down.text)
        return None
    way = _Way(lane, side, verifier, row, careful=reverts, most=most_entries(held))
    calls = _try_calls(context, lease, way)
    if calls:
        if held is not None and held.code in WAITS:
            end_support_waits(lease, lane, side)
        _queue(lease, way, calls)
    return verifier.chain if calls else None


def _try_calls(context: Context, lease: Lease, way: _Way) -> list[tuple[Load, Call]]:
    """What to send next; nothing, and why is written down, where the ledger refuses it or does not answer."""
    lane_id, name = LaneId(way.lane.lane_id), way.chain.name
    try:
        return _calls(context, lease, way)
    except Rejected as refusal:
        note_refusal(context, lease, lane_id, way.side, f"The next batch would revert on {name}", refusal)
    except AdapterError as error:
        note_down(lease, lane_id, way.side, name, str(error))
    return []


def _calls(context: Context, lease: Lease, way: _Way) -> list[tuple[Load, Call]]:
    """What to send next; where care is due, only after the first of it went through by simulation, or a part of it.

    Raises:
        Rejected: not even the first entry would go through.
        AdapterError: the ledger does not answer.
    """
    ledger = context.ledger(way.chain)
    with context.store.read() as connection:
        busy = _in_flight(connection, way)
    # Where accounts have no nonces nothing keeps two transactions in order, and the second would fail before the first.
    most = IN_FLIGHT if ledger.machine().ordered else 1
    room = rivals.room(context, lease, way.lane, way.side, way.chain, ledger, most=most, busy=busy)
    if not room:
        return []
    loads: Sequence[Load]
    if way.verifier.kind == Kind.COMMITTEE:
        loads = prefix_batches(context, lease, way.lane, way.side, way.verifier, room)
    else:
        # A walk back takes as many anchors as it takes.
        loads = walked_loads(context, lease, way.lane, way.side, way.verifier, ledger, most - busy)
    calls = [(load, ledger.call_for(bytes(way.chain.gateway), load.action)) for load in loads]
    if not calls or not way.careful:
        return calls
    first, call = calls[0]
    if way.most and isinstance(first, Batch) and len(first.entries) > way.most:
        first = first.part(way.most, suite_named(way.lane.suite))
        calls = [(first, call := ledger.call_for(bytes(way.chain.gateway), first.action))]
    divisible = isinstance(first, Batch) and len(first.entries) > 1
    if not _passes(ledger, way.chain, call, may_split=divisible) and isinstance(first, Batch):
        return [_part(first, suite_named(way.lane.suite), way.chain, ledger)]
    return calls


def _queue(lease: Lease, way: _Way, calls: list[tuple[Load, Call]]) -> None:
    """Write transactions down, as far as they follow on what is submitted."""
    side, lane_id = way.side, way.lane.lane_id
    with lease.write() as connection:
        lane = get(connection, lane_id)
        if lane.state not in WORKING:
            return
        skip = skipped(connection, lane)
        before = after = journey_of(lane)
        expected = getattr(lane, COLUMN[side.submitted]) + 1
        for load, call in calls:
            row = _row(way, load, call)
            if isinstance(load, Link):
                keep(connection, side, row, load.action.head, load.generation)
                continue
            if load.first != expected:
                break
            connection.execute(insert(transactions).values(**row))
            after = step(after, Reached(side.submitted, load.last), skip)
            expected = load.last + 1
        if any(isinstance(load, Link) for load, _ in calls):
            forget_behind(connection, lane, side)
            crash_point("worker.anchor.before_commit")
        save_journey(connection, lane_id, before, after)
        crash_point("worker.carry.before_commit")
    crash_point("worker.carry.after_commit")


def _row(way: _Way, load: Load, call: Call) -> dict[str, Any]:
    return {
        "chain": way.chain.name,
        "purpose": load.purpose(way.side),
        "lane_id": way.lane.lane_id,
        "first": load.first,
        "last": load.last,
        "target": call.target,
        "data": call.data,
        "gas": call.gas,
        "state": "queued",
        "earlier": [],
        "created_at": time.time(),
    }


def _passes(ledger: Ledger, chain: Row[Any], call: Call, *, may_split: bool) -> bool:
    """Whether a call would go through now; False where a shorter one might.

    Raises:
        Rejected: it would revert, and so would any other.
    """
    try:
        ledger.simulate(bytes(chain.account), call)
    except Rejected as refusal:
        if not may_split or stops_all(refusal):
            raise
        return False
    return True


def _part(batch: Batch, suite: Suite, chain: Row[Any], ledger: Ledger) -> tuple[Load, Call]:
    """The longest of the halves of a batch that would go through now.

    Raises:
        Rejected: not even its first entry would.
    """
    count = len(batch.entries)
    while True:
        count //= 2
        part = batch.part(count, suite)
        call = ledger.call_for(bytes(chain.gateway), part.action)
        if _passes(ledger, chain, call, may_split=count > 1):
            return part, call


def _in_flight(connection: Connection, way: _Way) -> int:
    purposes = transactions.c.purpose.in_((way.side.purpose, way.side.anchoring))
    return connection.execute(
        select(func.count())
        .select_from(transactions)
        .where(transactions.c.lane_id == way.lane.lane_id, purposes)
        .where(transactions.c.state.in_(("queued", "sent")))
    ).scalar_one()
