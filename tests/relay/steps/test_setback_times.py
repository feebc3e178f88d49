"""When what a ledger refused is tried again: at its time, or after a block that may have changed it."""

from types import SimpleNamespace

import pytest

from relay.steps.setback import LOOK_AGAIN_S, LOOKS_EACH_BLOCK, WOULD_SUCCEED, is_due_again, most_entries
from relay.store.waits import SETBACKS, backoff_s

NOW = 1_800_000_000.0
ATTEMPTS = 4


def held(code="lane_paused", *, tried_before=5.0, text="would revert on beta: LanePaused"):
    next_at = NOW - tried_before + backoff_s(ATTEMPTS)
    return SimpleNamespace(code=code, next_at=next_at, attempts=ATTEMPTS, text=text)


def beta(block_before):
    return SimpleNamespace(tip_at=NOW - block_before)


def test_at_its_time_whatever_the_ledger_does():
    assert is_due_again(held(tried_before=backoff_s(ATTEMPTS)), beta(10**6), NOW)


@pytest.mark.parametrize("code", SETBACKS)
def test_after_a_block_where_a_block_may_end_the_cause(code):
    assert is_due_again(held(code), beta(1), NOW) is (code in LOOKS_EACH_BLOCK)


def test_not_without_a_new_block():
    assert not is_due_again(held(tried_before=5), beta(6), NOW)


def test_not_more_often_than_every_other_second():
    assert not is_due_again(held(tried_before=LOOK_AGAIN_S - 0.1), beta(0), NOW)
    assert is_due_again(held(tried_before=LOOK_AGAIN_S), beta(0), NOW)


def test_not_where_each_try_costs_a_fee():
    assert not is_due_again(held("transaction_reverted", text=f"reverted on beta: {WOULD_SUCCEED}."), beta(1), NOW)


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("beta takes nothing as large as the deliver of 11..20: oversized data.", 5),
        ("beta takes nothing as large as the settle of 7..7: oversized data.", 1),
        ("beta does not take the deliver of 11..20: no.", 0),
    ],
)
def test_what_was_too_large_goes_in_halves(text, most):
    assert most_entries(held(text=text)) == most


def test_without_a_wait_a_transaction_carries_whatever_there_is():
    assert most_entries(None) == 0
