"""What a node means by an error code, a status or a text: sorted for the hub.

Sources: FISCO BCOS 2.9.1 `librpc/Common.h` (errors of JSON-RPC), `libethcore/TransactionException.h` (statuses), `libtxpool/TxPool.cpp`
(texts); 3.x `bcos-protocol/TransactionStatus.h` (statuses, which are also the codes of refused transactions).
"""

from __future__ import annotations

import re

from adapters.jsonrpc import RpcError
from adapters.protocol import AdapterError, Misconfigured, Rejected, Unreachable
from adapters.solidity.refusals import decode_refusal, explain

REVERT = {2: 0x16, 3: 16}
"""The status of a transaction that reverted, by line."""
NO_CONTRACT = {2: 0x1A, 3: 19}
"""The status of a call of an address without a contract, by line."""
_STATUS_NAMES = {
    2: {
        4: "out of gas",
        10: "bad instruction",
        11: "bad jump",
        12: "out of gas",
        13: "out of stack",
        14: "stack underflow",
    }
    | {
        18: "no permission to deploy",
        19: "no permission to call",
        20: "no permission to send",
        21: "precompile refuses",
    }
    | {25: "permission denied", 26: "no contract", 27: "gas overflow", 30: "contract frozen", 31: "account frozen"},
    3: {2: "out of gas", 7: "no funds", 10: "bad instruction", 11: "bad jump", 12: "out of gas", 13: "out of stack"}
    | {
        14: "stack underflow",
        15: "precompile refuses",
        17: "address in use",
        18: "permission denied",
        19: "no contract",
    }
    | {20: "gas overflow", 21: "contract frozen", 22: "account frozen"},
}

_CODES_2 = {
    15: "known",
    16: "expired",
    28: "pool_full",
    29: "not_ready",
    10_000: "known",
    10_001: "known",
    10_006: "pool_full",
}
_CODES_3 = {10_000: "known", 10_001: "expired", 10_002: "pool_full", 10_004: "known", 10_005: "known", 7: "no_funds"}
_TEXTS = (
    ("known", re.compile(r"noncecheckfail|alreadyk|already ?known|alreadyin|already in", re.IGNORECASE)),
    ("expired", re.compile(r"blocklimitcheckfail|block ?limit", re.IGNORECASE)),
    ("pool_full", re.compile(r"poolisfull|pool is full|overgroupmemorylimit", re.IGNORECASE)),
    ("not_ready", re.compile(r"syncing|sync status|initializ", re.IGNORECASE)),
)
_BUSY_CODES = frozenset({-40_010, -40_011})
_GROUP_CODES = frozenset({-40_001})
_GROUP_TEXT = re.compile(r"group\S* .{0,80}(not|n't) exist", re.IGNORECASE)
_BUSY_TEXT = re.compile(r"(not available|not started|not ready|too busy|qps|initializ)", re.IGNORECASE)
_ABSENT = re.compile(r"not ?(be )?found|not exist|does not|no such|unknown|null|empty", re.IGNORECASE)
_LEDGER_CODES = range(3_000, 3_100)
"""Line 3: errors of a node's ledger, such as that it does not have what was asked for."""
_SENDERS = frozenset(
    {
        "NotOfficer",
        "NotGuardianOrOfficer",
        "SenderNotAllowed",
        "SenderLimitReached",
        "CallbackWithoutCode",
        "SameOfficer",
    }
    | {"NotOrigin"}
)
"""Errors of the contracts that depend on who calls."""


def asked_wrongly(error: RpcError) -> AdapterError:
    """Sort the refusal of a question: a missing group, a busy node, or the refusal itself."""
    if error.rpc_code in _GROUP_CODES or _GROUP_TEXT.search(error.reason):
        return Misconfigured(
            f"{error.endpoint} does not have the group ({error.reason}); correct the option group.",
            endpoint=error.endpoint,
        )
    if error.rpc_code in _BUSY_CODES or _BUSY_TEXT.search(error.reason):
        return Unreachable(f"{error.endpoint} is not ready ({error.reason}); try again later.", endpoint=error.endpoint)
    return error


def no_such_block(error: RpcError, height: int) -> AdapterError:
    """Sort the refusal of a question for a block."""
    sorted_error = asked_wrongly(error)
    if sorted_error is not error:
        return sorted_error
    return Rejected(
        f"{error.endpoint} does not have block {height} ({error.reason}).", code="no_state", endpoint=error.endpoint
    )


def unsent(error: RpcError, line: int) -> Rejected | None:
    """Sort the refusal of a transaction; None if the node has it already, which is as good as taking it.

    A nonce that was used is ours, because our nonces are hashes of whole transactions. Where a stranger took it first, the
    transaction is never mined, expires, and is made anew with another nonce.

    Raises:
        Misconfigured: the node does not have the group.
        Unreachable: it takes nothing now.
    """
    code = (_CODES_2 if line == 2 else _CODES_3).get(error.rpc_code) or next(
        (name for name, pattern in _TEXTS if pattern.search(error.reason)), ""
    )
    if code == "known":
        return None
    if not code:
        sorted_error = asked_wrongly(error)
        if not isinstance(sorted_error, Rejected):
            raise sorted_error
        code = sorted_error.code
    return Rejected(
        f"The node refuses the transaction: {error.reason}", code=code, reason=error.reason, endpoint=error.endpoint
    )


def uncalled(status: int, output: bytes, line: int, endpoint: str) -> Rejected:
    """Sort the failure of a call that was run and not sent.

    Args:
        status: what the node says of it, not 0.
        output: revert data, where there is any.
        line: 2 or 3.
        endpoint: who said so.
    """
    reason = explain(output) if status == REVERT[line] else _STATUS_NAMES[line].get(status, f"status {status}")
    return Rejected(f"The call would revert: {reason}", code="reverted", reason=reason, endpoint=endpoint)


def depends_on_sender(status: int, output: bytes) -> bool:
    """Whether a call without a sender failed for want of one."""
    refusal = decode_refusal(output) if status == REVERT[3] else None
    return refusal is not None and refusal.name in _SENDERS


def is_absent(error: RpcError) -> bool:
    """Whether a node means that it has no such transaction: line 2 answers null, line 3 an error of its ledger or a text."""
    return error.rpc_code in _LEDGER_CODES or _ABSENT.search(error.reason) is not None
