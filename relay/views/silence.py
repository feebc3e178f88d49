"""When an operator is silent, by one rule for the status, the page, the alarms and the metrics.

Anybody may ask under an operator's name; only a signature shows that it lives. So one that signed nothing while others made a
quorum is silent, however often its name asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.store.reader import Reader

SILENT_AFTER_S = 10.0
QUORUMS_LOOKED_AT = 500
"""Newest attested claims; an older one that was attested after all of them changes nothing that anybody could notice."""
NEWEST_QUORUMS = "SELECT attested_at FROM claims WHERE state = 'attested' ORDER BY id DESC LIMIT :most"


def newest_quorum(reader: Reader) -> float:
    """When the newest quorum was there, Unix seconds; 0 = never. It reads some hundred claims, however many there are."""
    rows = reader.rows(NEWEST_QUORUMS, most=QUORUMS_LOOKED_AT)
    return max((float(row["attested_at"] or 0.0) for row in rows), default=0.0)


def is_silent(row: Mapping[str, Any], attested_at: float, now: float) -> bool:
    """Whether an active operator is away, or signed nothing while others made a quorum.

    Args:
        row: `state`, `seen_at` and `signed_at` of an operator.
        attested_at: when the newest quorum was there, Unix seconds.
        now: Unix seconds.
    """
    if row["state"] != "active":
        return False
    away = now - row["seen_at"] > SILENT_AFTER_S
    passed_over = attested_at - row["signed_at"] > SILENT_AFTER_S and now - attested_at > SILENT_AFTER_S
    return away or passed_over
