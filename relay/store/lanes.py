"""Lanes in the database: their journeys, milestones, claims."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from relay.errors import NotFound
from relay.journey import COUNTERS, Journey, Stage
from relay.store.tables import chains, lanes, milestones
from schemas.claim import Direction

WORKING = ("opening", "active", "closed")
"""States in which a lane's ledgers are observed and its messages carried."""


def get(connection: Connection, lane_id: bytes) -> Row[Any]:
    """Return a lane's row.

    Raises:
        NotFound: there is no such lane.
    """
    row = connection.execute(select(lanes).where(lanes.c.lane_id == bytes(lane_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no lane 0x{bytes(lane_id).hex()}.", "`relayhub lane list` shows them.")
    return row


def on_chain(connection: Connection, name: str) -> Sequence[Row[Any]]:
    """Every working lane that begins or ends at a ledger."""
    here = (lanes.c.source == name) | (lanes.c.destination == name)
    return connection.execute(select(lanes).where(here, lanes.c.state.in_(WORKING))).all()


def read_again(connection: Connection, chain: str, height: int) -> None:
    """Have a ledger's events read again from this height; what is known already changes nothing."""
    row = connection.execute(
        select(chains.c.observed_height, chains.c.pinned_height).where(chains.c.name == chain)
    ).one()
    before = min(row.observed_height, max(row.pinned_height, height - 1))
    connection.execute(update(chains).where(chains.c.name == chain).values(observed_height=before))


def journey_of(row: Row[Any]) -> Journey:
    """The counters of a lane's row."""
    return Journey(**{name: getattr(row, name) for name in Journey.__dataclass_fields__})


def save_journey(
    connection: Connection,
    lane_id: bytes,
    before: Journey,
    after: Journey,
    *,
    height: int = 0,
    reference: bytes = b"",
    **columns: object,
) -> None:
    """Write what changed between two journeys, a milestone for each stage that grew, and further columns of the lane."""
    old, new = asdict(before), asdict(after)
    values = {name: value for name, value in new.items() if value != old[name]} | columns
    if not values:
        return
    connection.execute(update(lanes).where(lanes.c.lane_id == bytes(lane_id)).values(**values))
    now = time.time()
    rows = [
        {
            "lane_id": bytes(lane_id),
            "stage": str(stage),
            "nonce": new[name],
            "at": now,
            "height": height,
            "reference": reference,
        }
        for stage, name in COUNTERS.items()
        if new[name] > old[name]
    ]
    if rows:
        connection.execute(insert(milestones), rows)


def milestone(connection: Connection, lane_id: bytes, stage: Stage, nonce: int) -> Row[Any] | None:
    """The row that says when a message reached a stage: the first that reaches its nonce."""
    return connection.execute(
        select(milestones)
        .where(milestones.c.lane_id == bytes(lane_id), milestones.c.stage == str(stage), milestones.c.nonce >= nonce)
        .order_by(milestones.c.id)
        .limit(1)
    ).one_or_none()


def verifying_chain(row: Row[Any], direction: Direction) -> str:
    """Name of the ledger whose verifier judges a direction: the destination for the outbox, the source for the outcomes."""
    name: str = row.source if direction else row.destination
    return name
