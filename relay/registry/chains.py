"""Registered ledgers: find, open, retire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update

from adapters.protocol import AdapterOptions, Endpoint, Ledger, MachineTraits
from adapters.registry import open_ledger
from relay.clients import adapter_options
from relay.config import HubConfig
from relay.errors import NotFound, NotNow
from relay.evidence.decisions import note_chain
from relay.home import Home
from relay.registry.operators import write_operator_files
from relay.store import Store
from relay.store.tables import chains, lanes


def all_chains(store: Store) -> list[Row[Any]]:
    """Every registered ledger, retired ones included, by name."""
    with store.read() as connection:
        return list(connection.execute(select(chains).order_by(chains.c.name)).all())


def chain_named(store: Store, name: str) -> Row[Any]:
    """The ledger of a name.

    Raises:
        NotFound: there is none.
    """
    with store.read() as connection:
        row = connection.execute(select(chains).where(chains.c.name == name)).one_or_none()
    if row is None:
        known = ", ".join(chain.name for chain in all_chains(store)) or "none yet"
        raise NotFound(
            f"There is no ledger named {name!r} (known: {known}).", "Add it: relayhub chain add NAME --rpc URL."
        )
    return row


def open_chain(row: Row[Any]) -> Ledger:
    """Open a registered ledger; a node of another ledger is refused."""
    return open_ledger(
        row.adapter,
        AdapterOptions(
            endpoints=tuple(Endpoint(item["url"], item["operator"]) for item in row.endpoints),
            expected_chain=row.chain_id,
            expected_first_block=bytes(row.first_block),
            extra=adapter_options(row),
        ),
    )


def machine_of(row: Row[Any]) -> MachineTraits:
    """What the machine of a registered ledger can do; the network is asked nothing."""
    ledger = open_chain(row)
    try:
        return ledger.machine()
    finally:
        ledger.close()


def retire_chain(home: Home, config: HubConfig, store: Store, name: str) -> None:
    """Stop following a ledger whose lanes have all settled what they sent, or are abandoned.

    Raises:
        NotFound: there is no such ledger.
        NotNow: a lane is still open or owes something; the error names it.
    """
    chain_named(store, name)
    with store.write() as connection:
        here = (lanes.c.source == name) | (lanes.c.destination == name)
        for lane in connection.execute(select(lanes).where(here, lanes.c.state.notin_(("abandoned", "retired")))):
            label = f"{lane.source} → {lane.destination} #{lane.channel}"
            if lane.state != "closed":
                raise NotNow(
                    f"The lane {label} is {lane.state}.", f"Close it: relayhub lane close 0x{lane.lane_id.hex()}."
                )
            if lane.settled < lane.final:
                raise NotNow(
                    f"The lane {label} has {lane.final - lane.settled} messages that are not settled.",
                    "Wait until they are, or let two officers abandon the lane.",
                )
        connection.execute(update(lanes).where(here, lanes.c.state == "closed").values(state="retired"))
        connection.execute(update(chains).where(chains.c.name == name).values(state="retired"))
        note_chain(connection, name)
    if config.development:
        write_operator_files(home, config, store)


def endpoints_of(values: Sequence[str]) -> tuple[str, ...]:
    """Endpoints as a command line gives them: several options, each one or more URLs with commas between."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())
