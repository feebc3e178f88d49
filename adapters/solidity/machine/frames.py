"""py-evm's computation with a platform's traits: the hash opcode, calls, precompiles, the frames of the state.

Source: py-evm 0.12 (`eth.vm.computation`, `eth.vm.logic.call`); the Yellow Paper, section 9; for the traits,
adapters/solidity/machine/types.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from eth import constants
from eth._utils.numeric import ceil32
from eth.exceptions import Halt, InvalidInstruction, OutOfGas, StackDepthLimit
from eth.vm import opcode_values
from eth.vm.computation import BaseComputation
from eth.vm.forks.berlin.computation import BerlinComputation
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.istanbul.computation import IstanbulComputation
from eth.vm.forks.london.computation import LondonComputation
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.shanghai.computation import ShanghaiComputation
from eth.vm.logic.invalid import InvalidOpcode
from eth.vm.message import Message
from eth.vm.opcode import as_opcode

from adapters.solidity.machine.native import Native
from adapters.solidity.machine.quick import quick_opcodes
from adapters.solidity.machine.types import Panic, Precompile, Traits
from schemas.suites import keccak256, sm3

FORKS: Mapping[str, type[BaseComputation]] = {
    "istanbul": IstanbulComputation,
    "berlin": BerlinComputation,
    "london": LondonComputation,
    "paris": ParisComputation,
    "shanghai": ShanghaiComputation,
    "cancun": CancunComputation,
}
ECRECOVER = bytes(19) + b"\x01"
CALLS = (opcode_values.CALL, opcode_values.CALLCODE, opcode_values.DELEGATECALL, opcode_values.STATICCALL)
HASHES: Mapping[str, Callable[[bytes], bytes]] = {"keccak256": keccak256, "sm3": sm3}
PRICES = [quick_opcodes().get(number, (None, 0))[1] for number in range(256)]
"""Gas that the loop charges; py-evm's own opcodes charge themselves."""
NATIVE_SPEED = 100
"""How much more gas revm does in the same time, by order of magnitude."""
Opcode = Callable[..., Any]


class Frame(BaseComputation):
    """One frame; the classes made by `frame_class` set what stands here without a value."""

    traits: Traits
    table: list[Opcode]
    native: Native

    @classmethod
    def apply_message(cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None) -> Any:
        """Run a message in a frame of its own, whose changes are undone where it fails.

        Raises:
            Panic: a precompile brings the transaction down, or its frames do more work than the platform allows.
        """
        if message.depth > cls.traits.call_depth:
            return cls._too_deep(state, message, transaction_context)
        pure, wanted = cls.native.takes(message), message.gas
        message.gas = min(wanted, transaction_context.work_left * (NATIVE_SPEED if pure else 1))
        limited = message.gas < wanted
        if cls.traits.nested_gas_uncapped:
            limited = transaction_context.limited = limited or transaction_context.limited
        computation = cls._run(state, message, transaction_context, parent_computation, pure=pure)
        if limited and computation.is_error and isinstance(computation.error, OutOfGas):
            raise Panic("the transaction did more work than the platform's scheduler waits for")
        if cls.traits.nested_gas_uncapped:
            transaction_context.work_left -= computation.get_gas_used() // (NATIVE_SPEED if pure else 1)
        return computation

    @classmethod
    def _run(cls, state: Any, message: Any, transaction_context: Any, parent: Any, *, pure: bool) -> Any:
        if pure:
            computation = cls(state, message, transaction_context)
            cls.native.run(message.code, message.data_as_bytes, message.gas).settle(computation)
            return computation
        state.open_frame()
        try:
            computation = cls.apply_computation(state, message, transaction_context, parent)
        except BaseException:
            state.close_frame(success=False)
            raise
        state.close_frame(success=computation.is_success)
        return computation

    @classmethod
    def _too_deep(cls, state: Any, message: Any, transaction_context: Any) -> Any:
        computation = cls(state, message, transaction_context)
        computation.error = StackDepthLimit("calls are nested deeper than the platform allows")
        return computation

    @classmethod
    def apply_computation(
        cls, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None
    ) -> Any:
        """Run the code of a message, or the precompile that it is for."""
        with cast("Any", cls(state, message, transaction_context)) as computation:
            computation.contracts_created = parent_computation.contracts_created if parent_computation else []
            if message.is_create:
                computation.contracts_created.append(message.storage_address)
                if parent_computation is None:
                    cls.consume_initcode_gas_cost(computation)
            precompile = cls.get_precompiles().get(message.code_address)
            if precompile is not None and not message.is_create:
                precompile(computation)
            else:
                computation.run_code()
        return computation

    def run_code(self) -> None:
        """Run the code until it halts.

        Raises:
            VMError: the frame fails; py-evm's context manager keeps it.
        """
        table, meter = self.table, self._gas_meter
        try:
            for opcode in self.code:
                cost = PRICES[opcode]
                if cost:
                    left = meter.gas_remaining - cost
                    if left < 0:
                        raise OutOfGas("out of gas")
                    meter.gas_remaining = left
                table[opcode](self)
        except Halt:
            return

    @classmethod
    def validate_contract_code(cls, contract_code: bytes) -> None:
        """Hold the code to the platform's own limit.

        Raises:
            OutOfGas: it is too long, as EIP-170 has it.
        """
        if len(contract_code) > cls.traits.code_max:
            raise OutOfGas(f"the code has {len(contract_code)} bytes; the platform takes {cls.traits.code_max}")

    @classmethod
    def validate_create_message(cls, message: Any) -> None:
        """Creation code may be twice as long as code, as EIP-3860 has it.

        Raises:
            OutOfGas: it is longer.
        """
        if len(message.code) > 2 * cls.traits.code_max:
            raise OutOfGas(f"the creation code has {len(message.code)} bytes, more than {2 * cls.traits.code_max}")


def frame_class(traits: Traits) -> type[Frame]:
    """Make the class of frames that have these traits."""
    base = FORKS[traits.fork]
    table = _opcodes(base, traits)
    members = {
        "traits": traits,
        "table": table,
        "opcodes": dict(enumerate(table)),
        "_precompiles": _precompiles(base, traits),
        "native": Native(traits),
    }
    return cast("type[Frame]", type(f"{traits.fork.title()}Frame", (Frame, base), members))


def _precompiles(base: type[BaseComputation], traits: Traits) -> dict[bytes, Opcode]:
    table: dict[bytes, Opcode] = dict(cast("dict[bytes, Opcode]", base.get_precompiles()))
    if not traits.ecrecover:
        table[ECRECOVER] = _recover_nobody
    for address, function in traits.precompiles.items():
        table[address] = _precompile(function)
    return table


def _recover_nobody(computation: Any) -> None:
    computation.consume_gas(constants.GAS_ECRECOVER, reason="ecrecover")
    computation.output = bytes(32)


def _precompile(function: Precompile) -> Opcode:
    def run(computation: Any) -> None:
        output = function(computation.msg.data_as_bytes)
        if output is None:
            raise InvalidInstruction("the precompile refuses its input")
        computation.output = output

    return run


def _opcodes(base: type[BaseComputation], traits: Traits) -> list[Opcode]:
    table: list[Opcode] = [base.opcodes.get(number) or InvalidOpcode(number) for number in range(256)]
    for number, (quick, _) in quick_opcodes().items():
        table[number] = quick
    hashing = HASHES[traits.hash_opcode]
    table[opcode_values.SHA3] = as_opcode(_hash(hashing), "SHA3", constants.GAS_SHA3)
    sload = table[opcode_values.SLOAD]
    table[opcode_values.SLOAD] = as_opcode(_sload(traits.fork), "SLOAD", getattr(sload, "gas_cost", 0))
    for number in CALLS:
        table[number] = _call(type(cast("Any", table[number])), traits, static=number == opcode_values.STATICCALL)
    return table


def _hash(hashing: Callable[[bytes], bytes]) -> Opcode:
    def run(computation: Any) -> None:
        start, size = computation.stack_pop_ints(2)
        computation.extend_memory(start, size)
        computation.consume_gas(constants.GAS_SHA3WORD * (ceil32(size) // 32), reason="SHA3")
        computation.stack_push_bytes(hashing(computation.memory_read_bytes(start, size)))

    return run


def _sload(fork: str) -> Opcode:
    def run(computation: Any) -> None:
        slot = computation.stack_pop1_int()
        where = (computation.msg.storage_address, slot)
        if fork != "istanbul":
            warm = computation.state.is_storage_warm(*where)
            computation.consume_gas(100 if warm else 2100, reason="SLOAD")
            if not warm:
                computation.state.mark_storage_warm(*where)
        computation.stack_push_int(computation.state.load(where))

    return run


def _call(plain: type[Any], traits: Traits, *, static: bool) -> Opcode:
    """A call opcode as the fork has it, with the quirks of the platform."""

    class Quirky(plain):  # type: ignore[misc] # py-evm's class is chosen at run time
        def compute_msg_gas(self, computation: Any, gas: int, to: bytes, value: int) -> tuple[int, int]:
            computation.gas_at_call = None
            if not traits.nested_gas_uncapped or to in computation.precompiles:
                return cast("tuple[int, int]", super().compute_msg_gas(computation, gas, to, value))
            computation.gas_at_call = computation.get_gas_remaining()
            return computation.gas_at_call, 0

        def get_call_params(self, computation: Any) -> Any:
            gas, value, to, sender, *middle, is_static = super().get_call_params(computation)
            if static and traits.static_can_write:
                is_static = computation.msg.is_static
            if sender is None and traits.nested_sender_is_callers:
                sender = computation.msg.sender
            return (gas, value, to, sender, *middle, is_static)

    opcode = Quirky.configure(__name__=plain.__name__, mnemonic=plain.mnemonic, gas_cost=plain.gas_cost)()
    if not traits.nested_gas_uncapped:
        return cast("Opcode", opcode)

    def uncharged(computation: Any) -> None:
        opcode(computation)
        if computation.gas_at_call is not None:
            computation._gas_meter.gas_remaining = computation.gas_at_call  # noqa: SLF001 - py-evm's meter

    return uncharged


def call_message(caller: bytes, target: bytes, data: bytes, gas: int, code: bytes) -> Message:
    """Return the outermost message of a call."""
    return Message(gas=gas, to=cast("Any", target), sender=cast("Any", caller), value=0, data=data, code=code)


def create_message(caller: bytes, address: bytes, creation: bytes, gas: int) -> Message:
    """Return the outermost message of a deployment at an address that the platform chose."""
    return Message(
        gas=gas,
        to=constants.CREATE_CONTRACT_ADDRESS,
        sender=cast("Any", caller),
        value=0,
        data=b"",
        code=creation,
        create_address=cast("Any", address),
    )
