"""What an endpoint does wrong on demand: it lies about events, heads, proofs and headers, shows a fork, or fails.

Each path of the front (`/`, `/second`, …) is an endpoint with its own faults, so a test has an honest and a lying endpoint
of one ledger. Lies are told in answers only; the ledger behind is honest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.evm.devnet.chain import Fork
from adapters.evm.devnet.header import Extra
from adapters.evm.devnet.hostile_http import HTTP_FAILURES
from light_clients.crypto.secp256k1 import sign_seal

FAILURES = frozenset({"errors", "garbage", "silence"}) | HTTP_FAILURES
"""Ways to fail: a JSON-RPC error for everything, an answer that is no JSON, no answer at all, and those of HTTP."""


@dataclass(slots=True)
class Endpoint:
    """One path of the front and its faults.

    Attributes:
        lies: Names from `LIES` and `FAILURES`.
        fork: The fork it shows, or None.
    """

    lies: set[str] = field(default_factory=set)
    fork: Fork | None = None


def tell_lies(method: str, result: Any, lies: set[str]) -> Any:
    """Applies an endpoint's lies to a result.

    Args:
        method: The JSON-RPC method.
        result: What the honest endpoint answers.
        lies: Names from `LIES`.

    Returns:
        What the lying endpoint answers.
    """
    for name in sorted(lies & LIES.keys()):
        methods, change = LIES[name]
        if method in methods and result:
            result = change(result)
    return result


def flipped(text: str) -> str:
    """Hexadecimal text with its last digit changed."""
    return text[:-1] + ("1" if text[-1] != "1" else "2")


def _false_log(log: dict[str, Any]) -> dict[str, Any]:
    if log["data"] != "0x":
        return {**log, "data": flipped(log["data"])}
    return {**log, "topics": [*log["topics"][:-1], flipped(log["topics"][-1])]} if log["topics"] else log


def _false_logs(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_false_log(log) for log in logs]


def _without_last(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return logs[:-1]


def _last_twice(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*logs, logs[-1]]


def _false_receipts(result: Any) -> Any:
    if isinstance(result, list):
        return [_false_receipts(receipt) for receipt in result]
    status = "0x0" if result["status"] == "0x1" else "0x1"
    return {**result, "status": status, "logs": _false_logs(result["logs"])}


def _false_proof(result: dict[str, Any]) -> dict[str, Any]:
    slots = [{**slot, "proof": [*map(flipped, slot["proof"])]} for slot in result["storageProof"]]
    return {**result, "accountProof": [*map(flipped, result["accountProof"])], "storageProof": slots}


def _false_head(result: str) -> str:
    return flipped(result) if len(result) > 2 else result


def _false_height(result: str) -> str:
    return hex(int(result, 16) + 1000)


def _false_header(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "stateRoot": flipped(result["stateRoot"])}


def _foreign_seals(result: dict[str, Any]) -> dict[str, Any]:
    """Seals by keys that are no validators'; the block hash does not cover seals and stays true."""
    extra = Extra.decode(bytes.fromhex(result["extraData"][2:]))
    digest = bytes.fromhex(result["hash"][2:])
    keys = [hashlib.sha256(b"no validator" + address).digest() for address in extra.validators]
    forged = replace(extra, seals=tuple(sign_seal(key, digest) for key in keys))
    return {**result, "extraData": "0x" + forged.encode().hex()}


_LOGS = frozenset({"eth_getLogs", "eth_getFilterLogs"})
_BLOCKS = frozenset({"eth_getBlockByNumber", "eth_getBlockByHash"})

LIES: dict[str, tuple[frozenset[str], Callable[[Any], Any]]] = {
    "logs": (_LOGS, _false_logs),
    "missing_logs": (_LOGS, _without_last),
    "repeated_logs": (_LOGS, _last_twice),
    "receipts": (frozenset({"eth_getTransactionReceipt", "eth_getBlockReceipts"}), _false_receipts),
    "proofs": (frozenset({"eth_getProof"}), _false_proof),
    "heads": (frozenset({"eth_getStorageAt", "eth_call"}), _false_head),
    "height": (frozenset({"eth_blockNumber"}), _false_height),
    "headers": (_BLOCKS, _false_header),
    "seals": (_BLOCKS, _foreign_seals),
}
"""The lies by name: the methods they touch and how they change the result."""
