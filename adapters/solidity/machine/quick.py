"""The opcodes that compiled Solidity runs most, written for speed: the same effects as py-evm's, less work for each.

They keep integers on the stack where py-evm keeps bytes too, look jump destinations up in a set made once for each code, and
touch memory without an intermediate call. Source: the Yellow Paper, appendix H; tests compare them with py-evm and with revm.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from eth.exceptions import FullStack, InsufficientStack, InvalidJumpDestination
from eth.vm import opcode_values

WORD, MASK = 32, 2**256 - 1
STACK_LIMIT = 1024
BASE_GAS, VERY_LOW_GAS, LOW_GAS, MID_GAS, HIGH_GAS, JUMPDEST_GAS = 2, 3, 5, 8, 10, 1
PUSH1, PUSH32, JUMPDEST = 0x60, 0x7F, 0x5B
Opcode = Callable[[Any], None]


@lru_cache(maxsize=256)
def jump_destinations(code: bytes) -> frozenset[int]:
    """Return every position of a JUMPDEST that is no part of a pushed value."""
    found, position = [], 0
    while position < len(code):
        opcode = code[position]
        if opcode == JUMPDEST:
            found.append(position)
        position += opcode - PUSH1 + 2 if PUSH1 <= opcode <= PUSH32 else 1
    return frozenset(found)


def quick_opcodes() -> dict[int, tuple[Opcode, int]]:
    """Return opcodes by number with their gas, which the caller charges before each; both are the same in every fork."""
    priced: dict[int, dict[int, Opcode]] = {
        BASE_GAS: {opcode_values.POP: _pop},
        VERY_LOW_GAS: {
            opcode_values.ADD: _binary(operator.add),
            opcode_values.SUB: _binary(operator.sub),
            opcode_values.AND: _binary(operator.and_),
            opcode_values.OR: _binary(operator.or_),
            opcode_values.LT: _binary(operator.lt),
            opcode_values.GT: _binary(operator.gt),
            opcode_values.EQ: _binary(operator.eq),
            opcode_values.SHL: _binary(_shift_left),
            opcode_values.SHR: _binary(_shift_right),
            opcode_values.ISZERO: _is_zero,
            opcode_values.MLOAD: _load,
            opcode_values.MSTORE: _store,
            opcode_values.CALLDATALOAD: _load_calldata,
            **{opcode_values.PUSH1 - 1 + size: _push(size) for size in range(1, 33)},
            **{opcode_values.DUP1 - 1 + depth: _duplicate(depth) for depth in range(1, 17)},
            **{opcode_values.SWAP1 - 1 + depth: _swap(depth) for depth in range(1, 17)},
        },
        LOW_GAS: {opcode_values.MUL: _binary(operator.mul)},
        MID_GAS: {opcode_values.JUMP: _jump},
        HIGH_GAS: {opcode_values.JUMPI: _jump_if},
        JUMPDEST_GAS: {opcode_values.JUMPDEST: _landing},
    }
    return {number: (opcode, gas) for gas, opcodes in priced.items() for number, opcode in opcodes.items()}


def _take(computation: Any) -> int:
    try:
        value = computation._stack.values.pop()  # noqa: SLF001 - py-evm's stack
    except IndexError:
        raise InsufficientStack("the stack is empty") from None
    return int.from_bytes(value, "big") if value.__class__ is bytes else value


def _binary(operation: Callable[[int, int], int]) -> Opcode:
    def run(computation: Any) -> None:
        values = computation._stack.values  # noqa: SLF001
        try:
            first, second = values.pop(), values[-1]
        except IndexError:
            raise InsufficientStack("two operands are needed") from None
        if first.__class__ is bytes:
            first = int.from_bytes(first, "big")
        if second.__class__ is bytes:
            second = int.from_bytes(second, "big")
        values[-1] = operation(first, second) & MASK

    return run


def _shift_left(shift: int, value: int) -> int:
    return value << shift if shift < 256 else 0


def _shift_right(shift: int, value: int) -> int:
    return value >> shift if shift < 256 else 0


def _is_zero(computation: Any) -> None:
    computation._stack.values.append(int(not _take(computation)))  # noqa: SLF001


def _pop(computation: Any) -> None:
    _take(computation)


def _reach(computation: Any, position: int) -> bytearray:
    """Memory, extended (and paid for) so that the word at this position is there."""
    memory: bytearray = computation._memory._bytes  # noqa: SLF001
    if position + WORD > len(memory):
        computation.extend_memory(position, WORD)
        memory = computation._memory._bytes  # noqa: SLF001
    return memory


def _load(computation: Any) -> None:
    position = _take(computation)
    word = _reach(computation, position)[position : position + WORD]
    computation._stack.values.append(int.from_bytes(word, "big"))  # noqa: SLF001


def _store(computation: Any) -> None:
    position, value = _take(computation), _take(computation)
    _reach(computation, position)[position : position + WORD] = value.to_bytes(WORD, "big")


def _load_calldata(computation: Any) -> None:
    position = _take(computation)
    word = bytes(computation.msg.data[position : position + WORD])
    computation._stack.values.append(int.from_bytes(word.ljust(WORD, b"\0"), "big"))  # noqa: SLF001


def _jump(computation: Any) -> None:
    _land(computation, _take(computation))


def _jump_if(computation: Any) -> None:
    destination, condition = _take(computation), _take(computation)
    if condition:
        _land(computation, destination)


def _land(computation: Any, destination: int) -> None:
    code = computation.code
    if destination not in jump_destinations(code._raw_code_bytes):  # noqa: SLF001
        raise InvalidJumpDestination("there is no JUMPDEST")
    code.program_counter = destination


def _landing(computation: Any) -> None:
    """Nothing happens."""


def _push(size: int) -> Opcode:
    def run(computation: Any) -> None:
        values, code = computation._stack.values, computation.code  # noqa: SLF001
        if len(values) >= STACK_LIMIT:
            raise FullStack("the stack is full")
        start = code.program_counter
        code.program_counter = end = start + size
        pushed = code._raw_code_bytes[start:end]  # noqa: SLF001
        values.append(int.from_bytes(pushed if len(pushed) == size else pushed.ljust(size, b"\0"), "big"))

    return run


def _duplicate(depth: int) -> Opcode:
    def run(computation: Any) -> None:
        values = computation._stack.values  # noqa: SLF001
        if not depth <= len(values) < STACK_LIMIT:
            raise (FullStack if depth <= len(values) else InsufficientStack)("nothing to duplicate, or no room for it")
        values.append(values[-depth])

    return run


def _swap(depth: int) -> Opcode:
    def run(computation: Any) -> None:
        values = computation._stack.values  # noqa: SLF001
        if depth >= len(values):
            raise InsufficientStack("nothing to swap with")
        values[-1], values[-depth - 1] = values[-depth - 1], values[-1]

    return run
