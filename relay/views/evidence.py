"""How the evidence log stands: leaves, what waits to become one, and witnesses."""

from __future__ import annotations

from typing import Any

from relay.home import Home
from relay.store.reader import Reader
from relay.views.witnesses import leaves_of, witness_status, witness_text

BEHIND_S = 30.0
"""Seconds that a decision may wait for its leaf; a recorder that runs needs one or two."""


def evidence_status(reader: Reader, home: Home, now: float) -> dict[str, Any]:
    """Leaves of the newest checkpoint (None without a log), decisions that wait, for how long the oldest does, and witnesses.

    Args:
        reader: a snapshot of the database.
        home: the hub's folder.
        now: Unix seconds.
    """
    waiting, since = queue_of(reader)
    return {
        "leaves": leaves_of(home.evidence / "log" / "checkpoint"),
        "waiting": waiting,
        "oldest_waits_s": round(max(now - since, 0.0), 3) if waiting else 0.0,
        "witnesses": witness_status(home, now),
    }


def queue_of(reader: Reader) -> tuple[int, float]:
    """Decisions that wait for their leaves, and when the oldest was made (Unix seconds, 0 for none).

    Numbers are given in order and taken away in order; two rows say it, however many there are.
    """
    oldest = reader.row("SELECT id, at FROM evidence_queue ORDER BY id LIMIT 1")
    newest = reader.row("SELECT id FROM evidence_queue ORDER BY id DESC LIMIT 1")
    if oldest is None or newest is None:
        return 0, 0.0
    return newest["id"] - oldest["id"] + 1, float(oldest["at"])


def evidence_text(data: dict[str, Any]) -> str:
    """The same as one line, and one more where the log has witnesses."""
    leaves = "none yet" if data["leaves"] is None else f"{data['leaves']} leaves"
    way = f", {data['waiting']} decisions on their way" if data["waiting"] else ""
    witnesses = witness_text(data["witnesses"])
    return f"Evidence log: {leaves}{way}" + (f"\n{witnesses}" if witnesses else "")
