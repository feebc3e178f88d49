"""Sign transactions with a local key, send them, and wait until they are mined: for registration and officers, never for traffic."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from adapters.protocol import Call, Ledger, Receipt, Rejected
from relay.errors import NotNow
from relay.keys import Key

MINED_WITHIN_S = 180.0
LOOK_S = 0.05
STANDS_WITHIN_S = 30.0
"""How long a transaction may take to come back that stood in a block which the ledger left for another one; and how long an
account's nonce has to stand beyond one of which no endpoint has a receipt, until it counts as replaced by another."""
NONCE_LOOK_S = 1.0
ALL_LOOK_S = 1.0
"""How long one receipt is asked for in place of all of them: hundreds at every look are work that nodes feel."""
NONCE_ATTEMPTS = 3
ABOUT_NONCES = ("nonce_too_low", "nonce_too_high", "underpriced", "expired")


def transact(ledger: Ledger, key: Key, calls: Sequence[Call], *, independent: bool = False) -> list[Receipt]:
    """Send transactions of one account in order and wait for all receipts; they may stand in one block.

    Only the first is tried beforehand: later ones may depend on it. A ledger without account nonces keeps no order among
    transactions that wait; there each is sent when the one before it is in a block.

    Args:
        ledger: an opened ledger.
        key: who signs and pays.
        calls: at least one.
        independent: whether they succeed in any order.

    Returns:
        The receipts of transactions that all succeeded.

    Raises:
        Rejected: the contract refuses; `reason` says why in its own words.
        NotNow: the account cannot pay, or the ledger does not mine it in time.
        AdapterError: the ledger does not answer.
    """
    if not calls[0].creates:  # a deployment under a name cannot be tried
        ledger.simulate(ledger.account(key.private), calls[0])
    if len(calls) > 1 and not independent and not ledger.machine().ordered:
        return [receipt for call in calls for receipt in transact(ledger, key, [call])]
    sending = _Sending(ledger, key, calls)
    deadline = time.monotonic() + MINED_WITHIN_S
    while time.monotonic() < deadline:
        sending.send_what_is_not_on_its_way()
        receipts = sending.receipts()
        if receipts is not None:
            for call, receipt in zip(calls, receipts, strict=True):
                _check_success(ledger, key, call, receipt)
            return receipts
        time.sleep(LOOK_S)
    raise NotNow(
        f"The transaction {sending.last} was not mined within {MINED_WITHIN_S:.0f} s.",
        "Look whether the ledger makes blocks, then run the command again.",
    )


class _Sending:
    """Calls of one account until each is in a block, whatever other processes send from the same account meanwhile.

    The hub's workers send from the relayer's key too, and whoever offers the higher fee under an account nonce wins it: a call
    whose nonce was used for something else is sent again under another one, and no call is sent twice while the first may
    still be mined.
    """

    def __init__(self, ledger: Ledger, key: Key, calls: Sequence[Call]) -> None:
        self.ledger, self.key, self.calls = ledger, key, calls
        self.account = ledger.account(key.private)
        self.ordered = ledger.machine().ordered
        self.on_their_way: dict[int, tuple[int, bytes]] = {}  # by the call's place: account nonce, transaction
        self.mined: dict[int, Receipt] = {}
        self.refusals = 0
        self.used, self.looked_at = 0, 0.0  # account nonces used, and when that was read
        self.all_asked_at = 0.0
        self.outrun: dict[
            int, float
        ] = {}  # by the call's place: since when its nonce is used and no receipt of it known

    @property
    def last(self) -> str:
        """The last transaction that is on its way, for a person."""
        return f"0x{self.on_their_way[max(self.on_their_way)][1].hex()}" if self.on_their_way else "to be sent"

    def send_what_is_not_on_its_way(self) -> None:
        """Sign and send; where another process took the next nonce meanwhile, the coming look takes the one after.

        Raises:
            Rejected: the ledger refuses one for what it is, or again and again.
            NotNow: the account cannot pay.
        """
        places = [
            place for place in range(len(self.calls)) if place not in self.on_their_way and place not in self.mined
        ]
        if not places:
            return
        wallet = self.ledger.wallet(self.account)
        cost = wallet.fee * sum(self.calls[place].gas for place in places)
        if wallet.balance < cost:
            raise NotNow(
                f"The account 0x{self.account.hex()} (key {self.key.name}) has {wallet.balance} and needs {cost} base units.",
                "Send it some coins, then run the command again.",
            )
        first = wallet.pending_nonce if self.ordered else secrets.randbits(63)
        nonces = range(first, first + len(places))
        signed = [
            self.ledger.sign(self.key.private, nonce, self.calls[place], wallet.fee)
            for nonce, place in zip(nonces, places, strict=True)
        ]
        answers = self.ledger.broadcast([item.raw for item in signed])
        for place, nonce, item, refused in zip(places, nonces, signed, answers, strict=True):
            if refused is None:
                self.on_their_way[place] = (nonce, item.transaction)
                self.outrun.pop(place, None)
        first_refused = next((answer for answer in answers if answer), None)
        self.refusals = self.refusals + 1 if first_refused else 0
        if first_refused and (first_refused.code not in ABOUT_NONCES or self.refusals >= NONCE_ATTEMPTS):
            raise first_refused

    def receipts(self) -> list[Receipt] | None:
        """The receipts in the order of the calls, or None while some are missing; forgets what can never be mined."""
        waiting = list(self.on_their_way.items())
        now = time.monotonic()
        if self.ordered and now - self.looked_at > NONCE_LOOK_S:
            self.used, self.looked_at = self.ledger.wallet(self.account).nonce, now
        found = self._found([transaction for _, (_, transaction) in waiting], now)  # asked for after the nonce
        for (place, (nonce, _)), receipt in zip(waiting, found, strict=True):
            if receipt is not None:
                self.mined[place] = receipt
            if receipt is not None or self._is_replaced(place, nonce, now):
                del self.on_their_way[place]
        if len(self.mined) < len(self.calls):
            return None
        return [self.mined[place] for place in range(len(self.calls))]

    def _found(self, transactions: Sequence[bytes], now: float) -> Sequence[Receipt | None]:
        """Each transaction's receipt; while the first has none, the others are asked for once in a while only."""
        if now - self.all_asked_at <= ALL_LOOK_S and self.ledger.receipts(transactions[:1]) == [None]:
            return [None] * len(transactions)
        self.all_asked_at = now
        return self.ledger.receipts(transactions)

    def _is_replaced(self, place: int, nonce: int, now: float) -> bool:
        """Whether another transaction has used a call's account nonce, for so long that no endpoint is merely behind."""
        if nonce >= self.used:
            self.outrun.pop(place, None)
            return False
        return now - self.outrun.setdefault(place, now) > STANDS_WITHIN_S


def _check_success(ledger: Ledger, key: Key, call: Call, receipt: Receipt) -> None:
    if receipt.success:
        return
    if receipt.reason:
        text = f"The transaction 0x{receipt.transaction.hex()} was mined and failed: {receipt.reason}."
        raise Rejected(text, code="reverted", reason=receipt.reason)
    if not call.creates:
        ledger.simulate(
            ledger.account(key.private), call
        )  # raises with the contract's reason where it is still the same
    raise Rejected(f"The transaction 0x{receipt.transaction.hex()} was mined and failed.", code="reverted")
