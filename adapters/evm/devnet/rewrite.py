"""Block hashes in JSON-RPC bodies: anvil's replaced by the sealed ones in answers, and back in parameters.

Answers are rewritten as bytes, because 10,000 logs parsed and written again cost far more than one pass of a regular
expression; anvil writes JSON without spaces and hashes in lower case.
"""

from __future__ import annotations

import re
from typing import Any

from adapters.evm.devnet.chain import View

HASH_FREE_METHODS = frozenset(
    {
        b"eth_sendRawTransaction",
        b"eth_sendTransaction",
        b"eth_getTransactionCount",
        b"eth_estimateGas",
        b"eth_gasPrice",
        b"eth_maxPriorityFeePerGas",
        b"eth_accounts",
        b"eth_syncing",
        b"net_version",
        b"net_listening",
        b"net_peerCount",
        b"web3_sha3",
        b"anvil_setBalance",
        b"anvil_setCode",
        b"anvil_setNonce",
        b"anvil_setStorageAt",
        b"anvil_impersonateAccount",
        b"anvil_stopImpersonatingAccount",
    }
)
"""Methods without block hashes in answers, and with none in the parameters that anyone uses: passed on unread."""

_METHOD = re.compile(rb'"method"\s*:\s*"([^"]*)"')
_NAMED_HASH = re.compile(rb'("(?:blockHash|hash|parentHash)":")(0x[0-9a-f]{64})(?=")')
_LISTED_HASH = re.compile(rb'([\[,]")(0x[0-9a-f]{64})(?=")')
_SLOT_METHOD = "eth_getStorageAt"
_BLOCK_TAGS = frozenset({"safe", "finalized"})


def is_hash_free(body: bytes) -> bool:
    """Whether a request, single or batch, can be passed on unread: every method in it is a hash-free one.

    A tag such as `finalized` or a block hash among the parameters makes it one to read.
    """
    if b"finalized" in body or b"safe" in body or b"blockHash" in body:
        return False
    methods = set(_METHOD.findall(body))
    return bool(methods) and methods <= HASH_FREE_METHODS


def rewrite_answer(answer: bytes, view: View, *, listed: bool = False) -> bytes:
    """Puts sealed hashes in place of anvil's.

    Args:
        answer: JSON as anvil writes it, single or batch.
        view: The chain as the endpoint shows it.
        listed: The answer may be a plain list of hashes (a block filter's).

    Returns:
        The same JSON with other hashes.
    """

    def replaced(match: re.Match[bytes]) -> bytes:
        return match[1] + view.sealed(match[2])

    answer = _NAMED_HASH.sub(replaced, answer)
    return _LISTED_HASH.sub(replaced, answer) if listed else answer


def rewrite_parameters(method: str, params: Any, view: View) -> Any:
    """Puts anvil's hashes in place of sealed ones, and the newest sealed height in place of `safe` and `finalized`.

    Args:
        method: The JSON-RPC method.
        params: Its parameters; anything that is no list is left alone.
        view: The chain as the endpoint shows it.

    Returns:
        The parameters for anvil.
    """
    if not isinstance(params, list):
        return params
    return [
        item if method == _SLOT_METHOD and index == 1 else _parameter(item, view) for index, item in enumerate(params)
    ]


def _parameter(item: Any, view: View) -> Any:
    if isinstance(item, str):
        return hex(view.chain.height) if item in _BLOCK_TAGS else view.anvil_hash(item)
    if isinstance(item, dict):
        block_keys = {"blockHash", "fromBlock", "toBlock", "blockNumber"}
        return {key: _parameter(value, view) if key in block_keys else value for key, value in item.items()}
    return item
