"""Step 1, for one ledger: follow its headers, read its gateway, believe by proof, and store what was believed.

Messages, outcomes, the light client's state, the counters of every lane and the proofs are written in one transaction under
the chain's lease: after `kill -9` the next look begins where the last committed one ended.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from adapters.guard import GuardedLedger
from adapters.protocol import AdapterError, HeadMoved, Ledger, Unreachable
from light_clients.errors import HeaderUnconfirmed, LightClientError, Misbehaviour
from light_clients.families import ETHEREUM_FAMILIES, skips_heights
from light_clients.proofs.bloom import may_contain
from relay.context import Context
from relay.crash import crash_point
from relay.following import HEADERS_A_LOOK, HEADERS_BEFORE_EVENTS, Followed, Lied, follow
from relay.observer import Believer, History, Look, Track, may_have_moved, observe, prove
from relay.steps.forks import log_replaced, trail_of
from relay.steps.freeze import freeze_chain
from relay.steps.record import save_headers, save_look
from relay.steps.sides import BACK, OUT
from relay.steps.silence import Silence, ask_counters, check_silence
from relay.steps.trouble import is_stalled, leave_liar, leave_stalled, note_trouble
from relay.store import Lease
from relay.store.lanes import get, on_chain, read_again
from relay.store.tables import claims, lanes, outcomes, waits
from relay.store.waits import Reason
from schemas.claim import Direction
from schemas.primitives import Head, LaneId
from schemas.suites import suite_named

log = structlog.get_logger()

PROOF_AGE_BLOCKS = 64
"""An open claim at an older block is made anew: operators' light clients remember some 256 headers."""

PROVE_EVERY_BLOCKS = 16
"""Without bloom filters nothing says which blocks hold events: histories that seem to stand still are proved to, so often."""
OUTRUN_LOOKS = 50
"""Looks in a row at an endpoint whose heads move on before they are read, until it is left."""
OUTRUN_S = 0.05
_OUTRUN: dict[str, int] = {}
"""Such looks of this process, by ledger."""


@dataclass(slots=True)
class LookResult:
    """What a look changed: lanes to wake, and whether there is more to read at once; `down` where nobody answers."""

    lanes: set[str]
    more: bool
    new_block: bool
    down: bool = False


def look(context: Context, lease: Lease, row: Row[Any], ledger: GuardedLedger) -> LookResult:
    """Follow a ledger to its newest finalized header and store what its gateway did.

    Returns:
        The lanes that moved; `more` where headers remain.
    """
    began = time.monotonic()
    now = int(context.clock())
    try:
        believer = Believer.of(row.consensus, bytes(row.gateway), bytes(row.gateway_code_hash), row.gateway_pin or {})
        state = believer.client.state_from_bytes(row.client_state)
        at_once = HEADERS_A_LOOK if believer.proves_state else HEADERS_BEFORE_EVENTS
        skips = skips_heights(believer.consensus)
        followed = follow(ledger, believer.client, state, trail_of(row), now, most=at_once, skips=skips)
        log_replaced(row.name, believer.client, followed)
        more = followed.state.height < followed.tip and len(followed.headers) > 0
        if more and believer.proves_state:
            save_headers(lease, row, followed)
            return LookResult(set(), more=True, new_block=True)
        found = _observe(context, ledger, believer, row, followed)
    except Misbehaviour as misbehaviour:
        freeze_chain(lease, row, misbehaviour)
        return LookResult(set(), more=False, new_block=False)
    except Lied as lie:
        leave_liar(lease, row, ledger, lie)
        if lie.about is not None and row.consensus not in ETHEREUM_FAMILIES:
            _read_again(lease, row, lie.about)  # an earlier look may have been shown too little
        return LookResult(set(), more=False, new_block=False)
    except Silence as silence:
        log.warning("entries_withheld", chain=row.name, lane=silence.about[0].hex0x()[:18], text=str(silence))
        _read_again(lease, row, silence.about)
        return LookResult(set(), more=True, new_block=False)
    except (AdapterError, LightClientError) as error:
        if isinstance(error, HeaderUnconfirmed) and is_stalled(row, row.tip):
            leave_stalled(row, ledger)
        note_trouble(lease, row, error, time.monotonic() - began)
        return LookResult(set(), more=False, new_block=False, down=isinstance(error, Unreachable))
    stalled = leave_stalled(row, ledger) if is_stalled(row, followed.tip) else ""
    crash_point("worker.look.before_commit")
    woken = save_look(lease, row, followed, found, stalled)
    crash_point("worker.look.after_commit")
    if found.moved_on and not more:
        more = _look_again(lease, row, ledger, found)
    elif not found.moved_on:
        _OUTRUN.pop(row.name, None)
    return LookResult(woken, more=more, new_block=bool(followed.headers))


def _read_again(lease: Lease, row: Row[Any], about: tuple[LaneId, Direction]) -> None:
    """Have the blocks read again from the last entry that is known of a history."""
    lane_id, direction = about
    with lease.write() as connection:
        lane = get(connection, lane_id)
        read_again(connection, row.name, lane.final_height if direction is Direction.OUTBOX else lane.outcome_height)


def _look_again(lease: Lease, row: Row[Any], ledger: Ledger, found: Look) -> bool:
    """Newer blocks show where the heads are now; an endpoint that never comes to show it lies about its events."""
    _OUTRUN[row.name] = _OUTRUN.get(row.name, 0) + 1
    if _OUTRUN[row.name] % OUTRUN_LOOKS == 0:
        text = f"The head of lane {found.moved_on[0].hex0x()} at block {found.height} has moved, or never stood there."
        leave_liar(lease, row, ledger, Lied("HeadNotShown", text, ledger.endpoint))
        return False
    time.sleep(OUTRUN_S)
    return True


def _observe(context: Context, ledger: GuardedLedger, believer: Believer, row: Row[Any], followed: Followed) -> Look:
    """Read and prove what happened since the last look; asks for events only where the headers' blooms may hold some."""
    state = followed.state
    with context.store.read() as connection:
        lane_rows = on_chain(connection, row.name)
        stale = _stale_tracks(connection, row, state.height) if believer.proves_state else set()
    tracks = [track for lane in lane_rows for track in _tracks(lane, row.name)]
    headers = followed.headers if len(followed.headers) == state.height - row.observed_height else None
    blooms = row.consensus in ETHEREUM_FAMILIES
    if not blooms:
        headers = None
    if headers is not None and not any(may_contain(header, believer.gateway) for header in headers):
        found = Look(state.height, state.block_hash, (), {}, ())
    else:
        found = observe(ledger, believer, state, tracks, row.observed_height + 1)
    if headers is not None:
        suspected = may_have_moved(headers, believer.gateway, tracks)
    else:
        due = blooms or state.height // PROVE_EVERY_BLOCKS > row.observed_height // PROVE_EVERY_BLOCKS
        suspected = tracks if due else []
    stale |= {track.key for track in suspected}
    moved = {history.track.key for history in found.histories}
    again = [History(track) for track in tracks if track.key in stale - moved]
    prove(ledger, believer, state, again)
    shown = (*found.histories, *(history for history in again if history.proofs))
    if not blooms and not found.moved_on:
        shown_now = {history.track.key: history.nonce for history in found.histories}
        known = [replace(track, nonce=shown_now.get(track.key, track.nonce)) for track in tracks]
        check_silence(ledger, known, state.height)
        ask_counters(ledger, believer.gateway, [track for track in known if track.key not in shown_now])
    with context.store.read() as connection:
        settled = _true_settlements(connection, lane_rows, found.settled, ledger.endpoint)
    return replace(found, histories=shown, settled=settled)


def _true_settlements(
    connection: Connection, lane_rows: Sequence[Row[Any]], said: dict[LaneId, HeadMoved], endpoint: str
) -> dict[LaneId, HeadMoved]:
    """Hold what an endpoint says was settled against the proved outcomes.

    No slot shows the settled head, but it is the outcome head after as many entries. More than the hub knows of is left
    out: when a settlement is refused as old news, the blocks are read again.

    Raises:
        Lied: the head is not the one after so many outcomes.
    """
    known = {row.lane_id: row for row in lane_rows}
    true: dict[LaneId, HeadMoved] = {}
    for lane_id, event in said.items():
        lane = known.get(bytes(lane_id))
        if lane is None or event.nonce > lane.delivered:
            continue
        head = connection.execute(
            select(outcomes.c.head).where(outcomes.c.lane_id == bytes(lane_id), outcomes.c.nonce == event.nonce)
        ).scalar_one_or_none()
        if head != bytes(event.head):
            raise Lied("SettledDoesNotFold", f"The outcomes up to {event.nonce} have another head.", endpoint)
        true[lane_id] = event
    return true


def _tracks(lane: Row[Any], chain: str) -> list[Track]:
    suite, lane_id, found = suite_named(lane.suite), LaneId(lane.lane_id), []
    if lane.source == chain:
        found.append(Track(lane_id, Direction.OUTBOX, suite, lane.final, Head(lane.final_head)))
    if lane.destination == chain:
        found.append(Track(lane_id, Direction.OUTCOMES, suite, lane.delivered, Head(lane.outcome_head)))
    return found


def _stale_tracks(connection: Connection, row: Row[Any], height: int) -> set[tuple[LaneId, Direction]]:
    """Histories to prove anew: whose open claims stand at a block that operators begin to forget, or whose proofs are outdated."""
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
    return {(LaneId(item.lane_id), Direction(item.direction)) for item in old} | _outdated_tracks(connection, row)


def _outdated_tracks(connection: Connection, row: Row[Any]) -> set[tuple[LaneId, Direction]]:
    """Histories whose newest proof is of a set that the light client on the other ledger no longer trusts."""
    found: set[tuple[LaneId, Direction]] = set()
    for side, end in ((OUT, lanes.c.source), (BACK, lanes.c.destination)):
        waiting = select(waits.c.id).where(waits.c.kind == side.wait_kind, waits.c.code == str(Reason.PROOF_OUTDATED))
        names = connection.execute(waiting).scalars().all()
        mine = select(lanes.c.lane_id).where(
            end == row.name, lanes.c.lane_id.in_([bytes.fromhex(name) for name in names])
        )
        found |= {(LaneId(lane_id), side.direction) for lane_id in connection.execute(mine).scalars()}
    return found
