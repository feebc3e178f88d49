"""What officers change about committees on every ledger: a new epoch after an operator joined, a signer struck."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from adapters.protocol import AdapterError
from adapters.solidity.administration import strike
from relay.config import HubConfig
from relay.errors import HubError, NotNow
from relay.keys import Key, KeyStore
from relay.registry.chains import all_chains, machine_of
from relay.registry.committee import next_epoch, refresh_committee
from relay.registry.officers import Proposed, at_once, carry_out
from relay.registry.operators import accounts_on, mark_struck, operator_named
from relay.store import Store
from relay.store.tables import verifiers
from relay.store.verifiers import Kind


def renew_committees(config: HubConfig, store: Store, keys: KeyStore, officer: Key | None) -> list[Proposed]:
    """Make today's operators the next epoch on every ledger; returns proposals that wait for another officer."""
    proposed: list[Proposed] = []
    rows = [row for row in all_chains(store) if row.state != "retired"]
    actions = [next_epoch(store, row, config.threshold) for row in rows]  # all of them, before the first is done
    for row, action in zip(rows, actions, strict=True):
        proposed += carry_out(
            config, store, keys, row, "verifier", [action], officer=officer, text=f"next epoch at {row.name}"
        )
        refresh_committee(store, row)
    return proposed


def _committees_on(store: Store, row: Row[Any]) -> list[str]:
    """The committee that new lanes of a ledger get, and those that officers gave to lanes of their own."""
    with store.read() as connection:
        mine = (verifiers.c.chain == row.name, verifiers.c.kind == str(Kind.COMMITTEE))
        found = connection.execute(select(verifiers.c.address).where(*mine, verifiers.c.address != row.verifier))
        return ["verifier", *(f"0x{bytes(address).hex()}" for address in found.scalars())]


def strike_operator(store: Store, name: str, officer: Key) -> list[str]:
    """Strike an operator's signer out of every committee at once; returns the ledgers where it was done.

    The hub counts its signatures no more from the first moment, even where a ledger does not answer.

    Raises:
        NotFound: there is no such operator.
        NotNow: it could not be done on some ledgers; the error names them.
    """
    operator = operator_named(store, name)
    mark_struck(store, name)
    done, failed = [], []
    for row in all_chains(store):
        if row.state == "retired":
            continue
        try:
            account = accounts_on([operator], machine_of(row))[0]
            for contract in _committees_on(store, row):
                at_once(row, contract, officer, strike(account))
        except (AdapterError, HubError) as error:
            failed.append(f"{row.name} ({error})")
        else:
            done.append(row.name)
    if failed:
        raise NotNow(f"{name} is struck at the hub but not on {', '.join(failed)}.", "Run the command again.")
    return done
