"""Thousands of spoilt inputs: at gateways, judged in Python and in Solidity, and in every family of light clients."""

from __future__ import annotations

import random

from tests.mutations.families.discovery import names, subjects_of
from tests.mutations.families.engine import FamilyTally, mutate
from tests.mutations.judges import Tally, judge
from tests.mutations.subjects import subjects
from tests.soak.chances import Menu

MUTATIONS = 4_000
FAMILY_MUTATIONS = 20_000
"""In one act, of all families together."""


class MutationAct:
    """One run of mutations.

    Args:
        seed: decides them.
    """

    name = "mutations"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.menu = Menu(random.Random(seed))

    def play(self) -> dict[str, int]:
        """Judge them all; returns counts.

        Raises:
            AssertionError: the judges differ, or something false was accepted.
        """
        tally = judge(subjects, self.seed, MUTATIONS, Tally())
        for of, count in tally.tried.items():
            self.menu.done[f"mutation of {of}"] += count
        return {"mutations": tally.total}

    def close(self) -> None:
        """Nothing is left behind."""


class FamilyMutationAct:
    """One run of mutations of every family's headers, seals, certificates, proofs and claims.

    Args:
        seed: decides them.
    """

    name = "families"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.menu = Menu(random.Random(seed))

    def play(self) -> dict[str, int]:
        """Judge as many of each family; returns counts.

        Raises:
            AssertionError: one was accepted that means something else.
        """
        families = names()
        each = -(-FAMILY_MUTATIONS // len(families))
        total = 0
        for family in families:
            tally = mutate(subjects_of(family), self.seed, each, FamilyTally())
            for of, count in tally.tried.items():
                self.menu.done[f"mutation of {of}"] += count
            total += tally.total
        return {"family_mutations": total}

    def close(self) -> None:
        """Nothing is left behind."""
