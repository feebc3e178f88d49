"""The families that have subjects: every module of this folder with a function `subjects`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.mutations.families.engine import FamilySubject

HERE = Path(__file__).parent
_PREFIXES = ("test_", "engine", "discovery", "__")


def names() -> list[str]:
    """Modules in this folder, in alphabetical order."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.name.startswith(_PREFIXES))


@cache
def subjects_of(name: str) -> list[FamilySubject]:
    """What a family spoils; made once in a process."""
    make: Callable[[], list[FamilySubject]] = importlib.import_module(f"tests.mutations.families.{name}").subjects
    return make()
