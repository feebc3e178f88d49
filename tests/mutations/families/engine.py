"""Spoil one leaf, or one list's order or length, or transplant a part of another value; nothing that changes the meaning passes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from light_clients.errors import LightClientError
from tests.mutations.mutators import spoil_bytes, spoil_list, spoil_number

Value = Any
"""Nested lists and tuples with leaves of bytes, int, str, bool or None; a tuple keeps its length, a list may change it."""


@dataclass(frozen=True)
class FamilySubject:
    """One thing to spoil.

    Attributes:
        family: such as ``cometbft``.
        part: what it is: ``header``, ``commit``, ``certificate``, ``proof``, ``claim`` …
        value: the true value.
        judge: assembles and verifies a value against trusted things that it holds itself; returns the meaning (whatever was
            believed, comparable) or raises a `LightClientError`.
        others: values of other heights or chains, of the same shape, to transplant from.
    """

    family: str
    part: str
    value: Value
    judge: Callable[[Value], object]
    others: Sequence[Value] = ()


@dataclass
class FamilyTally:
    """How many were tried, refused by which name, and accepted with the same meaning."""

    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All that were tried."""
        return sum(self.tried.values())


def spoil_value(chance: random.Random, value: Value, other: Value | None = None) -> Value:
    """The value with one change somewhere; may come out equal where nothing could be changed."""
    if isinstance(value, list):
        if not value or chance.random() < 0.2:
            return spoil_list(chance, value)
        place = chance.randrange(len(value))
        theirs = other[place] if isinstance(other, list) and place < len(other) else None
        return [*value[:place], spoil_value(chance, value[place], theirs), *value[place + 1 :]]
    if isinstance(value, tuple):
        place = chance.randrange(len(value))
        theirs = other[place] if isinstance(other, tuple) and place < len(other) else None
        return (*value[:place], spoil_value(chance, value[place], theirs), *value[place + 1 :])
    return _spoil_leaf(chance, value, other)


def _spoil_leaf(chance: random.Random, value: Value, other: Value | None) -> Value:
    if other is not None and other != value and type(other) is type(value) and chance.random() < 0.3:
        return other
    if isinstance(value, bool):
        return not value
    if value is None:
        return chance.choice((0, b""))
    if isinstance(value, int):
        return spoil_number(chance, value) if value >= 0 else -value
    if isinstance(value, str):
        return spoil_bytes(chance, value.encode()).decode("utf-8", "replace")
    return spoil_bytes(chance, value)


def mutate(subjects: Sequence[FamilySubject], seed: int, count: int, tally: FamilyTally | None = None) -> FamilyTally:
    """Try so many mutations, drawn by the seed, every subject as often as any other.

    Raises:
        AssertionError: one was accepted with another meaning; names the seed and its number.
    """
    tally = FamilyTally() if tally is None else tally
    chance = random.Random(seed)
    meanings = [subject.judge(subject.value) for subject in subjects]
    for number in range(count):
        place = number % len(subjects)
        subject, meaning = subjects[place], meanings[place]
        value = spoil_value(
            chance, subject.value, chance.choice(subject.others) if subject.others and chance.random() < 0.5 else None
        )
        while value == subject.value:
            value = spoil_value(chance, subject.value)
        tally.tried[f"{subject.family} {subject.part}"] += 1
        try:
            found = subject.judge(value)
        except LightClientError as error:
            tally.refused[error.name] += 1
            continue
        assert found == meaning, f"seed {seed}, number {number}: {subject.family} {subject.part} now means {found!r}"
        tally.harmless[f"{subject.family} {subject.part}"] += 1
    return tally
