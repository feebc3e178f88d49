"""After a freeze: what was frozen and why, what was believed of headers that were contradicted, and what officers do about it.

Six steps, each shown as done or not by what the database and the gateways say, so that they can be walked in any number of
sittings (the hub's protocol, section Finality and misbehaviour):

1. look at both headers, and settle with the ledger's own people which history stands;
2. pause the lanes at both gateways;
3. reconcile: what was delivered or settled on the strength of the contradicted branch cannot be taken back by the hub;
4. close the lanes at both gateways;
5. pin a block of the history that stands, at the hub and at each operator;
6. open lanes under another channel.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from adapters.protocol import AdapterError
from light_clients.errors import Refused
from light_clients.families import header_hash
from light_clients.rlp import split_lists
from relay.clients import CLIQUE, options_of_state
from relay.config import HubConfig
from relay.errors import HubError, NotNow
from relay.evidence.decisions import note_chain
from relay.home import Home
from relay.registry.chains import chain_named, open_chain
from relay.registry.consensus import Pin, trust_ledger
from relay.registry.gateways import Contract
from relay.registry.lanes import lane_view
from relay.registry.operators import write_operator_files
from relay.store import Store
from relay.store.tables import chains, incidents, lanes, messages, outcomes, waits
from schemas.primitives import LaneId

MISBEHAVIOUR = "misbehaviour"


@dataclass(frozen=True, slots=True)
class Incident:
    """Why a ledger was frozen: two final headers of one height, each in hexadecimal with what confirms it."""

    at: float
    height: int
    text: str
    hash_a: str
    hash_b: str
    header_a: str
    header_b: str


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A message that took effect by a header that was contradicted later.

    Attributes:
        effect: `delivered` at the destination, or `settled` at the source.
        nonce: its number in the lane.
        message_id, sender, receiver: in hexadecimal.
        height: of the contradicted ledger's block that had it.
        transaction: there.
    """

    effect: str
    nonce: int
    message_id: str
    sender: str
    receiver: str
    height: int
    transaction: str


@dataclass(frozen=True, slots=True)
class End:
    """A lane at one gateway, as it says now; `error` where it does not answer."""

    chain: str
    paused: bool
    closed: bool
    error: str


@dataclass(frozen=True, slots=True)
class FrozenLane:
    """A lane that stopped: its two ends, what it did on the strength of the contradicted branch, and what waits in it."""

    lane_id: str
    source: str
    destination: str
    channel: str
    ends: tuple[End, End]
    contradicted: tuple[Contradicted, ...]
    undelivered: int
    reopened: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: whether it is done, and the commands that do it."""

    name: str
    done: bool
    text: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where the recovery of a ledger stands."""

    chain: str
    state: str
    incident: Incident
    lanes: tuple[FrozenLane, ...]
    steps: tuple[Step, ...]

    def as_data(self) -> dict[str, Any]:
        """The whole as JSON has it."""
        return asdict(self)


def recovery_of(store: Store, name: str) -> Recovery:
    """Where the recovery of a ledger stands.

    Raises:
        NotFound: there is no such ledger.
        NotNow: it was never frozen.
    """
    row = chain_named(store, name)
    with store.read() as connection:
        incident = _incident(connection, row)
        if incident is None:
            raise NotNow(f"The ledger {name} is {row.state} and was never frozen.", "See: relayhub status.")
        here = (lanes.c.source == name) | (lanes.c.destination == name)
        touching = connection.execute(select(lanes).where(here).order_by(lanes.c.opened_at)).all()
        found = [
            (lane, _contradicted(connection, lane, name, incident.height))
            for lane in touching
            if lane.state in ("frozen", "abandoned") and lane.opened_at <= incident.at
        ]
    frozen = tuple(_frozen_lane(store, lane, entries, touching) for lane, entries in found)
    return Recovery(name, row.state, incident, frozen, _steps(row, incident, frozen))


def pin_anew(home: Home, config: HubConfig, store: Store, name: str, pin: Pin) -> None:
    """Start the light client of a frozen ledger again, from a block of the history that stands.

    Lanes that were frozen stay so: their heads may be of the other history.

    Raises:
        NotFound: there is no such ledger.
        NotNow: it is not frozen, a frozen lane is not closed at both gateways yet, or its history has no gateway.
        BadInput: the pin is not the ledger's.
        AdapterError: the ledger does not answer.
    """
    recovery = recovery_of(store, name)
    if recovery.state != "frozen":
        raise NotNow(f"The ledger {name} is {recovery.state}.", "Only a frozen one is pinned anew.")
    for lane in recovery.lanes:
        open_end = next((end for end in lane.ends if not end.closed), None)
        if open_end is not None:
            raise NotNow(
                f"The lane {lane.source} → {lane.destination} #{lane.channel} is not closed at {open_end.chain}.",
                f"Close it first: relayhub lane close {lane.lane_id}.",
            )
    row = chain_named(store, name)
    ledger = open_chain(row)
    try:
        options = options_of_state(row.consensus, bytes(row.client_state))
        trusted = trust_ledger(
            ledger, ledger.identity(), row.consensus, pin, development_hub=config.development, options=options
        )
        Contract(ledger, "Gateway", bytes(row.gateway)).ask("chainWord")
    finally:
        ledger.close()
    state = trusted.state
    with store.write() as connection:
        connection.execute(
            update(chains)
            .where(chains.c.name == name, chains.c.state == "frozen")
            .values(
                pinned_height=state.height,
                pinned_hash=bytes(state.block_hash),
                client_state=state.to_bytes(),
                client_header=trusted.header,
                client_trail=None,
                client_height=state.height,
                client_hash=bytes(state.block_hash),
                client_time=state.timestamp,
                client_expires_at=state.expires_at,
                observed_height=state.height,
                tip=state.height,
                tip_at=time.time(),
                state="active",
            )
        )
        note_chain(connection, name)
        connection.execute(delete(waits).where(waits.c.kind == "chain", waits.c.id == name))
    if config.development:
        write_operator_files(home, config, store)


def _incident(connection: Connection, row: Row[Any]) -> Incident | None:
    found = connection.execute(
        select(incidents)
        .where(incidents.c.name == MISBEHAVIOUR, incidents.c.subject == f"chain {row.name}")
        .order_by(incidents.c.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    told = json.loads(found.evidence)
    first, second = str(told["header_a"]), str(told["header_b"])
    return Incident(
        at=found.at,
        height=int(told["height"]),
        text=found.text,
        hash_a=_hash_of(row.consensus, first),
        hash_b=_hash_of(row.consensus, second),
        header_a=first,
        header_b=second,
    )


def _hash_of(consensus: str, told: str) -> str:
    """The hash of the block, of a header that stands alone or before those that confirm it; empty where it is in a bundle."""
    header = bytes.fromhex(told.removeprefix("0x"))
    try:
        return header_hash(consensus, split_lists(header)[0] if consensus == CLIQUE else header).hex0x()
    except Refused:
        return ""


def _contradicted(connection: Connection, lane: Row[Any], name: str, height: int) -> tuple[Contradicted, ...]:
    """What took effect elsewhere by blocks of the frozen ledger from the contradicted height on."""
    if lane.source == name:
        rows = connection.execute(
            select(messages)
            .where(messages.c.lane_id == lane.lane_id, messages.c.height >= height, messages.c.nonce <= lane.delivered)
            .order_by(messages.c.nonce)
        ).all()
        return tuple(_entry("delivered", row, row) for row in rows)
    pairs = connection.execute(
        select(outcomes, messages.c.sender, messages.c.receiver)
        .join(messages, (messages.c.lane_id == outcomes.c.lane_id) & (messages.c.nonce == outcomes.c.nonce))
        .where(outcomes.c.lane_id == lane.lane_id, outcomes.c.height >= height, outcomes.c.nonce <= lane.settled)
        .order_by(outcomes.c.nonce)
    ).all()
    return tuple(_entry("settled", row, row) for row in pairs)


def _entry(effect: str, row: Row[Any], people: Row[Any]) -> Contradicted:
    return Contradicted(
        effect,
        row.nonce,
        "0x" + row.message_id.hex(),
        "0x" + people.sender.hex(),
        "0x" + people.receiver.hex(),
        row.height,
        "0x" + row.transaction.hex(),
    )


def _frozen_lane(
    store: Store, lane: Row[Any], entries: tuple[Contradicted, ...], others: Sequence[Row[Any]]
) -> FrozenLane:
    ends = (_end(store, lane.source, lane.lane_id), _end(store, lane.destination, lane.lane_id))
    reopened = [
        other.channel
        for other in others
        if (other.source, other.destination) == (lane.source, lane.destination)
        and other.opened_at > lane.opened_at
        and other.state in ("opening", "active")
    ]
    return FrozenLane(
        "0x" + lane.lane_id.hex(),
        lane.source,
        lane.destination,
        lane.channel,
        ends,
        entries,
        lane.final - lane.delivered,
        reopened[-1] if reopened else "",
    )


def _end(store: Store, chain: str, lane_id: bytes) -> End:
    try:
        view = lane_view(store, chain, LaneId(lane_id))
        row = chain_named(store, chain)
        ledger = open_chain(row)
        try:
            resting = bool(Contract(ledger, "Gateway", bytes(row.gateway)).ask("paused"))
        finally:
            ledger.close()
    except (AdapterError, HubError) as error:
        return End(chain, paused=False, closed=False, error=str(error))
    return End(chain, paused=bool(view["paused"]) or resting, closed=bool(view["closed"]), error="")


def _steps(row: Row[Any], incident: Incident, frozen: tuple[FrozenLane, ...]) -> tuple[Step, ...]:
    name, active = row.name, row.state == "active"
    unpaused = [lane for lane in frozen if not all(end.paused or end.closed for end in lane.ends)]
    unclosed = [lane for lane in frozen if not all(end.closed for end in lane.ends)]
    unopened = [lane for lane in frozen if not lane.reopened]
    effects = sum(len(lane.contradicted) for lane in frozen)
    return (
        Step(
            "look",
            active,
            f"Settle with the people of {name} which of {incident.hash_a} and {incident.hash_b} stands at height {incident.height}.",
            (),
        ),
        Step(
            "pause",
            not unpaused,
            f"Pause {len(frozen)} lanes at both gateways; one officer or the guardian, at once.",
            tuple(f"relayhub pause {lane.source} {lane.destination} --channel {lane.channel}" for lane in unpaused),
        ),
        Step(
            "reconcile",
            active or not effects,
            f"{effects} messages took effect by blocks that were contradicted; settle each with its sender and receiver.",
            (),
        ),
        Step(
            "close",
            not unclosed,
            f"Close {len(frozen)} lanes at both gateways; two officers, without delay.",
            tuple(f"relayhub lane close {lane.lane_id}" for lane in unclosed),
        ),
        Step(
            "pin",
            active,
            f"Pin a block of the history that stands, here and in every operator's operator.toml ({name}).",
            () if active else (f"relayhub recover {name} --pin HEIGHT:0xHASH",),
        ),
        Step(
            "reopen",
            bool(frozen) and not unopened,
            "Open lanes under another channel; the old ones are never carried again.",
            tuple(f"relayhub lane open {lane.source} {lane.destination} --channel NEW" for lane in unopened)
            if active
            else (),
        ),
    )
