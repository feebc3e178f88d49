"""What stands at a verifier's address: its kind, the parts behind it, and how its light client stands, read from the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, select, update

from adapters.protocol import Ledger, Rejected
from relay.errors import BadInput
from relay.evidence.decisions import note_lane
from relay.registry.committee import read_committee, write_committee
from relay.registry.gateways import Contract, account_value
from relay.store.tables import chains, lanes, verifiers
from relay.store.upsert import upsert
from relay.store.verifiers import Kind, lane_trust

CONTRACT_OF = {Kind.COMMITTEE: "CommitteeVerifier", Kind.LIGHT_CLIENT: "QbftVerifier", Kind.BOTH: "BothVerifier"}
"""Names of the compiled contracts."""

Write = Callable[[], AbstractContextManager[Connection]]
"""Opens a write transaction: a store's, or a lease's."""


def kind_at(ledger: Ledger, address: bytes) -> Kind:
    """Ask a contract what kind of verifier it is.

    Raises:
        NotNow: there is no contract.
        BadInput: it says nothing that a verifier of this version says.
        AdapterError: the ledger does not answer.
    """
    try:
        return Kind(str(Contract(ledger, CONTRACT_OF[Kind.COMMITTEE], address).ask("kind")))
    except (Rejected, ValueError):
        raise BadInput(
            f"The contract at 0x{address.hex()} is no verifier of this version.", "Give the address of another one."
        ) from None


def learn_verifier(write: Write, ledger: Ledger, chain: str, address: bytes) -> Kind:
    """Read a verifier and what is behind it, and write all of it down.

    Args:
        write: opens the write transaction.
        ledger: the ledger on which it stands, opened.
        chain: that ledger's name.
        address: where it stands.

    Raises:
        NotNow: there is no contract.
        BadInput: it is no verifier of this version.
        AdapterError: the ledger does not answer.
    """
    kind = kind_at(ledger, address)
    committee = light_client = address
    rows = []
    if kind is Kind.COMMITTEE:
        committee = ledger.verifier_parts(address).committee
    if kind is Kind.BOTH:
        both = Contract(ledger, CONTRACT_OF[kind], address)
        committee, light_client = (account_value(both.ask(part)) for part in ("committee", "lightClient"))
        rows.append(_row(address, kind, committee=committee, light_client=light_client))
    if kind is not Kind.COMMITTEE:
        rows.append(read_light_client(ledger, light_client))
    if kind is not Kind.LIGHT_CLIENT:
        rows.append(committee_row(committee) | {"address": ledger.called_by(committee)})
    epoch = None if kind is Kind.LIGHT_CLIENT else read_committee(ledger, committee)
    with write() as connection:
        peer = next((_ledger_of_word(connection, row["peer_word"]) for row in rows if "peer_word" in row), "")
        for row in rows:
            write_verifier(connection, chain, "" if row["kind"] == Kind.COMMITTEE else peer, row)
        if epoch is not None:
            write_committee(connection, chain, epoch)
    return kind


def read_light_client(ledger: Ledger, address: bytes) -> dict[str, Any]:
    """Read how a light client stands: its newest header, its set, until when it may be extended, whether it is frozen.

    Raises:
        NotNow: there is no contract.
        AdapterError: the ledger does not answer.
    """
    contract = Contract(ledger, CONTRACT_OF[Kind.LIGHT_CLIENT], address)
    client, configuration = contract.ask("client"), contract.ask("configuration")
    return _row(
        address,
        Kind.LIGHT_CLIENT,
        light_client=address,
        peer_word=bytes(configuration["peerChainWord"]),
        client_height=client["height"],
        client_hash=client["blockHash"],
        client_time=client["timestamp"],
        validators_hash=client["validatorsHash"],
        validators_since=client["validatorsSince"],
        expires_at=client["expiresAt"],
        trusting_period_s=configuration["trustingPeriod"],
        frozen=client["frozen"],
        generation=bytes(contract.ask("generation")),
        read_at=time.time(),
    )


def committee_row(address: bytes) -> dict[str, Any]:
    """The row of a committee verifier."""
    return _row(address, Kind.COMMITTEE, committee=address)


def write_verifier(connection: Connection, chain: str, peer: str, row: Mapping[str, Any]) -> None:
    """Write down what was read of a verifier.

    Args:
        connection: an open write transaction.
        chain: the ledger on which it stands.
        peer: the ledger that it judges; empty for a committee.
        row: `committee_row` or what `read_light_client` gave.
    """
    values = {name: value for name, value in row.items() if name not in ("address", "peer_word")} | {"peer": peer}
    upsert(connection, verifiers, {"chain": chain, "address": row["address"]}, values)


def take_over(connection: Connection, lane_id: bytes, **columns: bytes) -> None:
    """Write down which verifiers a lane has now, and the trust level that follows.

    Args:
        connection: an open write transaction.
        lane_id: the lane.
        columns: `source_verifier`, `destination_verifier`, or both.
    """
    mine = lanes.c.lane_id == lane_id
    if columns:
        connection.execute(update(lanes).where(mine).values(**columns))
    lane = connection.execute(select(lanes).where(mine)).one()
    trust = lane_trust(connection, lane)
    if trust != lane.trust:
        connection.execute(update(lanes).where(mine).values(trust=trust))
    if columns or trust != lane.trust:
        note_lane(connection, lane_id)


def _ledger_of_word(connection: Connection, word: bytes) -> str:
    """Name of the registered ledger of that chain word; empty where there is none."""
    return str(connection.execute(select(chains.c.name).where(chains.c.chain_word == word)).scalar() or "")


def _row(address: bytes, kind: Kind, **values: Any) -> dict[str, Any]:
    return {"address": address, "kind": str(kind), "committee": b"", "light_client": b""} | values
