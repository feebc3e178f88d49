"""When a transaction is offered again, and for how much: each rule by itself."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.protocol import Wallet
from relay import offers

NOW = 1_800_000_000.0


def row(**changes):
    usual = {
        "purpose": "deliver",
        "height": 100,
        "sent_at": NOW,
        "reason": "",
        "attempts": 1,
        "earlier": [],
        "fee": "1000",
        "gas": 50_000,
        "account_nonce": 5,
    }
    return SimpleNamespace(**usual | changes)


def wallet(fee=1_000, least=500, ceiling=0, **changes):
    return Wallet(
        **{"address": b"", "nonce": 5, "pending_nonce": 5, "balance": 10**18} | changes,
        fee=fee,
        least_fee=least,
        ceiling=ceiling,
    )


class TestLate:
    @pytest.mark.parametrize(("tip", "late"), [(100, False), (101, False), (102, True), (150, True), (99, True)])
    def test_two_blocks_without_it_or_blocks_taken_back(self, tip, late):
        assert offers.is_late(row(), tip, NOW) is late

    @pytest.mark.parametrize(("waited", "late"), [(0, False), (3, False), (3.1, True), (-1, True)])
    def test_seconds_count_where_no_block_comes_and_a_clock_that_was_set_back(self, waited, late):
        assert offers.is_late(row(), 100, NOW + waited) is late

    @pytest.mark.parametrize(
        ("tip", "waited", "late"), [(100, 0, False), (101, 0, True), (100, 1, False), (100, 1.1, True)]
    )
    def test_what_was_refused_is_offered_in_the_next_block(self, tip, waited, late):
        assert offers.is_late(row(reason="pool_full: full"), tip, NOW + waited) is late

    def test_what_was_written_before_heights_were_kept_is_late_by_time(self):
        assert not offers.is_late(row(height=None), 10**6, NOW)
        assert offers.is_late(row(height=None, sent_at=None), 0, NOW)


@pytest.mark.parametrize(
    ("changes", "tip", "counted"),
    [({}, 100, False), ({}, 101, False), ({}, 102, True), ({"reason": "other: no"}, 100, True)],
)
def test_an_attempt_counts_if_it_was_refused_or_left_out_of_blocks(changes, tip, counted):
    assert offers.counts(row(**changes), tip) is counted


@pytest.mark.parametrize(
    ("changes", "unfit"),
    [
        ({"reason": "other: no", "attempts": 4}, True),
        ({"reason": "too_large: no", "attempts": 1}, True),
        ({"reason": "too_much_gas: no", "attempts": 4}, True),
        ({"reason": "other: no", "attempts": 3}, False),
        ({"reason": "pool_full: no", "attempts": 9}, False),
        ({"reason": "too_dear: no", "attempts": 9}, False),
        ({"reason": "not_ready: no", "attempts": 9}, False),
        ({"reason": "", "attempts": 9}, False),
        ({"reason": "other: no", "attempts": 9, "purpose": "nothing"}, False),
    ],
)
def test_unfit_is_what_was_refused_for_what_it_is_several_times(changes, unfit):
    assert offers.is_unfit(row(**changes)) is unfit


@pytest.mark.parametrize(
    ("changes", "least", "raised"),
    [
        ({}, 500, False),
        ({}, 1_000, False),
        ({}, 1_001, True),
        ({"reason": "underpriced: no"}, 500, True),
        ({"attempts": 3}, 500, False),
        ({"attempts": 4}, 500, True),
        ({"attempts": 4, "earlier": ["aa"]}, 500, False),
        ({"attempts": 8, "earlier": ["aa"]}, 500, True),
        ({"attempts": 9, "reason": "pool_full: no"}, 500, True),
        *(({"attempts": 9, "reason": reason}, 500, False) for reason in offers.NOT_ABOUT_FEES),
    ],
)
def test_a_fee_is_raised_where_a_higher_one_helps(changes, least, raised):
    assert offers.must_raise(row(**changes), wallet(least=least)) is raised


class TestRaised:
    @pytest.mark.parametrize(
        ("fee", "asked", "ceiling", "raised"),
        [
            (1_000, 1_000, 0, 1_251),
            (1_000, 4_000, 0, 5_000),
            (9_000, 1_000, 0, 10_000),
            (50_000, 1_000, 0, 50_000),
            (1_000, 1_000, 1_100, 1_100),
            (1_000, 1_000, 900, 1_000),
            (0, 0, 0, 0),
            (0, 4, 0, 5),
        ],
    )
    def test_by_a_quarter_up_to_ten_times_what_is_asked_and_the_ceiling(self, fee, asked, ceiling, raised):
        assert offers.raised(fee, wallet(fee=asked, ceiling=ceiling)) == raised

    @given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12))
    def test_never_less_than_before_and_never_above_the_limits(self, fee, asked, ceiling):
        raised = offers.raised(fee, wallet(fee=min(asked, ceiling) if ceiling else asked, ceiling=ceiling))
        assert raised >= fee
        assert raised <= max(fee, ceiling or 10 * asked)


class TestNextFee:
    def test_the_same_where_nothing_speaks_against_it(self):
        assert offers.next_fee(row(), wallet()) == 1_000

    def test_more_where_a_block_asks_it(self):
        assert offers.next_fee(row(), wallet(fee=3_000, least=2_000)) == 3_750

    @pytest.mark.parametrize(("least", "fee"), [(400, 500), (900, 1_000)])
    def test_no_more_than_a_block_needs_where_a_node_finds_it_too_dear(self, least, fee):
        assert offers.next_fee(row(reason="too_dear: no"), wallet(least=least)) == fee


@pytest.mark.parametrize(("least", "ceiling", "above"), [(500, 0, False), (500, 500, False), (501, 500, True)])
def test_above_the_ceiling_is_what_a_block_asks_more_than_it(least, ceiling, above):
    assert offers.is_above_ceiling(wallet(least=least, ceiling=ceiling)) is above


@pytest.mark.parametrize(
    ("costs", "balance", "count"),
    [([], 0, 0), ([5], 4, 0), ([5], 5, 1), ([5, 5], 9, 1), ([5, 5], 10, 2), ([0, 0], 0, 2)],
)
def test_a_balance_pays_for_the_first_ones_together(costs, balance, count):
    assert offers.affordable(costs, balance) == count


def test_a_cost_is_the_whole_gas_at_the_whole_fee():
    assert offers.cost([row(), row(fee="2", gas=3)]) == 1_000 * 50_000 + 6


@pytest.mark.parametrize(
    ("nonces", "account", "missing"),
    [([], 3, []), ([3, 4], 3, []), ([5], 3, [3, 4]), ([3, 5, 8], 3, [4, 6, 7]), ([3, 4], 5, []), ([3, 7], 5, [5, 6])],
)
def test_gaps_are_nonces_below_the_highest_that_nobody_used(nonces, account, missing):
    assert offers.missing_nonces([row(account_nonce=nonce) for nonce in nonces], account) == missing
