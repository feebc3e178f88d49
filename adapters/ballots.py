"""What several endpoints say to one question that no proof settles: an account, a receipt, a refusal, a simulated call.

With f of 2f + 1 endpoints lying, the middle one of their numbers lies between two honest ones, and the answer that most give
is an honest one. Nothing here decides what is *believed* of another ledger: that is proved. It decides what the hub does with
its own transactions, so that a lie costs it neither coins nor time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

from adapters.protocol import Receipt, Rejected, Wallet

Answer = TypeVar("Answer", bound=Hashable)
NONCES_APART = 64
"""As many transactions as the hub has on their way at once."""
TIMES_APART = 10


def most_common(answers: Sequence[Answer]) -> tuple[Answer, bool]:
    """The answer that most give, the earlier one where two are level; and whether it is alone in that."""
    counted = Counter(answers).most_common(2)
    return counted[0][0], len(counted) == 1 or counted[0][1] > counted[1][1]


def middle(numbers: Sequence[int]) -> int:
    """The middle one, of two the higher: with f of 2f + 1 false, not above nor below every true one."""
    return sorted(numbers)[len(numbers) // 2]


def middle_wallet(wallets: Sequence[Wallet]) -> Wallet:
    """An account by the middle of what endpoints say; of two, the lower numbers and the higher balance, which stops nothing."""

    def lower(name: str) -> int:
        return int(sorted(getattr(wallet, name) for wallet in wallets)[(len(wallets) - 1) // 2])

    nonce = lower("nonce")
    return Wallet(
        wallets[0].address,
        nonce,
        max(nonce, lower("pending_nonce")),
        middle([wallet.balance for wallet in wallets]),
        lower("fee"),
        lower("least_fee"),
        wallets[0].ceiling,
    )


def agreed_receipts(ballots: Sequence[Sequence[Receipt | None]]) -> list[Receipt | None]:
    """For each transaction the receipt that most endpoints give; None where they are level: then it is not known yet."""
    agreed: list[Receipt | None] = []
    for column in zip(*ballots, strict=True):
        fate, alone = most_common([receipt and receipt.success for receipt in column])
        receipts = [receipt for receipt in column if receipt is not None and receipt.success is fate]
        agreed.append(receipts[0] if receipts and alone else None)
    return agreed


def agreed_refusal(column: Sequence[Rejected | None]) -> Rejected | None:
    """None if an endpoint took the transaction: one is enough. Else the refusal of the kind that most endpoints give."""
    refusals = [refusal for refusal in column if refusal is not None]
    if len(refusals) < len(column):
        return None
    code, _ = most_common([refusal.code for refusal in refusals])
    return next(refusal for refusal in refusals if refusal.code == code)


def is_odd(wallet: Wallet, middle: Wallet) -> bool:
    """Whether what an endpoint says of an account is far from the middle: more than blocks that are on their way explain."""
    return (
        abs(wallet.nonce - middle.nonce) > NONCES_APART
        or wallet.balance * TIMES_APART < middle.balance
        or not middle.fee <= wallet.fee * TIMES_APART
        or not wallet.fee <= middle.fee * TIMES_APART
    )


def contradicts(ballot: Sequence[Receipt | None], agreed: Sequence[Receipt | None]) -> bool:
    """Whether an endpoint says of a transaction that succeeded that it failed, or the reverse; not to know it yet is no lie."""
    return any(
        said is not None and true is not None and said.success is not true.success
        for said, true in zip(ballot, agreed, strict=True)
    )
