"""Coins for the accounts of a development network, out of an account whose key stands in a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from adapters.ethereum.answers import quantity
from adapters.ethereum.transactions import address_of_key, sign_legacy
from adapters.jsonrpc import JsonRpc
from adapters.protocol import Call, Misconfigured, Unreachable
from schemas.primitives import hex0x

COINS = 10_000 * 10**18
TRANSFER_GAS = 21_000
PATIENCE_S = 60.0
POLL_S = 0.2


def read_key(path: str) -> bytes:
    """Read the private key of a faucet.

    Raises:
        Misconfigured: the file is not there, or holds no key; the text names the file alone.
    """
    try:
        key = bytes.fromhex(Path(path).read_text(encoding="ascii").strip())
        address_of_key(key)
    except (OSError, ValueError, Misconfigured):
        raise Misconfigured(
            f"The file {path} of the option faucet holds no private key; give the one that the network wrote."
        ) from None
    return key


def hand_out(rpc: JsonRpc, faucet_key: bytes, chain_number: int, accounts: Sequence[bytes]) -> None:
    """Give coins to the accounts that have few, and wait until they have them.

    Args:
        rpc: the endpoint.
        faucet_key: private key of who gives.
        chain_number: the EVM's chain id.
        accounts: addresses of 20 bytes.

    Raises:
        AdapterError: the endpoint does not answer, or refuses.
    """
    poor = [account for account in dict.fromkeys(accounts) if _balance(rpc, account) < COINS // 2]
    faucet = hex0x(address_of_key(faucet_key))
    first, price = rpc.demand([("eth_getTransactionCount", [faucet, "pending"]), ("eth_gasPrice", [])])
    nonce, offered = quantity(first, "nonce"), quantity(price, "gas price") * 2 + 1
    for number, account in enumerate(poor, nonce):
        transfer = Call(account, b"", TRANSFER_GAS)
        signed = sign_legacy(
            faucet_key, chain_id=chain_number, nonce=number, call=transfer, gas_price=offered, value=COINS
        )
        rpc.call("eth_sendRawTransaction", [hex0x(signed.raw)])
    deadline = time.monotonic() + PATIENCE_S
    while any(_balance(rpc, account) < COINS // 2 for account in poor):
        if time.monotonic() > deadline:
            raise Unreachable(
                f"The faucet's coins did not arrive in {PATIENCE_S:g} s; check that the network makes blocks."
            )
        time.sleep(POLL_S)


def _balance(rpc: JsonRpc, account: bytes) -> int:
    return quantity(rpc.call("eth_getBalance", [hex0x(account), "latest"]), "balance")
