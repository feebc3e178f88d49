"""Strict readers of values in a node's answers, both lines: numbers, hexadecimal with or without 0x, records, and failures.

Line 2 writes numbers in hexadecimal with 0x, line 3 as JSON integers or as decimal text (gas); both have exceptions, so every
form that is unambiguous is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.protocol import BadAnswer
from light_clients.errors import LightClientError

LARGEST = (1 << 63) - 1
_HEX_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,16}")
_HEX_DATA = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})*)")
_DECIMAL = re.compile(r"[0-9]{1,19}")

Json = dict[str, Any]


def whole(value: Any, name: str) -> int:
    """Read an unsigned number below 2^63: a JSON integer, or hexadecimal with 0x.

    Raises:
        BadAnswer: it is none.
    """
    if type(value) is int and 0 <= value <= LARGEST:
        return value
    if isinstance(value, str) and _HEX_NUMBER.fullmatch(value) and (number := int(value, 16)) <= LARGEST:
        return number
    raise BadAnswer(f"{name} is no number; leave the endpoint.")


def gas(value: Any, line: int) -> int:
    """Read gas: hexadecimal on line 2, decimal text on line 3.

    Raises:
        BadAnswer: it is none.
    """
    if line == 3 and isinstance(value, str) and _DECIMAL.fullmatch(value) and int(value) <= LARGEST:
        return int(value)
    return whole(value, "gasUsed")


def data(value: Any, name: str, size: int | None = None) -> bytes:
    """Read bytes in hexadecimal, with or without 0x, of one size where one is asked for.

    Raises:
        BadAnswer: it is no hexadecimal, or of another size.
    """
    found = _HEX_DATA.fullmatch(value) if isinstance(value, str) else None
    if found is None or (size is not None and len(found[1]) != 2 * size):
        raise BadAnswer(f"{name} is no hexadecimal{f' of {size} bytes' if size else ''}; leave the endpoint.")
    return bytes.fromhex(found[1])


def record(value: Any, name: str) -> Json:
    """Read an object.

    Raises:
        BadAnswer: it is none.
    """
    if not isinstance(value, dict):
        raise BadAnswer(f"{name} is no object; leave the endpoint.")
    return value


def listed(value: Any, name: str, most: int) -> list[Any]:
    """Read a list of at most so many items.

    Raises:
        BadAnswer: it is none, or longer.
    """
    if not isinstance(value, list) or len(value) > most:
        raise BadAnswer(f"{name} is no list, or of more than {most} items; leave the endpoint.")
    return value


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn what the readers of the light client's package refuse into a bad answer.

    Raises:
        BadAnswer: something inside refused the form of an answer.
    """
    try:
        yield
    except LightClientError as error:
        raise BadAnswer(f"{what} cannot be read ({error}); leave the endpoint.") from error
