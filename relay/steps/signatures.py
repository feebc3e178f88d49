"""Committee proofs: the attestations of a claim as the verifier takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from adapters.solidity.calldata import committee_proof
from relay.signers import by_account, seats
from relay.store.tables import attestations, operators
from relay.store.verifiers import epochs_of


def committee_proofs(connection: Connection, verifier: Row[Any], rows: Sequence[Row[Any]]) -> dict[int, bytes]:
    """For each claim one signature of each of as many organisations as the threshold asks, in the order of the bitmap.

    A proof is empty where signers that were struck out since leave less than a quorum.

    Args:
        connection: an open transaction.
        verifier: the row of the committee, or of the verifier that it is a part of.
        rows: attested claims.
    """
    found: dict[int, dict[bytes, bytes]] = {}
    signatures = connection.execute(select(attestations).where(attestations.c.claim_id.in_([row.id for row in rows])))
    for item in signatures:
        found.setdefault(item.claim_id, {})[bytes(item.signer)] = bytes(item.signature)
    epochs = epochs_of(connection, verifier)
    active = connection.execute(select(operators).where(operators.c.state == "active"))
    known = by_account(active)
    return {
        row.id: _proof(epochs[row.epoch], found.get(row.id, {}), known) if row.epoch in epochs else b"" for row in rows
    }


def _proof(committee: Row[Any], signatures: dict[bytes, bytes], known: dict[bytes, Row[Any]]) -> bytes:
    chosen: list[tuple[int, bytes]] = []
    counted: set[str] = set()
    for index, account in enumerate(seats(committee)):
        operator = known.get(account)
        if operator is None or bytes(operator.signer) not in signatures or operator.organisation in counted:
            continue
        counted.add(operator.organisation)
        chosen.append((index, signatures[bytes(operator.signer)]))
        if len(counted) == committee.threshold:
            return committee_proof(committee.epoch, chosen)
    return b""
