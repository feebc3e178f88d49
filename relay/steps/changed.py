"""Officers gave a lane another verifier: what was signed, planned and queued for the one before is worth nothing any more.

The event, and what a gateway answers, are an endpoint's word. What it can do is small: the gateway is asked again before anything
leans on a light client, and a claim signed for a verifier that does not judge the lane is refused by the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Row, update

from adapters.protocol import VerifierChanged
from relay.journey import ClaimsVoid, step
from relay.registry.verifiers import take_over
from relay.steps.sides import BACK, OUT, Side, consumed, skipped
from relay.steps.unsupported import WAITS
from relay.store import waits
from relay.store.lanes import get, journey_of, on_chain, save_journey
from relay.store.tables import claims, transactions
from relay.store.waits import Reason

log = structlog.get_logger()

ABOUT_VERIFIERS = (Reason.OPERATORS_SILENT, Reason.NO_COMMITTEE, Reason.TRANSACTION_REVERTED, *WAITS)
"""What a direction waited for because of the verifier that it had."""


def note_changes(connection: Connection, chain: str, changed: Sequence[VerifierChanged]) -> set[str]:
    """Take over the verifiers that a ledger's gateway gave to lanes; return the lanes to wake, in hexadecimal.

    Args:
        connection: an open write transaction.
        chain: name of the ledger.
        changed: its events, in order; only the last of a lane counts.
    """
    newest = {bytes(event.lane_id): event.verifier for event in changed}
    if not newest:
        return set()
    mine = [lane for lane in on_chain(connection, chain) if bytes(lane.lane_id) in newest]
    return {
        bytes(lane.lane_id).hex()
        for lane in mine
        if change_verifier(connection, chain, lane, newest[bytes(lane.lane_id)])
    }


def change_verifier(connection: Connection, chain: str, lane: Row[Any], verifier: bytes) -> bool:
    """Take over the verifier of a lane's end; return whether it is another one than before.

    Args:
        connection: an open write transaction.
        chain: name of the ledger at that end.
        lane: the lane's row.
        verifier: the contract that its gateway names now.
    """
    side = BACK if lane.source == chain else OUT
    column = "source_verifier" if side is BACK else "destination_verifier"
    if bytes(getattr(lane, column)) == verifier:
        return False
    take_over(connection, lane.lane_id, **{column: verifier})
    _begin_anew(connection, lane.lane_id, side)
    log.warning("verifier_changed", lane=lane.lane_id.hex()[:16], chain=chain, verifier=f"0x{verifier.hex()}")
    return True


def _begin_anew(connection: Connection, lane_id: bytes, side: Side) -> None:
    """Void the claims and what is queued, and step back to what the ledger consumed."""
    lane = get(connection, lane_id)
    mine = (claims.c.lane_id == lane_id, claims.c.direction == int(side.direction))
    beyond = (claims.c.state == "open") | (claims.c.nonce > consumed(lane, side))
    connection.execute(update(claims).where(*mine, beyond).values(state="void"))
    purposes = transactions.c.purpose.in_((side.purpose, side.anchoring))
    queued = (transactions.c.lane_id == lane_id, purposes, transactions.c.state == "queued")
    connection.execute(update(transactions).where(*queued).values(state="void"))
    waits.clear_if(connection, side.wait_kind, bytes(lane_id).hex(), ABOUT_VERIFIERS)
    before = journey_of(lane)
    after = step(before, ClaimsVoid(back=side is BACK, attested_too=True), skipped(connection, lane))
    save_journey(connection, lane_id, before, after)
