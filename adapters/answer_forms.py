"""Forms that the guard holds an adapter's answers to, before anything else reads them."""

from __future__ import annotations

from typing import TypeVar

from adapters.protocol import BadAnswer, Receipt, Wallet
from schemas.primitives import UINT64_MAX

Item = TypeVar("Item")
COUNT_LIMIT = 1 << 63
"""Account numbers, gas and heights of every ledger are smaller, and databases keep no larger ones."""
FEE_LIMIT = 1 << 128
COINS_LIMIT = 1 << 256


def check_count(value: object, name: str) -> int:
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


def check_bytes_list(items: list[bytes], count: int | None, max_bytes: int, name: str) -> list[bytes]:
    """Return a list of byte strings that has `count` items (None: any number) and at most `max_bytes` in all.

    Raises:
        BadAnswer: it has not.
    """
    check_list(items, count, name)
    if not all(isinstance(item, bytes) for item in items) or sum(map(len, items)) > max_bytes:
        raise BadAnswer(f"the {name} are no bytes, or more than {max_bytes}; ask another endpoint.")
    return items


def check_wallet(wallet: Wallet) -> Wallet:
    """Return an account's state whose numbers can be.

    Raises:
        BadAnswer: one of them cannot.
    """
    numbers = ((wallet.nonce, COUNT_LIMIT), (wallet.pending_nonce, COUNT_LIMIT))
    _check_limits("of the account", (*numbers, (wallet.balance, COINS_LIMIT), (wallet.fee, FEE_LIMIT)))
    _check_limits("of the fee", ((wallet.least_fee, FEE_LIMIT), (wallet.ceiling, FEE_LIMIT)))
    return wallet


def check_receipts(receipts: list[Receipt | None], count: int) -> list[Receipt | None]:
    """Return receipts whose numbers can be, as many as were asked for.

    Raises:
        BadAnswer: one of them cannot, or another number came.
    """
    for receipt in check_list(receipts, count, "receipts"):
        if receipt is not None:
            _check_limits("of the receipt", ((receipt.height, COUNT_LIMIT), (receipt.gas_used, COUNT_LIMIT)))
    return receipts


def _check_limits(what: str, numbers: tuple[tuple[int, int], ...]) -> None:
    if not all(0 <= number < limit for number, limit in numbers):
        raise BadAnswer(f"a number {what} is larger than any ledger's; ask another endpoint.")
