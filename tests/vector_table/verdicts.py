"""The verdict that a vector brings with it, by the keys that published vectors use for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.vector_table.item import Verdict

_YES = {"accepted", "valid", "success", "ok", "true"}
_NO = {"refused", "invalid", "rejected", "error", "false", "failure"}


def verdict_in(vector: Mapping[str, Any]) -> Verdict | None:
    """Accepted or refused where the vector says so, otherwise None."""
    for key in ("valid", "ok", "accepted"):
        if isinstance(vector.get(key), bool):
            return "accepted" if vector[key] else "refused"
    if isinstance(vector.get("wantErr"), bool):
        return "refused" if vector["wantErr"] else "accepted"
    for key in ("expected", "verdict", "result"):
        told = str(vector.get(key, "")).lower()
        if told in _YES:
            return "accepted"
        if told in _NO:
            return "refused"
    return "refused" if vector.get("error") else None
