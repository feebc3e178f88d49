"""How the witnesses of the log stand, as the recorder tells the status: one small file in the evidence folder.

Light to import: the status reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STANDINGS = "witnesses.json"
COSIGNED = "checkpoint.cosigned"
"""The newest checkpoint that enough witnesses cosigned, in the log's folder."""
UNREACHABLE, REFUSED, RUBBISH = "unreachable", "refused", "rubbish"
CONTRADICTS, AHEAD = "contradicts", "ahead"
"""Why a witness did not cosign; by the last two it says that it saw another history."""


def read_standings(file: Path) -> dict[str, dict[str, Any]]:
    """How the witnesses stood last, by the names of their keys; empty where nothing was written or it cannot be read."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: said for name, said in content.items() if isinstance(said, dict)}


def write_standings(file: Path, standings: dict[str, dict[str, Any]]) -> None:
    """Replace the file in one step; it need not outlive the power.

    Raises:
        OSError: the disk is full or broken.
    """
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(json.dumps(standings, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(file)
