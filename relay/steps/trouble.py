"""When a ledger cannot be followed: why it waits, whose turn it is, and leaving an endpoint that lied or fell asleep."""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy import Row, update

from adapters.protocol import BadAnswer, Ledger, MemberRefused, Rejected
from adapters.protocol import Misconfigured as AdapterMisconfigured
from light_clients.errors import ClientExpired, Misconfigured, Retry, TimestampAhead
from light_clients.families import RECEIPT_FAMILIES
from relay.following import HeaderLied, Lied
from relay.store import Lease
from relay.store.tables import chains
from relay.store.waits import Reason, wait

log = structlog.get_logger()

SLOW_S = 1.0
REST_FOR_EACH_S = 4.0
"""A ledger that does not answer has a fifth of one worker at most: the others' ledgers have the rest."""
LONGEST_REST_S = 60.0
STALLED_S = 60.0
"""A tip that is older than this is stalled: ledgers with the slowest blocks that are joined take some 15 s."""
PARTIES = {
    Reason.CLIENT_EXPIRED: "officers",
    Reason.CLOCK_AHEAD: "this machine's clock",
    Reason.CLIENT_MISCONFIGURED: "hub's owner",
    Reason.MEMBER_REFUSED: "hub's owner",
}
"""Whose turn it is, where it is not the ledger's."""


def is_stalled(row: Row[Any], tip: int) -> bool:
    """Whether the tip is still the one that was there long ago, on a ledger that makes blocks without need."""
    if row.consensus in RECEIPT_FAMILIES:
        return False
    return bool(row.tip_at) and tip == row.tip and time.time() - row.tip_at > STALLED_S


def leave_stalled(row: Row[Any], ledger: Ledger) -> str:
    """Ask another endpoint from now on, if there is one; returns a sentence for the status."""
    endpoint = ledger.endpoint
    another = ledger.leave_endpoint(f"no new block since height {row.tip}")
    return f"No new block since height {row.tip}, says {endpoint}" + (
        "; another endpoint is asked." if another else "."
    )


def leave_liar(lease: Lease, row: Row[Any], ledger: Ledger, lie: Lied) -> None:
    """Accuse the endpoint that said what cannot be true, and record that the ledger waits for an honest one."""
    log.warning("endpoint_accused", chain=row.name, endpoint=lie.endpoint, refusal=lie.name, text=str(lie))
    another = ledger.leave_endpoint(f"{lie.name}: {lie}")
    text = f"{lie.endpoint} said what cannot be true ({lie.name}: {lie}); " + (
        "another endpoint is asked." if another else "no other endpoint is configured."
    )
    refused = isinstance(lie, HeaderLied) and not another
    with lease.write() as connection:
        connection.execute(update(chains).where(chains.c.name == row.name).values(accused_at=time.time()))
        wait(
            connection,
            "chain",
            row.name,
            Reason.HEADER_REFUSED if refused else Reason.ENDPOINT_ACCUSED,
            party="officers" if refused else f"chain {row.name}",
            text=text,
            again_s=0.2 if another else 0,
        )


def note_trouble(lease: Lease, row: Row[Any], error: Exception, took_s: float = 0.0) -> None:
    """Record why a ledger cannot be followed or written to now, and when it is looked at again.

    Args:
        lease: the chain's.
        row: the chain.
        error: what an adapter or a light client raised.
        took_s: seconds that the attempt took a worker; the more, the longer nobody asks again.
    """
    reason = reason_of(error)
    log.warning("chain_waits", chain=row.name, reason=str(reason), error=str(error)[:300])
    again_s = 1.0 if reason in (Reason.HEADER_NOT_THERE, Reason.ENDPOINT_UNREACHABLE) else 0.0
    if reason is Reason.ENDPOINT_UNREACHABLE and took_s > SLOW_S:
        reason, again_s = Reason.ENDPOINT_SLOW, min(took_s * REST_FOR_EACH_S, LONGEST_REST_S)
    party = PARTIES.get(reason, f"chain {row.name}")
    with lease.write() as connection:
        wait(connection, "chain", row.name, reason, party=party, text=str(error), again_s=again_s)


def reason_of(error: Exception) -> Reason:
    """The reason to wait that an error of an adapter or a light client gives."""
    if isinstance(error, TimestampAhead):
        return Reason.CLOCK_AHEAD
    if isinstance(error, Retry) or (isinstance(error, Rejected) and error.code == "no_state"):
        return Reason.HEADER_NOT_THERE
    if isinstance(error, Misconfigured):
        return Reason.CLIENT_EXPIRED if isinstance(error, ClientExpired) else Reason.CLIENT_MISCONFIGURED
    if isinstance(error, MemberRefused):
        return Reason.MEMBER_REFUSED
    if isinstance(error, BadAnswer | AdapterMisconfigured):
        return Reason.ENDPOINT_BAD_ANSWER
    return Reason.ENDPOINT_UNREACHABLE
