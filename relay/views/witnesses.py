"""How the witnesses of the evidence log stand: who is behind and since when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.evidence.standings import AHEAD, CONTRADICTS, COSIGNED, STANDINGS, read_standings
from relay.home import Home
from relay.views.times import span

BEHIND_S = 60.0
"""Seconds that a witness may owe a cosignature; one that runs needs a second."""
CONTRADICTIONS = (CONTRADICTS, AHEAD)


def witness_status(home: Home, now: float) -> dict[str, Any]:
    """The threshold, leaves of the newest cosigned checkpoint (None without one), and each witness.

    Args:
        home: the hub's folder.
        now: Unix seconds.
    """
    settings = home.settings()
    listed = settings.get("witnesses")
    roll = listed if isinstance(listed, dict) else {}
    known = read_standings(home.evidence / STANDINGS) if roll else {}
    found = [_witness(name, entry, known, now) for name, entry in roll.items()]
    return {
        "threshold": settings.get("witness_threshold", 1) if roll else 0,
        "cosigned": leaves_of(home.evidence / "log" / COSIGNED) if roll else None,
        "witnesses": found,
    }


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a witness asks somebody's hand for.

    Attributes:
        code: of `relay.reasons`.
        witness: its name in hub.toml.
        text: a sentence in English.
        since: Unix seconds, 0 = unknown.
    """

    code: str
    witness: str
    text: str
    since: float


def witness_troubles(data: dict[str, Any]) -> Iterator[Trouble]:
    """Witnesses that contradict the log or are behind; `data` is that of `witness_status`."""
    for each in data["witnesses"]:
        name, since = each["name"], each["behind_since"] or 0.0
        if each["code"] in CONTRADICTIONS:
            text = f"{each['text']} Compare both histories: relayhub audit --from CHECKPOINT."
            yield Trouble("log_contradicted", name, text, since)
        elif each["behind_s"] > BEHIND_S:
            text = f"It owes a cosignature for {span(each['behind_s'])}. {each['text']}".rstrip()
            yield Trouble("witness_behind", name, text, since)


def witness_text(data: dict[str, Any]) -> str:
    """The same as one line; empty where the log has no witnesses."""
    if not data["witnesses"]:
        return ""
    leaves = "nothing yet" if data["cosigned"] is None else f"{data['cosigned']} leaves"
    behind = [each for each in data["witnesses"] if each["behind_s"] > BEHIND_S or each["code"] in CONTRADICTIONS]
    told = ", ".join(
        f"{each['name']} behind for {span(each['behind_s'])} ({each['code'] or 'asked'})" for each in behind
    )
    count = f"{data['threshold']} of {len(data['witnesses'])}"
    return f"Witnesses: {leaves} cosigned by {count}" + (f"; {told}" if told else "")


def leaves_of(checkpoint: Path) -> int | None:
    """Leaves of a checkpoint's file: its second line (C2SP tlog-checkpoint); None without one. Who audits it verifies it."""
    try:
        return int(checkpoint.read_text(encoding="utf-8").split("\n")[1])
    except (OSError, ValueError, IndexError):
        return None


def _witness(name: str, entry: Any, known: dict[str, dict[str, Any]], now: float) -> dict[str, Any]:
    key = str(entry.get("key", "")) if isinstance(entry, dict) else ""
    said = known.get(key.strip().partition("+")[0], {})
    since = float(said.get("behind_since", 0.0))
    return {
        "name": name,
        "size": int(said.get("size", 0)),
        "at": float(said.get("at", 0.0)) or None,
        "behind_since": since or None,
        "behind_s": round(max(now - since, 0.0), 3) if since else 0.0,
        "code": str(said.get("code", "")),
        "text": str(said.get("text", "")),
    }
