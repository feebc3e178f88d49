"""What CometBFT's own code in Go needs for a commit of 100 validators: a figure to hold ours against, where Go is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "reference_go"
BUILD_CEILING_S = 900


def measure() -> dict[str, float]:
    """Microseconds by the wall clock, best of several, and the ratio to one ed25519 verification; nothing without Go."""
    if shutil.which("go") is None:
        return {}
    told = subprocess.run(
        ["go", "run", "."], cwd=PROGRAM, capture_output=True, text=True, check=True, timeout=BUILD_CEILING_S
    )
    return {name: float(value) for name, value in json.loads(told.stdout).items()}
