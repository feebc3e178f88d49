"""What a mutation run asks: two judges of one call, Python and Solidity (pyrevm), and whether an accepted one still means the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

Verdict = Any
"""What an accepted call did, in a form that both judges share; None where it was refused."""


@dataclass(frozen=True)
class Mutation:
    """One spoilt input: what it is of (header, seals, claim, …), and the input itself."""

    of: str
    value: Any


class Subject(Protocol):
    """Something that is judged in both languages.

    Attributes:
        good: the input that is spoilt.
    """

    good: Any

    def mutate(self, chance: random.Random) -> Mutation:
        """Spoil the good input somewhere."""

    def python(self, value: Any) -> Verdict:
        """Python's verdict."""

    def solidity(self, value: Any) -> Verdict:
        """The contract's verdict; the ledger is left as it was."""

    def same_meaning(self, verdict: Verdict) -> bool:
        """Whether an accepted input says what the good one says, or a beginning of it."""


@dataclass
class Tally:
    """How many mutations of what there were, and how many of them were accepted without changing the meaning."""

    tried: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.tried.values())


def judge(make: Callable[[], list[Subject]], seed: int, count: int, tally: Tally | None = None) -> Tally:
    """Mutate `count` times and hold both judges against each other.

    Args:
        make: builds the subjects.
        seed: decides the mutations.
        count: how many.
        tally: where they are counted.

    Raises:
        AssertionError: the judges differ, or a mutation that changes the meaning was accepted; the text has all to repeat it.
    """
    chance, subjects, tally = random.Random(seed), make(), tally or Tally()
    for number in range(count):
        subject = subjects[number % len(subjects)]
        mutation = subject.mutate(chance)
        while mutation.value == subject.good:
            mutation = subject.mutate(chance)
        python, solidity = subject.python(mutation.value), subject.solidity(mutation.value)
        where = f"seed {seed}, mutation {number} of {mutation.of} ({type(subject).__name__}): {mutation.value!r}"
        assert python == solidity, f"Python says {python!r}, Solidity {solidity!r}: {where}"
        assert python is None or subject.same_meaning(python), f"accepted with another meaning, {python!r}: {where}"
        tally.tried[mutation.of] += 1
        tally.accepted[mutation.of] += python is not None
    return tally
