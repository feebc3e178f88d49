"""One cheap look at the hub's database: rows by key or by index, as many as there are ledgers, lanes and operators.

Nothing here counts messages, claims or transactions one by one: with a million of them it reads as much as with none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from relay.certificate_ends import earliest
from relay.store.reader import Reader
from relay.views.silence import newest_quorum

Rows = list[dict[str, Any]]

CHAINS = (
    "SELECT name, state, adapter, consensus, tip, tip_at, client_height, client_time, client_expires_at, balance, wallet_at, "
    "certificates FROM chains WHERE state <> 'retired' ORDER BY name"
)
LANES = (
    "SELECT lanes.*, undelivered.sent_at AS undelivered_at, unsettled.sent_at AS unsettled_at FROM lanes "
    "LEFT JOIN messages AS undelivered ON undelivered.lane_id = lanes.lane_id AND undelivered.nonce = lanes.delivered + 1 "
    "LEFT JOIN messages AS unsettled ON unsettled.lane_id = lanes.lane_id AND unsettled.nonce = lanes.settled + 1 "
    "WHERE lanes.state NOT IN ('abandoned', 'retired') ORDER BY lanes.source, lanes.destination, lanes.channel"
)
VERIFIERS = (
    "SELECT chain, address, kind, peer, light_client, client_height, client_time, expires_at, frozen FROM verifiers"
)
QUEUE_LENGTH = "SELECT (SELECT MAX(id) FROM evidence_queue) - (SELECT MIN(id) FROM evidence_queue) + 1 AS value"
"""Numbers are given in order and taken away in order; two selects, since one would read every row."""
OPEN_CLAIMS_MAX = 100_000


@dataclass(slots=True)
class Snapshot:
    """Rows of one moment.

    Attributes:
        now: Unix seconds.
        chains, lanes, verifiers, operators, waits, endpoints, heartbeats: rows of these tables; lanes with the times at which
            their oldest messages were sent (`undelivered_at`, `unsettled_at`).
        open_claims: claims that wait for signatures.
        attested_at: when the newest quorum was there, 0 = never.
        queue_length: decisions that wait to become leaves.
        queue_since: when the oldest of them was made, 0 = there is none.
        tables: version of the tables.
    """

    now: float
    chains: Rows = field(default_factory=list)
    lanes: Rows = field(default_factory=list)
    verifiers: Rows = field(default_factory=list)
    operators: Rows = field(default_factory=list)
    waits: Rows = field(default_factory=list)
    endpoints: Rows = field(default_factory=list)
    heartbeats: Rows = field(default_factory=list)
    open_claims: int = 0
    attested_at: float = 0.0
    queue_length: int = 0
    queue_since: float = 0.0
    tables: str = ""


def take(reader: Reader, now: float) -> Snapshot:
    """Read one snapshot.

    Args:
        reader: the open database.
        now: Unix seconds.

    Raises:
        BadInput: the database cannot be read.
    """
    snapshot = Snapshot(now)
    snapshot.chains = reader.rows(CHAINS)
    snapshot.lanes = reader.rows(LANES)
    snapshot.verifiers = reader.rows(VERIFIERS)
    snapshot.operators = reader.rows(
        "SELECT name, organisation, state, seen_at, signed_at FROM operators ORDER BY name"
    )
    snapshot.waits = reader.rows("SELECT kind, id, code, since FROM waits")
    snapshot.endpoints = reader.rows("SELECT chain, url, since FROM endpoint_health ORDER BY chain, url")
    snapshot.heartbeats = reader.rows("SELECT process, at FROM heartbeats ORDER BY process")
    snapshot.open_claims = _number(
        reader,
        "SELECT COUNT(*) AS value FROM (SELECT 1 FROM claims WHERE state = 'open' LIMIT :most) AS open_claims",
        most=OPEN_CLAIMS_MAX,
    )
    snapshot.attested_at = newest_quorum(reader)
    snapshot.queue_length = _number(reader, QUEUE_LENGTH)
    oldest = reader.row("SELECT at FROM evidence_queue WHERE id = (SELECT MIN(id) FROM evidence_queue)")
    snapshot.queue_since = float(oldest["at"]) if oldest else 0.0
    version = reader.row("SELECT version_num FROM alembic_version")
    snapshot.tables = version["version_num"] if version else ""
    return snapshot


def first_certificate(row: dict[str, Any]) -> int | None:
    """When the first certificate of a ledger's row ends, Unix seconds; SQLite gives JSON as text."""
    found = row["certificates"]
    certificates = (json.loads(found) if isinstance(found, str) else found) or []
    first = earliest(certificates)
    return int(first["not_after"]) if first else None


def lane_label(row: dict[str, Any]) -> str:
    r"""The name of a lane in labels: `alpha>beta#default`; `\`, `>` and `#` within a name are escaped by `\`."""
    source, destination, channel = (
        str(row[name]).replace("\\", "\\\\").replace(">", "\\>").replace("#", "\\#")
        for name in ("source", "destination", "channel")
    )
    return f"{source}>{destination}#{channel}"


def _number(reader: Reader, query: str, **parameters: Any) -> int:
    row = reader.row(query, **parameters)
    return int(row["value"] or 0) if row else 0
