"""What registration asks a node beyond the ledger's three faces: contract code, and coins on development networks."""

from __future__ import annotations

from adapters.jsonrpc import JsonRpc
from adapters.protocol import AdapterError, BadAnswer
from relay.errors import NotFound
from schemas.primitives import SchemaError, bytes_from_hex

DEVELOPMENT_COINS = 10_000 * 10**18
"""Base units that a development network gives to each of the hub's accounts."""


def code_at(url: str, address: bytes) -> bytes:
    """A contract's code as the node shows it.

    Raises:
        NotFound: there is no code at the address.
        AdapterError: the endpoint does not answer properly.
    """
    rpc = JsonRpc(url)
    try:
        answer = rpc.call("eth_getCode", ["0x" + address.hex(), "latest"])
        code = bytes_from_hex(answer) if isinstance(answer, str) else None
    except SchemaError:
        code = None
    finally:
        rpc.close()
    if code is None:
        raise BadAnswer(f"{rpc.label} does not show the code of 0x{address.hex()}.", endpoint=rpc.label)
    if not code:
        raise NotFound(f"There is no contract at 0x{address.hex()}.", "Check the address and the ledger.")
    return code


def fund(url: str, addresses: list[bytes]) -> bool:
    """Give development coins to accounts that have few; False where the node does not offer it."""
    rpc = JsonRpc(url)
    try:
        for address in addresses:
            account = "0x" + address.hex()
            balance = rpc.call("eth_getBalance", [account, "latest"])
            if int(balance, 16) < DEVELOPMENT_COINS // 2:
                rpc.call("anvil_setBalance", [account, hex(DEVELOPMENT_COINS)])
    except (AdapterError, TypeError, ValueError):
        return False
    finally:
        rpc.close()
    return True
