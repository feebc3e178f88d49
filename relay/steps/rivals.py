"""Another relayer on the same lane: who carries now, and who stands back, without a word between them.

Anybody may deliver and settle. Two hubs that see the same quorum in the same second would both send it, and one of every two
transactions would find nothing new. What the ledger shows is enough to agree:

1. Whoever's transaction moved the lane last carries on, with as many transactions on their way as there are.
2. Everybody else stands back: eight blocks or five seconds from when the next entry was first seen, or from his own last
   attempt, and longer by a share of his own (several who stand back do not all step in at once) and after an attempt that
   came to nothing. Then he tries one transaction. If it moves the lane, he carries on; the other stands back.

On a lane where nothing has moved yet, everybody begins. Who has nothing on its way asks the gateway before it sends: a hub that
comes back after a while has not seen yet who carries now.

A relayer who stops costs the lane that delay, once. One that moves a little now and then, to hold the others back, does not:
the time counts from the entry that waits, and not from what he does. One that delivers parts of our transactions just before
us takes nothing from them: they carry the rest, and move the lane last.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Row, func, select

from adapters.protocol import Ledger, Rejected
from relay.context import Context
from relay.journey import Stage
from relay.steps.sides import BACK, Side, consumed
from relay.store import Lease, waits
from relay.store.tables import messages, milestones, outcomes, transactions
from relay.store.waits import Reason
from schemas.primitives import LaneId

STAND_OFF_BLOCKS = 8
SHORTEST_S = 5.0
LONGEST_S = 120.0
DOUBLED_AT_MOST = 1
"""The stand-off is at most twice as long after attempts that came to nothing."""
MILESTONES_READ = 20


def window(connection: Connection, lane: Row[Any], side: Side, chain: Row[Any], *, most: int, now: float) -> int:
    """How many transactions of one direction of a lane this hub may have on their way now.

    Args:
        connection: the database.
        lane: the lane's row.
        side: the direction.
        chain: the ledger on which it is carried.
        most: how many where nobody else carries it.
        now: Unix seconds.

    Returns:
        0 while another relayer has the first try, 1 where he did not use it, else `most`.
    """
    done = consumed(lane, side)
    moves = _moves(connection, lane, side) if done else []
    if not moves or moves[0].nonce < done or _is_ours(connection, lane, side, done, bytes(moves[0].reference)):
        return most
    began = max(_first_seen(connection, lane, side, done + 1), _last_attempt(connection, lane, side))
    wait_s = _stand_off_s(moves, _failures(connection, lane, side), bytes(chain.account))
    return 1 if not 0 <= now - began < wait_s else 0


def room(
    context: Context, lease: Lease, lane: Row[Any], side: Side, chain: Row[Any], ledger: Ledger, *, most: int, busy: int
) -> int:
    """How many more transactions of one direction of a lane may be queued now; why none may is written down.

    Args:
        context: the process's view of the hub.
        lease: the lane's.
        lane: the lane's row.
        side: the direction.
        chain: the ledger on which it is carried.
        ledger: the same, opened.
        most: how many may be on their way where nobody else carries the lane.
        busy: how many are.

    Raises:
        AdapterError: the ledger does not answer.
    """
    now = time.time()
    with context.store.read() as connection:
        allowed = window(connection, lane, side, chain, most=most, now=now)
        fresh = bool(allowed and not busy) and _is_fresh(connection, lane, side, chain, now)
    if allowed and not (fresh and _has_more(ledger, lane, side, chain)):
        return max(0, allowed - busy)
    if not busy:
        _note(lease, lane, side, chain)
    return 0


def _note(lease: Lease, lane: Row[Any], side: Side, chain: Row[Any]) -> None:
    """Say that another relayer carries, unless something else stands in the way already."""
    name = bytes(lane.lane_id).hex()
    text = (
        f"Another relayer moved this lane on {chain.name} last. It has the first try; this hub goes on if it does not."
    )
    with lease.write() as connection:
        held = waits.find(connection, side.wait_kind, name)
        if held is None or held.code == Reason.OTHER_RELAYER:
            waits.wait(
                connection, side.wait_kind, name, Reason.OTHER_RELAYER, party="another relayer", text=text, again_s=1.0
            )


def _is_fresh(connection: Connection, lane: Row[Any], side: Side, chain: Row[Any], now: float) -> bool:
    """Whether the next entry was first seen less than a stand-off ago: only so long is a gateway believed without proof."""
    began = _first_seen(connection, lane, side, consumed(lane, side) + 1)
    return 0 <= now - began < _stand_off_s(_moves(connection, lane, side), 0, bytes(chain.account))


def _has_more(ledger: Ledger, lane: Row[Any], side: Side, chain: Row[Any]) -> bool:
    """Whether the gateway says that it has more than this hub has seen proved: somebody carries, and a look is due.

    Raises:
        AdapterError: the ledger does not answer.
    """
    try:
        ends = ledger.lane_ends(bytes(chain.gateway), LaneId(lane.lane_id))
    except Rejected:
        return False
    return (ends.settled if side is BACK else ends.delivered) > consumed(lane, side)


def _moves(connection: Connection, lane: Row[Any], side: Side) -> list[Row[Any]]:
    """The newest moves of the consuming end, the newest first: how far, when, in which block, by which transaction."""
    stage = Stage.SETTLED if side is BACK else Stage.DELIVERED
    return list(
        connection.execute(
            select(milestones)
            .where(milestones.c.lane_id == lane.lane_id, milestones.c.stage == str(stage))
            .order_by(milestones.c.nonce.desc(), milestones.c.id.desc())
            .limit(MILESTONES_READ)
        ).all()
    )


def _is_ours(connection: Connection, lane: Row[Any], side: Side, nonce: int, reference: bytes) -> bool:
    """Whether a transaction that moved the lane to this nonce was sent by this hub, under any of its fees."""
    rows = connection.execute(
        select(transactions.c.hash, transactions.c.earlier)
        .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose == side.purpose)
        .where(transactions.c.first <= nonce, transactions.c.last >= nonce)
    )
    return any(reference == row.hash or reference.hex() in row.earlier for row in rows)


def _first_seen(connection: Connection, lane: Row[Any], side: Side, nonce: int) -> float:
    """When the first entry that is to be carried was seen, Unix seconds."""
    table = outcomes if side is BACK else messages
    mine = (table.c.lane_id == lane.lane_id, table.c.nonce == nonce)
    return float(connection.execute(select(table.c.seen_at).where(*mine)).scalar_one_or_none() or 0.0)


def _last_attempt(connection: Connection, lane: Row[Any], side: Side) -> float:
    """When this hub queued its newest transaction of this direction, Unix seconds; 0 for never."""
    mine = (transactions.c.lane_id == lane.lane_id, transactions.c.purpose == side.purpose)
    return float(connection.execute(select(func.max(transactions.c.created_at)).where(*mine)).scalar_one() or 0.0)


def _failures(connection: Connection, lane: Row[Any], side: Side) -> int:
    """Attempts of this hub since the last that moved the lane, as far as they lengthen the stand-off."""
    rows = connection.execute(
        select(transactions.c.state)
        .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose == side.purpose)
        .order_by(transactions.c.id.desc())
        .limit(DOUBLED_AT_MOST)
    ).all()
    return next((count for count, row in enumerate(rows) if row.state == "mined"), len(rows))


def _stand_off_s(moves: list[Row[Any]], failures: int, account: bytes) -> float:
    """Seconds to stand back, by the ledger's blocks as the lane's moves show them, and a share that is this hub's own."""
    blocks = moves[0].height - moves[-1].height if moves else 0
    block_s = (moves[0].at - moves[-1].at) / blocks if blocks > 0 else 0.0
    share = 1 + int.from_bytes(account[-2:], "big") / 0x10000
    return float(min(max(STAND_OFF_BLOCKS * block_s, SHORTEST_S) * 2**failures, LONGEST_S) * share)
