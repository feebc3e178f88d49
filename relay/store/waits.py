"""What waits, why, for whom, since when, and when the hub looks again.

Codes grow; none is ever renamed or removed: an operator's alarm may name one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, or_, select

from relay.store.tables import waits
from relay.store.upsert import upsert

RETRY_TABLE_S = (5.0, 10.0, 30.0, 60.0, 180.0)
LONGEST_S = 7_200.0
"""No wait is longer: a next look that lies further ahead was written before the clock was set back, and is due."""


class Reason(StrEnum):
    """Why something waits."""

    OPERATORS_SILENT = "operators_silent"  # fewer attestations than the quorum
    ENDPOINT_UNREACHABLE = "endpoint_unreachable"
    ENDPOINT_SLOW = "endpoint_slow"  # its silence costs a worker's time, so it is asked seldom
    ENDPOINT_BAD_ANSWER = "endpoint_bad_answer"
    ENDPOINT_ACCUSED = "endpoint_accused"  # its events do not fold to the proved head
    HEADER_REFUSED = "header_refused"
    HEADER_NOT_THERE = "header_not_there"
    CLIENT_FROZEN = "client_frozen"
    CLIENT_EXPIRED = "client_expired"
    CLIENT_MISCONFIGURED = "client_misconfigured"  # an option or a pin with which the light client cannot work
    MEMBER_REFUSED = "member_refused"  # a certificate that is over, revoked, or of another authority or name
    CHAIN_STALLED = "chain_stalled"
    DESTINATION_DOWN = "destination_down"
    WALLET_EMPTY = "wallet_empty"
    FEE_CEILING = "fee_ceiling"  # the ledger asks more than the hub's owner allows, or than the node takes
    TRANSACTION_REVERTED = "transaction_reverted"
    TRANSACTION_PENDING = "transaction_pending"
    WINDOW_FULL = "window_full"  # the destination's lane-wide limit delays
    LANE_PAUSED = "lane_paused"
    LANE_NOT_OPEN = "lane_not_open"
    NO_COMMITTEE = "no_committee"
    KEY_UNREADABLE = "key_unreadable"
    CLOCK_AHEAD = "clock_ahead"
    LIGHT_CLIENT_BEHIND = "light_client_behind"  # the peer's validators changed; its light client is led after them
    LIGHT_CLIENT_EXPIRED = "light_client_expired"
    LIGHT_CLIENT_FROZEN = "light_client_frozen"
    PROOF_OUTDATED = (
        "proof_outdated"  # sealed by a set that the light client no longer trusts; proved anew at a newer block
    )
    OTHER_RELAYER = "other_relayer"  # another one moved the lane last, and has the first try
    VERIFIER_UNKNOWN = "verifier_unknown"  # officers set a verifier that this hub cannot read
    HUB_FAILED = "hub_failed"  # an error of our own: the workers' logs have the trace


SETBACKS = (
    Reason.TRANSACTION_REVERTED,
    Reason.WINDOW_FULL,
    Reason.LANE_PAUSED,
    Reason.LANE_NOT_OPEN,
    Reason.DESTINATION_DOWN,
    Reason.OTHER_RELAYER,
)
"""Why a direction of a lane carries nothing for now; progress at the consuming end puts an end to it."""


def backoff_s(attempts: int) -> float:
    """Seconds until the next look after so many attempts: 5, 10, 30, 60, then 180."""
    return RETRY_TABLE_S[min(attempts, len(RETRY_TABLE_S) - 1)]


def wait(
    connection: Connection, kind: str, identifier: str, reason: Reason, *, party: str, text: str, again_s: float = 0.0
) -> None:
    """Record that something waits; a wait of the same code keeps its beginning and counts one more attempt."""
    now = time.time()
    row = find(connection, kind, identifier)
    same = row is not None and row.code == reason
    attempts = row.attempts + 1 if row is not None and same else 0
    upsert(
        connection,
        waits,
        {"kind": kind, "id": identifier},
        {
            "code": str(reason),
            "party": party[:128],
            "text": text[:1000],
            "since": row.since if row is not None and same else now,
            "next_at": now + (again_s or backoff_s(attempts)),
            "attempts": attempts,
        },
    )


def clear_if(connection: Connection, kind: str, identifier: str, codes: Sequence[Reason]) -> bool:
    """Record that it no longer waits, if it waits for one of these reasons; return whether it did."""
    mine = (waits.c.kind == kind, waits.c.id == identifier)
    gone = connection.execute(delete(waits).where(*mine, waits.c.code.in_([str(code) for code in codes])))
    return gone.rowcount > 0


def find(connection: Connection, kind: str, identifier: str) -> Row[tuple[object, ...]] | None:
    """Return the wait of (kind, id), if it waits."""
    return connection.execute(select(waits).where(waits.c.kind == kind, waits.c.id == identifier)).one_or_none()


def due(connection: Connection, now: float) -> list[Row[tuple[object, ...]]]:
    """Everything whose next look is due."""
    mine = or_(waits.c.next_at <= now, waits.c.next_at > now + LONGEST_S)
    return list(connection.execute(select(waits).where(mine)).all())


def is_due(next_at: float, now: float) -> bool:
    """Whether a next look is due, Unix seconds."""
    return not now < next_at <= now + LONGEST_S
