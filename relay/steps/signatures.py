"""Committee proofs: the attestations of a claim as the verifier takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from adapters.solidity.calldata import committee_proof
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
    houses = {bytes(row.signer): row.organisation for row in active}
    return {
        row.id: _proof(epochs[row.epoch], found.get(row.id, {}), houses) if row.epoch in epochs else b"" for row in rows
    }


def _proof(committee: Row[Any], signatures: dict[bytes, bytes], houses: dict[bytes, str]) -> bytes:
    chosen: list[tuple[int, bytes]] = []
    counted: set[str] = set()
    for index, item in enumerate(committee.signers):
        signer = bytes.fromhex(item.removeprefix("0x"))
        house = houses.get(signer)
        if house is None or signer not in signatures or house in counted:
            continue
        counted.add(house)
        chosen.append((index, signatures[signer]))
        if len(counted) == committee.threshold:
            return committee_proof(committee.epoch, chosen)
    return b""
