"""Strict readers of the values in a node's answers: quantities and data in hexadecimal.

Source: the Ethereum JSON-RPC specification (execution-apis), section Hex value encoding. Leading zeros in a quantity
are let through, as some nodes write them; everything else is refused, because a hash of a guess proves nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from adapters.protocol import BadAnswer

QUANTITY_MAX_DIGITS = 64


@lru_cache(maxsize=16_384)
def _number(text: str) -> int | None:
    """The integer of at most 64 digits after 0x, else None; heights and places recur from log to log."""
    digits = text[2:]
    if text[:2] != "0x" or not 0 < len(digits) <= QUANTITY_MAX_DIGITS or not digits.isascii() or not digits.isalnum():
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


def quantity(value: Any, name: str) -> int:
    """Read an unsigned integer of at most 256 bits, remembering recent ones.

    Raises:
        BadAnswer: it is no hexadecimal quantity.
    """
    found = _number(value) if isinstance(value, str) else None
    if found is None:
        raise BadAnswer(f"{name} is no quantity in hexadecimal; leave the endpoint.")
    return found


def data(value: Any, name: str, size: int | None = None) -> bytes:
    """Read bytes, of one size where one is asked for.

    Raises:
        BadAnswer: it is no hexadecimal data, or of another size.
    """
    if not isinstance(value, str) or value[:2] != "0x" or (size is not None and len(value) != 2 + 2 * size):
        raise BadAnswer(f"{name} is no hexadecimal data{f' of {size} bytes' if size else ''}; leave the endpoint.")
    try:
        result = bytes.fromhex(value[2:])
    except ValueError as error:
        raise BadAnswer(f"{name} is no hexadecimal data; leave the endpoint.") from error
    if len(result) * 2 != len(value) - 2:  # bytes.fromhex skips spaces
        raise BadAnswer(f"{name} is no hexadecimal data; leave the endpoint.")
    return result


@lru_cache(maxsize=16_384)
def _word(text: str) -> bytes | None:
    """32 bytes of exactly 64 digits after 0x, else None; topics and hashes recur from log to log."""
    if len(text) != 66 or text[:2] != "0x":
        return None
    try:
        result = bytes.fromhex(text[2:])
    except ValueError:
        return None
    return result if len(result) == 32 else None


def word(value: Any, name: str) -> bytes:
    """Read 32 bytes, remembering recent ones.

    Raises:
        BadAnswer: it is no hexadecimal data of 32 bytes.
    """
    found = _word(value) if isinstance(value, str) else None
    if found is None:
        raise BadAnswer(f"{name} is no hexadecimal data of 32 bytes; leave the endpoint.")
    return found


def record(value: Any, name: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        BadAnswer: it is none.
    """
    if not isinstance(value, dict):
        raise BadAnswer(f"{name} is no JSON object; leave the endpoint.")
    return value


def records(value: Any, name: str) -> list[dict[str, Any]]:
    """Read a list of JSON objects.

    Raises:
        BadAnswer: it is none.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadAnswer(f"{name} is no list of JSON objects; leave the endpoint.")
    return value
