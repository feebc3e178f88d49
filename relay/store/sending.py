"""Transactions of a ledger in the database, as the submitter asks for them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from adapters.protocol import Call, Signed
from relay.store.lanes import WORKING
from relay.store.tables import chains, lanes, transactions


def in_state(connection: Connection, chain: str, state: str, limit: int) -> list[Row[Any]]:
    """The first transactions of a ledger in a state, in the order in which they were written down."""
    return list(
        connection.execute(
            select(transactions)
            .where(transactions.c.chain == chain, transactions.c.state == state)
            .order_by(transactions.c.id)
            .limit(limit)
        ).all()
    )


def still_sent(connection: Connection, identifiers: Sequence[int]) -> list[Row[Any]]:
    """Those of the named transactions that are sent and in no block yet, in the order of their account nonces."""
    return list(
        connection.execute(
            select(transactions)
            .where(transactions.c.id.in_(identifiers), transactions.c.state == "sent")
            .order_by(transactions.c.account_nonce)
        ).all()
    )


def mined_since_reverted(connection: Connection, chain: str, reason: str, limit: int) -> int | None:
    """How many transactions of a ledger were mined since the newest that reverted for a reason; None if none did.

    Args:
        connection: of the database.
        chain: the ledger's name.
        reason: the whole reason, as it was written down.
        limit: so many are counted at most.
    """
    reverted = [
        connection.execute(
            select(transactions.c.id)
            .where(transactions.c.chain == chain, transactions.c.state == state, transactions.c.reason == reason)
            .order_by(transactions.c.id.desc())
            .limit(1)
        ).scalar()
        for state in ("reverted", "failed")
    ]
    newest = max((identifier for identifier in reverted if identifier is not None), default=None)
    if newest is None:
        return None
    mine = (transactions.c.chain == chain, transactions.c.state == "mined", transactions.c.id > newest)
    counted = select(transactions.c.id).where(*mine).limit(limit).subquery()
    return int(connection.execute(select(func.count()).select_from(counted)).scalar_one())


def highest_nonce(connection: Connection, chain: str) -> int:
    """The highest account nonce that was given out on a ledger, -1 if none was."""
    highest = connection.execute(
        select(func.max(transactions.c.account_nonce)).where(transactions.c.chain == chain)
    ).scalar_one()
    return -1 if highest is None else int(highest)


def halted_lanes(connection: Connection, items: Sequence[Row[Any]]) -> set[bytes]:
    """Lanes of these transactions that carry nothing any more."""
    rows = connection.execute(
        select(lanes.c.lane_id).where(
            lanes.c.lane_id.in_({item.lane_id for item in items}), lanes.c.state.not_in(WORKING)
        )
    )
    return {row.lane_id for row in rows}


def has_effect(connection: Connection, item: Row[Any]) -> bool:
    """Whether the hub knows of what a delivery or settlement that succeeded must have moved."""
    if not item.lane_id:  # of no lane: a light client's keeper asks the contract itself
        return True
    lane = connection.execute(select(lanes).where(lanes.c.lane_id == item.lane_id)).one_or_none()
    if lane is None or lane.state not in WORKING:
        return True  # it belongs to a light client, or to a lane that nobody looks at
    counter = {"deliver": lane.delivered, "settle": lane.settled}.get(item.purpose)
    return counter is None or bool(counter >= item.last)


def keep_signed(connection: Connection, item: Row[Any], nonce: int, signed: Signed, tip: int) -> None:
    """Write down that a queued transaction is sent from now on, before it is."""
    connection.execute(
        update(transactions)
        .where(transactions.c.id == item.id)
        .values(state="sent", account_nonce=nonce, **_offered(signed, tip))
    )


def keep_unsure(connection: Connection, identifiers: Sequence[int]) -> None:
    """Write down that transactions were seen in a block that is not final: they are asked after at each look from now on."""
    connection.execute(
        update(transactions)
        .where(transactions.c.id.in_(identifiers), transactions.c.state == "sent", transactions.c.height != 0)
        .values(height=0)
    )


def keep_filler(connection: Connection, beside: Row[Any], nonce: int, call: Call, signed: Signed, tip: int) -> int:
    """Write down an empty transaction in a gap of account nonces; return its id."""
    values = {
        "chain": beside.chain,
        "purpose": "nothing",
        "lane_id": beside.lane_id,
        "first": 0,
        "last": 0,
        "target": call.target,
        "data": call.data,
        "gas": call.gas,
        "account_nonce": nonce,
        "earlier": [],
        "state": "sent",
        "created_at": time.time(),
    }
    made = connection.execute(
        insert(transactions).values(**values, **_offered(signed, tip)).returning(transactions.c.id)
    )
    return int(made.scalar_one())


def keep_wallet(connection: Connection, chain: str, balance: int, fee: int) -> None:
    """Write down an account's balance and the fee that is asked, for the status and for the next transactions."""
    connection.execute(
        update(chains).where(chains.c.name == chain).values(balance=str(balance), fee=str(fee), wallet_at=time.time())
    )


def _offered(signed: Signed, tip: int) -> dict[str, Any]:
    return {
        "fee": str(signed.fee),
        "raw": signed.raw,
        "hash": signed.transaction,
        "attempts": 1,
        "sent_at": time.time(),
        "height": tip,
    }
