"""Forms that the guard holds an adapter's answers to, before anything else reads them."""

from __future__ import annotations

from typing import TypeVar

from adapters.protocol import BadAnswer
from schemas.primitives import UINT64_MAX

Item = TypeVar("Item")


def check_count(value: int, name: str) -> int:
    """Return a height or counter that fits 64 bits.

    Raises:
        BadAnswer: it does not.
    """
    if type(value) is not int or not 0 <= value <= UINT64_MAX:
        raise BadAnswer(f"{name} is no unsigned 64-bit number; ask another endpoint.")
    return value


def check_list(items: list[Item], count: int | None, name: str) -> list[Item]:
    """Return a list that has as many items as were asked for (None: any number).

    Raises:
        BadAnswer: it has not.
    """
    if not isinstance(items, list) or (count is not None and len(items) != count):
        raise BadAnswer(f"another number of {name} came than was asked for; ask another endpoint.")
    return items


def check_bytes_list(items: list[bytes], count: int, max_bytes: int, name: str) -> list[bytes]:
    """Return a list of byte strings that has `count` items and at most `max_bytes` in all.

    Raises:
        BadAnswer: it has not.
    """
    check_list(items, count, name)
    if not all(isinstance(item, bytes) for item in items) or sum(map(len, items)) > max_bytes:
        raise BadAnswer(f"the {name} are no bytes, or more than {max_bytes}; ask another endpoint.")
    return items
