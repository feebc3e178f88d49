"""What stands in the way of carrying: transactions that reverted or were lost, a ledger that is down, a quorum that shrank.

Whatever happened, the lane steps back to what the ledger consumed and goes on from there; the gateway refuses what it has.
While a batch is known to revert it is tried by simulation only, at the times of the retry table, so that it costs no fee.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, select, update

from adapters.protocol import Rejected
from relay.context import Context
from relay.journey import ClaimsVoid, Stage, SubmissionLost, step
from relay.steps.claim import BACK, COLUMN, OUT, Side
from relay.store import Lease, waits
from relay.store.lanes import get, journey_of, milestone, read_again, save_journey
from relay.store.tables import claims, transactions
from relay.store.waits import Reason, wait
from schemas.claim import Direction
from schemas.primitives import LaneId

log = structlog.get_logger()

PURPOSE = {Direction.OUTBOX: "deliver", Direction.OUTCOMES: "settle"}
ENDPOINT_REASONS = (Reason.ENDPOINT_UNREACHABLE, Reason.ENDPOINT_SLOW, Reason.ENDPOINT_BAD_ANSWER)
REVERTS = (Reason.TRANSACTION_REVERTED, Reason.WINDOW_FULL, Reason.LANE_PAUSED, Reason.LANE_NOT_OPEN)
LONGEST_WAIT_S = 180.0
WOULD_SUCCEED = "it would succeed now"
"""Why a transaction reverted whose call goes through by simulation: what was in its way is gone."""
AT_ONCE_S = 1e-9

_BY_ERROR = {
    "WindowFull": (Reason.WINDOW_FULL, "time"),
    "LanePaused": (Reason.LANE_PAUSED, "officers"),
    "GatewayPaused": (Reason.LANE_PAUSED, "officers"),
    "UnknownLane": (Reason.LANE_NOT_OPEN, "officers"),
}
_ERROR = re.compile(r"^\w+")
_STOPS_ALL = ("LanePaused", "GatewayPaused", "UnknownLane", "NothingNew")
_RETRY_AT = re.compile(r"\bretryAt=(\d+)")


def lost_transactions(connection: Connection, lane: Row[Any], side: Side) -> list[Row[Any]]:
    """Transactions of the lane that reverted or can never be mined."""
    return list(
        connection.execute(
            select(transactions)
            .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose == PURPOSE[side.direction])
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
        .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose == PURPOSE[side.direction])
        .where(transactions.c.state.in_(("queued", "sent")))
    ).scalar_one()
    return furthest is None or furthest < submitted


def step_back(context: Context, lease: Lease, lane_id: LaneId, side: Side, lost: list[Row[Any]]) -> None:
    """Step back to what the ledger consumed; what is still queued would revert too, so it is void."""
    with lease.write() as connection:
        lane = get(connection, lane_id)
        mine = (transactions.c.lane_id == bytes(lane_id), transactions.c.purpose == PURPOSE[side.direction])
        connection.execute(update(transactions).where(*mine, transactions.c.state == "queued").values(state="void"))
        connection.execute(
            update(transactions).where(*mine, transactions.c.state.in_(("reverted", "lost"))).values(state="failed")
        )
        before = journey_of(lane)
        save_journey(connection, lane_id, before, step(before, SubmissionLost(back=side is BACK)))
        beyond = [row for row in lost if row.last > consumed(lane, side) and row.state == "reverted"]
        if beyond:
            _note_revert(context, connection, lane, side, beyond[0])
    log.warning("submission_lost", lane=lane_id.hex()[:16], direction=int(side.direction), transactions=len(lost))


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
    side = BACK if item.purpose == PURPOSE[Direction.OUTCOMES] else OUT
    what = f"{item.chain} does not take the {item.purpose} of {item.first}..{item.last}"
    _hold(context, connection, LaneId(item.lane_id), side, what, item.reason.partition(": ")[2])


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


def consumed(lane: Row[Any], side: Side) -> int:
    """How far the ledger at the consuming end has come."""
    return int(lane.settled if side is BACK else lane.delivered)


def _note_revert(context: Context, connection: Connection, lane: Row[Any], side: Side, worst: Row[Any]) -> None:
    why = worst.reason or "no reason given"
    if side is BACK and why.startswith("NothingNew"):
        # The source settled what the hub did not see: read its blocks again, from the last settlement that is known.
        known = milestone(connection, lane.lane_id, Stage.SETTLED, lane.settled) if lane.settled else None
        read_again(connection, worst.chain, known.height if known is not None else 1)
    what = f"{worst.purpose} of {worst.first}..{worst.last} reverted on {worst.chain}"
    _hold(context, connection, LaneId(lane.lane_id), side, what, why)


def _hold(context: Context, connection: Connection, lane_id: LaneId, side: Side, what: str, why: str) -> None:
    """Record the wait that a contract's reason calls for."""
    name = _ERROR.match(why)
    reason, party = _BY_ERROR.get(name.group() if name else "", (Reason.TRANSACTION_REVERTED, "hub's owner"))
    retry_at = _RETRY_AT.search(why)
    again_s = min(max(int(retry_at.group(1)) - context.clock(), 1.0), LONGEST_WAIT_S) if retry_at else 0.0
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
