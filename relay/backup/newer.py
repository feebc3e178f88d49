"""What the ledgers have that a database does not: after a restored copy it is read again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, select

from adapters.protocol import AdapterError, Ledger, Rejected
from relay.registry.chains import all_chains, open_chain
from relay.store import Store
from relay.store.lanes import WORKING
from relay.store.tables import lanes
from schemas.primitives import LaneId

COUNTED = (("source", "sent", "final"), ("destination", "delivered", "delivered"), ("source", "settled", "settled"))
"""An end of a lane, what its gateway counts, and the column that says how much of it is known."""


@dataclass(frozen=True, slots=True)
class Newer:
    """A count of one lane that its ledger has further than the database.

    Attributes:
        lane: its id, and `source → destination #channel` in `name`.
        what: `sent`, `delivered` or `settled`.
        known: entries in the database.
        there: entries on the ledger.
    """

    lane: str
    name: str
    what: str
    known: int
    there: int

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def newer_on_ledgers(store: Store) -> tuple[list[Newer], list[str]]:
    """Ask every gateway how far its lanes are, and compare.

    Returns:
        What is newer there, and the ledgers that did not answer.
    """
    with store.read() as connection:
        rows = connection.execute(select(lanes).where(lanes.c.state.in_(WORKING)).order_by(lanes.c.lane_id)).all()
    opened, silent = _open_all(store)
    found: list[Newer] = []
    try:
        for row in rows:
            for end, what, column in COUNTED:
                chain = getattr(row, end)
                if chain in opened and chain not in silent:
                    there = _count(opened[chain], row, what, chain, silent)
                    known = getattr(row, column)
                    if there > known:
                        name = f"{row.source} → {row.destination} #{row.channel}"
                        found.append(Newer("0x" + bytes(row.lane_id).hex(), name, what, known, there))
    finally:
        for ledger, _ in opened.values():
            ledger.close()
    return found, sorted(silent)


def _open_all(store: Store) -> tuple[dict[str, tuple[Ledger, bytes]], set[str]]:
    opened, silent = {}, set()
    for chain in all_chains(store):
        if chain.state == "retired":
            continue
        try:
            opened[chain.name] = open_chain(chain), bytes(chain.gateway)
        except AdapterError:
            silent.add(chain.name)
    return opened, silent


def _count(at: tuple[Ledger, bytes], row: Row[Any], what: str, chain: str, silent: set[str]) -> int:
    ledger, gateway = at
    try:
        return int(getattr(ledger.lane_ends(gateway, LaneId(row.lane_id)), what))
    except Rejected:
        return 0  # that end was never opened
    except AdapterError:
        silent.add(chain)
        return 0
