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
"""How long a transaction may take to come back that stood in a block which the ledger left for another one."""
NONCE_ATTEMPTS = 3


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
    transactions = _broadcast(ledger, key, calls)
    deadline = time.monotonic() + MINED_WITHIN_S
    while time.monotonic() < deadline:
        receipts = [receipt for receipt in ledger.receipts(transactions) if receipt is not None]
        if len(receipts) == len(transactions):
            for call, receipt in zip(calls, receipts, strict=True):
                _check_success(ledger, key, call, receipt)
            return receipts
        time.sleep(LOOK_S)
    raise NotNow(
        f"The transaction 0x{transactions[-1].hex()} was not mined within {MINED_WITHIN_S:.0f} s.",
        "Look whether the ledger makes blocks, then run the command again.",
    )


def _broadcast(ledger: Ledger, key: Key, calls: Sequence[Call]) -> list[bytes]:
    """Sign and send; where another command took the next nonce meanwhile, take the one after."""
    refused: Rejected | None = None
    account = ledger.account(key.private)
    for _attempt in range(NONCE_ATTEMPTS):
        wallet = ledger.wallet(account)
        cost = wallet.fee * sum(call.gas for call in calls)
        if wallet.balance < cost:
            raise NotNow(
                f"The account 0x{account.hex()} (key {key.name}) has {wallet.balance} and needs {cost} base units.",
                "Send it some coins, then run the command again.",
            )
        first = wallet.pending_nonce if ledger.machine().ordered else secrets.randbits(63)
        signed = [ledger.sign(key.private, first + index, call, wallet.fee) for index, call in enumerate(calls)]
        refused = next((answer for answer in ledger.broadcast([item.raw for item in signed]) if answer), None)
        if refused is None:
            return [item.transaction for item in signed]
        if refused.code not in ("nonce_too_low", "nonce_too_high", "underpriced", "expired"):
            break
        time.sleep(LOOK_S)
    raise refused or NotNow("The transaction was not sent.", "Run the command again.")


def _check_success(ledger: Ledger, key: Key, call: Call, receipt: Receipt) -> None:
    if receipt.success:
        return
    if not call.creates:
        ledger.simulate(
            ledger.account(key.private), call
        )  # raises with the contract's reason where it is still the same
    raise Rejected(f"The transaction 0x{receipt.transaction.hex()} was mined and failed.", code="reverted")
