"""Sign a transaction with a local key, send it, and wait until it is mined: for registration and officers, never for traffic."""

from __future__ import annotations

import time

from adapters.protocol import Call, Ledger, Receipt, Rejected
from relay.errors import NotNow
from relay.keys import Key

MINED_WITHIN_S = 180.0
LOOK_S = 0.05
NONCE_ATTEMPTS = 3


def transact(ledger: Ledger, key: Key, target: bytes, data: bytes, gas: int) -> Receipt:
    """Send one transaction and wait for its receipt.

    Args:
        ledger: an opened ledger.
        key: who signs and pays.
        target: the contract, or empty to deploy one.
        data: calldata, or bytecode with constructor arguments.
        gas: the most gas that it may use.

    Returns:
        The receipt of a transaction that succeeded.

    Raises:
        Rejected: the contract refuses; `reason` says why in its own words.
        NotNow: the account cannot pay, or the ledger does not mine it in time.
        AdapterError: the ledger does not answer.
    """
    call = Call(target, data, gas)
    ledger.simulate(key.address, call)
    transaction = _broadcast(ledger, key, call)
    deadline = time.monotonic() + MINED_WITHIN_S
    while time.monotonic() < deadline:
        receipt = ledger.receipts([transaction])[0]
        if receipt is not None:
            return _succeeded(ledger, key, call, receipt)
        time.sleep(LOOK_S)
    raise NotNow(
        f"The transaction 0x{transaction.hex()} was not mined within {MINED_WITHIN_S:.0f} s.",
        "Look whether the ledger makes blocks, then run the command again.",
    )


def _broadcast(ledger: Ledger, key: Key, call: Call) -> bytes:
    refused = None
    for _attempt in range(NONCE_ATTEMPTS):
        wallet = ledger.wallet(key.address)
        cost = wallet.fee * call.gas
        if wallet.balance < cost:
            raise NotNow(
                f"The account 0x{key.address.hex()} (key {key.name}) has {wallet.balance} and needs {cost} base units.",
                "Send it some coins, then run the command again.",
            )
        signed = ledger.sign(key.private, wallet.pending_nonce, call, wallet.fee)
        refused = ledger.broadcast([signed.raw])[0]
        if refused is None:
            return signed.transaction
        if refused.code not in ("nonce_too_low", "nonce_too_high"):
            break
    raise refused or NotNow("The transaction was not sent.", "Run the command again.")


def _succeeded(ledger: Ledger, key: Key, call: Call, receipt: Receipt) -> Receipt:
    if receipt.success:
        return receipt
    ledger.simulate(key.address, call)  # raises with the contract's reason where it is still the same
    raise Rejected(f"The transaction 0x{receipt.transaction.hex()} was mined and failed.", code="reverted")
