"""What stands at a verifier's address: its kind, the parts behind it, and how its light client stands, read from the ledger."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection

from adapters.protocol import Ledger, Rejected
from relay.errors import BadInput
from relay.registry.gateways import Contract
from relay.store.tables import verifiers
from relay.store.upsert import upsert
from relay.store.verifiers import Kind

CONTRACT_OF = {Kind.COMMITTEE: "CommitteeVerifier", Kind.LIGHT_CLIENT: "QbftVerifier", Kind.BOTH: "BothVerifier"}


def kind_at(ledger: Ledger, address: bytes) -> Kind:
    """Ask a contract what kind of verifier it is.

    Raises:
        NotNow: there is no contract.
        BadInput: it says nothing that a verifier of this version says.
        AdapterError: the ledger does not answer.
    """
    try:
        return Kind(str(Contract(ledger, "CommitteeVerifier", address).ask("kind")))
    except (Rejected, ValueError):
        raise BadInput(
            f"The contract at 0x{address.hex()} is no verifier of this version.", "Give the address of another one."
        ) from None


def read_verifier(ledger: Ledger, address: bytes) -> list[dict[str, Any]]:
    """Read a verifier and the light client behind it, if there is one.

    Returns:
        Rows for the table `verifiers` without `chain` and `peer`: the verifier's own, then that of the light client in a `both`.

    Raises:
        NotNow: there is no contract.
        BadInput: it is no verifier of this version.
        AdapterError: the ledger does not answer.
    """
    kind = kind_at(ledger, address)
    if kind is Kind.COMMITTEE:
        return [committee_row(address)]
    if kind is Kind.LIGHT_CLIENT:
        return [read_light_client(ledger, address)]
    both = Contract(ledger, "BothVerifier", address)
    committee, light_client = (_address(both.ask(part)) for part in ("committee", "lightClient"))
    return [
        _row(address, kind, committee=committee, light_client=light_client),
        read_light_client(ledger, light_client),
    ]


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


def write_verifier(connection: Connection, chain: str, peer: str, row: dict[str, Any]) -> None:
    """Write down what was read of a verifier on a ledger.

    Args:
        connection: an open write transaction.
        chain: the ledger on which it stands.
        peer: the ledger that it judges; empty for a committee.
        row: one of the rows of `read_verifier`.
    """
    values = {name: value for name, value in row.items() if name != "address"} | {"peer": peer}
    upsert(connection, verifiers, {"chain": chain, "address": row["address"]}, values)


def committee_row(address: bytes) -> dict[str, Any]:
    """The row of a committee verifier."""
    return _row(address, Kind.COMMITTEE, committee=address)


def _row(address: bytes, kind: Kind, **values: Any) -> dict[str, Any]:
    return {"address": address, "kind": str(kind), "committee": b"", "light_client": b""} | values


def _address(value: Any) -> bytes:
    return bytes.fromhex(str(value).removeprefix("0x"))
