"""Spans, amounts and tables as people read them."""

import pytest

from relay.views.tables import table
from relay.views.times import ago, clock, coins, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "60 min"), (3600, "1 h"), (172_799, "48 h"), (172_800, "2 d")],
)
def test_spans(seconds, text):
    assert span(seconds) == text


def test_never_and_ago():
    assert ago(0, 100) == "never"
    assert ago(40, 100) == "1 min"


def test_clock_shows_milliseconds():
    assert clock(1_800_000_000.25).endswith(".250")


@pytest.mark.parametrize(
    ("units", "text"), [(0, "0"), (10**18, "1"), (9_999_900_000_000_000_000_000, "9999.9"), (1, "1e-18")]
)
def test_coins(units, text):
    assert coins(units) == text


def test_columns_line_up_with_wide_characters():
    lines = table(("NAME", "N"), [("甲", 1), ("alpha", 2), ("e\u0301", 3)]).split("\n")
    assert lines == ["NAME   N", "甲     1", "alpha  2", "e\u0301      3"]
