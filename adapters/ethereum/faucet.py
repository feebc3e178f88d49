"""Coins for the accounts of a development network, out of its bank: an account whose key stands in a file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.ethereum.answers import quantity
from adapters.ethereum.refusals import broadcast_refusal
from adapters.ethereum.transactions import address_of_key, sign_legacy
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import Call, Misconfigured, Rejected, Unreachable
from schemas.primitives import hex0x

COINS = 10_000 * 10**18
"""Base units that an account of a development network gets; one that has half of it gets none."""
TRANSFER_GAS = 21_000
PATIENCE_S = 120.0
POLL_S = 0.2
_MAX_FILE_BYTES = 200
_USED_MEANWHILE = ("nonce_too_low", "nonce_too_high", "underpriced")
"""Somebody else used the bank's number; who still has few coins is paid in the next round."""


def read_key(path: str) -> bytes:
    """Read the bank's private key: 64 hexadecimal digits, with or without `0x`, in a file that its owner alone may read.

    Raises:
        Misconfigured: the file is not there, others may read it, or it holds no key; the text names the file alone.
    """
    try:
        with Path(path).open("rb") as file:
            private = os.fstat(file.fileno()).st_mode & 0o077 == 0
            text = file.read(_MAX_FILE_BYTES).decode("ascii").strip()
    except (OSError, ValueError):
        text, private = "", True
    if not private:
        raise Misconfigured(f"Others may read {path}, of the option faucet_key_file; take that from them: chmod 600.")
    try:
        key = bytes.fromhex(text.removeprefix("0x"))
        address_of_key(key)
    except (ValueError, Misconfigured):
        raise Misconfigured(
            f"The file {path} of the option faucet_key_file holds no private key; give the one that the network wrote."
        ) from None
    return key


def hand_out(
    rpc: JsonRpc,
    bank_key: bytes,
    chain_number: int,
    accounts: Sequence[bytes],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Give coins to the accounts that have few, by ordinary transactions, and wait until they have them.

    Args:
        rpc: the endpoint.
        bank_key: private key of who gives.
        chain_number: the EVM's chain id.
        accounts: addresses of 20 bytes.
        clock: seconds that only grow.

    Raises:
        AdapterError: the endpoint does not answer or refuses, the bank has too little, or no block takes the transactions.
    """
    deadline = clock() + PATIENCE_S
    poor = _poor(rpc, accounts)
    while poor:
        last = _pay(rpc, bank_key, chain_number, poor)
        time.sleep(POLL_S)
        while (poor := _poor(rpc, poor)) and _count(rpc, bank_key, "latest") < last and clock() <= deadline:
            time.sleep(POLL_S)
        if poor and clock() > deadline:
            raise Unreachable(
                f"The bank's coins did not arrive in {PATIENCE_S:g} s; check that the network makes blocks.",
                endpoint=rpc.label,
            )


def _pay(rpc: JsonRpc, bank_key: bytes, chain_number: int, accounts: Sequence[bytes]) -> int:
    """Send each of the accounts its coins; returns how many transactions of the bank's are mined when all of these are."""
    last, first = 0, _count(rpc, bank_key, "pending")
    offered = 2 * quantity(rpc.call("eth_gasPrice", []), "gas price") + 1
    for nonce, account in enumerate(accounts, first):
        transfer = Call(account, b"", TRANSFER_GAS)
        signed = sign_legacy(
            bank_key, chain_id=chain_number, nonce=nonce, call=transfer, gas_price=offered, value=COINS
        )
        try:
            rpc.call("eth_sendRawTransaction", [hex0x(signed.raw)])
        except RpcError as error:
            refusal = broadcast_refusal(error)
            if refusal is not None and refusal.code in _USED_MEANWHILE:
                break
            if refusal is not None:
                bank = hex0x(address_of_key(bank_key))
                raise Rejected(
                    f"The network's bank {bank} cannot pay {hex0x(account)} ({refusal}); give it coins.",
                    code=refusal.code,
                    reason=refusal.reason,
                    endpoint=rpc.label,
                ) from error
        last = nonce + 1
    return last


def _poor(rpc: JsonRpc, accounts: Sequence[bytes]) -> list[bytes]:
    """Those of the accounts that have few coins, each once."""
    once = list(dict.fromkeys(accounts))
    held = rpc.demand([("eth_getBalance", [hex0x(account), "latest"]) for account in once])
    return [account for account, coins in zip(once, held, strict=True) if quantity(coins, "balance") < COINS // 2]


def _count(rpc: JsonRpc, bank_key: bytes, block: str) -> int:
    answer = rpc.call("eth_getTransactionCount", [hex0x(address_of_key(bank_key)), block])
    return quantity(answer, "the bank's transactions")
