"""The hub's state in numbers, as `GET /v1/status` shows it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from relay.store import Store
from relay.store.tables import chains, claims, lanes, operators, waits
from schemas.primitives import hex0x

LANE_COUNTERS = ("final", "delivered", "settled", "executed", "failed", "expired", "refused")


def status(store: Store, hub: str, *, development: bool) -> dict[str, Any]:
    """Read the state of ledgers, lanes, operators and whatever waits, on one snapshot."""
    with store.read() as connection:
        open_claims = connection.execute(
            select(func.count()).select_from(claims).where(claims.c.state == "open")
        ).scalar_one()
        ledgers = connection.execute(select(chains).order_by(chains.c.name)).all()
        roads = connection.execute(select(lanes).order_by(lanes.c.source, lanes.c.destination, lanes.c.channel)).all()
        signers = connection.execute(select(operators).order_by(operators.c.name)).all()
        waiting = connection.execute(select(waits).order_by(waits.c.since)).all()
    return {
        "hub": hub,
        "development": development,
        "open_claims": open_claims,
        "chains": [
            {"name": row.name, "chain_id": row.chain_id, "state": row.state, "height": str(row.client_height)}
            for row in ledgers
        ],
        "lanes": [
            {
                "lane_id": hex0x(row.lane_id),
                "source": row.source,
                "destination": row.destination,
                "channel": row.channel,
                "state": row.state,
                "trust": row.trust,
                **{name: str(getattr(row, name)) for name in LANE_COUNTERS},
            }
            for row in roads
        ],
        "operators": [
            {
                "name": row.name,
                "organisation": row.organisation,
                "signer": hex0x(row.signer),
                "state": row.state,
                "seen_at": row.seen_at,
                "signed_at": row.signed_at,
            }
            for row in signers
        ],
        "waits": [
            {"kind": row.kind, "id": row.id, "code": row.code, "party": row.party, "text": row.text, "since": row.since}
            for row in waiting
        ],
    }
