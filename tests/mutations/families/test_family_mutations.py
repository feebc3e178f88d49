"""At least 50,000 spoilt headers, seals, votes, certificates, proofs and claims of all families: none accepted with another meaning."""

import random

import pytest

from light_clients.errors import ProofIncomplete
from tests.mutations.families.discovery import names, subjects_of
from tests.mutations.families.engine import FamilySubject, mutate, spoil_value

TOTAL = 50_000
SLICES = 4
EACH = -(-TOTAL // (len(names()) * SLICES))


@pytest.mark.parametrize("seed", range(SLICES))
@pytest.mark.parametrize("family", names())
def test_nothing_is_accepted_that_means_something_else(family, seed):
    subjects = subjects_of(family)
    tally = mutate(subjects, seed, EACH)
    assert tally.total == EACH
    assert set(tally.tried) == {f"{subject.family} {subject.part}" for subject in subjects}
    assert sum(tally.refused.values()) > EACH // 2


def test_there_are_families_and_enough_of_each():
    assert "evm" in names()
    assert EACH * SLICES * len(names()) >= TOTAL


def test_the_engine_notices_a_judge_that_believes_anything():
    gullible = FamilySubject("none", "number", (1, b"two", ["three"]), lambda value: value)
    with pytest.raises(AssertionError, match="seed 5, number 0: none number now means"):
        mutate([gullible], 5, 10)


def test_the_engine_lets_no_other_error_pass():
    def judge(value):
        if value != (1, b"two"):
            raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        mutate([FamilySubject("none", "number", (1, b"two"), judge)], 5, 10)


def test_every_leaf_and_every_list_is_reached():
    value = ([b"one", b"two"], (3, "four", True, None), b"")
    spoilt = [spoil_value(random.Random(seed), value) for seed in range(400)]
    assert {len(item[0]) for item in spoilt} == {1, 2, 3}
    for place in range(4):
        assert any(item[1][place] != value[1][place] for item in spoilt)
    assert all(len(item) == 3 and len(item[1]) == 4 for item in spoilt)
    other = ([b"uno", b"due"], (33, "quattro", False, None), b"rest")
    taken = [spoil_value(random.Random(seed), value, other) for seed in range(400)]
    assert any(item[0][0] == b"uno" for item in taken)


def test_refusals_are_counted_by_name():
    def judge(value):
        if value != 7:
            raise ProofIncomplete("A node is missing.")
        return 7

    tally = mutate([FamilySubject("none", "number", 7, judge)], 1, 25)
    assert dict(tally.refused) == {"ProofIncomplete": 25}
    assert dict(tally.tried) == {"none number": 25}
