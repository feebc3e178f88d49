"""Which endpoints of a ledger rest and why, kept for the status. Each worker sees for itself: trouble ends when nobody sees it."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Row, delete, select

from adapters.endpoints import EndpointStatus
from relay.store import Lease
from relay.store.tables import endpoint_health
from relay.store.upsert import upsert

FORGOTTEN_S = 60.0
REFRESH_S = 5.0


def note_endpoints(lease: Lease, row: Row[Any], endpoints: list[EndpointStatus]) -> None:
    """Record endpoints that rest, and forget trouble that was not seen for a minute; writes only what changes."""
    now = time.time()
    with lease.store.read() as connection:
        known = {
            item.url: item
            for item in connection.execute(select(endpoint_health).where(endpoint_health.c.chain == row.name))
        }
    troubled = {item.label[:256]: item for item in endpoints if item.rests_s > 0}
    fresh = [label for label in troubled if label not in known or now - known[label].seen_at > REFRESH_S]
    gone = [url for url, item in known.items() if url not in troubled and not 0 <= now - item.seen_at <= FORGOTTEN_S]
    if not fresh and not gone:
        return
    with lease.write() as connection:
        for label in fresh:
            upsert(
                connection,
                endpoint_health,
                {"chain": row.name, "url": label},
                {
                    "since": known[label].since if label in known else now,
                    "seen_at": now,
                    "reason": troubled[label].last_error[:500] or "it rests",
                },
            )
        if gone:
            mine = endpoint_health.c.chain == row.name
            connection.execute(delete(endpoint_health).where(mine, endpoint_health.c.url.in_(gone)))
