"""What a node means by an error: the texts of geth, Besu, GoQuorum, Nethermind, Erigon, reth, anvil and evmd, sorted.

Nodes agree on no codes, so the texts are matched in small letters; what matches nothing stays `other`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapters.jsonrpc import RpcError
from adapters.protocol import Rejected

_CAUSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "known",
        re.compile(
            r"already ?known|already imported|known transaction|already exists|already in (the )?(mem)?pool|in cache"
        ),
    ),
    (
        "nonce_too_high",
        re.compile(
            r"nonce.{0,24}too (high|far|distant)|nonce ?gap|nonce_too_far|noncetoohigh|nonce_too_high|gapped"
            r"|lower nonce exists|future transaction"
        ),
    ),
    (
        "nonce_too_low",
        re.compile(
            r"nonce.{0,24}(too low|too_low|already|below)|oldnonce|nonce_too_low|(invalid|incorrect) nonce|invalid sequence"
        ),
    ),
    (
        "underpriced",
        re.compile(
            r"underpriced|fee ?too ?low|gas ?price.{0,40}(too low|below|less than|minimum)|gas_price_too_low|replacement"
            r"|less than block base fee|fee cap.{0,20}(less|below)|below.{0,20}(minimum|base ?fee)|insufficient fee"
        ),
    ),
    ("no_funds", re.compile(r"insufficient (funds|balance)|upfront.?cost|enough funds|balance too low")),
    (
        "too_much_gas",
        re.compile(
            r"exceeds.{0,12}block.gas.limit|gas.limit.{0,16}(exceed|too high)|gas.?limit.?cap|gas too high|gas_limit >"
        ),
    ),
    (
        "pool_full",
        re.compile(
            r"pool.{0,12}(is )?(full|overflow)|pool limit|mempool is full|too many (pending )?transactions|account limit"
        ),
    ),
    (
        "too_large",
        re.compile(r"oversized data|(transaction|tx|data|calldata).{0,24}(too (large|big)|exceeds.{0,12}size)"),
    ),
    ("too_dear", re.compile(r"exceeds the configured cap|fee ?cap exceeded")),
    ("not_ready", re.compile(r"initial sync|syncing|not (yet )?ready|is not available yet")),
)
_TOO_MUCH = re.compile(
    r"too many (results|logs|blocks)|more than \d+ (results|logs|blocks)|limit exceeded|exceed.{0,24}(limit|maximum|range|max|size)"
    r"|(range|span).{0,24}(too (large|wide|big)|limit|exceed)|(response|result|answer).{0,24}(too (large|big)|size|limit)"
    r"|limited to|query timeout|maximum.{0,12}(block|range)|narrow"
)
_NO_STATE = re.compile(
    r"missing trie node|state.{0,24}(not available|unavailable|pruned|missing|not found|not exist)|proof window|historical state"
    r"|required historical|header not found|block not found|unknown block|pruned|no state"
)
_REVERTED = re.compile(r"revert|invalid opcode|out of gas|stack (under|over)flow|vm execution")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def broadcast_refusal(error: RpcError) -> Rejected | None:
    """Sort the refusal of a raw transaction; None if the node has it already, which is as good as taking it."""
    text = error.reason.lower()
    for code, pattern in _CAUSES:
        if pattern.search(text):
            return (
                None
                if code == "known"
                else Rejected(str(error), code=code, reason=error.reason, endpoint=error.endpoint)
            )
    return error


def asks_for_less(error: RpcError) -> bool:
    """Whether the node refused a question for events because of the answer's size."""
    return error.rpc_code == -32005 or _TOO_MUCH.search(error.reason.lower()) is not None


def proof_refusal(error: RpcError) -> Rejected:
    """Sort the refusal of a state proof: `no_state` where the node no longer, or not yet, has that state."""
    if _NO_STATE.search(error.reason.lower()):
        return Rejected(str(error), code="no_state", reason=error.reason, endpoint=error.endpoint)
    return error


def call_refusal(error: RpcError, explain: Callable[[bytes], str]) -> Rejected:
    """Sort the refusal of a call: `reverted`, with the contract's own error in words where there is one.

    Args:
        error: what the node said.
        explain: turns revert data into the custom error's name and arguments.
    """
    reverted = revert_data(error.data)
    if reverted:
        reason = explain(reverted)
        return Rejected(f"The call would revert: {reason}", code="reverted", reason=reason, endpoint=error.endpoint)
    if error.rpc_code == 3 or _REVERTED.search(error.reason.lower()):
        return Rejected(
            f"The call would revert: {error.reason}", code="reverted", reason=error.reason, endpoint=error.endpoint
        )
    return error


def revert_data(value: Any) -> bytes:
    """Find the revert data in the three forms that nodes give: hexadecimal, `Reverted 0x…`, or an object around one."""
    if isinstance(value, dict):
        return revert_data(value.get("data", value.get("result")))
    if not isinstance(value, str):
        return b""
    match = _HEX.search(value)
    return bytes.fromhex(match.group()[2:]) if match else b""
