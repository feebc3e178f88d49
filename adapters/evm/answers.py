"""Strict readers of the values in a node's answers: quantities and data in hexadecimal.

Source: the Ethereum JSON-RPC specification (execution-apis), section Hex value encoding. Leading zeros in a quantity
are let through, as some nodes write them; everything else is refused, because a hash of a guess proves nothing.
"""

from __future__ import annotations

from typing import Any

from adapters.protocol import BadAnswer

QUANTITY_MAX_DIGITS = 64


def quantity(value: Any, name: str) -> int:
    """Read an unsigned integer of at most 256 bits.

    Raises:
        BadAnswer: it is no hexadecimal quantity.
    """
    if not isinstance(value, str) or value[:2] != "0x" or not 0 < len(value) - 2 <= QUANTITY_MAX_DIGITS:
        raise BadAnswer(f"{name} is no quantity in hexadecimal; leave the endpoint.")
    digits = value[2:]
    if not digits.isascii() or not digits.isalnum():
        raise BadAnswer(f"{name} is no quantity in hexadecimal; leave the endpoint.")
    try:
        return int(digits, 16)
    except ValueError as error:
        raise BadAnswer(f"{name} is no quantity in hexadecimal; leave the endpoint.") from error


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
