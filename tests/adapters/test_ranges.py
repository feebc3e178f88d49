"""Blocks in ranges: each once and in order, whatever an answer has room for."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from adapters.protocol import AnswerTooLarge, Unreachable
from adapters.ranges import in_ranges


def reader(room, asked):
    def read(start, end):
        asked.append((start, end))
        if sum(room.get(height, 1) for height in range(start, end + 1)) > 8:
            raise AnswerTooLarge("too much")
        return list(range(start, end + 1))

    return read


@given(
    some.integers(0, 50),
    some.integers(-1, 60),
    some.integers(1, 40),
    some.dictionaries(some.integers(0, 110), some.integers(1, 8)),
)
def test_each_height_once_and_in_order(first, count, at_once, sizes):
    asked = []
    assert list(in_ranges(first, first + count, at_once, reader(sizes, asked))) == list(range(first, first + count + 1))
    assert all(end - start < at_once for start, end in asked)


def test_one_height_that_is_too_large_is_said():
    asked = []
    with pytest.raises(AnswerTooLarge):
        list(in_ranges(1, 9, 4, reader({3: 9}, asked)))
    assert asked == [(1, 4), (1, 2), (3, 4), (3, 3)]


def test_other_failures_are_not_asked_about_again():
    def away(_start, _end):
        raise Unreachable("away")

    with pytest.raises(Unreachable):
        list(in_ranges(1, 9, 4, away))
