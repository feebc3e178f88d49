"""What the hub offers to operators: its open claims, each with the place at which an attestation of it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select

from relay.attestations import claim_of, verifying_ends
from relay.store import Store
from relay.store.tables import attestations, claims
from schemas.claim import Claim
from schemas.primitives import hex0x

REOFFER_AFTER_S = 2.0
"""Age from which an open claim is offered again to an operator that has not signed it."""

_CLAIM = TypeAdapter(Claim)


class NewestClaim:
    """The id of the newest open claim: asked forty times a second, so on a connection of its own and without a transaction.

    Args:
        store: the hub's database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Any = None

    def look(self) -> int:
        """One look at an index; 0 if no claim is open."""
        if self._connection is None:
            self._connection = self._store.engine.connect().execution_options(isolation_level="AUTOCOMMIT").connection
        cursor = self._connection.cursor()
        try:
            cursor.execute("SELECT max(id) FROM claims WHERE state = 'open'")
            return int(cursor.fetchone()[0] or 0)
        except Exception:
            self._connection = None  # the next look opens another
            raise
        finally:
            cursor.close()


def offers(
    store: Store, after: int, limit: int, *, unsigned_by: bytes | None = None, now: float = 0.0
) -> list[dict[str, Any]]:
    """Open claims with an id above `after`, in order, and older ones that an operator has not signed.

    Args:
        store: the hub's database.
        after: the cursor that the operator has reached.
        limit: claims at most.
        unsigned_by: an operator's account; its unsigned open claims older than 2 s are offered again.
        now: Unix seconds.

    Returns:
        Items {cursor, claim, epoch, suite, place}, ready for JSON.
    """
    wanted: ColumnElement[bool] = claims.c.id > after
    if unsigned_by is not None:
        signed = exists().where(attestations.c.claim_id == claims.c.id, attestations.c.signer == unsigned_by)
        wanted = or_(wanted, and_(~claims.c.created_at.between(now - REOFFER_AFTER_S, now + REOFFER_AFTER_S), ~signed))
    query = select(claims).where(claims.c.state == "open", wanted).order_by(claims.c.id).limit(limit)
    with store.read() as connection:
        return _items(connection, connection.execute(query).all())


def _items(connection: Connection, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    ends = verifying_ends(connection, {row.lane_id for row in rows})
    items = []
    for row in rows:
        end = ends.get((row.lane_id, row.direction))
        if end is None:
            continue  # nobody signs there any more; the claim is void as soon as its lane is looked at
        items.append(
            {
                "cursor": row.id,
                "claim": _CLAIM.dump_python(claim_of(row), mode="json"),
                "epoch": str(row.epoch),
                "suite": end.suite.name,
                "place": {
                    "chain": hex0x(end.chain),
                    "gateway": hex0x(end.gateway),
                    "verifier": hex0x(end.verifier),
                    "epoch": str(row.epoch),
                },
            }
        )
    return items
