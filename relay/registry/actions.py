"""Actions that an officer proposes by name: `relayhub propose ACTION`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from adapters.solidity import administration
from adapters.solidity.verifiers import set_validators
from light_clients.qbft.signed import signed_form
from relay.errors import BadInput, NotFound
from relay.registry.chains import chain_named, machine_of, open_chain
from relay.registry.committee import next_epoch, refresh_committee
from relay.registry.lanes import all_lanes, lane_row, refresh
from relay.registry.operators import account_named
from relay.registry.verifiers import learn_verifier
from relay.store import Store
from relay.store.tables import verifiers
from relay.store.verifiers import Kind, verifier_at
from schemas.primitives import LaneId


@dataclass(frozen=True, slots=True)
class Wish:
    """What an officer says besides the action's name; empty where it is not needed."""

    lane: str = ""
    account: str = ""
    previous: str = ""
    verifier: str = ""
    limit: int = 65_535
    threshold: int = 2


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of action: which contract takes it (`named`: the verifier that is named), what it needs, how its calldata is made."""

    contract: str
    needs: tuple[str, ...]
    build: Callable[[Store, Row[Any], Wish], bytes]


def _lane(store: Store, wish: Wish) -> LaneId:
    return LaneId(lane_row(store, wish.lane).lane_id)


def _checked_verifier(store: Store, row: Row[Any], wish: Wish) -> bytes:
    """The verifier that is named, if it is one of this version; it is written down, so that what it says can be followed."""
    found = account_named(wish.verifier)
    ledger = open_chain(row)
    try:
        learn_verifier(store.write, ledger, row.name, found)
    finally:
        ledger.close()
    return found


def _newest_validators(store: Store, row: Row[Any], wish: Wish) -> bytes:
    """Have a light client trust the hub's newest verified header of its peer, and the set that the header lists.

    Raises:
        NotFound: the hub knows no such light client.
    """
    with store.read() as connection:
        known = verifier_at(connection, row.name, account_named(wish.verifier))
    if known is None or known.kind != Kind.LIGHT_CLIENT or not known.peer:
        raise NotFound(
            f"The hub knows no light client at {wish.verifier} on {row.name}.", "See: relayhub status --json."
        )
    peer = chain_named(store, known.peer)
    return set_validators(signed_form(bytes(peer.client_header)).header, bytes(peer.client_hash))


ACTIONS: dict[str, Action] = {
    "allow-sender": Action(
        "gateway",
        ("lane", "account"),
        lambda store, row, wish: administration.allow_sender(
            _lane(store, wish), account_named(wish.account), wish.limit, accounts=machine_of(row).accounts
        ),
    ),
    "allow-receiver": Action(
        "gateway",
        ("lane", "account"),
        lambda store, row, wish: administration.allow_receiver(
            _lane(store, wish), account_named(wish.account), accounts=machine_of(row).accounts
        ),
    ),
    "close-lane": Action("gateway", ("lane",), lambda store, _row, wish: administration.close_lane(_lane(store, wish))),
    "abandon-lane": Action(
        "gateway", ("lane",), lambda store, _row, wish: administration.abandon_lane(_lane(store, wish))
    ),
    "set-verifier": Action(
        "gateway",
        ("lane", "verifier"),
        lambda store, row, wish: administration.set_verifier(
            _lane(store, wish), _checked_verifier(store, row, wish), accounts=machine_of(row).accounts
        ),
    ),
    "pin-validators": Action("named", ("verifier",), _newest_validators),
    "resume-lane": Action(
        "gateway", ("lane",), lambda store, _row, wish: administration.unpause_lane(_lane(store, wish))
    ),
    "resume": Action("gateway", (), lambda _store, _row, _wish: administration.unpause()),
    "replace-officer": Action(
        "gateway",
        ("previous", "account"),
        lambda _store, row, wish: administration.replace_officer(
            account_named(wish.previous), account_named(wish.account), accounts=machine_of(row).accounts
        ),
    ),
    "replace-guardian": Action(
        "gateway",
        ("account",),
        lambda _store, row, wish: administration.replace_guardian(
            account_named(wish.account), accounts=machine_of(row).accounts
        ),
    ),
    "replace-verifier-officer": Action(
        "verifier",
        ("previous", "account"),
        lambda _store, row, wish: administration.replace_officer(
            account_named(wish.previous), account_named(wish.account), accounts=machine_of(row).accounts
        ),
    ),
    "replace-verifier-guardian": Action(
        "verifier",
        ("account",),
        lambda _store, row, wish: administration.replace_guardian(
            account_named(wish.account), accounts=machine_of(row).accounts
        ),
    ),
    "add-epoch": Action("verifier", (), lambda store, row, wish: next_epoch(store, row, wish.threshold)),
}


def build_action(store: Store, row: Row[Any], name: str, wish: Wish) -> tuple[str, bytes, str]:
    """Make an action's calldata.

    Args:
        store: the database.
        row: the ledger on which it is proposed.
        name: one of `ACTIONS`.
        wish: what the officer said besides.

    Returns:
        The contract that takes it (`gateway`, `verifier`, or a verifier's address), the calldata, and a line that says what it does.

    Raises:
        BadInput: there is no such action, or something that it needs was not said.
    """
    action = ACTIONS.get(name)
    if action is None:
        raise BadInput(f"There is no action {name!r}.", f"Choose one of {', '.join(ACTIONS)}.")
    missing = [option for option in action.needs if not getattr(wish, option)]
    if missing:
        raise BadInput(f"The action {name} needs more.", f"Give {', '.join(f'--{option}' for option in missing)}.")
    said = " ".join(f"{option} {getattr(wish, option)}" for option in action.needs)
    contract = wish.verifier.lower() if action.contract == "named" else action.contract
    return contract, action.build(store, row, wish), f"{name} {said} at {row.name}".replace("  ", " ")


def refresh_after(store: Store, row: Row[Any]) -> None:
    """After something was executed on a ledger: read its committee, its light clients and its lanes again."""
    refresh_committee(store, row)
    with store.read() as connection:
        mine = (verifiers.c.chain == row.name, verifiers.c.kind == str(Kind.LIGHT_CLIENT))
        clients = [bytes(item) for item in connection.execute(select(verifiers.c.address).where(*mine)).scalars()]
    if clients:
        ledger = open_chain(row)
        try:
            for client in clients:
                learn_verifier(store.write, ledger, row.name, client)
        finally:
            ledger.close()
    for lane in all_lanes(store):
        if row.name in (lane.source, lane.destination) and lane.state in ("opening", "active", "closed"):
            refresh(store, lane)
