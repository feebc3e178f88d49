"""Why a direction has nothing to lean on now, and what ends it.

| what is seen | whose turn it is |
| --- | --- |
| the light client on the ledger is frozen, or its trusting period is over | the officers' |
| the newest proof is of a block before the set that the client trusts | the hub's: the next look of the other ledger proves the head anew |
| the newest proof is of a block of a later set | the hub's: its keeper leads the client on the ledger after the validators |
| beside a committee: no claim stands at the newest proof | the operators': claims at older blocks are void, a new one is made |
"""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Connection, Row, select, update

from light_clients.proofs.gateway import SlotEvidence
from light_clients.qbft.codec import parse_header
from relay.context import Context
from relay.journey import ProofsOutdated, step
from relay.steps.sides import BACK, COLUMN, Side, skipped
from relay.steps.supports import fits
from relay.store import Lease, waits
from relay.store.lanes import get, journey_of, save_journey
from relay.store.tables import claims, proofs
from relay.store.verifiers import Kind, light_client_of, read_client_again
from relay.store.waits import Reason, wait

log = structlog.get_logger()

WAITS = (
    Reason.LIGHT_CLIENT_FROZEN,
    Reason.LIGHT_CLIENT_EXPIRED,
    Reason.LIGHT_CLIENT_BEHIND,
    Reason.PROOF_OUTDATED,
)
"""What a direction waits for that has no proof which its light client would believe."""


def note_unsupported(context: Context, lease: Lease, lane: Row[Any], side: Side, verifier: Row[Any]) -> None:
    """Write down what a direction waits for; where its claims are worth nothing any more, have new ones made."""
    claimed = lane.destination if side is BACK else lane.source
    with lease.write() as connection:
        found = _why(context, connection, lane, side, verifier, claimed)
        if found is None:
            _claim_anew(connection, lane, side, verifier)
            return
        reason, party, text = found
        if reason is Reason.LIGHT_CLIENT_BEHIND:
            read_client_again(connection, verifier)
        wait(connection, side.wait_kind, lane.lane_id.hex(), reason, party=party, text=text, again_s=1.0)


def end_support_waits(lease: Lease, lane: Row[Any], side: Side) -> None:
    """A direction has something to lean on again."""
    with lease.write() as connection:
        waits.clear_if(connection, side.wait_kind, lane.lane_id.hex(), WAITS)


def _why(
    context: Context, connection: Connection, lane: Row[Any], side: Side, verifier: Row[Any], claimed: str
) -> tuple[Reason, str, str] | None:
    client = light_client_of(connection, verifier)
    newest = _newest_proof(connection, lane, side)
    name = f"The light client of {claimed} on {verifier.chain}"
    if client is None or newest is None:
        return Reason.LIGHT_CLIENT_BEHIND, "hub", f"{name} is not read yet."
    if client.frozen:
        return (
            Reason.LIGHT_CLIENT_FROZEN,
            "officers",
            f"{name} is frozen: propose pin-validators.",
        )
    if client.expires_at and context.clock() >= client.expires_at:
        text = f"{name} took no header within its trusting period: propose pin-validators."
        return Reason.LIGHT_CLIENT_EXPIRED, "officers", text
    if newest.height < client.validators_since:
        text = f"The newest proof is of block {newest.height} of {claimed}, sealed before the validators changed; it is made anew."
        return Reason.PROOF_OUTDATED, f"chain {claimed}", text
    if not fits(parse_header(SlotEvidence.from_bytes(newest.evidence).header), client):
        text = f"{name} does not know the validators of block {newest.height} yet; it is led after them."
        return Reason.LIGHT_CLIENT_BEHIND, "hub", text
    return None


def _newest_proof(connection: Connection, lane: Row[Any], side: Side) -> Row[Any] | None:
    return connection.execute(
        select(proofs)
        .where(proofs.c.lane_id == lane.lane_id, proofs.c.direction == int(side.direction))
        .order_by(proofs.c.height.desc())
        .limit(1)
    ).one_or_none()


def _claim_anew(connection: Connection, lane: Row[Any], side: Side, verifier: Row[Any]) -> None:
    """Void the claims beyond what is submitted, unless one of them stands at the newest proof and is being signed."""
    if verifier.kind != Kind.BOTH:
        return
    lane = get(connection, lane.lane_id)
    mine = (claims.c.lane_id == lane.lane_id, claims.c.direction == int(side.direction), claims.c.state != "void")
    newest = select(claims.c.id).where(*mine, claims.c.height == getattr(lane, side.height)).limit(1)
    if connection.execute(newest).first() is not None:
        return
    submitted = getattr(lane, COLUMN[side.submitted])
    void = connection.execute(update(claims).where(*mine, claims.c.nonce > submitted).values(state="void")).rowcount
    before = journey_of(lane)
    after = step(before, ProofsOutdated(back=side is BACK), skipped(connection, lane))
    save_journey(connection, lane.lane_id, before, after)
    log.info("claims_outdated", lane=lane.lane_id.hex()[:16], direction=int(side.direction), claims=void)
