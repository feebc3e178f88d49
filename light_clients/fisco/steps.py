"""A change of sealers, proved by the calls of the consensus precompile in the block before it.

A header holds the sealers that signed it, so a header that names new ones is signed by nobody whom the client trusts. The change
is believed because the block before it, which the trusted set signed, holds the calls that made it. Every one of them is proved
with its transaction (which contract, function and node) and its receipt (success), and the new set is *computed* from the old
one; the header must have exactly that set.

Source: FISCO-BCOS 2.x `libprecompiled/ConsensusPrecompiled` and 3.x `bcos-executor/src/precompiled/ConsensusPrecompiled`:
a change applies from the next block; 2.x returns how many rows changed (1), 3.x returns 0. Selectors are hashed by the ledger's
own suite. Changes that no such call shows (a governance contract, a rotation of rPBFT) cannot be proved to this client: the
officers pin a new header.
"""

from __future__ import annotations

from collections.abc import Mapping

from light_clients.fisco.errors import ExecutionFailed, SealerStepInvalid
from light_clients.fisco.evidence import Execution
from light_clients.fisco.executions import proved_call, proved_receipt
from light_clients.fisco.types import (
    KEY_SIZE,
    FiscoConfiguration,
    FiscoState,
    Sealer,
)
from schemas.suites import integer_word

CONSENSUS_PRECOMPILE = (0x1003).to_bytes(20, "big")
"""The contract that changes the sealers, on both lines."""

_SUCCESS = {2: integer_word(1), 3: integer_word(0)}
"""What it returns: how many rows it changed on line 2, no error on line 3."""

_LINE_2 = {"addSealer(string)": False, "addObserver(string)": False, "remove(string)": False}
_LINE_3 = {
    "addSealer(string,uint256)": True,
    "setWeight(string,uint256)": True,
    "addObserver(string)": False,
    "remove(string)": False,
}


def sealers_after(state: FiscoState, steps: tuple[Execution, ...]) -> dict[bytes, int]:
    """The sealers of the block after the newest one.

    Args:
        state: Holds the trusted set and the roots of the newest block.
        steps: Every call of that block that changed the set, in order.

    Returns:
        Keys with their weights.

    Raises:
        SealerStepInvalid: A call is none that changes sealers, or stands out of order.
        ExecutionFailed: A call failed.
        ReceiptBlockMismatch: A receipt names another block.
        Refused: A transaction, receipt or path does not hold.
    """
    sealers = {sealer.key: sealer.weight for sealer in state.sealers}
    last = -1
    for step in steps:
        if step.index <= last:
            raise SealerStepInvalid("Changes of sealers stand in the order of their block.", found=step.index)
        last = step.index
        _apply_step(state, step, sealers)
    return sealers


def same_sealers(sealers: tuple[Sealer, ...], expected: Mapping[bytes, int]) -> bool:
    """Whether a header's sealers are those, in whatever order."""
    return {sealer.key: sealer.weight for sealer in sealers} == expected


def call_data(configuration: FiscoConfiguration, function: str, node: bytes, weight: int | None = None) -> bytes:
    """The one encoding of a call that changes sealers (contract ABI specification).

    Args:
        configuration: Its suite hashes the selector.
        function: Name and types, such as ``addSealer(string)``.
        node: The sealer's key, 64 bytes.
        weight: Where the function takes one.
    """
    words = [integer_word(0x20)] if weight is None else [integer_word(0x40), integer_word(weight)]
    selector = configuration.hashing.hash(function.encode())[:4]
    return b"".join((selector, *words, integer_word(2 * KEY_SIZE), node.hex().encode()))


def _apply_step(state: FiscoState, step: Execution, sealers: dict[bytes, int]) -> None:
    configuration = state.configuration
    # 1. The transaction is a call of the consensus precompile and stands in the newest block.
    call = proved_call(step, configuration, state.transactions_root, own_digits=2 * KEY_SIZE)
    if call.to != CONSENSUS_PRECOMPILE:
        raise SealerStepInvalid("The call is of another contract.", expected=CONSENSUS_PRECOMPILE, found=call.to)
    # 2. The receipt at its position says that it succeeded.
    receipt = proved_receipt(step, configuration, state.receipts_root, state.height)
    if receipt.status or receipt.created or receipt.logs or receipt.output != _SUCCESS[configuration.line]:
        raise ExecutionFailed("The consensus precompile did not change anything.", found=receipt.output)
    # 3. What it changed.
    function, node, weight = _read_call_data(configuration, call.data)
    if function.startswith("addSealer"):
        sealers[node] = weight
    elif function.startswith("setWeight"):
        if node in sealers:
            sealers[node] = weight
    else:
        sealers.pop(node, None)


def _read_call_data(configuration: FiscoConfiguration, data: bytes) -> tuple[str, bytes, int]:
    functions = _LINE_2 if configuration.line == 2 else _LINE_3
    for function, weighted in functions.items():
        if data[:4] == configuration.hashing.hash(function.encode())[:4]:
            text = data[-2 * KEY_SIZE :].lower()
            if not all(digit in b"0123456789abcdef" for digit in text) or len(text) != 2 * KEY_SIZE:
                break
            node = bytes.fromhex(text.decode("ascii"))
            weight = int.from_bytes(data[36:68], "big") if weighted else None
            if call_data(configuration, function, node, weight) == data[: -2 * KEY_SIZE] + text:
                return function, node, 1 if weight is None else weight
            break
    raise SealerStepInvalid("The call changes no sealers, or is not in its one encoding.", found=data[:4])
