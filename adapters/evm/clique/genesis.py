"""The genesis of a Clique network: its signers in the order of their addresses, and accounts that are rich from the first block."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

RICH = 10**27
GAS_LIMIT = 30_000_000
VANITY_BYTES, SEAL_BYTES = 32, 65
RULES = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin")


def genesis(
    chain_id: int, signers: Sequence[bytes], *, period_s: int, epoch: int, london: bool, rich: Sequence[bytes]
) -> dict[str, Any]:
    """The genesis file's JSON (EIP-225; geth's `params.ChainConfig`).

    Args:
        chain_id: the chain id.
        signers: addresses, 20 bytes each, ascending.
        period_s: seconds between blocks.
        epoch: blocks between two lists of the signers.
        london: whether there is a base fee; else the rules are Berlin's.
        rich: accounts (20 bytes) that have `RICH` base units.
    """
    rules = {f"{name}Block": 0 for name in (*RULES, *(["london"] if london else []))}
    extra = bytes(VANITY_BYTES) + b"".join(signers) + bytes(SEAL_BYTES)
    return {
        "config": {"chainId": chain_id, **rules, "clique": {"period": period_s, "epoch": epoch}},
        "timestamp": hex(int(time.time())),
        "difficulty": "0x1",
        "gasLimit": hex(GAS_LIMIT),
        "extraData": "0x" + extra.hex(),
        "alloc": {address.hex(): {"balance": hex(RICH)} for address in rich},
    }
