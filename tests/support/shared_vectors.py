"""Where the published and recorded vectors lie: the same layout as the folder that `VECTORS=folder make vectors` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[1] / "vectors" / "shared"


def shared(path: str) -> Path:
    """A file or folder below the vectors' root.

    Args:
        path: such as ``cometbft/bisection``.
    """
    found = SHARED / path
    assert found.exists(), found
    return found


def shared_json(path: str) -> Any:
    """The content of a JSON file below the vectors' root."""
    return json.loads(shared(path).read_text())
