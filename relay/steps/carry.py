"""Step 3, for one lane and direction: turn attested claims into transactions that deliver or settle.

The transactions are only written down here, in the order of the lane; the submitter of the ledger signs and sends them.
A batch ends where its claim ends, so no suffix ids are needed; only where a ledger refused the whole of it is a shorter part
tried, with the ids of the rest behind it (a window with less room than a batch, a block with less gas than its callbacks).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from adapters.protocol import AdapterError, Call, Delivery, Ledger, Rejected, Settlement
from adapters.solidity.calldata import committee_proof
from relay.attestations import claim_of
from relay.context import Context
from relay.crash import crash_point
from relay.journey import Reached, step
from relay.steps.claim import BACK, COLUMN, Side
from relay.steps.setback import (
    ENDPOINT_REASONS,
    PURPOSE,
    REVERTS,
    consumed,
    is_stranded,
    lost_transactions,
    note_down,
    note_refusal,
    open_again,
    step_back,
    stops_all,
)
from relay.store import Lease, waits
from relay.store.lanes import WORKING, get, journey_of, save_journey
from relay.store.tables import attestations, claims, committees, messages, operators, outcomes, transactions
from relay.store.waits import SETBACKS
from schemas.claim import Claim, Direction
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import Bytes32, LaneId
from schemas.suites import Suite, suite_named

IN_FLIGHT = 60
"""Transactions of one lane and direction that may be queued or sent at once."""


def carry(context: Context, lease: Lease, lane_id: LaneId, side: Side) -> str | None:
    """Queue transactions for every claim with a quorum.

    Returns:
        The ledger to wake, if anything was queued.
    """
    with context.store.read() as connection:
        lane = get(connection, lane_id)
        target: str = lane.source if side is BACK else lane.destination
        lost = lost_transactions(connection, lane, side)
        stranded = not lost and is_stranded(connection, lane, side)
        held = waits.find(connection, side.wait_kind, lane_id.hex())
        down = waits.find(connection, "chain", target)
    if lost or stranded:
        step_back(context, lease, lane_id, side, lost)
        return carry(context, lease, lane_id, side)
    if getattr(lane, COLUMN[side.submitted]) >= getattr(lane, COLUMN[side.attested]):
        return None
    reverts = held is not None and held.code in REVERTS
    if held is not None and held.code in SETBACKS and not waits.is_due(held.next_at, time.time()):
        return None
    if reverts and getattr(lane, COLUMN[side.submitted]) > consumed(lane, side):
        return None  # one more attempt is on its way
    row = context.chain(target)
    if down is not None and down.code in ENDPOINT_REASONS:
        note_down(lease, lane_id, side, target, down.text)
        return None
    try:
        ledger = context.ledger(row)
        batches = _build(context, lease, lane, side, row)
        calls = [_whole(batch, row, ledger) for batch in batches]
        if calls and reverts and not _passes(ledger, row, calls[0][2], may_split=len(batches[0].entries) > 1):
            calls = [_part(batches[0], suite_named(lane.suite), row, ledger)]
    except Rejected as refusal:
        note_refusal(context, lease, lane_id, side, f"The next batch would revert on {target}", refusal)
        return None
    except AdapterError as error:
        note_down(lease, lane_id, side, target, str(error))
        return None
    if not calls:
        return None
    with lease.write() as connection:
        lane = get(connection, lane_id)
        if lane.state not in WORKING:
            return None
        before = after = journey_of(lane)
        expected = getattr(lane, COLUMN[side.submitted]) + 1
        for first, last, call in calls:
            if first != expected:
                break
            connection.execute(insert(transactions).values(**_row(lane, side, row, first, last, call)))
            after = step(after, Reached(side.submitted, last))
            expected = last + 1
        save_journey(connection, lane_id, before, after)
        crash_point("worker.carry.before_commit")
    crash_point("worker.carry.after_commit")
    return target


def _row(lane: Row[Any], side: Side, chain: Row[Any], first: int, last: int, call: Call) -> dict[str, Any]:
    return {
        "chain": chain.name,
        "purpose": PURPOSE[side.direction],
        "lane_id": lane.lane_id,
        "first": first,
        "last": last,
        "target": call.target,
        "data": call.data,
        "gas": call.gas,
        "state": "queued",
        "earlier": [],
        "created_at": time.time(),
    }


@dataclass(frozen=True, slots=True)
class _Batch:
    """Entries in order from nonce `first`, under one claim and its proof."""

    first: int
    entries: list[Any]
    claim: Claim
    proof: bytes

    def action(self, count: int, suffix_ids: tuple[bytes, ...] = ()) -> Delivery | Settlement:
        """The call that carries the first `count` entries; the ids of those behind them lead on to the claim's head."""
        part = tuple(self.entries[:count])
        if self.claim.direction is Direction.OUTCOMES:
            return Settlement(self.claim.lane_id, part, suffix_ids, self.claim, self.proof)
        return Delivery(self.claim.lane_id, part, suffix_ids, self.claim, self.proof)


def _build(context: Context, lease: Lease, lane: Row[Any], side: Side, chain: Row[Any]) -> list[_Batch]:
    """A batch for each attested claim that is not submitted, in order; none if a signer was struck out of a quorum."""
    submitted = getattr(lane, COLUMN[side.submitted])
    with context.store.read() as connection:
        rows = connection.execute(
            select(claims)
            .where(
                claims.c.lane_id == lane.lane_id,
                claims.c.direction == int(side.direction),
                claims.c.state == "attested",
            )
            .where(claims.c.nonce > submitted, claims.c.nonce <= getattr(lane, COLUMN[side.attested]))
            .order_by(claims.c.nonce, claims.c.id)
            .limit(max(0, IN_FLIGHT - _in_flight(connection, lane, side)))
        ).all()
        if not rows:
            return []
        proofs = _proofs(connection, chain.name, rows)
        read = _settled_entries if side is BACK else _messages
        found = read(connection, lane, suite_named(lane.suite), submitted + 1, rows[-1].nonce)
    short = [identifier for identifier, proof in proofs.items() if not proof]
    if short:
        open_again(lease, LaneId(lane.lane_id), side, short)
        return []
    batches, start = [], submitted + 1
    for row in rows:
        if row.nonce < start:
            continue
        entries = found[start - submitted - 1 : row.nonce - submitted]
        batches.append(_Batch(start, entries, claim_of(row), proofs[row.id]))
        start = row.nonce + 1
    return batches


def _whole(batch: _Batch, chain: Row[Any], ledger: Ledger) -> tuple[int, int, Call]:
    """The call that carries a whole batch, with its first and last nonce."""
    return batch.first, batch.claim.nonce, ledger.call_for(bytes(chain.gateway), batch.action(len(batch.entries)))


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


def _part(batch: _Batch, suite: Suite, chain: Row[Any], ledger: Ledger) -> tuple[int, int, Call]:
    """The longest of the halves of a batch that would go through now, with its first and last nonce.

    Raises:
        Rejected: not even its first entry would.
    """
    ids = [bytes(_entry_id(entry, suite, batch.claim.lane_id)) for entry in batch.entries]
    count = len(batch.entries)
    while True:
        count //= 2
        call = ledger.call_for(bytes(chain.gateway), batch.action(count, tuple(ids[count:])))
        if _passes(ledger, chain, call, may_split=count > 1):
            return batch.first, batch.first + count - 1, call


def _entry_id(entry: Message | Settled, suite: Suite, lane_id: LaneId) -> bytes:
    return entry.outcome_id(suite, lane_id) if isinstance(entry, Settled) else entry.message_id(suite, lane_id)


def _in_flight(connection: Connection, lane: Row[Any], side: Side) -> int:
    rows = connection.execute(
        select(transactions.c.id)
        .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose == PURPOSE[side.direction])
        .where(transactions.c.state.in_(("queued", "sent")))
    ).all()
    return len(rows)


def _proofs(connection: Connection, chain: str, rows: Sequence[Row[Any]]) -> dict[int, bytes]:
    """Committee proofs: one signature of each of as many organisations as the threshold asks, in the order of the bitmap.

    A proof is empty where signers that were struck out since leave less than a quorum.
    """
    found: dict[int, dict[bytes, bytes]] = {}
    signatures = connection.execute(select(attestations).where(attestations.c.claim_id.in_([row.id for row in rows])))
    for item in signatures:
        found.setdefault(item.claim_id, {})[bytes(item.signer)] = bytes(item.signature)
    epochs = {row.epoch: row for row in connection.execute(select(committees).where(committees.c.chain == chain))}
    active = connection.execute(select(operators).where(operators.c.state == "active"))
    houses = {bytes(row.signer): row.organisation for row in active}
    return {row.id: _proof(epochs[row.epoch], found.get(row.id, {}), houses) for row in rows}


def _proof(committee: Row[Any], signatures: dict[bytes, bytes], houses: dict[bytes, str]) -> bytes:
    chosen: list[tuple[int, bytes]] = []
    counted: set[str] = set()
    for index, item in enumerate(committee.signers):
        signer = bytes.fromhex(item.removeprefix("0x"))
        house = houses.get(signer)
        if house is None or signer not in signatures or house in counted:
            continue
        counted.add(house)
        chosen.append((index, signatures[signer]))
        if len(counted) == committee.threshold:
            return committee_proof(committee.epoch, chosen)
    return b""


def _messages(connection: Connection, lane: Row[Any], suite: Suite, first: int, last: int) -> list[Any]:
    rows = connection.execute(
        select(messages)
        .where(messages.c.lane_id == lane.lane_id, messages.c.nonce >= first, messages.c.nonce <= last)
        .order_by(messages.c.nonce)
    )
    return [_message(row, suite) for row in rows]


def _message(row: Row[Any], suite: Suite) -> Message:
    return Message(
        row.nonce,
        row.sender,
        row.receiver,
        row.expires_at,
        row.gas_limit,
        row.callback_gas,
        len(row.payload),
        Bytes32(suite.hash(row.payload)),
        row.payload,
    )


def _settled_entries(connection: Connection, lane: Row[Any], suite: Suite, first: int, last: int) -> list[Any]:
    rows = connection.execute(
        select(messages, outcomes.c.status, outcomes.c.result)
        .join(outcomes, (outcomes.c.lane_id == messages.c.lane_id) & (outcomes.c.nonce == messages.c.nonce))
        .where(messages.c.lane_id == lane.lane_id, messages.c.nonce >= first, messages.c.nonce <= last)
        .order_by(messages.c.nonce)
    )
    return [Settled(_message(row, suite).without_payload(), Status(row.status), row.result) for row in rows]
