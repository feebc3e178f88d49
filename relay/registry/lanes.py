"""Lanes: find by name or id, list, ask the gateways how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update

from relay.errors import BadInput, NotFound
from relay.evidence.decisions import note_lane
from relay.registry.chains import chain_named, open_chain
from relay.registry.gateways import Contract, account_value
from relay.registry.verifiers import learn_verifier, take_over
from relay.store import Store
from relay.store.tables import lanes
from schemas.primitives import LaneId

PREFIX_DIGITS = 8


def lane_row(store: Store, name: str, other: str = "", channel: str = "default") -> Row[Any]:
    """Find a lane by its id (or 8 digits and more of it), or by its two ledgers and channel.

    Raises:
        NotFound: there is none.
        BadInput: several lanes' ids begin so.
    """
    with store.read() as connection:
        if other:
            found = connection.execute(
                select(lanes).where(lanes.c.source == name, lanes.c.destination == other, lanes.c.channel == channel)
            ).all()
            label = f"{name} → {other} #{channel}"
        else:
            digits = name.lower().removeprefix("0x")
            if len(digits) < PREFIX_DIGITS:
                raise BadInput(
                    f"{name!r} names no lane.",
                    f"Give two ledgers, or the lane's id with at least {PREFIX_DIGITS} digits.",
                )
            rows = connection.execute(select(lanes)).all()
            found = [row for row in rows if row.lane_id.hex().startswith(digits)]
            label = name
    if not found:
        raise NotFound(f"There is no lane {label}.", "See: relayhub lane list.")
    if len(found) > 1:
        raise BadInput(f"Several lanes' ids begin with {name}.", "Give more digits.")
    return found[0]


def all_lanes(store: Store) -> list[Row[Any]]:
    """Every lane, by its ledgers and channel."""
    with store.read() as connection:
        return list(connection.execute(select(lanes).order_by(lanes.c.source, lanes.c.destination, lanes.c.channel)))


def refresh(store: Store, row: Row[Any]) -> str:
    """Ask both gateways about a lane and write down whether it is open or closed, and who judges; returns its state."""
    state = row.state
    views = [lane_view(store, name, LaneId(row.lane_id)) for name in (row.source, row.destination)]
    _take_over_verifiers(store, row, views)
    if all(view["opened"] for view in views) and state == "opening":
        state = "active"
    if any(view["closed"] for view in views) and state in ("opening", "active"):
        state = "closed"
    if any(view["abandoned"] for view in views):
        state = "abandoned"
    if state != row.state:
        with store.write() as connection:
            connection.execute(update(lanes).where(lanes.c.lane_id == row.lane_id).values(state=state))
            note_lane(connection, row.lane_id)
    return str(state)


def _take_over_verifiers(store: Store, row: Row[Any], views: Sequence[Any]) -> None:
    """Officers may have changed a verifier by any wallet: what the gateways say holds."""
    changed = {}
    for end, chain, view in zip(("source", "destination"), (row.source, row.destination), views, strict=True):
        address = account_value(view["verifier"])
        if not view["opened"] or address == bytes(getattr(row, f"{end}_verifier")):
            continue
        ledger = open_chain(chain_named(store, chain))
        try:
            learn_verifier(store.write, ledger, chain, address)
        finally:
            ledger.close()
        changed[f"{end}_verifier"] = address
    if changed:
        with store.write() as connection:
            take_over(connection, row.lane_id, **changed)


def lane_view(store: Store, chain: str, lane_id: LaneId) -> Any:
    """A lane as a gateway shows it: the fields of the struct LaneView by name."""
    row = chain_named(store, chain)
    ledger = open_chain(row)
    try:
        return Contract(ledger, "Gateway", bytes(row.gateway)).ask("lane", bytes(lane_id))
    finally:
        ledger.close()
