"""Contracts that only compute, run in revm: the same code and calldata, at native speed.

A contract is taken where every instruction that can be reached reads nothing but calldata, its own code and memory, and
calls at most the precompiles 2 to 5 and 9, named by a constant. Then state, block and origin cannot matter, and both
machines must agree on output and gas; tests/adapters/solidity/machine/test_machine_native.py compares them. Source: the
Yellow Paper, appendix H; EIP-2028 for the price of calldata, which revm charges and a frame does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyrevm
from eth.exceptions import InvalidInstruction, OutOfGas, Revert, VMError

from adapters.solidity.machine.types import Traits

# Written exactly so: pyrevm takes any other spelling for its newest fork, without a word.
SPECIFICATIONS = {
    "istanbul": "Istanbul",
    "berlin": "Berlin",
    "london": "London",
    "paris": "Merge",
    "shanghai": "Shanghai",
    "cancun": "Cancun",
}
INTRINSIC_GAS, ZERO_BYTE_GAS, OTHER_BYTE_GAS = 21_000, 4, 16
CALLER = "0x" + "c1" * 20
RUNS_MAX = 10_000
GAS, KECCAK256, STATICCALL, PUSH1, PUSH32, JUMPDEST, PUSH0 = 0x5A, 0x20, 0xFA, 0x60, 0x7F, 0x5B, 0x5F
TERMINATORS = frozenset((0x00, 0x56, 0xF3, 0xFD, 0xFE))
SAFE_PRECOMPILES = frozenset((2, 3, 4, 5, 9))
HALTS: dict[str, type[VMError]] = {"out of gas": OutOfGas, "invalid": InvalidInstruction}
_OUTPUT = re.compile(r"output: 0x([0-9a-fA-F]*)")


def _allowed() -> frozenset[int]:
    arithmetic = set(range(0x0C)) | set(range(0x10, 0x1E))
    calldata = {0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3D, 0x3E}
    memory = {0x50, 0x51, 0x52, 0x53, 0x56, 0x57, 0x58, 0x59, GAS, JUMPDEST, 0x5E, PUSH0}
    stack = set(range(PUSH1, 0xA0))
    return frozenset(arithmetic | calldata | memory | stack | {KECCAK256, STATICCALL, 0xF3, 0xFD, 0xFE})


ALLOWED = _allowed()


@dataclass(frozen=True, slots=True)
class Answer:
    """What revm said: output, gas used, and how the frame ended (`success`, `revert`, `out of gas`, `invalid`)."""

    output: bytes
    gas_used: int
    ended: str

    def settle(self, computation: Any) -> None:
        """Put the answer into a frame of py-evm that has not run."""
        if self.ended in HALTS:
            computation.consume_gas(computation.msg.gas, reason="halted")
            computation.error = HALTS[self.ended]("the contract halted in revm")
            return
        computation.consume_gas(self.gas_used, reason="run in revm")
        computation.output = self.output
        if self.ended == "revert":
            computation.error = Revert(self.output)


class Native:
    """revm beside a machine; it holds copies of pure contracts and no state."""

    def __init__(self, traits: Traits) -> None:
        self._hash_allowed = traits.hash_opcode == "keccak256"
        self._specification = SPECIFICATIONS[traits.fork]
        self.enabled = True
        self._begin()

    def _begin(self) -> None:
        """Take a new revm: its journal grows a little with each run and is never emptied."""
        self._evm = pyrevm.EVM(spec_id=self._specification)
        self._evm.set_block_env(pyrevm.BlockEnv(gas_limit=2**63))
        self._places: dict[bytes, str] = {}
        self._runs = 0

    def _place(self, code: bytes) -> str:
        """The address at which revm holds this code."""
        place = self._places.get(code)
        if place is None:
            place = self._places[code] = f"0xad{len(self._places):038x}"
            self._evm.insert_account_info(place, pyrevm.AccountInfo(code=code))
        return place

    def takes(self, message: Any) -> bool:
        """Whether a message is for a contract that only computes."""
        if not (self.enabled and message.code) or message.is_create or message.value:
            return False
        return is_pure(message.code, hash_allowed=self._hash_allowed)

    def run(self, code: bytes, data: bytes, gas: int) -> Answer:
        """Run code that `is_pure` on calldata with this much gas for the frame."""
        if self._runs >= RUNS_MAX:
            self._begin()
        self._runs += 1
        place = self._place(code)
        intrinsic = INTRINSIC_GAS + ZERO_BYTE_GAS * data.count(0) + OTHER_BYTE_GAS * (len(data) - data.count(0))
        try:
            output = bytes(self._evm.message_call(CALLER, place, calldata=data, gas=min(gas, 2**62) + intrinsic))
        except RuntimeError as error:
            found = _OUTPUT.search(str(error)) if "Revert {" in str(error) else None
            if found is None:
                return Answer(b"", gas, "out of gas" if "reason: OutOfGas" in str(error) else "invalid")
            return Answer(bytes.fromhex(found.group(1)), self._gas_used() - intrinsic, "revert")
        return Answer(output, self._gas_used() - intrinsic, "success")

    def _gas_used(self) -> int:
        result: Any = self._evm.result
        used: int = result.gas_used
        return used


@lru_cache(maxsize=256)
def is_pure(code: bytes, *, hash_allowed: bool) -> bool:
    """Whether code does nothing but compute on calldata, as the module describes it.

    Args:
        code: runtime code.
        hash_allowed: whether KECCAK256 may occur: it is keccak in revm.
    """
    position, reachable, last = 0, True, (0, 0)
    before_last = last
    while position < len(code):
        opcode = code[position]
        width = opcode - PUSH1 + 1 if PUSH1 <= opcode <= PUSH32 else 0
        reachable = reachable or opcode == JUMPDEST
        if reachable:
            if opcode not in ALLOWED or (opcode == KECCAK256 and not hash_allowed):
                return False
            if opcode == STATICCALL and not _to_precompile(before_last, last):
                return False
            reachable = opcode not in TERMINATORS
        before_last, last = last, (opcode, int.from_bytes(code[position + 1 : position + 1 + width], "big"))
        position += 1 + width
    return True


def _to_precompile(before_last: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether the two instructions before a STATICCALL push a precompile's address and then all gas."""
    return last[0] == GAS and PUSH1 <= before_last[0] <= PUSH32 and before_last[1] in SAFE_PRECOMPILES
