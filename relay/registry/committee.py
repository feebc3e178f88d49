"""A ledger's committee: who may sign for its verifier, read from the contract and written down; new epochs; strikes."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Row, update

from adapters.protocol import Ledger
from adapters.solidity.administration import add_epoch
from adapters.solidity.contracts import organisation_word
from relay.evidence.decisions import note_committee
from relay.registry.chains import open_chain
from relay.registry.gateways import Contract, account_value
from relay.registry.operators import accounts_on, keys_of, members, quorum_of
from relay.store import Store
from relay.store.tables import committees
from relay.store.upsert import upsert

OVERLAP_S = 3600
"""Seconds for which the epoch before is still believed: signatures on their way keep their worth."""


def read_committee(ledger: Ledger, verifier: bytes) -> dict[str, Any]:
    """The present epoch as the contract has it: verifier, epoch, threshold, signers in the order of the bitmap."""
    contract = Contract(ledger, "CommitteeVerifier", verifier)
    number = int(contract.ask("epoch"))
    signers, _organisations, threshold, _ends_at = contract.ask("epochOf", number)
    return {
        "verifier": verifier,
        "epoch": number,
        "threshold": int(threshold),
        "signers": ["0x" + account_value(signer).hex() for signer in signers],
    }


def write_committee(connection: Connection, chain: str, committee: dict[str, Any]) -> None:
    """Write down a committee's present epoch; those before it are old."""
    note_committee(connection, chain, committee)
    mine = (committees.c.chain == chain, committees.c.verifier == committee["verifier"])
    connection.execute(update(committees).where(*mine, committees.c.epoch < committee["epoch"]).values(state="old"))
    values = {"threshold": committee["threshold"], "signers": committee["signers"], "state": "current"}
    key = {"chain": chain, "verifier": committee["verifier"], "epoch": committee["epoch"]}
    upsert(connection, committees, key, values)


def refresh_committee(store: Store, row: Row[Any]) -> dict[str, Any]:
    """Read a ledger's committee again and write it down."""
    ledger = open_chain(row)
    try:
        committee = read_committee(ledger, bytes(row.verifier))
    finally:
        ledger.close()
    with store.write() as connection:
        write_committee(connection, row.name, committee)
    return committee


def next_epoch(store: Store, row: Row[Any], threshold: int) -> bytes:
    """The action that makes today's operators the next epoch of a ledger's committee.

    Raises:
        NotNow: there are fewer organisations than the threshold, or a key is missing that the ledger's machine needs.
    """
    quorum = quorum_of(store, threshold)
    rows = members(store)
    ledger = open_chain(row)
    try:
        traits = ledger.machine()
        contract = Contract(ledger, "CommitteeVerifier", bytes(row.verifier))
        number, now = int(contract.ask("epoch")) + 1, int(contract.ask("nowSeconds"))
    finally:
        ledger.close()
    houses = [organisation_word(member.organisation) for member in rows]
    signers = list(zip(accounts_on(rows, traits), houses, strict=True))
    keys = keys_of(rows, traits)
    ends_at = max(now, int(time.time())) + OVERLAP_S
    return add_epoch(number, signers, quorum, ends_at, keys=keys, accounts=traits.accounts)
