"""What stands in the way of carrying: transactions that reverted or were lost, a ledger that is down, a quorum that shrank.

Whatever happened, the lane steps back to what the ledger consumed and goes on from there; the gateway refuses what it has.
While a batch is known to revert it is tried by simulation only, at the times of the retry table, so that it costs no fee.
"""

from __future__ import annotations

import random
import re
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, select, update

from adapters.protocol import Rejected
from relay.context import Context
from relay.errors import NotFound
from relay.journey import ClaimsVoid, Stage, SubmissionLost, step
from relay.offers import TOO_LARGE
from relay.steps.anchors import forget
from relay.steps.sides import BACK, COLUMN, Side, consumed, side_of
from relay.store import Lease, waits
from relay.store.lanes import get, journey_of, milestone, read_again, save_journey
from relay.store.tables import claims, transactions
from relay.store.verifiers import read_client_again, verifier_of
from relay.store.waits import Reason, wait
from schemas.primitives import LaneId

log = structlog.get_logger()

ENDPOINT_REASONS = (
    Reason.ENDPOINT_UNREACHABLE,
    Reason.ENDPOINT_SLOW,
    Reason.ENDPOINT_BAD_ANSWER,
    Reason.MEMBER_REFUSED,
)
REVERTS = (
    Reason.TRANSACTION_REVERTED,
    Reason.WINDOW_FULL,
    Reason.LANE_PAUSED,
    Reason.LANE_NOT_OPEN,
    Reason.LIGHT_CLIENT_BEHIND,
    Reason.LIGHT_CLIENT_EXPIRED,
    Reason.LIGHT_CLIENT_FROZEN,
)
"""Under these the next batch is tried by simulation before it costs a fee."""
LONGEST_WAIT_S = 180.0
WOULD_SUCCEED = "it would succeed now"
"""Why a transaction reverted whose call goes through by simulation: what was in its way is gone."""
AT_ONCE_S = 1e-9
RACE_S = 0.25
"""Where transactions run before they are ordered, those of two lanes may touch one key, and the first in the block wins: so long,
doubled with each race lost and drawn at random, so that the same two do not meet again."""
LONGEST_RACE_S = 8.0
LOOKS_EACH_BLOCK = (Reason.TRANSACTION_REVERTED, Reason.LANE_PAUSED, Reason.LANE_NOT_OPEN)
"""Causes that a block may end: a simulation in each new one costs a request and no fee."""
LOOK_AGAIN_S = 2.0
WALK_AGAIN_S = 1.0
"""After an anchor was not there: the generation changed, or its block did not stay; the walk begins anew."""
NOT_ANCHORED = "NotAnchored"

_BY_ERROR = {
    "WindowFull": (Reason.WINDOW_FULL, "time"),
    "LanePaused": (Reason.LANE_PAUSED, "officers"),
    "GatewayPaused": (Reason.LANE_PAUSED, "officers"),
    "UnknownLane": (Reason.LANE_NOT_OPEN, "officers"),
    "ClientIsFrozen": (Reason.LIGHT_CLIENT_FROZEN, "officers"),
    "ClientExpired": (Reason.LIGHT_CLIENT_EXPIRED, "officers"),
    "ValidatorsUnexpected": (Reason.LIGHT_CLIENT_BEHIND, "hub"),
    "HeaderBeforeSet": (Reason.LIGHT_CLIENT_BEHIND, "hub"),
}
_ERROR = re.compile(r"^\w+")
_STOPS_ALL = ("LanePaused", "GatewayPaused", "UnknownLane", "NothingNew")
_LARGE = re.compile(r"takes nothing as large as the \w+ of (\d+)\.\.(\d+)")
_RETRY_AT = re.compile(r"\bretryAt=(\d+)")


def lost_transactions(connection: Connection, lane: Row[Any], side: Side) -> list[Row[Any]]:
    """Transactions of the lane that reverted or can never be mined."""
    return list(
        connection.execute(
            select(transactions)
            .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose.in_((side.purpose, side.anchoring)))
            .where(transactions.c.state.in_(("reverted", "lost")))
            .order_by(transactions.c.id)
        ).all()
    )


def is_stranded(connection: Connection, lane: Row[Any], side: Side) -> bool:
    """Whether something counts as submitted that no transaction on its way carries."""
    submitted = getattr(lane, COLUMN[side.submitted])
    if submitted <= consumed(lane, side):
        return False
    furthest = connection.execute(
        select(func.max(transactions.c.last))
        .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose == side.purpose)
        .where(transactions.c.state.in_(("queued", "sent")))
    ).scalar_one()
    return furthest is None or furthest < submitted


def step_back(context: Context, lease: Lease, lane_id: LaneId, side: Side, lost: list[Row[Any]]) -> None:
    """Step back to what the ledger consumed; what is still queued would revert too, so it is void.

    Where what was lost is on its way again already, nothing is stepped back: it was lost because what came before it was.
    """
    with lease.write() as connection:
        lane = get(connection, lane_id)
        purposes = transactions.c.purpose.in_((side.purpose, side.anchoring))
        mine = (transactions.c.lane_id == bytes(lane_id), purposes)
        superseded = _is_superseded(connection, mine, lost)
        connection.execute(
            update(transactions).where(*mine, transactions.c.state.in_(("reverted", "lost"))).values(state="failed")
        )
        if superseded:
            return
        connection.execute(update(transactions).where(*mine, transactions.c.state == "queued").values(state="void"))
        before = journey_of(lane)
        save_journey(connection, lane_id, before, step(before, SubmissionLost(back=side is BACK)))
        reverted = [row for row in lost if row.state == "reverted"]
        if any(row.reason.startswith(NOT_ANCHORED) for row in reverted):
            forget(connection, lane, side)
        following = consumed(lane, side) + 1
        beyond = [row for row in reverted if row.purpose == side.anchoring or row.first <= following <= row.last]
        if beyond:  # what stands behind the next entry reverts because that one is not there, for no reason of its own
            _note_revert(context, connection, lane, side, beyond[0])
    log.warning("submission_lost", lane=lane_id.hex()[:16], direction=int(side.direction), transactions=len(lost))


def _is_superseded(connection: Connection, mine: tuple[Any, ...], lost: list[Row[Any]]) -> bool:
    """Whether transactions that were written down later carry again what was lost."""
    if not lost:
        return False
    later = connection.execute(
        select(func.min(transactions.c.first))
        .where(*mine, transactions.c.state.in_(("queued", "sent")))
        .where(transactions.c.id > max(row.id for row in lost))
    ).scalar_one()
    return later is not None and later <= min(row.first for row in lost)


def is_due_again(held: Row[Any], chain: Row[Any], now: float) -> bool:
    """Whether what a ledger refused is to be tried again: its time has come, or a block since the last try may have changed it.

    What reverts although its simulation goes through waits for its time, because each try costs a fee.

    Args:
        held: the wait.
        chain: the row of the ledger that refuses.
        now: Unix seconds.
    """
    if waits.is_due(held.next_at, now):
        return True
    tried_at = held.next_at - waits.backoff_s(held.attempts)
    if held.code not in LOOKS_EACH_BLOCK or WOULD_SUCCEED in held.text:
        return False
    return bool(chain.tip_at > tried_at and now - tried_at >= LOOK_AGAIN_S)


def stops_all(refusal: Rejected) -> bool:
    """Whether the contract would refuse any batch of the lane now, however short."""
    name = _ERROR.match(refusal.reason)
    return name is not None and name.group() in _STOPS_ALL


def note_refusal(context: Context, lease: Lease, lane_id: LaneId, side: Side, what: str, refusal: Rejected) -> None:
    """Record that the ledger would still refuse the next batch."""
    with lease.write() as connection:
        _hold(context, connection, lane_id, side, what, refusal.reason or str(refusal))


def note_unfit(context: Context, connection: Connection, item: Row[Any]) -> None:
    """Record that a ledger's pool never takes a transaction; the lane carries its batch again when it is time."""
    side = side_of(item.purpose)
    too_large = item.reason.startswith(TOO_LARGE)
    verdict = "takes nothing as large as" if too_large else "does not take"
    what = f"{item.chain} {verdict} the {item.purpose} of {item.first}..{item.last}"
    _hold(context, connection, LaneId(item.lane_id), side, what, item.reason.partition(": ")[2])


def most_entries(held: Row[Any] | None) -> int:
    """How many entries the next transaction may carry: half of those that made the last one too large; 0 for any number."""
    refused = _LARGE.search(held.text) if held is not None else None
    return max(1, (int(refused[2]) - int(refused[1]) + 1) // 2) if refused else 0


def note_down(lease: Lease, lane_id: LaneId, side: Side, chain: str, why: str) -> None:
    """Record that nothing can be submitted at a ledger; the look that reaches it again ends this."""
    text = f"Nothing can be submitted on {chain}: {why}"
    with lease.write() as connection:
        wait(connection, side.wait_kind, lane_id.hex(), Reason.DESTINATION_DOWN, party=f"chain {chain}", text=text)


def open_again(lease: Lease, lane_id: LaneId, side: Side, claim_ids: list[int]) -> None:
    """Offer claims to the operators again whose quorum lost a signer that was struck out."""
    with lease.write() as connection:
        connection.execute(
            update(claims).where(claims.c.id.in_(claim_ids), claims.c.state == "attested").values(state="open")
        )
        before = journey_of(get(connection, lane_id))
        after = step(before, ClaimsVoid(back=side is BACK, attested_too=True))
        save_journey(connection, lane_id, before, after)
    log.warning("quorum_lost", lane=lane_id.hex()[:16], direction=int(side.direction), claims=len(claim_ids))


def _note_revert(context: Context, connection: Connection, lane: Row[Any], side: Side, worst: Row[Any]) -> None:
    why = worst.reason or "no reason given"
    if side is BACK and why.startswith("NothingNew"):
        # The source settled what the hub did not see: read its blocks again, from the last settlement that is known.
        known = milestone(connection, lane.lane_id, Stage.SETTLED, lane.settled) if lane.settled else None
        read_again(connection, worst.chain, known.height if known is not None else 1)
    what = f"{worst.purpose} of {worst.first}..{worst.last} reverted on {worst.chain}"
    if why == WOULD_SUCCEED and context.ledger(context.chain(worst.chain)).machine().optimistic:
        _race_again(connection, LaneId(lane.lane_id), side, what)
        return
    _hold(context, connection, LaneId(lane.lane_id), side, what, why)


def _race_again(connection: Connection, lane_id: LaneId, side: Side, what: str) -> None:
    """Record that another transaction came first in its block; trying again costs no fee on such a ledger."""
    held = waits.find(connection, side.wait_kind, lane_id.hex())
    lost = held.attempts + 1 if held is not None and held.code == Reason.TRANSACTION_REVERTED else 0
    again_s = random.uniform(AT_ONCE_S, min(RACE_S * 2 ** min(lost, 8), LONGEST_RACE_S))  # noqa: S311 - no secret
    text = f"{what}: another transaction of its block came first; {WOULD_SUCCEED}."
    wait(
        connection,
        side.wait_kind,
        lane_id.hex(),
        Reason.TRANSACTION_REVERTED,
        party="hub",
        text=text,
        again_s=again_s,
    )


def _hold(context: Context, connection: Connection, lane_id: LaneId, side: Side, what: str, why: str) -> None:
    """Record the wait that a contract's reason calls for."""
    name = _ERROR.match(why)
    reason, party = _BY_ERROR.get(name.group() if name else "", (Reason.TRANSACTION_REVERTED, "hub's owner"))
    retry_at = _RETRY_AT.search(why)
    again_s = min(max(int(retry_at.group(1)) - context.clock(), 1.0), LONGEST_WAIT_S) if retry_at else 0.0
    if why.startswith(NOT_ANCHORED):
        again_s = WALK_AGAIN_S
    if reason is Reason.LIGHT_CLIENT_BEHIND:
        _read_client_again(connection, lane_id, side)
    if why == WOULD_SUCCEED and waits.find(connection, side.wait_kind, lane_id.hex()) is None:
        again_s = AT_ONCE_S  # once: what reverts again although its simulation goes through costs a fee each time
    wait(
        connection,
        side.wait_kind,
        lane_id.hex(),
        reason,
        party=party,
        text=f"{what}: {why}.",
        again_s=again_s,
    )


def _read_client_again(connection: Connection, lane_id: LaneId, side: Side) -> None:
    """What the hub knows of the light client on the ledger is not true any more."""
    with suppress(NotFound):
        read_client_again(connection, verifier_of(connection, get(connection, lane_id), side.direction))
