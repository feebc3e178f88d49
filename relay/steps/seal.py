"""Before step 1, on ledgers that give tickets: name what waits in a seal, so that each message gets its place in its lane.

Anybody may seal; what does not wait any more is found by trying the seal without sending it. One seal of a lane is on its way
at a time: of two the second would fail. A ticket over a limit stays and is asked after again. Source: docs/protocol.md, Ledgers
that are unlike Ethereum.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Row, delete, insert, select, update

from adapters.protocol import AdapterError, BadAnswer, Call, Ledger, MessageTicketed, Rejected
from adapters.solidity.calldata import decode_ticket, encode_seal, encode_ticket
from relay.store import Lease
from relay.store.tables import lanes, tickets, transactions
from relay.store.upsert import insert_new
from schemas.primitives import LaneId

log = structlog.get_logger()

PURPOSE = "seal"
MOST = 100
"""Tickets of one seal."""
ASK_AGAIN_S = 1.0
GAS = 1
"""Ledgers that give tickets have none."""
NOTHING_TO_SEAL = "NothingToSeal"
"""How a gateway refuses a seal of tickets that are all sealed."""
WORD = 32
WAITS = 1
"""A ticket's state: 0 unknown, 1 waits, 2 sealed."""


def keep_tickets(connection: Connection, chain: str, found: Sequence[MessageTicketed]) -> None:
    """Write down tickets that an endpoint showed, of lanes that are known."""
    ours = set(connection.execute(select(lanes.c.lane_id).where(lanes.c.source == chain)).scalars())
    rows = [
        {
            "lane_id": bytes(item.lane_id),
            "ticket": item.ticket,
            "chain": chain,
            "height": item.position.height,
            "asked_at": 0.0,
        }
        for item in found
        if bytes(item.lane_id) in ours
    ]
    if rows:
        insert_new(connection, tickets, rows)


def seal(lease: Lease, row: Row[Any], ledger: Ledger, store: Any) -> None:
    """Queue a seal for each lane of a ledger in which tickets wait and none is on its way.

    Args:
        lease: the ledger's.
        row: the ledger.
        ledger: the same, opened.
        store: the database.
    """
    if not ledger.machine().tickets:
        return
    with store.read() as connection:
        waiting = _waiting(connection, row.name)
    for lane_id, named in waiting.items():
        try:
            standing = _standing(ledger, bytes(row.gateway), lane_id, named)
        except AdapterError as error:  # the look says what is wrong with the ledger
            log.info("tickets_wait", chain=row.name, error=str(error)[:200])
            return
        _queue(lease, row, lane_id, named, standing)


def _waiting(connection: Connection, chain: str) -> dict[LaneId, list[bytes]]:
    """Tickets to ask after, by lane; lanes with a seal on its way are left out."""
    busy = set(
        connection.execute(
            select(transactions.c.lane_id).where(
                transactions.c.chain == chain,
                transactions.c.purpose == PURPOSE,
                transactions.c.state.in_(("queued", "sent")),
            )
        ).scalars()
    )
    rows = connection.execute(
        select(tickets)
        .where(tickets.c.chain == chain, tickets.c.asked_at < time.time() - ASK_AGAIN_S)
        .order_by(tickets.c.height, tickets.c.ticket)
        .limit(10 * MOST)
    )
    found: dict[LaneId, list[bytes]] = {}
    for item in rows:
        named = found.setdefault(LaneId(item.lane_id), [])
        if item.lane_id not in busy and len(named) < MOST:
            named.append(bytes(item.ticket))
    return {lane_id: named for lane_id, named in found.items() if named}


def _standing(ledger: Ledger, gateway: bytes, lane_id: LaneId, named: Sequence[bytes]) -> list[bytes]:
    """Those that wait still.

    A seal of all of them is tried first, then of each half: on a busy ledger a question about each ticket would take longer
    than the seal.
    """
    try:
        output = ledger.simulate(b"", Call(gateway, encode_seal(lane_id, named), GAS))
    except Rejected as refusal:
        if refusal.reason.startswith(NOTHING_TO_SEAL):
            return []
        return [item for item in named if _waits(ledger, gateway, lane_id, item)]
    if len(output) != WORD:
        raise BadAnswer("the answer about a seal is truncated, extended or altered; leave the endpoint.")
    if int.from_bytes(output, "big") == len(named):
        return list(named)
    if len(named) == 1:
        return [item for item in named if _waits(ledger, gateway, lane_id, item)]
    half = len(named) // 2
    return [item for part in (named[:half], named[half:]) for item in _standing(ledger, gateway, lane_id, part)]


def _waits(ledger: Ledger, gateway: bytes, lane_id: LaneId, ticket: bytes) -> bool:
    state, _, _ = decode_ticket(ledger.simulate(b"", Call(gateway, encode_ticket(lane_id, ticket), GAS)))
    return state == WAITS


def _queue(lease: Lease, row: Row[Any], lane_id: LaneId, named: Sequence[bytes], standing: Sequence[bytes]) -> None:
    """Write a seal down for what waits still, and forget what does not."""
    mine = tickets.c.lane_id == bytes(lane_id)
    gone = [item for item in named if item not in standing]
    with lease.write() as connection:
        if gone:
            connection.execute(delete(tickets).where(mine, tickets.c.ticket.in_(gone)))
        if not standing:
            return
        connection.execute(
            update(tickets).where(mine, tickets.c.ticket.in_(list(standing))).values(asked_at=time.time())
        )
        connection.execute(
            insert(transactions).values(
                chain=row.name,
                purpose=PURPOSE,
                lane_id=bytes(lane_id),
                first=0,
                last=0,
                target=bytes(row.gateway),
                data=encode_seal(lane_id, standing),
                gas=GAS,
                state="queued",
                earlier=[],
                created_at=time.time(),
            )
        )
    log.info("sealing", chain=row.name, lane=lane_id.hex()[:16], tickets=len(standing))
