"""What a transaction offers and when it is offered again: decisions over its row and the account as the ledger shows it.

Pure, and counted in blocks where blocks come: a transaction that two blocks left out is offered again, so that whatever made
it stand still costs at most three blocks after it is gone. Time counts only on ledgers that make no block without need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Row

    from adapters.protocol import Wallet

LATE_BLOCKS = 2
"""So many blocks may leave a transaction out before it is asked after."""
RESEND_S = 3.0
"""Seconds after which it is asked after even if no block came."""
REFUSED_AGAIN_S = 1.0
"""Seconds after which a refused one is offered again even if no block came."""
BUMP_AFTER = 4
"""So many times the same bytes are offered before their fee is raised: some eight blocks."""
BUMP = (5, 4)
"""A replacement offers a quarter more: pools want a tenth (geth, Besu) and more on some ledgers."""
MOST_TIMES = 10
"""A replacement offers at most so many times what the ledger asks."""
TOO_LARGE = "too_large:"
UNFIT = ("other:", "too_much_gas:", TOO_LARGE)
"""Refusals that no fee, wait or coin would change: too large, too much gas, or of a kind that is not known."""
ABOUT_FEES = ("underpriced", "too_dear")
"""Refusals to which another fee may help."""
NOT_ABOUT_FEES = ("no_funds:", "nonce_too_low:", "nonce_too_high:", "too_dear:", "not_ready:")
"""Refusals to which a higher fee does not help."""


def blocks_without(item: Row[Any], tip: int) -> int:
    """Blocks that came since a transaction was offered; blocks that were taken back since then count as if they had come."""
    if item.height is None:
        return 0
    return tip - item.height if tip >= item.height else LATE_BLOCKS


def is_late(item: Row[Any], tip: int, now: float) -> bool:
    """Whether a transaction that was sent is to be asked after.

    A time that lies ahead was written before the clock was set back: it is late as well.

    Args:
        item: its row; `reason` is set where the ledger refused it the last time.
        tip: the newest height.
        now: Unix seconds.
    """
    waited = now - (item.sent_at or 0)
    if item.reason:
        return blocks_without(item, tip) >= 1 or not 0 <= waited <= REFUSED_AGAIN_S
    return blocks_without(item, tip) >= LATE_BLOCKS or not 0 <= waited <= RESEND_S


def counts(item: Row[Any], tip: int) -> bool:
    """Whether one more offer counts as an attempt: it was refused, or blocks came without it; silence alone says nothing."""
    return bool(item.reason) or blocks_without(item, tip) >= LATE_BLOCKS


def is_unfit(item: Row[Any]) -> bool:
    """Whether a ledger refused it for its size, or again and again for what it is, and not for its fee, nonce or wallet."""
    again = item.attempts >= BUMP_AFTER or item.reason.startswith(TOO_LARGE)
    return bool(item.purpose != "nothing" and again and item.reason.startswith(UNFIT))


def must_raise(item: Row[Any], wallet: Wallet) -> bool:
    """Whether it offers less than a block takes, or no block took it so many times."""
    stuck = item.attempts >= BUMP_AFTER * (1 + len(item.earlier)) and not item.reason.startswith(NOT_ABOUT_FEES)
    return stuck or item.reason.startswith("underpriced") or int(item.fee) < wallet.least_fee


def raised(fee: int, wallet: Wallet) -> int:
    """A fee higher by a quarter, and by a quarter than what the ledger asks, so that a priority fee grows as well.

    At most ten times what the ledger asks, never above the ceiling, and never less than was offered already.
    """
    most = wallet.fee * MOST_TIMES
    if wallet.ceiling:
        most = min(most, wallet.ceiling)
    wanted = max(fee * BUMP[0] // BUMP[1] + 1, wallet.fee * BUMP[0] // BUMP[1])
    return min(wanted, max(fee, most))


def next_fee(item: Row[Any], wallet: Wallet) -> int:
    """The fee under which a transaction is offered the next time: the same, a higher one, or no more than a block needs."""
    fee = int(item.fee)
    if item.reason.startswith("too_dear"):
        return min(fee, wallet.least_fee * BUMP[0] // BUMP[1])
    return raised(fee, wallet) if must_raise(item, wallet) else fee


def is_above_ceiling(wallet: Wallet) -> bool:
    """Whether a block now takes nothing that the ceiling allows to offer."""
    return bool(wallet.ceiling) and wallet.least_fee > wallet.ceiling


def cost(items: Iterable[Row[Any]]) -> int:
    """What transactions may cost at most, base units."""
    return sum(int(item.fee) * item.gas for item in items)


def affordable(costs: Sequence[int], balance: int) -> int:
    """How many of the first transactions a balance pays for together, as pools count it."""
    for count, one in enumerate(costs):
        balance -= one
        if balance < 0:
            return count
    return len(costs)


def missing_nonces(sent: Sequence[Row[Any]], account_nonce: int) -> list[int]:
    """Account nonces below the highest of ours that nobody used and none of ours has: what is behind them would never be mined."""
    ours = {item.account_nonce for item in sent}
    return [nonce for nonce in range(account_nonce, max(ours, default=0)) if nonce not in ours]
