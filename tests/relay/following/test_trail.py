"""The newest headers, remembered in a row of heights."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.steps.forks import trail_of
from relay.trail import KEPT, Trail, run_of


def headers(first, last, mark=b""):
    return tuple(b"header %d" % height + mark for height in range(first, last + 1))


def test_it_keeps_the_newest_accepted_ones_and_those_after_them():
    trail = Trail(5, headers(5, 8)).extended(6, headers(7, 40, b"'"), headers(41, 43, b"'"))
    assert trail == Trail(40 - KEPT + 1, headers(40 - KEPT + 1, 43, b"'"))
    assert trail.at(40) == b"header 40'"
    assert trail.at(43) == b"header 43'"
    assert trail.at(44) is trail.at(40 - KEPT) is None


def test_headers_of_a_height_that_gave_way_are_told():
    trail = Trail(5, headers(5, 9))
    assert trail.replaced(6, (b"header 7", b"other 8", b"other 9", b"10")) == (
        (b"header 8", b"other 8"),
        (b"header 9", b"other 9"),
    )
    assert trail.replaced(9, headers(10, 12)) == ()


@given(st.integers(0, 2**63), st.lists(st.binary(min_size=1, max_size=9), max_size=5))
def test_both_ways(first, items):
    trail = Trail(first, tuple(items))
    assert Trail.read(trail.to_bytes(), 7) == trail


@pytest.mark.parametrize("alone", [b"\xc1\x05", b"\xc3\x01\x02\x03", b"no RLP", b""])
def test_a_header_alone_is_a_trail_of_one(alone):
    assert Trail.read(alone, 7) == Trail(7, (alone,))


def test_what_the_database_has_of_a_ledger():
    row = SimpleNamespace(client_trail=None, client_height=9, client_header=b"h")
    assert trail_of(row) == Trail(9, (b"h",))
    row.client_trail = Trail(3, headers(3, 9)).to_bytes()
    assert trail_of(row) == Trail(3, headers(3, 9))


def test_a_run_is_one_header_after_the_other():
    assert run_of((b"\xc0", b"\xc1\x01")) == b"\xc0\xc1\x01"
