"""The measurements of the light clients' families: every module of this folder with a function `measure`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).parent
AIMS: Mapping[str, float] = {
    "qbft_header_ratio_to_recover": 4.5,
    "cometbft_commit_100_ratio_to_*": 85,
    "beacon_*update*_ratio_to_*": 2.5,
    "storage_proof_depth_7_ratio_to_*": 3,
    "chainmaker_block_*_ratio_to_*": 5,
    "ics23_depth_12_ratio_to_*": 4,
}
"""At most so many times the primitive that is measured beside it; by pattern of the figure's name."""


def names() -> list[str]:
    """Modules in this folder, in alphabetical order."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in ("discovery", "__init__"))


def measure_families(tell: Callable[[str], None]) -> dict[str, float]:
    """The figures of all families.

    Args:
        tell: takes a line of progress.
    """
    figures: dict[str, float] = {}
    for name in names():
        found = importlib.import_module(f"tests.bench.families.{name}").measure()
        tell(f"{name}: {len(found)} figures")
        figures |= found
    return figures


def aim_of(figure: str) -> float | None:
    """What a figure may be at most, if there is an aim."""
    return next((aim for pattern, aim in AIMS.items() if fnmatchcase(figure, pattern)), None)
