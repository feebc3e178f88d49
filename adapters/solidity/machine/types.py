"""What goes into the machine and what comes out: traits of a platform, an execution, its logs, reads and writes.

Source: for the traits, what was measured on the platforms (the portability reference of the gateway, docs/trust.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Fork = Literal["istanbul", "berlin", "london", "paris", "shanghai", "cancun"]
Precompile = Callable[[bytes], bytes | None]

ETHEREUM_CODE_MAX_BYTES = 24_576
ETHEREUM_CALL_DEPTH = 1024


class Panic(Exception):
    """A precompile that brings the whole transaction down, not only the call; its text says what it met."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How a platform's virtual machine behaves; the defaults are Ethereum's.

    Attributes:
        fork: the rules of gas and the opcodes.
        hash_opcode: what KECCAK256 computes; `sm3` on FISCO BCOS in national-cryptography mode.
        ecrecover: whether precompile 1 recovers signers; without it, it answers address(0).
        chain_number: what CHAINID answers, below 2^256.
        precompiles: further contracts in the node, by address of 20 bytes: input to output, None where the call fails.
            They cost no gas. One that raises `Panic` fails the transaction.
        code_max: bytes of code that a contract may have.
        call_depth: nested calls that are allowed.
        nested_gas_uncapped: `{gas: g}` is ignored, a contract that is called may use all that the caller has left
            and is not charged for; precompiles are.
        nested_writes_persist: what a frame's callees wrote stays when the frame itself reverts.
        frames_buffer_writes: a frame's writes are seen by others only once it ends; what it wrote then overwrites what
            frames inside it wrote to the same slots, and what it has read it does not read again.
        nested_sender_is_callers: a contract that is called sees its caller's caller as msg.sender, so the whole way in sees
            the origin; ChainMaker's first machines (2.0).
        static_can_write: STATICCALL is CALL without value.
        callee_logs_first: a callee's logs stand before all of the caller's.
        work_max: gas that the frames of a transaction may use together, charged or not: the platform's scheduler limit.
            A frame is given no more than what is left of it, and needing more is a panic. Contracts that run in revm
            count a hundredth.
    """

    fork: Fork = "paris"
    hash_opcode: Literal["keccak256", "sm3"] = "keccak256"
    ecrecover: bool = True
    chain_number: int = 1
    precompiles: Mapping[bytes, Precompile] = field(default_factory=dict)
    code_max: int = ETHEREUM_CODE_MAX_BYTES
    call_depth: int = ETHEREUM_CALL_DEPTH
    nested_gas_uncapped: bool = False
    nested_writes_persist: bool = False
    frames_buffer_writes: bool = False
    nested_sender_is_callers: bool = False
    static_can_write: bool = False
    callee_logs_first: bool = False
    work_max: int = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Log:
    """A log of a contract: its address (20 bytes), its topics (32 bytes each) and its data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """A storage slot (32 bytes) of a contract (20 bytes) and the value (32 bytes) that a transaction leaves there."""

    address: bytes
    slot: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A storage slot (32 bytes) of a contract (20 bytes) and the value (32 bytes) that was found at the first look."""

    address: bytes
    slot: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of a message.

    Attributes:
        success: whether the outermost frame ended without an error.
        output: what it returned, or its revert data; empty after any other error.
        gas_used: gas charged for the execution, less refunds; no intrinsic gas of a transaction.
        logs: logs of the frames that did not fail, in order; none where the execution failed.
        writes: the last value of each slot that surviving frames wrote, in the order of the first write, also where the
            value is what it was before; none where the execution failed.
        reads: each slot that SLOAD found outside the transaction's own writes, in the order of the first look, also by
            frames that failed.
        created: address of the contract that was deployed; empty for a call or a failure.
        failure: why it failed, in the machine's words: `revert`, `out of gas`, `panic: …`; empty for a success.
    """

    success: bool
    output: bytes
    gas_used: int
    logs: tuple[Log, ...]
    writes: tuple[Write, ...]
    reads: tuple[Read, ...]
    created: bytes
    failure: str
