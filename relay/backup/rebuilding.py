"""`relayhub rebuild`: the database anew from the ledgers and the evidence log, when it is gone and no backup is young enough.

1. Where each leaf is, incidents and the organisations' records come from the evidence folder (`relay.backup.from_log`).
2. What is registered comes from registry.toml, and whether a lane is open and who judges from the gateways.
3. Everything else follows from the ledgers: each lane begins at nothing and reads its gateways' events again from the block at which
   its ledger was pinned; they must fold to the heads that are proved today. All ledgers are read twice, because a settlement is
   judged by the outcomes that it settles, which stand on the other ledger.

What is delivered there is delivered; no gateway takes it twice. Signatures, proofs and transactions of before are made anew where
they are still needed; what they had proved stands in the log, whose numbers go on behind its last entry. Steps 1 and 2 end with one
transaction: a rebuild that is interrupted before it begins anew, and after it `relayhub up` reads what is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, insert, select

from adapters.protocol import AdapterError
from relay.backup.database import check_empty
from relay.backup.from_log import FromLog, check_log, learn_from_log
from relay.backup.registered import Registry, read_registry
from relay.config import HubConfig
from relay.context import Context
from relay.errors import BadInput, HubError, NotFound, NotNow
from relay.home import Home
from relay.keys import KeyStore
from relay.processes import is_running
from relay.registry.hub import prepare
from relay.registry.lanes import lane_row, refresh
from relay.steps.look import look
from relay.store import Lease, Store, waits
from relay.store.lanes import read_again
from relay.store.tables import api_tokens, chains, committees, lanes, messages, operators, outcomes, verifiers
from relay.store.upsert import insert_new
from schemas.heads import outbox_genesis, outcomes_genesis
from schemas.primitives import LaneId
from schemas.suites import SUITES

PASSES = 2
"""How often each ledger is read."""
WRITTEN = (operators, chains, verifiers, committees, lanes, api_tokens)
"""Tables that registry.toml holds."""
TOLD_EACH_S = 2.0
"""Seconds between two lines about one ledger."""
NOT_MADE_ANEW = (
    "refusals, webhooks and what they still had to deliver",
    "answers and operations of the HTTP interface",
    "texts of officers' proposals (the ledgers have their hashes)",
    "the times of stages of what was carried before (now counts)",
    "names of records that were erased",
    "decisions of the last second that were not yet in the evidence log",
)
"""What is neither on a ledger nor in the log."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came out of it.

    Attributes:
        chains, lanes, operators: how many of each are registered again.
        messages, outcomes: how many were read from the ledgers.
        log: what came out of the evidence folder.
        unread: why a ledger could not be read to its end, by its name; the hub goes on where it can.
        missing: what could not be made anew, as sentences' parts.
    """

    chains: int
    lanes: int
    operators: int
    messages: int
    outcomes: int
    log: FromLog
    unread: dict[str, str]
    missing: tuple[str, ...]


def rebuild(home: Home, config: HubConfig, tell: Tell, clock: Callable[[], float] = time.time) -> Rebuilt:
    """Make the database anew from registry.toml, the evidence log and the ledgers.

    Args:
        home: the hub's folder, with hub.toml, registry.toml, the evidence folder and the hub's keys.
        config: the configuration.
        tell: called with one line about each step.
        clock: Unix seconds, by which light clients judge.

    Raises:
        NotNow: the hub runs, or there is a database with ledgers in it.
        NotFound: registry.toml or a key is missing.
        BadInput: registry.toml or the evidence log cannot be used.
    """
    if is_running(home):
        raise NotNow("The hub runs.", "Stop it first: relayhub down.")
    registry = _checked(read_registry(home))
    _check_keys(home, registry)
    check_log(home)
    store = prepare(home, config)
    try:
        check_empty(store)
        log = learn_from_log(home, config, store, tell)
        _write(store, registry)
        for row in registry[lanes.name]:
            _refresh(store, row, tell)
        active = [row["name"] for row in registry[chains.name] if row["state"] == "active"]
        unread = _read_ledgers(home, clock, active, tell)
        with store.read() as connection:
            read = [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (messages, outcomes)
            ]
    finally:
        store.close()
    return Rebuilt(
        chains=len(registry[chains.name]),
        lanes=len(registry[lanes.name]),
        operators=len(registry[operators.name]),
        messages=read[0],
        outcomes=read[1],
        log=log,
        unread=unread,
        missing=(*NOT_MADE_ANEW, *log.lost),
    )


def _check_keys(home: Home, registry: Registry) -> None:
    keys = KeyStore(home.keys)
    missing = sorted({row["account_key"] for row in registry[chains.name]} - set(keys.names()))
    if missing:
        raise NotFound(
            f"The keys {', '.join(missing)} are not in {home.keys}.",
            "Put them back from a backup; the ledgers know the hub by them.",
        )


def _checked(said: Registry) -> Registry:
    """What the file says as whole rows, with every ledger and lane at its beginning.

    Raises:
        BadInput: a table or a column is missing.
    """
    rows = {table.name: [_row(table, row) for row in said.get(table.name, [])] for table in WRITTEN}
    if not rows[chains.name]:
        raise BadInput("registry.toml names no ledger.", "Take another copy of it.")
    return rows


def _row(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    try:
        whole = row | _BEGINNINGS.get(table.name, dict)(row)
    except (KeyError, ValueError) as error:
        raise BadInput(f"registry.toml: {error!r} in a row of {table.name}.", "Take another copy of it.") from None
    for column in table.columns:
        if not (column.nullable or column.default is not None or column.autoincrement is True or column.name in whole):
            raise BadInput(f"registry.toml: a row of {table.name} lacks {column.name}.", "Take another copy of it.")
    return whole


def _write(store: Store, registry: Registry) -> None:
    """Write what is registered, in one transaction."""
    with store.write() as connection:
        for row in registry[operators.name]:  # a development hub has made its own already
            insert_new(connection, operators, [row])
        for table in WRITTEN:
            for row in registry[table.name] if table is not operators else ():
                connection.execute(insert(table).values(**row))


def _new_chain(row: dict[str, Any]) -> dict[str, Any]:
    """A ledger is read again from its pin, and trusted as it was last."""
    height = int(row["pinned_height"])
    return {"observed_height": height, "tip": height, "tip_at": time.time()}


def _new_lane(row: dict[str, Any]) -> dict[str, Any]:
    lane_id = LaneId(row["lane_id"])
    return {
        "final_head": bytes(outbox_genesis(lane_id)),
        "outcome_head": bytes(outcomes_genesis(SUITES[row["suite"]], lane_id)),
    }


_BEGINNINGS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    chains.name: _new_chain,
    lanes.name: _new_lane,
}


def _read_ledgers(home: Home, clock: Callable[[], float], names: list[str], tell: Tell) -> dict[str, str]:
    """Read every ledger from its pin, twice; return why one could not be read."""
    context = Context(home, clock=clock)
    unread: dict[str, str] = {}
    try:
        for name in names * PASSES:
            if name in unread:
                continue
            with context.store.write() as connection:
                read_again(connection, name, 0)
            trouble = _read_ledger(context, name, tell)
            if trouble:
                unread[name] = trouble
                tell(f"{name} is not read: {trouble}")
        for name in names:
            if name not in unread:
                tell(f"{name} is read up to block {context.chain(name).observed_height}")
    finally:
        context.close()
    return unread


def _read_ledger(context: Context, name: str, tell: Tell) -> str:
    """Read a ledger up to its newest final block; return what is in the way, or nothing."""
    lease = Lease.take(context.store, "chain", name)
    if lease is None:
        raise NotNow(f"Another process works on {name}.", "Stop the hub first: relayhub down.")
    told_at = time.monotonic()
    try:
        with context.holding(lease):
            more = True
            while more:
                row = context.chain(name)
                more = look(context, lease, row, context.ledger(row)).more
                if time.monotonic() - told_at > TOLD_EACH_S:
                    told_at = time.monotonic()
                    row = context.chain(name)
                    tell(f"{name}: block {row.observed_height} of {row.tip}")
    except AdapterError as error:
        return str(error)
    finally:
        lease.release()
    with context.store.read() as connection:
        known = waits.find(connection, "chain", name)
    return "" if known is None else str(known.text)


def _refresh(store: Store, row: dict[str, Any], tell: Tell) -> None:
    """Ask both gateways whether the lane is open and who judges; what does not answer now is asked by the hub later."""
    name = f"{row['source']} → {row['destination']} #{row['channel']}"
    if row["state"] in ("retired", "frozen"):
        tell(f"{name}: {row['state']}")
        return
    try:
        state = refresh(store, lane_row(store, LaneId(row["lane_id"]).hex()))
        tell(f"{name}: {state}")
    except (AdapterError, HubError) as error:
        tell(f"{name}: {row['state']}, as registry.toml has it ({str(error).rstrip('.')})")
