"""Step 2, for one lane and direction: propose claims for the operators to verify and sign, and see which have their quorum.

A claim covers at most a batch of messages. All claims of one look stand at one proved block: a committee attests a *prefix*,
so a backlog needs one proof, no suffix ids, and three signatures a batch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, or_, select, update

from relay.context import Context
from relay.crash import crash_point
from relay.journey import ClaimsVoid, Reached, Stage, step
from relay.store import Lease, waits
from relay.store.lanes import WORKING, get, journey_of, save_journey, verifying_chain
from relay.store.tables import attestations, chains, claims, committees, messages, operators, outcomes
from relay.store.upsert import insert_new
from relay.store.waits import SETBACKS, Reason, wait
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, ChainWord, Head, LaneId
from schemas.suites import suite_named

log = structlog.get_logger()

OPEN_CLAIMS = 200
"""Claims of one lane and direction that may be on their way: some 20,000 messages."""
BATCH_BYTES = 120_000
"""Calldata bytes of the entries of one delivery or settlement: with claim and proof it stays below the 128 KiB that pools take."""
BATCH_GAS = 12_000_000
"""Gas of the receivers of one delivery, or of the senders' callbacks of one settlement."""
MESSAGE_BYTES = 544
"""Calldata of a message besides its payload: fifteen words, and two more for a receiver of 64 bytes."""
OUTCOME_BYTES = 928
"""Calldata of a settled message: the same, its status, and a result of 256 bytes."""
TOO_FEW_LEFT = (
    "every operator of the committee that was not struck out has signed, and they are too few. "
    "Add others (relayhub operator add) and their epoch (relayhub propose add-epoch)."
)
SILENCE_S = 3.0
"""An open claim older than this waits for operators by name."""


@dataclass(frozen=True, slots=True)
class Side:
    """The names under which one direction of a lane is kept: stages, columns, the wait's kind."""

    direction: Direction
    claimed: Stage
    attested: Stage
    submitted: Stage
    entries: str
    head: str
    height: str
    block_hash: str
    wait_kind: str


OUT = Side(
    Direction.OUTBOX,
    Stage.CLAIMED,
    Stage.ATTESTED,
    Stage.SUBMITTED,
    "final",
    "final_head",
    "final_height",
    "final_hash",
    "lane",
)
BACK = Side(
    Direction.OUTCOMES,
    Stage.OUTCOME_CLAIMED,
    Stage.OUTCOME_ATTESTED,
    Stage.SETTLE_SUBMITTED,
    "delivered",
    "outcome_head",
    "outcome_height",
    "outcome_hash",
    "back",
)
COLUMN = {
    Stage.CLAIMED: "claimed",
    Stage.ATTESTED: "attested",
    Stage.SUBMITTED: "submitted",
    Stage.OUTCOME_CLAIMED: "outcome_claimed",
    Stage.OUTCOME_ATTESTED: "outcome_attested",
    Stage.SETTLE_SUBMITTED: "settle_submitted",
}


def propose_claims(context: Context, lease: Lease, lane_id: LaneId, side: Side) -> None:
    """Write claims for every entry that has none, and move the lane's `attested` counter over those with a quorum."""
    with context.store.read() as connection:
        lane = get(connection, lane_id)
        busy = _has_work(connection, lane, side)
    if not busy:
        return
    with lease.write() as connection:
        lane = get(connection, lane_id)
        if lane.state not in WORKING:
            return
        committee, verifier_chain = _committee(connection, lane, side)
        if committee is None:
            text = f"The verifier on {verifier_chain} has no committee that the hub knows."
            wait(connection, side.wait_kind, lane_id.hex(), Reason.NO_COMMITTEE, party="officers", text=text)
            return
        waits.clear_if(connection, side.wait_kind, lane_id.hex(), (Reason.NO_COMMITTEE,))
        _void_old(connection, lane, side, committee.epoch)
        lane = get(connection, lane_id)
        made = _make_claims(connection, lane, side, committee, verifier_chain)
        _count_quorums(connection, get(connection, lane_id), side, committee)
        crash_point("worker.claim.before_commit")
    crash_point("worker.claim.after_commit")
    if made:
        log.info("claims_proposed", lane=lane_id.hex()[:16], direction=int(side.direction), claims=made)


def _has_work(connection: Connection, lane: Row[Any], side: Side) -> bool:
    if getattr(lane, COLUMN[side.claimed]) < getattr(lane, side.entries):
        return True
    consumed = lane.settled if side is BACK else lane.delivered
    epoch = select(committees.c.epoch).where(
        committees.c.chain == verifying_chain(lane, side.direction), committees.c.state == "current"
    )
    outdated = and_(claims.c.state == "attested", claims.c.epoch != epoch.scalar_subquery())
    found = connection.execute(
        select(claims.c.id)
        .where(claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction), claims.c.nonce > consumed)
        .where(or_(claims.c.nonce > getattr(lane, COLUMN[side.attested]), outdated))
        .limit(1)
    ).one_or_none()
    return found is not None


def _committee(connection: Connection, lane: Row[Any], side: Side) -> tuple[Row[Any] | None, str]:
    name = verifying_chain(lane, side.direction)
    row = connection.execute(
        select(committees).where(committees.c.chain == name, committees.c.state == "current")
    ).one_or_none()
    return row, name


def _void_old(connection: Connection, lane: Row[Any], side: Side, epoch: int) -> None:
    """Void claims that nobody can complete: of an earlier epoch, or at a block that operators begin to forget."""
    mine = (claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction))
    consumed = lane.settled if side is BACK else lane.delivered
    outdated = connection.execute(
        update(claims)
        .where(*mine, claims.c.state != "void", claims.c.epoch != epoch, claims.c.nonce > consumed)
        .values(state="void")
    ).rowcount
    forgotten = connection.execute(
        update(claims)
        .where(*mine, claims.c.state == "open", claims.c.height < getattr(lane, side.height) - 60)
        .values(state="void")
    ).rowcount
    if not outdated and not forgotten:
        return
    before = journey_of(lane)
    after = step(before, ClaimsVoid(back=side is BACK, attested_too=bool(outdated)))
    save_journey(connection, lane.lane_id, before, after)
    log.info("claims_void", lane=lane.lane_id.hex()[:16], outdated=outdated, forgotten=forgotten)


def _make_claims(connection: Connection, lane: Row[Any], side: Side, committee: Row[Any], verifier_chain: str) -> int:
    """Insert claims in batches up to the newest proved entry; return how many."""
    first = getattr(lane, COLUMN[side.claimed]) + 1
    entries = min(getattr(lane, side.entries), lane.final)  # an outcome is settled together with its message
    block_hash = getattr(lane, side.block_hash)
    waiting = connection.execute(
        select(func.count())
        .select_from(claims)
        .where(claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction), claims.c.state == "open")
    ).scalar_one()
    if first > entries or block_hash is None or waiting >= OPEN_CLAIMS:
        return 0
    ends = _batch_ends(connection, lane, side, first, entries)[: OPEN_CLAIMS - waiting]
    heads = _heads(connection, lane, side, ends)
    place = _place(connection, lane, side, verifier_chain, committee.epoch)
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
    insert_new(connection, claims, rows)
    before = journey_of(lane)
    after = step(before, Reached(side.claimed, ends[-1]))
    save_journey(connection, lane.lane_id, before, after, height=getattr(lane, side.height))
    return len(rows)


def _batch_ends(connection: Connection, lane: Row[Any], side: Side, first: int, last: int) -> list[int]:
    """Cut a run of entries into batches by count, calldata and gas of what is called; return their last nonces."""
    mine = (messages.c.lane_id == lane.lane_id, messages.c.nonce >= first, messages.c.nonce <= last)
    size_of: ColumnElement[Any]
    if side is BACK:
        called = select(messages.c.nonce).where(*mine, messages.c.callback_gas != 0).limit(1)
        if connection.execute(called).first() is None:
            step_size = min(lane.batch_limit, BATCH_BYTES // OUTCOME_BYTES)
            return [*range(first + step_size - 1, last, step_size), last]
        size_of, gas_of = literal(OUTCOME_BYTES), messages.c.callback_gas
    else:
        size_of, gas_of = func.length(messages.c.payload) + literal(MESSAGE_BYTES + 31), messages.c.gas_limit
    sizes = connection.execute(
        select(messages.c.nonce, size_of, gas_of)
        .where(*mine)
        .order_by(messages.c.nonce)
        .limit(OPEN_CLAIMS * lane.batch_limit)
    )
    ends: list[int] = []
    count = size = gas = 0
    previous = first - 1
    for nonce, length, gas_limit in sizes:
        if count and (count >= lane.batch_limit or size + length > BATCH_BYTES or gas + gas_limit > BATCH_GAS):
            ends.append(previous)
            count = size = gas = 0
        count, size, gas, previous = count + 1, size + length, gas + gas_limit, nonce
    return [*ends, previous]


def _heads(connection: Connection, lane: Row[Any], side: Side, nonces: list[int]) -> dict[int, Head]:
    """The heads after the given entries; the newest stands in the lane's own row."""
    table = outcomes if side is BACK else messages
    found = connection.execute(
        select(table.c.nonce, table.c.head).where(table.c.lane_id == lane.lane_id, table.c.nonce.in_(nonces))
    )
    return {row.nonce: Head(row.head) for row in found}


def _place(connection: Connection, lane: Row[Any], side: Side, verifier_chain: str, epoch: int) -> Place:
    chain = connection.execute(select(chains).where(chains.c.name == verifier_chain)).one()
    verifier = lane.source_verifier if side is BACK else lane.destination_verifier
    return Place(ChainWord(chain.chain_word), bytes(chain.gateway), bytes(verifier), epoch)


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
        silent = _silent_operators(connection, waiting.id, committee)
        text = f"Claim {waiting.nonce} of direction {int(side.direction)} has no quorum; "
        text += f"not signed by {silent}." if silent else TOO_FEW_LEFT
        wait(
            connection,
            side.wait_kind,
            name,
            Reason.OPERATORS_SILENT,
            party=f"operators {silent}" if silent else "officers",
            text=text,
            again_s=2.0,
        )


def _silent_operators(connection: Connection, claim_id: int, committee: Row[Any]) -> str:
    members = [bytes.fromhex(signer.removeprefix("0x")) for signer in committee.signers]
    signed = select(attestations.c.signer).where(attestations.c.claim_id == claim_id)
    names = connection.execute(
        select(operators.c.name)
        .where(operators.c.state == "active", operators.c.signer.in_(members), operators.c.signer.not_in(signed))
        .order_by(operators.c.name)
    )
    return ", ".join(row.name for row in names)
