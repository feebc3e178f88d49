"""Half of the 100,000 mutations of `make test`: headers, seals, proofs and claims before a light client on the ledger."""

import pytest

from tests.mutations.judges import judge
from tests.mutations.light_client_subjects import light_client_subjects

SEEDS = range(4)
EACH = 13_000


@pytest.mark.parametrize("seed", SEEDS)
def test_python_and_solidity_agree_and_accept_nothing_that_changes_the_meaning(seed):
    tally = judge(light_client_subjects, seed, EACH)
    assert tally.total == EACH
    assert set(tally.tried) == {"header", "seals", "account proof", "storage proof", "claim"}
    assert min(tally.tried.values()) > EACH // 16
    assert sum(count for of, count in tally.accepted.items() if of != "seals") == 0
    assert tally.accepted["seals"] > 0  # their order does not matter
