"""Step 1, for one ledger: follow its headers, read its gateway, believe by proof, and store what was believed.

Messages, outcomes, the light client's state, the counters of every lane and the proofs are written in one transaction under
the chain's lease: after `kill -9` the next look begins where the last committed one ended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Row, insert, select, update

from adapters.protocol import AdapterError, Ledger, MessageDelivered, MessageSent
from light_clients.errors import LightClientError, Misbehaviour, Misconfigured, Retry
from light_clients.families import client_named
from light_clients.proofs.bloom import may_contain
from light_clients.proofs.gateway import GatewayPin
from relay.context import Context
from relay.crash import crash_point
from relay.journey import Delivered, Journey, Reached, Stage, step
from relay.observer import Followed, History, Lied, Look, Track, follow, observe, prove
from relay.steps.freeze import freeze_chain
from relay.store import Lease, waits
from relay.store.lanes import journey_of, on_chain, save_journey
from relay.store.tables import chains, claims, lanes, messages, outcomes, proofs, transactions
from relay.store.upsert import insert_new
from relay.store.waits import Reason, wait
from schemas.claim import Direction
from schemas.primitives import Bytes32, Head, LaneId
from schemas.suites import suite_named

log = structlog.get_logger()

PROOF_AGE_BLOCKS = 64
"""An open claim at an older block is made anew: operators' light clients remember some 256 headers."""


LOOK_REASONS = (
    Reason.ENDPOINT_UNREACHABLE,
    Reason.ENDPOINT_BAD_ANSWER,
    Reason.ENDPOINT_ACCUSED,
    Reason.HEADER_REFUSED,
    Reason.HEADER_NOT_THERE,
    Reason.CLIENT_EXPIRED,
    Reason.CHAIN_STALLED,
)
"""What a look that succeeds puts an end to."""


@dataclass(slots=True)
class LookResult:
    """What a look changed: lanes to wake, and whether there is more to read at once."""

    lanes: set[str]
    more: bool
    new_block: bool


def look(context: Context, lease: Lease, row: Row[Any], ledger: Ledger) -> LookResult:
    """Follow a ledger to its newest finalized header and store what its gateway did.

    Returns:
        The lanes that moved; `more` where headers remain.
    """
    client = client_named(row.consensus)
    now = int(context.clock())
    try:
        state = client.state_from_bytes(row.client_state)
        followed = follow(ledger, client, state, row.client_header, now)
        if followed.state.height < followed.tip and len(followed.headers) > 0:
            _save_headers(lease, row, followed)
            return LookResult(set(), more=True, new_block=True)
        found = _observe(context, ledger, client, row, followed)
    except Misbehaviour as misbehaviour:
        freeze_chain(lease, row, misbehaviour)
        return LookResult(set(), more=False, new_block=False)
    except Lied as lie:
        _leave(lease, row, ledger, lie)
        return LookResult(set(), more=False, new_block=False)
    except (AdapterError, LightClientError) as error:
        _note_trouble(lease, row, error)
        return LookResult(set(), more=False, new_block=False)
    crash_point("worker.look.before_commit")
    woken = _save(lease, row, followed, found)
    crash_point("worker.look.after_commit")
    return LookResult(woken, more=False, new_block=bool(followed.headers))


def _observe(context: Context, ledger: Ledger, client: Any, row: Row[Any], followed: Followed) -> Look:
    """Read and prove what happened since the last look; asks for events only where the headers' blooms may hold some."""
    state = followed.state
    with context.store.read() as connection:
        lane_rows = on_chain(connection, row.name)
        stale = _stale_tracks(connection, row, state.height)
    pin = GatewayPin(bytes(row.gateway), Bytes32(row.gateway_code_hash))
    tracks = [track for lane in lane_rows for track in _tracks(lane, row.name)]
    first = row.observed_height + 1
    known = len(followed.headers) == state.height - row.observed_height
    if known and not any(may_contain(header, pin.address) for header in followed.headers):
        found = Look(state.height, state.block_hash, (), {}, ())
    else:
        found = observe(ledger, client, state, pin, tracks, first)
    moved = {(history.track.lane_id, history.track.direction) for history in found.histories}
    again = [History(track) for track in tracks if (track.lane_id, track.direction) in stale - moved]
    if again:
        prove(ledger, client, state, pin, again)
        found = Look(found.height, found.block_hash, (*found.histories, *again), found.settled, found.opened)
    return found


def _tracks(lane: Row[Any], chain: str) -> list[Track]:
    suite, lane_id, found = suite_named(lane.suite), LaneId(lane.lane_id), []
    if lane.source == chain:
        found.append(Track(lane_id, Direction.OUTBOX, suite, lane.final, Head(lane.final_head)))
    if lane.destination == chain:
        found.append(Track(lane_id, Direction.OUTCOMES, suite, lane.delivered, Head(lane.outcome_head)))
    return found


def _stale_tracks(connection: Connection, row: Row[Any], height: int) -> set[tuple[LaneId, Direction]]:
    """Histories whose open claims stand at a block that operators begin to forget."""
    old = connection.execute(
        select(claims.c.lane_id, claims.c.direction)
        .join(lanes, lanes.c.lane_id == claims.c.lane_id)
        .where(claims.c.state == "open", claims.c.height < height - PROOF_AGE_BLOCKS)
        .where(
            ((claims.c.direction == 0) & (lanes.c.source == row.name))
            | ((claims.c.direction == 1) & (lanes.c.destination == row.name))
        )
        .distinct()
    )
    return {(LaneId(item.lane_id), Direction(item.direction)) for item in old}


def _header_columns(row: Row[Any], followed: Followed) -> dict[str, object]:
    state = followed.state
    values: dict[str, object] = {"tip": followed.tip, "tip_at": time.time() if followed.tip != row.tip else row.tip_at}
    if followed.headers:
        values |= {
            "client_state": state.to_bytes(),
            "client_header": followed.headers[-1],
            "client_height": state.height,
            "client_hash": bytes(state.block_hash),
            "client_time": state.timestamp,
            "client_expires_at": state.expires_at,
        }
    return values


def _save_headers(lease: Lease, row: Row[Any], followed: Followed) -> None:
    with lease.write() as connection:
        connection.execute(update(chains).where(chains.c.name == row.name).values(**_header_columns(row, followed)))


def _save(lease: Lease, row: Row[Any], followed: Followed, found: Look) -> set[str]:
    """Write one look; return the lanes that moved."""
    woken: set[str] = set()
    mined: set[bytes] = set()
    with lease.write() as connection:
        values = _header_columns(row, followed) | {"observed_height": found.height}
        connection.execute(update(chains).where(chains.c.name == row.name).values(**values))
        waits.clear_if(connection, "chain", row.name, LOOK_REASONS)
        for history in found.histories:
            _save_history(connection, found, history, mined)
            woken.add(history.track.lane_id.hex())
        for lane_id, event in found.settled.items():
            lane = connection.execute(select(lanes).where(lanes.c.lane_id == bytes(lane_id))).one_or_none()
            if lane is None or lane.source != row.name:
                continue
            before = journey_of(lane)
            after = step(before, Reached(Stage.SETTLED, event.nonce))
            save_journey(
                connection, lane_id, before, after, height=event.position.height, reference=event.position.transaction
            )
            mined.add(event.position.transaction)
            woken.add(lane_id.hex())
        _mark_mined(connection, mined, found.height)
    if found.histories:
        log.info(
            "looked", chain=row.name, height=found.height, entries=sum(len(item.entries) for item in found.histories)
        )
    return woken


def _save_history(connection: Connection, found: Look, history: History, mined: set[bytes]) -> None:
    track = history.track
    lane = connection.execute(select(lanes).where(lanes.c.lane_id == bytes(track.lane_id))).one()
    before = journey_of(lane)
    if track.direction is Direction.OUTBOX:
        after = _save_messages(connection, history, before)
        columns: dict[str, object] = {
            "final_head": bytes(history.head),
            "final_height": found.height,
            "final_hash": bytes(found.block_hash),
        }
    else:
        after = _save_outcomes(connection, history, before, mined)
        columns = {
            "outcome_head": bytes(history.head),
            "outcome_height": found.height,
            "outcome_hash": bytes(found.block_hash),
        }
    reference = history.entries[-1].event.position.transaction if history.entries else b""
    save_journey(connection, track.lane_id, before, after, height=found.height, reference=reference, **columns)
    if history.evidence is not None:
        proof = {
            "lane_id": bytes(track.lane_id),
            "direction": int(track.direction),
            "height": found.height,
            "head": bytes(history.head),
            "nonce": history.nonce,
            "evidence": history.evidence.to_bytes(),
            "at": time.time(),
        }
        insert_new(connection, proofs, [proof])


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


def _save_outcomes(connection: Connection, history: History, before: Journey, mined: set[bytes]) -> Journey:
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
    return step(before, Delivered(history.nonce, counts[1], counts[2], counts[3], counts[4]))


def _mark_mined(connection: Connection, mined: set[bytes], height: int) -> None:
    """A transaction whose events stand in a proved block is mined; no receipt needs to be fetched for it."""
    if mined:
        connection.execute(
            update(transactions)
            .where(transactions.c.hash.in_(list(mined)), transactions.c.state == "sent")
            .values(state="mined", height=height)
        )


def _leave(lease: Lease, row: Row[Any], ledger: Ledger, lie: Lied) -> None:
    log.warning("endpoint_accused", chain=row.name, endpoint=lie.endpoint, refusal=lie.name, text=str(lie))
    another = ledger.leave_endpoint(f"{lie.name}: {lie}")
    text = f"{lie.endpoint} said what cannot be true ({lie.name}: {lie}); " + (
        "another endpoint is asked." if another else "no other endpoint is configured."
    )
    with lease.write() as connection:
        connection.execute(update(chains).where(chains.c.name == row.name).values(accused_at=time.time()))
        wait(
            connection,
            "chain",
            row.name,
            Reason.ENDPOINT_ACCUSED,
            party=f"chain {row.name}",
            text=text,
            again_s=0.2 if another else 0,
        )


def _note_trouble(lease: Lease, row: Row[Any], error: Exception) -> None:
    """Record why a ledger cannot be followed now, and when it is looked at again."""
    from adapters.protocol import BadAnswer
    from adapters.protocol import Misconfigured as AdapterMisconfigured

    if isinstance(error, Retry):
        reason = Reason.HEADER_NOT_THERE
    elif isinstance(error, Misconfigured):
        reason = Reason.CLIENT_EXPIRED
    elif isinstance(error, BadAnswer | AdapterMisconfigured):
        reason = Reason.ENDPOINT_BAD_ANSWER
    elif isinstance(error, LightClientError):
        reason = Reason.HEADER_REFUSED
    else:
        reason = Reason.ENDPOINT_UNREACHABLE
    log.warning("chain_waits", chain=row.name, reason=str(reason), error=str(error)[:300])
    again_s = 1.0 if reason in (Reason.HEADER_NOT_THERE, Reason.ENDPOINT_UNREACHABLE) else 0.0
    with lease.write() as connection:
        wait(connection, "chain", row.name, reason, party=f"chain {row.name}", text=str(error), again_s=again_s)
