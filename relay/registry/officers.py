"""What officers do: propose, approve and execute by widening actions; narrow, pause and strike at once.

Officers sign locally with their own keys. The ledger keeps only the hash of a proposed action; the hub writes the action down
so that the next officer can see and execute it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select

from adapters.protocol import Ledger
from relay.config import HubConfig
from relay.errors import BadInput, NotFound, NotNow
from relay.keys import Key, KeyStore
from relay.registry.chains import chain_named, open_chain
from relay.registry.gateways import Contract
from relay.registry.names import OFFICERS
from relay.registry.operators import account_named
from relay.store import Store
from relay.store.tables import proposals

CONTRACTS = {"gateway": "Gateway", "verifier": "CommitteeVerifier"}
_CONTRACT_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
STATES = ("none", "proposed", "approved", "executed", "cancelled")


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal on a ledger: which chain, contract (gateway, verifier or an address) and number, and what it would do."""

    chain: str
    contract: str
    number: int
    text: str

    @property
    def label(self) -> str:
        """How a command names it: `CHAIN/gateway/3`."""
        return f"{self.chain}/{self.contract}/{self.number}"


def contract_of(ledger: Ledger, row: Row[Any], contract: str) -> Contract:
    """The gateway or the committee of a ledger, or the contract with officers at an address.

    Raises:
        BadInput: there is no contract of that name.
    """
    return Contract(ledger, CONTRACTS.get(contract, "QbftVerifier"), _address_of(row, contract))


def _address_of(row: Row[Any], contract: str) -> bytes:
    if contract.startswith("0x"):
        return account_named(contract)
    if contract not in CONTRACTS:
        raise BadInput(
            f"There is no contract {contract!r}.", f"Choose one of {', '.join(CONTRACTS)}, or give an address."
        )
    return bytes(row.gateway if contract == "gateway" else row.verifier)


def propose(
    store: Store, ledger: Ledger, row: Row[Any], contract: str, action: bytes, officer: Key, *, text: str
) -> Proposed:
    """Propose an action as an officer and write it down.

    Raises:
        Rejected: the contract refuses, for instance because the key is no officer's.
    """
    target = contract_of(ledger, row, contract)
    number = target.propose(officer, [action])[0]
    with store.write() as connection:
        connection.execute(
            insert(proposals).values(
                chain=row.name,
                contract=target.address,
                number=number,
                action=action,
                text=text,
                officer=officer.name,
                at=time.time(),
            )
        )
    return Proposed(row.name, contract, number, text)


def carry_out(
    config: HubConfig,
    store: Store,
    keys: KeyStore,
    row: Row[Any],
    contract: str,
    actions: Sequence[bytes],
    *,
    officer: Key | None,
    text: str,
) -> list[Proposed]:
    """Do what two officers must agree to: at once on a development hub, else propose it with the officer's key.

    Returns:
        The proposals that wait for another officer; none where it is done.

    Raises:
        BadInput: on a production hub, no officer's key was named.
        Rejected: the contract refuses.
    """
    ledger = open_chain(row)
    try:
        if config.development and officer is None:
            first, second = (keys.load(name) for name in OFFICERS[:2])
            contract_of(ledger, row, contract).act(first, second, actions)
            return []
        if officer is None:
            raise BadInput("This needs two officers.", "Give --key NAME of an officer's key to propose it.")
        return [propose(store, ledger, row, contract, action, officer, text=text) for action in actions]
    finally:
        ledger.close()


def at_once(row: Row[Any], contract: str, officer: Key, call: bytes) -> bytes:
    """Do what one officer (or the guardian) may do alone: pause, lower, deny, strike; returns the transaction's hash.

    Raises:
        Rejected: the contract refuses, for instance because the key is nobody's.
    """
    ledger = open_chain(row)
    try:
        return contract_of(ledger, row, contract).call(officer, call)
    finally:
        ledger.close()


def parse_label(store: Store, label: str) -> tuple[Row[Any], str, int]:
    """Read `CHAIN/gateway/3`, `CHAIN/verifier/3` or `CHAIN/0x…/3`.

    Raises:
        BadInput: it has another form.
        NotFound: the ledger is not registered.
    """
    chain, contract, number = [*label.rsplit("/", 2), "", ""][:3]
    known = contract in CONTRACTS or _CONTRACT_ADDRESS.fullmatch(contract)
    if not chain or not known or not (number.isascii() and number.isdecimal()):
        raise BadInput(f"{label!r} names no proposal.", "Give CHAIN/gateway/NUMBER or CHAIN/verifier/NUMBER.")
    return chain_named(store, chain), contract, int(number)


def approve(store: Store, label: str, officer: Key) -> int:
    """Approve a proposal as another officer; returns Unix seconds from which it can be executed.

    Raises:
        Rejected: the contract refuses.
    """
    row, contract, number = parse_label(store, label)
    ledger = open_chain(row)
    try:
        target = contract_of(ledger, row, contract)
        target.approve(officer, [number])
        return int(target.ask("proposal", number)["readyAt"])
    finally:
        ledger.close()


def execute(store: Store, label: str, officer: Key, action: bytes = b"") -> bytes:
    """Execute an approved proposal after its delay; returns the action.

    Args:
        store: the database, where the action was written down when it was proposed here.
        label: `CHAIN/gateway/NUMBER`.
        officer: who signs.
        action: its calldata, if it was proposed elsewhere.

    Raises:
        NotFound: the action is not known here and was not given.
        NotNow: the delay is not over.
        Rejected: the contract refuses.
    """
    row, contract, number = parse_label(store, label)
    action = action or _written_down(store, row, contract, number)
    ledger = open_chain(row)
    try:
        target = contract_of(ledger, row, contract)
        ready_at, now = int(target.ask("proposal", number)["readyAt"]), int(target.ask("nowSeconds"))
        if ready_at > now:
            raise NotNow(f"The delay of {label} ends in {ready_at - now} s.", "Execute it then.")
        target.execute(officer, [(number, action)])
    finally:
        ledger.close()
    return action


def known_proposals(store: Store) -> list[dict[str, Any]]:
    """Proposals that were made through this hub, with their state on the ledger (`unknown` where it does not answer)."""
    from adapters.protocol import AdapterError

    with store.read() as connection:
        rows = connection.execute(select(proposals).order_by(proposals.c.chain, proposals.c.number)).all()
    found = []
    for item in rows:
        row = chain_named(store, item.chain)
        contract = _name_of(row, bytes(item.contract))
        state, ready_at = "unknown", 0
        ledger = open_chain(row)
        try:
            proposal = contract_of(ledger, row, contract).ask("proposal", item.number)
            state, ready_at = STATES[proposal["state"]], int(proposal["readyAt"])
        except AdapterError:
            pass
        finally:
            ledger.close()
        label = Proposed(item.chain, contract, item.number, item.text).label
        found.append({"proposal": label, "text": item.text, "by": item.officer, "state": state, "ready_at": ready_at})
    return found


def _name_of(row: Row[Any], contract: bytes) -> str:
    """How a label names a contract."""
    named = {bytes(row.gateway): "gateway", bytes(row.verifier): "verifier"}
    return named.get(contract, f"0x{contract.hex()}")


def _written_down(store: Store, row: Row[Any], contract: str, number: int) -> bytes:
    where = _address_of(row, contract)
    with store.read() as connection:
        found = connection.execute(
            select(proposals.c.action).where(
                proposals.c.chain == row.name, proposals.c.contract == where, proposals.c.number == number
            )
        ).first()
    if found is None:
        raise NotFound(
            f"The action of {row.name}/{contract}/{number} is not known here.",
            "Give its bytes from the Proposed event: --action 0x….",
        )
    return bytes(found.action)
