"""Step 2, for one lane and direction: propose claims for the operators to verify and sign, and see which have their quorum.

| the direction's verifier | claims |
| --- | --- |
| committee | a batch each, all of one look at one proved block: a committee attests a *prefix*, so a backlog needs no suffix ids |
| both | one a look, on the very head that the proved block shows: the light client beside the committee sees no other |
| light client | none: the stored proof speaks for itself, and the stage *attested* is skipped |
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from relay.context import Context
from relay.crash import crash_point
from relay.errors import NotFound
from relay.evidence.decisions import note_claims
from relay.journey import ClaimsVoid, Reached, step
from relay.signers import SM2, scheme_in
from relay.statements import said_of
from relay.steps.entries import batch_ends, heads_after
from relay.steps.sides import BACK, COLUMN, Side, consumed, skipped
from relay.store import Lease, waits
from relay.store.lanes import WORKING, get, journey_of, save_journey
from relay.store.tables import attestations, chains, claims, operators
from relay.store.upsert import insert_new
from relay.store.verifiers import Kind, committee_of, verifier_of
from relay.store.waits import SETBACKS, Reason, wait
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim
from schemas.primitives import BlockHash, ChainWord, LaneId
from schemas.suites import suite_named

log = structlog.get_logger()

OPEN_CLAIMS = 200
"""Claims of one lane and direction that may be on their way: some 20,000 messages."""
TOO_FEW_LEFT = (
    "every operator of the committee that was not struck out has signed, and they are too few. "
    "Add others (relayhub operator add) and their epoch (relayhub propose add-epoch)."
)
SILENCE_S = 3.0
"""An open claim older than this waits for operators by name."""


def propose_claims(context: Context, lease: Lease, lane_id: LaneId, side: Side) -> None:
    """Write claims for every entry that has none, and move the lane's `attested` counter over those with a quorum.

    Where nobody signs, the lane's `claimed` counter moves over what is proved. A verifier that the hub has not read yet is waited for.
    """
    with context.store.read() as connection:
        lane = get(connection, lane_id)
        try:
            verifier = verifier_of(connection, lane, side.direction)
        except NotFound:
            return
        busy = _has_work(connection, lane, side, verifier)
    if not busy:
        return
    made = 0
    with lease.write() as connection:
        lane = get(connection, lane_id)
        if lane.state not in WORKING:
            return
        if verifier.kind == Kind.LIGHT_CLIENT:
            _note_proved(connection, lane, side)
        else:
            made = _propose(connection, lane, side, verifier)
        crash_point("worker.claim.before_commit")
    crash_point("worker.claim.after_commit")
    if made:
        log.info("claims_proposed", lane=lane_id.hex()[:16], direction=int(side.direction), claims=made)


def _propose(connection: Connection, lane: Row[Any], side: Side, verifier: Row[Any]) -> int:
    """Void what is worth nothing any more, make new claims, count quorums; return how many claims were made."""
    committee = committee_of(connection, verifier)
    if committee is None:
        text = f"The verifier on {verifier.chain} has no committee that the hub knows."
        wait(connection, side.wait_kind, lane.lane_id.hex(), Reason.NO_COMMITTEE, party="officers", text=text)
        return 0
    waits.clear_if(connection, side.wait_kind, lane.lane_id.hex(), (Reason.NO_COMMITTEE,))
    _void_old(connection, lane, side, committee.epoch)
    made = _make_claims(connection, get(connection, lane.lane_id), side, committee, verifier)
    _count_quorums(connection, get(connection, lane.lane_id), side, committee)
    return made


def _note_proved(connection: Connection, lane: Row[Any], side: Side) -> None:
    """Count as proved what the newest stored proof shows."""
    before = journey_of(lane)
    after = step(before, Reached(side.claimed, getattr(lane, side.entries)), skipped(connection, lane))
    save_journey(connection, lane.lane_id, before, after, height=getattr(lane, side.height))


def _has_work(connection: Connection, lane: Row[Any], side: Side, verifier: Row[Any]) -> bool:
    if getattr(lane, COLUMN[side.claimed]) < getattr(lane, side.entries):
        return True
    if verifier.kind == Kind.LIGHT_CLIENT:
        return False
    committee = committee_of(connection, verifier)
    outdated = and_(claims.c.state == "attested", claims.c.epoch != (0 if committee is None else committee.epoch))
    found = connection.execute(
        select(claims.c.id)
        .where(claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction))
        .where(claims.c.nonce > consumed(lane, side), claims.c.state != "void")
        .where(or_(claims.c.nonce > getattr(lane, COLUMN[side.attested]), outdated))
        .limit(1)
    ).one_or_none()
    return found is not None


def _void_old(connection: Connection, lane: Row[Any], side: Side, epoch: int) -> None:
    """Void claims that nobody can complete: of an earlier epoch, or at a block that operators begin to forget."""
    mine = (claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction))
    outdated = connection.execute(
        update(claims)
        .where(*mine, claims.c.state != "void", claims.c.epoch != epoch, claims.c.nonce > consumed(lane, side))
        .values(state="void")
    ).rowcount
    forgotten = connection.execute(
        update(claims).where(*mine, claims.c.state == "open", _forgotten(connection, lane, side)).values(state="void")
    ).rowcount
    if not outdated and not forgotten:
        return
    before = journey_of(lane)
    after = step(before, ClaimsVoid(back=side is BACK, attested_too=bool(outdated)))
    save_journey(connection, lane.lane_id, before, after)
    log.info("claims_void", lane=lane.lane_id.hex()[:16], outdated=outdated, forgotten=forgotten)


def _forgotten(connection: Connection, lane: Row[Any], side: Side) -> ColumnElement[bool]:
    """Which claims stand at a block that operators begin to forget, and for which there is a newer proof."""
    proved = getattr(lane, side.height)
    chain = lane.destination if side is BACK else lane.source
    tip = connection.execute(select(chains.c.client_height).where(chains.c.name == chain)).scalar_one()
    return or_(claims.c.height < proved - 60, and_(claims.c.height < proved, claims.c.height < int(tip) - 200))


def _make_claims(connection: Connection, lane: Row[Any], side: Side, committee: Row[Any], verifier: Row[Any]) -> int:
    """Insert claims up to the newest proved entry; return how many."""
    first = getattr(lane, COLUMN[side.claimed]) + 1
    block_hash = getattr(lane, side.block_hash)
    waiting = connection.execute(
        select(func.count())
        .select_from(claims)
        .where(claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction), claims.c.state == "open")
    ).scalar_one()
    ends = _ends(connection, lane, side, verifier, first)[: max(0, OPEN_CLAIMS - waiting)]
    if not ends or block_hash is None:
        return 0
    heads = heads_after(connection, lane, side, ends)
    place = _place(connection, verifier, committee.epoch)
    suite, rows, start = suite_named(lane.suite), [], first
    for end in ends:
        claim = Claim(
            LaneId(lane.lane_id), side.direction, end, heads[end], getattr(lane, side.height), BlockHash(block_hash)
        )
        rows.append(
            {
                "lane_id": lane.lane_id,
                "direction": int(side.direction),
                "first": start,
                "nonce": end,
                "head": bytes(claim.head),
                "height": claim.height,
                "block_hash": bytes(claim.block_hash),
                "epoch": committee.epoch,
                "digest": bytes(attestation_digest(suite, place, claim)),
                "state": "open",
                "created_at": time.time(),
            }
        )
        start = end + 1
    _insert(connection, rows)
    before = journey_of(lane)
    after = step(before, Reached(side.claimed, ends[-1]))
    save_journey(connection, lane.lane_id, before, after, height=getattr(lane, side.height))
    return len(rows)


def _ends(connection: Connection, lane: Row[Any], side: Side, verifier: Row[Any], first: int) -> list[int]:
    """The nonces to claim from entry `first` on: of batches for a committee, of the proved head where a light client sees it."""
    proved = getattr(lane, side.entries)
    if verifier.kind == Kind.BOTH:
        return [proved] if first <= proved else []
    entries = min(proved, lane.final)  # an outcome is settled together with its message
    return batch_ends(connection, lane, side, first, entries, batches=OPEN_CLAIMS) if first <= entries else []


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert claims; those that were void are open again: the verifier or the set of before has come back."""
    insert_new(connection, claims, rows)
    note_claims(connection, rows)
    again = {"state": "open", "created_at": rows[0]["created_at"]}
    digests = [row["digest"] for row in rows]
    connection.execute(update(claims).where(claims.c.digest.in_(digests), claims.c.state == "void").values(**again))


def _place(connection: Connection, verifier: Row[Any], epoch: int) -> Place:
    """Where an attestation counts: the digest names the contract that checks the signatures, also inside `both`."""
    chain = connection.execute(select(chains).where(chains.c.name == verifier.chain)).one()
    return Place(ChainWord(chain.chain_word), bytes(chain.gateway), bytes(verifier.committee), epoch)


def _count_quorums(connection: Connection, lane: Row[Any], side: Side, committee: Row[Any]) -> None:
    """Move the `attested` counter over claims that have their quorum, in order; say who is waited for otherwise."""
    rows = connection.execute(
        select(claims.c.id, claims.c.nonce, claims.c.state, claims.c.created_at)
        .where(claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction))
        .where(claims.c.nonce > getattr(lane, COLUMN[side.attested]), claims.c.state != "void")
        .order_by(claims.c.nonce, claims.c.id)
    ).all()
    reached, waiting = 0, None
    for row in rows:
        if row.state == "attested":
            reached = max(reached, row.nonce)
        elif row.nonce > reached:
            waiting = row
            break
    before = journey_of(lane)
    if reached:
        save_journey(connection, lane.lane_id, before, step(before, Reached(side.attested, reached)))
    name = lane.lane_id.hex()
    if waiting is None:
        waits.clear_if(connection, side.wait_kind, name, (Reason.OPERATORS_SILENT,))
        return
    known = waits.find(connection, side.wait_kind, name)
    held = known is not None and known.code in SETBACKS  # the first thing that stands in the way is the one to name
    if not held and time.time() - waiting.created_at > SILENCE_S:
        silent, schemes = _silent_operators(connection, waiting.id, committee)
        text = f"Claim {waiting.nonce} of direction {int(side.direction)} has no quorum; "
        text += (
            f"not signed by {', '.join(silent)}{' with SM2 keys' if SM2 in schemes else ''}."
            if silent
            else TOO_FEW_LEFT
        )
        text += said_of(connection, silent, lane.destination if side.direction else lane.source, time.time())
        wait(
            connection,
            side.wait_kind,
            name,
            Reason.OPERATORS_SILENT,
            party=f"operators {', '.join(silent)}" if silent else "officers",
            text=text,
            again_s=2.0,
        )


def _silent_operators(connection: Connection, claim_id: int, committee: Row[Any]) -> tuple[list[str], set[str]]:
    """Names of the operators who sit in a committee and did not sign a claim, and the schemes by which they would."""
    signed = select(attestations.c.signer).where(attestations.c.claim_id == claim_id)
    rows = connection.execute(
        select(operators)
        .where(operators.c.state == "active", operators.c.signer.not_in(signed))
        .order_by(operators.c.name)
    )
    silent = {str(row.name): scheme for row in rows if (scheme := scheme_in(committee, row))}
    return list(silent), set(silent.values())
