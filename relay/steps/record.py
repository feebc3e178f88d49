"""What a look at a ledger found, written in one transaction under the chain's lease."""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy import Connection, Row, insert, select, update

from adapters.protocol import HeadMoved, MessageDelivered, MessageSent
from relay.evidence.decisions import note_proved, note_settled
from relay.evidence.validator_changes import note_validators
from relay.following import Followed
from relay.journey import Delivered, Journey, Reached, Stage, step
from relay.observer import History, Look
from relay.steps.changed import note_changes
from relay.steps.seal import keep_tickets
from relay.steps.sides import skipped
from relay.store import Lease, waits
from relay.store.lanes import get, journey_of, save_journey
from relay.store.tables import chains, lanes, messages, outcomes, proofs, transactions
from relay.store.upsert import insert_new
from relay.store.waits import SETBACKS, Reason
from schemas.claim import Direction
from schemas.primitives import LaneId

log = structlog.get_logger()

LOOK_REASONS = (
    Reason.ENDPOINT_UNREACHABLE,
    Reason.ENDPOINT_SLOW,
    Reason.ENDPOINT_BAD_ANSWER,
    Reason.ENDPOINT_ACCUSED,
    Reason.HEADER_REFUSED,
    Reason.HEADER_NOT_THERE,
    Reason.CLIENT_EXPIRED,
    Reason.CLIENT_MISCONFIGURED,
    Reason.MEMBER_REFUSED,
    Reason.CHAIN_STALLED,
    Reason.CLOCK_AHEAD,
    Reason.HUB_FAILED,
)
"""What a look that succeeds puts an end to."""


def _header_columns(row: Row[Any], followed: Followed) -> dict[str, object]:
    state = followed.state
    values: dict[str, object] = {"tip": followed.tip, "tip_at": time.time() if followed.tip != row.tip else row.tip_at}
    if followed.headers:
        values |= {
            "client_state": state.to_bytes(),
            "client_header": followed.headers[-1],
            "client_trail": followed.trail.to_bytes(),
            "client_height": state.height,
            "client_hash": bytes(state.block_hash),
            "client_time": state.timestamp,
            "client_expires_at": state.expires_at,
        }
    return values


def save_headers(lease: Lease, row: Row[Any], followed: Followed) -> None:
    """Write headers that were judged while the gateway's events are still to be read."""
    with lease.write() as connection:
        connection.execute(update(chains).where(chains.c.name == row.name).values(**_header_columns(row, followed)))
        note_validators(connection, row, followed.state, followed.headers)


def save_look(lease: Lease, row: Row[Any], followed: Followed, found: Look, stalled: str) -> set[str]:
    """Write one look; return the lanes to wake.

    Args:
        lease: the chain's.
        row: the chain as the look began.
        followed: headers that were judged.
        found: what was read and proved.
        stalled: a sentence if there was no new block for too long, else empty.
    """
    woken: set[str] = set()
    mined: set[bytes] = set()
    with lease.write() as connection:
        # What has moved on is read again, up to where it rests; what was proved meanwhile is not.
        observed = row.observed_height if found.moved_on else found.height
        values = _header_columns(row, followed) | {"observed_height": observed}
        connection.execute(update(chains).where(chains.c.name == row.name).values(**values))
        note_validators(connection, row, followed.state, followed.headers)
        woken |= _end_waits(connection, row.name, stalled)
        for history in found.histories:
            _save_history(connection, found, history, mined)
            note_proved(connection, row.consensus, history)
            woken.add(history.track.lane_id.hex())
        for lane_id, event in found.settled.items():
            _save_settled(connection, lane_id, event)
            mined.add(event.position.transaction)
            woken.add(lane_id.hex())
        woken |= note_changes(connection, row.name, found.changed)
        keep_tickets(connection, row.name, found.tickets)
        _mark_mined(connection, mined, found.height)
    if found.histories:
        log.info(
            "looked", chain=row.name, height=found.height, entries=sum(len(item.entries) for item in found.histories)
        )
    return woken


def _end_waits(connection: Connection, name: str, stalled: str) -> set[str]:
    """End what a look that succeeds puts an end to; return lanes that waited for this ledger."""
    if stalled:
        waits.wait(connection, "chain", name, Reason.CHAIN_STALLED, party=f"chain {name}", text=stalled)
        return set()
    if not waits.clear_if(connection, "chain", name, LOOK_REASONS):
        return set()
    woken = set()
    for kind, end in (("lane", lanes.c.destination), ("back", lanes.c.source)):
        for lane in connection.execute(select(lanes.c.lane_id).where(end == name)):
            if waits.clear_if(connection, kind, lane.lane_id.hex(), (Reason.DESTINATION_DOWN,)):
                woken.add(lane.lane_id.hex())
    return woken


def _save_settled(connection: Connection, lane_id: LaneId, event: HeadMoved) -> None:
    lane = get(connection, lane_id)
    before = journey_of(lane)
    after = step(before, Reached(Stage.SETTLED, event.nonce), skipped(connection, lane))
    save_journey(connection, lane_id, before, after, height=event.position.height, reference=event.position.transaction)
    if after.settled > before.settled:
        note_settled(connection, lane_id, event)
        waits.clear_if(connection, "back", lane_id.hex(), SETBACKS)


def _save_history(connection: Connection, found: Look, history: History, mined: set[bytes]) -> None:
    track = history.track
    proof = history.proofs[-1]
    lane = get(connection, track.lane_id)
    before = journey_of(lane)
    if track.direction is Direction.OUTBOX:
        after = _save_messages(connection, history, before)
        columns: dict[str, object] = {
            "final_head": bytes(history.head),
            "final_height": proof.height,
            "final_hash": bytes(proof.block_hash),
        }
    else:
        after = _save_outcomes(connection, history, before, mined, skipped(connection, lane))
        if after.delivered > before.delivered:
            waits.clear_if(connection, "lane", track.lane_id.hex(), SETBACKS)
        columns = {
            "outcome_head": bytes(history.head),
            "outcome_height": proof.height,
            "outcome_hash": bytes(proof.block_hash),
        }
    reference = history.entries[-1].event.position.transaction if history.entries else b""
    save_journey(connection, track.lane_id, before, after, height=found.height, reference=reference, **columns)
    row = {
        "lane_id": bytes(track.lane_id),
        "direction": int(track.direction),
        "height": proof.height,
        "head": bytes(proof.head),
        "nonce": proof.nonce,
        "evidence": history.evidence.to_bytes(),
        "at": time.time(),
    }
    insert_new(connection, proofs, [row])


def _save_messages(connection: Connection, history: History, before: Journey) -> Journey:
    now = time.time()
    rows = []
    for entry in history.entries:
        event = entry.event
        if not isinstance(event, MessageSent):
            continue
        message = event.message
        rows.append(
            {
                "lane_id": bytes(history.track.lane_id),
                "nonce": message.nonce,
                "message_id": bytes(entry.entry_id),
                "head": bytes(entry.head),
                "sender": message.sender,
                "receiver": message.receiver,
                "expires_at": message.expires_at,
                "gas_limit": message.gas_limit,
                "callback_gas": message.callback_gas,
                "payload": message.payload,
                "height": event.position.height,
                "transaction": event.position.transaction,
                "sent_at": float(event.position.timestamp),
                "seen_at": now,
            }
        )
    if rows:
        connection.execute(insert(messages), rows)
    return step(before, Reached(Stage.FINAL, history.nonce))


def _save_outcomes(
    connection: Connection, history: History, before: Journey, mined: set[bytes], skip: frozenset[Stage]
) -> Journey:
    now = time.time()
    rows = []
    counts = {1: 0, 2: 0, 3: 0, 4: 0}
    for entry in history.entries:
        event = entry.event
        if not isinstance(event, MessageDelivered):
            continue
        counts[int(event.status)] += 1
        mined.add(event.position.transaction)
        rows.append(
            {
                "lane_id": bytes(history.track.lane_id),
                "nonce": event.nonce,
                "message_id": bytes(event.message_id),
                "status": int(event.status),
                "result": event.result,
                "head": bytes(entry.head),
                "height": event.position.height,
                "transaction": event.position.transaction,
                "seen_at": now,
            }
        )
    if rows:
        connection.execute(insert(outcomes), rows)
    return step(before, Delivered(history.nonce, counts[1], counts[2], counts[3], counts[4]), skip)


def _mark_mined(connection: Connection, mined: set[bytes], height: int) -> None:
    """A transaction whose events stand in a proved block is mined; no receipt needs to be fetched for it."""
    if mined:
        connection.execute(
            update(transactions)
            .where(transactions.c.hash.in_(list(mined)), transactions.c.state == "sent")
            .values(state="mined", height=height)
        )
