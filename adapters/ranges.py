"""Blocks in ranges that an endpoint's answers have room for: a range whose answer is larger than agreed is asked for in halves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from adapters.protocol import AnswerTooLarge

Block = TypeVar("Block")


def in_ranges(first: int, last: int, at_once: int, read: Callable[[int, int], Sequence[Block]]) -> Iterator[Block]:
    """Read what stands at heights `first` to `last` inclusive, in order.

    Args:
        first: the lowest height.
        last: the highest; below `first` nothing is read.
        at_once: heights of one question at most, from 1 on.
        read: asks for a range.

    Raises:
        AnswerTooLarge: a single height is too much.
        AdapterError: whatever `read` raises.
    """
    start = first
    while start <= last:
        end = min(last, start + at_once - 1)
        try:
            found = read(start, end)
        except AnswerTooLarge:
            if start == end:
                raise
            at_once = (end - start + 1) // 2
            continue
        yield from found
        start = end + 1
