"""Thousands of spoilt headers, seals, proofs, claims, attestations and messages, judged in Python and in Solidity."""

from __future__ import annotations

import random

from tests.mutations.judges import Tally, judge
from tests.mutations.subjects import subjects
from tests.soak.chances import Menu

MUTATIONS = 4_000


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
