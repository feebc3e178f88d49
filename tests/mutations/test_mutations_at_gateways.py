"""Half of the 100,000 mutations of `make test`: messages, outcomes, suffix ids, claims and attestations at a gateway."""

import pytest

from tests.mutations.gateway_subjects import gateway_subjects
from tests.mutations.judges import judge

SEEDS = range(4)
EACH = 13_000


@pytest.mark.parametrize("seed", SEEDS)
def test_python_and_solidity_agree_and_accept_nothing_that_changes_the_meaning(seed):
    tally = judge(gateway_subjects, seed, EACH)
    assert tally.total == EACH
    assert set(tally.tried) == {"messages", "suffix ids", "claim", "attestations"}
    assert min(tally.tried.values()) > EACH // 8
    assert tally.accepted["claim"] == tally.accepted["suffix ids"] == 0
    assert (
        tally.accepted["messages"] > 0
    )  # what is consumed already is not looked at, and payloads of expired ones may go
