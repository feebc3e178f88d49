"""What the hub decides, as notes for its evidence log: one function a kind, called where the decision is written.

Objects beside the log are public by their hash. So a registry's content never names an endpoint, which may hold credentials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from relay.evidence.leaves import (
    ATTESTED,
    CLAIM,
    INCIDENT,
    PROVED,
    REGISTRY,
    SETTLED,
    canonical,
    digest_of,
    short,
    signatures_object,
)
from relay.evidence.outbox import Note, note, note_all
from relay.signers import accounts_of, seats
from relay.store.tables import attestations, chains, committees, lanes, operators

CHAIN_COLUMNS = (
    "name",
    "chain_id",
    "chain_word",
    "first_block",
    "adapter",
    "consensus",
    "development",
    "gateway",
    "gateway_code_hash",
    "gateway_pin",
    "verifier",
    "pinned_height",
    "pinned_hash",
    "state",
)
LANE_COLUMNS = (
    "lane_id",
    "hub",
    "suite",
    "source",
    "destination",
    "channel",
    "source_verifier",
    "destination_verifier",
    "trust",
    "state",
)
OPERATOR_COLUMNS = ("name", "organisation", "signer", "public_key", "sm2_key", "state")


def note_proved(connection: Connection, consensus: str, history: Any) -> None:
    """A head that a look proved, with the entries that lead to it: messages seen final, or outcomes of deliveries.

    Args:
        connection: of the transaction that keeps the look.
        consensus: the light client's name.
        history: `relay.observer.History` with its proof.
    """
    track, proof = history.track, history.proofs[-1]
    evidence: bytes = history.evidence.to_bytes()
    place = (bytes(track.lane_id), int(track.direction), track.nonce + 1, proof.nonce, bytes(proof.head))
    fields = (*place, proof.height, bytes(proof.block_hash), consensus, digest_of(evidence))
    note(connection, PROVED, fields, (evidence,))


def note_claims(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Claims that are proposed to the operators: rows of the table."""
    names = ("lane_id", "direction", "first", "nonce", "head", "height", "block_hash", "epoch", "digest")
    note_all(connection, [Note(CLAIM, [row[name] for name in names]) for row in rows])


def note_quorums(connection: Connection, complete: Sequence[tuple[Row[Any], Any, Row[Any]]]) -> None:
    """Claims that have as many signatures as their committee asks for.

    Args:
        connection: of the transaction that counts them.
        complete: each claim's row, where it is judged (`relay.attestations.VerifyingEnd`), and the committee's row.
    """
    signed = _signatures(connection, complete)
    notes = []
    for row, end, committee in complete:
        content = signatures_object(signed[row.id])
        claim = (row.lane_id, row.direction, row.nonce, row.head, row.height, row.block_hash)
        place = (bytes(end.chain), bytes(end.gateway), bytes(end.verifier), row.epoch, committee.threshold)
        notes.append(Note(ATTESTED, (*claim, *place, digest_of(content)), (content,)))
    note_all(connection, notes)


def _signatures(
    connection: Connection, complete: Sequence[tuple[Row[Any], Any, Row[Any]]]
) -> dict[int, list[tuple[bytes, bytes, str, bytes]]]:
    """For each claim the signatures that count: signer, account in the committee, scheme, signature."""
    committee_of = {row.id: set(seats(committee)) for row, _, committee in complete}
    rows = connection.execute(
        select(attestations.c.claim_id, attestations.c.signature, operators)
        .join(operators, operators.c.signer == attestations.c.signer)
        .where(attestations.c.claim_id.in_(list(committee_of)), operators.c.state == "active")
    )
    found: dict[int, list[tuple[bytes, bytes, str, bytes]]] = {claim_id: [] for claim_id in committee_of}
    for row in rows:
        for account, scheme in accounts_of(row).items():
            if account in committee_of[row.claim_id]:
                found[row.claim_id].append((bytes(row.signer), account, scheme, bytes(row.signature)))
    return found


def note_settled(connection: Connection, lane_id: bytes, event: Any) -> None:
    """The source took over outcomes: `adapters.protocol.HeadMoved` of direction 3."""
    fields = (bytes(lane_id), event.nonce, bytes(event.head), event.position.height, event.position.transaction)
    note(connection, SETTLED, fields)


def note_incident(connection: Connection, name: str, subject: str, text: str, evidence: bytes) -> None:
    """A freeze, or an accusation, with the objects that it rests on."""
    note(connection, INCIDENT, (name, short(subject), short(text), digest_of(evidence)), (evidence,))


def note_chain(connection: Connection, name: str) -> None:
    """A ledger's registration, as it stands now."""
    row = connection.execute(select(chains).where(chains.c.name == name)).one()
    note_registry(connection, "chain", name, {column: getattr(row, column) for column in CHAIN_COLUMNS})


def note_lane(connection: Connection, lane_id: bytes) -> None:
    """A lane's registration, as it stands now."""
    row = connection.execute(select(lanes).where(lanes.c.lane_id == bytes(lane_id))).one()
    note_registry(connection, "lane", bytes(lane_id).hex(), {column: getattr(row, column) for column in LANE_COLUMNS})


def note_operator(connection: Connection, name: str) -> None:
    """An operator's registration, as it stands now."""
    row = connection.execute(select(operators).where(operators.c.name == name)).one()
    note_registry(connection, "operator", name, {column: getattr(row, column) for column in OPERATOR_COLUMNS})


def note_committee(connection: Connection, chain: str, committee: Mapping[str, Any]) -> None:
    """A committee's epoch; written down only where it is another than the hub knew.

    Call it before the table is written.
    """
    content = {"chain": chain} | {
        name: committee[name] for name in ("verifier", "epoch", "threshold", "signers") if name in committee
    }
    known = connection.execute(
        select(committees.c.threshold, committees.c.signers).where(
            committees.c.chain == chain,
            committees.c.verifier == committee["verifier"],
            committees.c.epoch == committee["epoch"],
        )
    ).one_or_none()
    if known is None or (known.threshold, known.signers) != (committee["threshold"], committee["signers"]):
        note_registry(connection, "committee", chain, content)


def note_registry(connection: Connection, what: str, name: str, content: Mapping[str, Any]) -> None:
    """Something that is registered, or changed, as `content` says; without endpoints."""
    plain = {key: bytes(value) if isinstance(value, bytes | memoryview) else value for key, value in content.items()}
    data = canonical(plain)
    note(connection, REGISTRY, (what, short(name), digest_of(data)), (data,))
