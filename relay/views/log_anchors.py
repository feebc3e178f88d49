"""How far the evidence log is noted on each ledger (relay.steps.log_anchor)."""

from __future__ import annotations

from typing import Any

from relay.store.reader import Reader, text_of
from relay.views.times import ago

ROOT_BYTES = 32
_LAST = (
    "SELECT last, data, sent_at, height, hash FROM transactions "
    "WHERE lane_id = :none AND purpose = 'log' AND state = 'mined' AND chain = :chain ORDER BY id DESC LIMIT 1"
)


def log_anchor(reader: Reader, chain: str) -> dict[str, Any] | None:
    """What was noted last on a ledger: leaves, root, when (Unix seconds), in which transaction; None if nothing was."""
    row = reader.row(_LAST, none=b"", chain=chain)
    if row is None:
        return None
    return {
        "size": row["last"],
        "root": "0x" + bytes(row["data"])[-ROOT_BYTES:].hex(),  # the last argument of anchorLog
        "at": row["sent_at"],
        "transaction": text_of(row, "hash"),
    }


def render(chains: list[dict[str, Any]], now: float) -> str:
    """One line for the status; empty where nothing is noted anywhere."""
    noted = [(chain["name"], chain["log_anchor"]) for chain in chains if chain["log_anchor"]]
    shown = ", ".join(f"{name} at {anchor['size']} leaves ({ago(anchor['at'], now)} ago)" for name, anchor in noted)
    return f"Evidence log anchored: {shown}" if noted else ""
