"""Heads that a gateway keeps for a lane, or will once a transaction is mined; see `relay.steps.plan` for why.

A row says that a transaction of ours anchors a head. It counts while that transaction is on its way or mined and the lane's
generation is the one under which it was written: a changed verifier, a struck signer or a frozen client voids every anchor, and a
delivery that reaches an anchor uses it up. Whoever anchors or delivers besides the hub does no harm: what is anchored twice stays
anchored, and what was delivered lies behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from relay.steps.sides import Side, consumed
from relay.store.tables import anchors, transactions
from relay.store.upsert import upsert
from schemas.primitives import Head

STANDING = ("queued", "sent", "mined")


def standing(connection: Connection, lane: Row[Any], side: Side, generation: bytes) -> Sequence[int]:
    """Nonces after which the head is anchored, or will be, ascending; only those that are still ahead."""
    rows = connection.execute(
        select(anchors.c.nonce)
        .join(transactions, transactions.c.id == anchors.c.transaction_id)
        .where(*_mine(lane, side), anchors.c.nonce > consumed(lane, side), anchors.c.generation == generation)
        .where(transactions.c.state.in_(STANDING), transactions.c.purpose == side.anchoring)
        .order_by(anchors.c.nonce)
    )
    return rows.scalars().all()


def on_their_way(connection: Connection, lane: Row[Any], side: Side) -> int:
    """How many anchors are queued or sent and not yet in a block."""
    return connection.execute(
        select(func.count())
        .select_from(transactions)
        .where(transactions.c.lane_id == lane.lane_id, transactions.c.purpose == side.anchoring)
        .where(transactions.c.state.in_(("queued", "sent")))
    ).scalar_one()


def keep(connection: Connection, side: Side, transaction: dict[str, Any], head: Head, generation: bytes) -> None:
    """Queue a transaction that anchors a head, and note what it anchors.

    Args:
        connection: an open write transaction.
        side: the direction.
        transaction: the row to insert; `first` is the nonce of the head.
        head: the head.
        generation: of the lane, now.
    """
    identifier = connection.execute(insert(transactions).values(**transaction)).inserted_primary_key
    key = {"lane_id": transaction["lane_id"], "direction": int(side.direction), "nonce": transaction["first"]}
    written = {"head": bytes(head), "generation": generation, "transaction_id": identifier[0] if identifier else 0}
    upsert(connection, anchors, key, written)


def forget(connection: Connection, lane: Row[Any], side: Side) -> int:
    """Forget every anchor of a direction: the gateway says that one is not there; returns how many."""
    return connection.execute(delete(anchors).where(*_mine(lane, side))).rowcount


def forget_behind(connection: Connection, lane: Row[Any], side: Side) -> None:
    """Forget the anchors that were reached."""
    connection.execute(delete(anchors).where(*_mine(lane, side), anchors.c.nonce <= consumed(lane, side)))


def _mine(lane: Row[Any], side: Side) -> tuple[Any, ...]:
    return (anchors.c.lane_id == lane.lane_id, anchors.c.direction == int(side.direction))
