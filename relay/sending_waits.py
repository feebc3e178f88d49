"""What sending to a ledger waits for: the account's coins, the fee, its key, a block. Each wait names whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from adapters.protocol import Rejected, Wallet
from relay.offers import BUMP_AFTER
from relay.store import Lease, waits
from relay.store.waits import Reason

ABOUT_COINS = (Reason.WALLET_EMPTY, Reason.FEE_CEILING)
OURS = (*ABOUT_COINS, Reason.KEY_UNREADABLE, Reason.TRANSACTION_PENDING)
"""The waits of a ledger that sending begins and ends."""
LOOK_AGAIN_S = 2.0
RESUMES = "Sending resumes by itself"


class SendingWaits:
    """The wait of one ledger, as far as sending has a part in it."""

    def __init__(self, lease: Lease, row: Row[Any]) -> None:
        self.lease = lease
        self.name: str = row.name
        self.account = f"0x{bytes(row.account).hex()}"
        self.now: Row[Any] | None = None

    def read(self, connection: Connection) -> None:
        """Read what the ledger waits for now."""
        self.now = waits.find(connection, "chain", self.name)

    @property
    def is_about_coins(self) -> bool:
        """Whether it waits for funds or for a lower fee."""
        return self.now is not None and self.now.code in ABOUT_COINS

    def end(self, *codes: Reason) -> None:
        """End the wait if it is for one of these."""
        if self.now is not None and self.now.code in codes:
            with self.lease.write() as connection:
                waits.clear_if(connection, "chain", self.name, codes)
            self.now = None

    def empty(self, needed: int, balance: int) -> None:
        """Wait for the account to be funded."""
        text = f"{self.account} holds {balance}; the next transaction may cost {needed}: {needed - balance} is missing."
        self._wait(Reason.WALLET_EMPTY, f"wallet on {self.name}", f"{text} Fund it. {RESUMES}.")

    def above_ceiling(self, wallet: Wallet) -> None:
        """Wait until the ledger asks no more than the hub's owner allows."""
        text = (
            f"{self.name} asks {wallet.least_fee} per gas; the ceiling is {wallet.ceiling}. {RESUMES} when it asks less"
        )
        self._wait(
            Reason.FEE_CEILING,
            f"chain {self.name}",
            f"{text}, or with a higher fee_ceiling in ledger_options of hub.toml.",
        )

    def refused(self, refusals: Sequence[Rejected]) -> None:
        """Wait for what refusals of the pool call for, or end the waits that they show to be over."""
        said = {refusal.code: refusal for refusal in reversed(refusals)}
        if "no_funds" in said:
            text = f"{self.name} refused a transaction: {said['no_funds']}. Fund {self.account}. {RESUMES}."
            self._wait(Reason.WALLET_EMPTY, f"wallet on {self.name}", text)
        elif "too_dear" in said:
            text = f"{self.name} takes nothing that may cost so much: {said['too_dear']}. Raise the node's own limit. {RESUMES}."
            self._wait(Reason.FEE_CEILING, f"chain {self.name}", text)
        else:
            self.end(*ABOUT_COINS, Reason.KEY_UNREADABLE)

    def key_unreadable(self, why: str) -> None:
        """Wait for the key's file."""
        self._wait(Reason.KEY_UNREADABLE, "hub's owner", why, again_s=0.0)

    def pending(self, again: Sequence[Row[Any]]) -> None:
        """Say what is sent and not in a block for long; a better reason stays."""
        slow = [item for item in again if item.attempts >= BUMP_AFTER]
        if not slow:
            self.end(Reason.TRANSACTION_PENDING)
        elif self.now is None or self.now.code == Reason.TRANSACTION_PENDING:
            text = f"{len(slow)} transactions are sent and in no block yet; the fee is raised under the same nonce."
            said = slow[0].reason and f" The ledger said: {slow[0].reason}."
            self._wait(Reason.TRANSACTION_PENDING, f"chain {self.name}", text + said, again_s=0.0)

    def _wait(self, reason: Reason, party: str, text: str, again_s: float = LOOK_AGAIN_S) -> None:
        with self.lease.write() as connection:
            waits.wait(connection, "chain", self.name, reason, party=party, text=text, again_s=again_s)
            self.read(connection)
