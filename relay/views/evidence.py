"""How the evidence log stands: leaves, what waits to become one, and the alarm where the recorder is behind."""

from __future__ import annotations

from typing import Any

from relay.home import Home
from relay.store.reader import Reader
from relay.views.times import span

BEHIND_S = 30.0
"""Seconds that a decision may wait for its leaf; a recorder that runs needs one or two."""


def evidence_status(reader: Reader, home: Home, now: float) -> dict[str, Any]:
    """Leaves of the newest checkpoint (None without a log), decisions that wait, since when the oldest does, and alarms.

    Args:
        reader: a snapshot of the database.
        home: the hub's folder.
        now: Unix seconds.
    """
    oldest = reader.row("SELECT id, at FROM evidence_queue ORDER BY id LIMIT 1")
    newest = reader.row("SELECT id FROM evidence_queue ORDER BY id DESC LIMIT 1")
    waiting = newest["id"] - oldest["id"] + 1 if oldest is not None and newest is not None else 0
    age = max(now - oldest["at"], 0.0) if oldest is not None else 0.0
    return {
        "leaves": _leaves(home),
        "waiting": waiting,
        "oldest_waits_s": round(age, 3),
        "alarms": [_alarm(waiting, age)] if age > BEHIND_S else [],
    }


def evidence_text(data: dict[str, Any]) -> str:
    """The same as one line."""
    leaves = "none yet" if data["leaves"] is None else f"{data['leaves']} leaves"
    return f"Evidence log: {leaves}" + (f", {data['waiting']} decisions on their way" if data["waiting"] else "")


def _alarm(waiting: int, age_s: float) -> dict[str, Any]:
    return {
        "code": "evidence_behind",
        "party": "hub's owner",
        "text": (
            f"{waiting} decisions wait for their leaves, the oldest for {span(age_s)}. "
            "See that the process recorder runs and that its disk has room; messages go on meanwhile."
        ),
    }


def _leaves(home: Home) -> int | None:
    """The second line of the checkpoint (C2SP tlog-checkpoint); the note is the log's own, and is verified by who audits it."""
    try:
        return int((home.evidence / "log" / "checkpoint").read_text(encoding="utf-8").split("\n")[1])
    except (OSError, ValueError, IndexError):
        return None
