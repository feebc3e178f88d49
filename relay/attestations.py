"""Attestations as they come in: judged one by one, kept in one transaction, counted by organisation.

Source: the hub's protocol (docs/protocol.md, section Who believes what, Committee; docs/encodings.md, section Operators).
Whoever posts is nobody: only the signature speaks, and only for a claim that the hub itself proposed. The rules, in order:

1. the claim is one that the hub proposed, field by field, and is not void;
2. the epoch is the one that the claim was proposed for, and the verifying ledger's current committee is of that epoch;
3. the signer sits in that committee and was not struck out;
4. the signature is the signer's over the digest of this one place, by the scheme under which the committee knows it: 65 bytes, v 27
   or 28 and a low s, which recover to the signer; or 64 bytes that its SM2 key verifies (relay.signers);
5. the signer has not signed another head for the same (lane, direction, nonce), nor another one than the hub proved.

Signatures are recovered before the write transaction begins, so that the write lock is held for the inserts only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, delete, func, insert, select, tuple_, update

from light_clients.errors import SignatureRefused
from relay.crash import crash_point
from relay.evidence.decisions import note_incident, note_quorums
from relay.signers import SECP256K1, scheme_in, signed_by
from relay.store import Store
from relay.store.tables import attestations as attestations_table
from relay.store.tables import chains, claims, committees, incidents, lanes, operators, refusals, verifiers
from relay.store.upsert import insert_new
from schemas.attestation import Attestation, Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, ChainWord, Head, LaneId, SchemaError, hex0x
from schemas.suites import Suite, suite_named

REFUSALS_KEPT = 10_000
"""Rows that the table of refusals keeps at most: whoever can reach the port can be refused, and must not fill the disk."""

CLAIM_FIELDS = ("head", "height", "block_hash")
_ATTESTATION = TypeAdapter(Attestation)
_CLAIM = TypeAdapter(Claim)


class Result(StrEnum):
    """What became of an attestation."""

    ACCEPTED = "accepted"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one attestation; a refusal has a name and one sentence."""

    result: Result
    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class VerifyingEnd:
    """Where claims of one lane and direction are judged.

    Attributes:
        suite: the lane's hash suite.
        chain_name: the hub's name of the verifying ledger (the destination for direction 0, the source for 1).
        chain: its chain word.
        gateway: native bytes of the gateway there.
        verifier: native bytes of the contract that checks the signatures, which may stand inside the lane's verifier.
    """

    suite: Suite
    chain_name: str
    chain: ChainWord
    gateway: bytes
    verifier: bytes

    def place(self, epoch: int) -> Place:
        """The place of an attestation of that epoch."""
        return Place(self.chain, self.gateway, self.verifier, epoch)


@dataclass(slots=True)
class _Known:
    """What the database says about everything that a batch of attestations names."""

    ends: dict[tuple[bytes, int], VerifyingEnd]
    claims: dict[tuple[bytes, int, int], list[Row[Any]]]
    committees: dict[tuple[str, bytes], Row[Any]]
    operators: dict[bytes, Row[Any]]
    signed: dict[tuple[int, bytes], bytes]  # (claim id, signer) → signature


@dataclass(slots=True)
class _Outcome:
    """What the write transaction has to record."""

    new: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)


class _Refusal(Exception):
    """An attestation that is not taken."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def collect(store: Store, attestations: Sequence[Attestation], now: float) -> list[Verdict]:
    """Judge attestations, keep the good ones, record the others, and wake the lanes whose quorum is there.

    Args:
        store: the hub's database.
        attestations: at most a few hundred, as posted.
        now: Unix seconds.

    Returns:
        One verdict for each attestation, in order.
    """
    with store.read() as connection:
        known = _load(connection, attestations)
    outcome = _Outcome()
    verdicts = [_verdict(known, outcome, attestation, now) for attestation in attestations]
    woken: set[bytes] = set()
    if outcome.new or outcome.refused or outcome.incidents:
        with store.write() as connection:
            woken = _record(connection, outcome, now)
            crash_point("web.attestation.before_commit")
        crash_point("web.attestation.after_commit")
    for lane_id in woken:
        _wake_lane(lane_id)
    return verdicts


def verifying_ends(connection: Connection, lane_ids: Iterable[bytes]) -> dict[tuple[bytes, int], VerifyingEnd]:
    """Where claims of these lanes are signed for, by (lane_id, direction).

    Left out are lanes that the hub does not know, and directions whose verifier has no committee or was not read yet.
    """
    rows = connection.execute(select(lanes).where(lanes.c.lane_id.in_(set(lane_ids)))).all()
    names = {name for row in rows for name in (row.source, row.destination)}
    ledgers = {row.name: row for row in connection.execute(select(chains).where(chains.c.name.in_(names)))}
    standing = connection.execute(select(verifiers).where(verifiers.c.chain.in_(names)))
    known = {(row.chain, bytes(row.address)): row for row in standing}
    ends: dict[tuple[bytes, int], VerifyingEnd] = {}
    for row in rows:
        for direction, name, address in (
            (Direction.OUTBOX, row.destination, row.destination_verifier),
            (Direction.OUTCOMES, row.source, row.source_verifier),
        ):
            verifier = known.get((name, bytes(address)))
            if verifier is None or not verifier.committee:
                continue
            ledger = ledgers[name]
            ends[row.lane_id, direction] = VerifyingEnd(
                suite_named(row.suite), name, ChainWord(ledger.chain_word), ledger.gateway, bytes(verifier.committee)
            )
    return ends


def claim_of(row: Row[Any]) -> Claim:
    """Read a row of the table of claims."""
    return Claim(
        LaneId(row.lane_id), Direction(row.direction), row.nonce, Head(row.head), row.height, BlockHash(row.block_hash)
    )


def _load(connection: Connection, attestations: Sequence[Attestation]) -> _Known:
    keys = {(bytes(a.claim.lane_id), int(a.claim.direction), a.claim.nonce) for a in attestations}
    keys = {key for key in keys if key[2] < 1 << 63}  # a larger nonce was never proposed, and fits no column
    by_key: dict[tuple[bytes, int, int], list[Row[Any]]] = {}
    columns = tuple_(claims.c.lane_id, claims.c.direction, claims.c.nonce)
    for row in connection.execute(select(claims).where(columns.in_(keys)).order_by(claims.c.id)):
        by_key.setdefault((row.lane_id, row.direction, row.nonce), []).append(row)
    ids = [row.id for rows in by_key.values() for row in rows]
    stored = connection.execute(select(attestations_table).where(attestations_table.c.claim_id.in_(ids)))
    current = connection.execute(select(committees).where(committees.c.state == "current"))
    return _Known(
        ends=verifying_ends(connection, {key[0] for key in keys}),
        claims=by_key,
        committees={(row.chain, bytes(row.verifier)): row for row in current},
        operators={row.signer: row for row in connection.execute(select(operators))},
        signed={(row.claim_id, row.signer): row.signature for row in stored},
    )


def _verdict(known: _Known, outcome: _Outcome, attestation: Attestation, now: float) -> Verdict:
    try:
        claim_id = _judge(known, outcome, attestation, now)
    except _Refusal as refusal:
        outcome.refused.append(
            {
                "at": now,
                "name": refusal.name,
                "party": _party(known, attestation.signer),
                "subject": _subject(attestation.claim),
                "text": str(refusal),
            }
        )
        return Verdict(Result.REFUSED, refusal.name, str(refusal))
    if claim_id is None:
        return Verdict(Result.ALREADY)
    known.signed[claim_id, attestation.signer] = attestation.signature
    outcome.new.append(
        {"claim_id": claim_id, "signer": attestation.signer, "signature": attestation.signature, "at": now}
    )
    return Verdict(Result.ACCEPTED)


def _judge(known: _Known, outcome: _Outcome, attestation: Attestation, now: float) -> int | None:
    """Apply the rules of the module's docstring; returns the claim's id, or None if the signature is there already."""
    claim, signer = attestation.claim, attestation.signer
    end = known.ends.get((bytes(claim.lane_id), int(claim.direction)))
    proposed = known.claims.get((bytes(claim.lane_id), int(claim.direction), claim.nonce), [])
    if end is None or not proposed:
        raise _Refusal(
            "UnknownClaim", "The hub proposed no claim for this lane, direction and nonce; pull the claims again."
        )
    # 5. Looked at first: a head that cannot be true accuses the signer.
    _accuse(known, outcome, attestation, end=end, proposed=proposed, now=now)
    # 1. The claim is one that the hub proposed.
    row = _matching(claim, attestation.epoch, proposed)
    if row.state == "void":
        raise _Refusal("ClaimVoid", "The hub withdrew this claim; pull the claims again.")
    # 2. The epoch is the claim's and the committee's.
    committee = known.committees.get((end.chain_name, end.verifier))
    if committee is None:
        raise _Refusal(
            "NoCommittee", f"The verifier of {end.chain_name} has no committee; wait until its epoch is added."
        )
    if not attestation.epoch == row.epoch == committee.epoch:
        raise _Refusal(
            "EpochMismatch",
            f"The committee of {end.chain_name} is of epoch {committee.epoch}, not {attestation.epoch}.",
        )
    # 3. The signer sits in the committee.
    operator = known.operators.get(signer)
    scheme = scheme_in(committee, operator) if operator is not None else ""
    if operator is None or not scheme:
        raise _Refusal("SignerUnknown", f"{hex0x(signer)} does not sit in the committee of {end.chain_name}.")
    if operator.state != "active":
        raise _Refusal("SignerStruck", f"Operator {operator.name} was struck out; its signatures count nowhere.")
    if known.signed.get((row.id, signer)) == attestation.signature:
        return None
    # 4. The signature is the signer's, over the digest of this place.
    _check_signature(end, attestation, operator, scheme)
    return None if (row.id, signer) in known.signed else int(row.id)


def _matching(claim: Claim, epoch: int, proposed: list[Row[Any]]) -> Row[Any]:
    """The proposed claim with these very fields: of that epoch if there is one, else the newest.

    The same words may have been proposed for another verifier before, and are void there.
    """
    same = [row for row in proposed if all(getattr(row, name) == getattr(claim, name) for name in CLAIM_FIELDS)]
    if same:
        best: Row[Any] = min(reversed(same), key=lambda row: (row.epoch != epoch, row.state == "void"))
        return best
    newest = proposed[-1]
    wrong = next(name for name in CLAIM_FIELDS if getattr(newest, name) != getattr(claim, name))
    raise _Refusal("ClaimMismatch", f"The {wrong} is not the one that the hub proposed; pull the claims again.")


def _check_signature(end: VerifyingEnd, attestation: Attestation, operator: Row[Any], scheme: str) -> None:
    try:
        digest = attestation_digest(end.suite, end.place(attestation.epoch), attestation.claim)
        fits = signed_by(operator, scheme, digest, attestation.signature)
    except SignatureRefused as error:
        raise _Refusal(error.name, error.message) from error
    except SchemaError as error:
        raise _Refusal("ClaimMalformed", f"{error}.") from error
    if not fits:
        raise _Refusal(
            "SignerMismatch",
            "The signature is not the signer's over this claim at its verifier, gateway, ledger and epoch.",
        )


def _accuse(
    known: _Known,
    outcome: _Outcome,
    attestation: Attestation,
    *,
    end: VerifyingEnd,
    proposed: list[Row[Any]],
    now: float,
) -> None:
    """Keep what an operator signed that cannot be true, and refuse it.

    That is a second head for one (lane, direction, nonce), or a head other than the one that this hub proved there: after so
    many entries a history has one head, whatever the block. Somebody else's words accuse nobody: the signature is checked first.
    """
    operator = known.operators.get(attestation.signer)
    if operator is None:
        return
    others = [row for row in proposed if row.head != attestation.claim.head]
    signed = [
        (row, known.signed[row.id, attestation.signer])
        for row in others
        if (row.id, attestation.signer) in known.signed
    ]
    if not signed and len(others) < len(proposed):
        return
    committee = known.committees.get((end.chain_name, end.verifier))
    scheme = scheme_in(committee, operator) if committee is not None else ""
    try:
        _check_signature(end, attestation, operator, scheme or SECP256K1)
    except _Refusal:
        return
    party, entries = _party(known, attestation.signer), attestation.claim.nonce
    evidence = [_ATTESTATION.dump_python(attestation, mode="json")]
    if signed:
        row, earlier = signed[0]
        name, text = "operator_equivocation", f"{party} signed two heads after {entries} entries."
        first = Attestation(claim_of(row), row.epoch, attestation.signer, earlier)
        evidence.append(_ATTESTATION.dump_python(first, mode="json"))
    else:
        name, text = "operator_false_head", f"{party} signed another head after {entries} entries than the proved one."
        evidence.append(_CLAIM.dump_python(claim_of(others[-1]), mode="json"))
    outcome.incidents.append(
        {
            "at": now,
            "name": name,
            "subject": f"{hex0x(attestation.signer)} {_subject(attestation.claim)}"[:160],
            "text": f"{text} Ask its organisation; an officer strikes it out: relayhub operator strike {party}.",
            "evidence": orjson.dumps(evidence),
        }
    )
    raise _Refusal("OperatorEquivocation" if signed else "FalseHead", text)


def _record(connection: Connection, outcome: _Outcome, now: float) -> set[bytes]:
    """Write what was judged; returns the lanes of the claims whose quorum came with it."""
    if outcome.refused:
        connection.execute(insert(refusals), outcome.refused)
        newest = connection.execute(select(func.max(refusals.c.id))).scalar_one()
        connection.execute(delete(refusals).where(refusals.c.id <= newest - REFUSALS_KEPT))
    for incident in outcome.incidents:
        same = (incidents.c.name == incident["name"], incidents.c.subject == incident["subject"])
        if connection.execute(select(incidents.c.id).where(*same).limit(1)).first() is None:
            connection.execute(insert(incidents).values(**incident))
            note_incident(connection, incident["name"], incident["subject"], incident["text"], incident["evidence"])
    if not outcome.new:
        return set()
    insert_new(connection, attestations_table, outcome.new)
    signers = {row["signer"] for row in outcome.new}
    connection.execute(update(operators).where(operators.c.signer.in_(signers)).values(signed_at=now))
    complete = _complete(connection, {row["claim_id"] for row in outcome.new})
    if complete:
        connection.execute(
            update(claims)
            .where(claims.c.id.in_([row.id for row, _, _ in complete]), claims.c.state == "open")
            .values(state="attested", attested_at=now)
        )
        note_quorums(connection, complete)
    return {row.lane_id for row, _, _ in complete}


def _complete(connection: Connection, claim_ids: set[int]) -> list[tuple[Row[Any], VerifyingEnd, Row[Any]]]:
    """Open claims that as many organisations signed as the current committee asks for, each with its place and its committee.

    Each organisation counts once.
    """
    open_rows = connection.execute(select(claims).where(claims.c.id.in_(claim_ids), claims.c.state == "open")).all()
    ends = verifying_ends(connection, {row.lane_id for row in open_rows})
    counted = select(
        attestations_table.c.claim_id, func.count(operators.c.organisation.distinct()).label("organisations")
    ).join_from(attestations_table, operators, attestations_table.c.signer == operators.c.signer)
    counted = counted.where(
        attestations_table.c.claim_id.in_([row.id for row in open_rows]), operators.c.state == "active"
    ).group_by(attestations_table.c.claim_id)
    organisations = {row.claim_id: row.organisations for row in connection.execute(counted)}
    current = connection.execute(select(committees).where(committees.c.state == "current"))
    standing = {(row.chain, bytes(row.verifier), row.epoch): row for row in current}
    complete = []
    for row in open_rows:
        end = ends.get((row.lane_id, row.direction))
        committee = None if end is None else standing.get((end.chain_name, end.verifier, row.epoch))
        if end is not None and committee is not None and organisations.get(row.id, 0) >= committee.threshold:
            complete.append((row, end, committee))
    return complete


def _wake_lane(lane_id: bytes) -> None:
    """Wake the lane's task; a broker that is away costs nothing, because the sweep finds the attested claim."""
    try:
        from relay.tasks import wake

        wake("lane", lane_id.hex())
    except Exception:  # noqa: BLE001 - whatever the broker raises, the database has the truth
        return


def _party(known: _Known, signer: bytes) -> str:
    operator = known.operators.get(signer)
    return operator.name if operator is not None else hex0x(signer)[:128]


def _subject(claim: Claim) -> str:
    return f"lane {hex0x(claim.lane_id)[:18]} direction {int(claim.direction)} nonce {claim.nonce}"
