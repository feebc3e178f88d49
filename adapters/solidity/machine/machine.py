"""The machine: messages on a state, one after the other.

Source: the Yellow Paper, sections 6 to 9, without the price and the signature of a transaction; those are the platform's.
"""

from __future__ import annotations

from typing import Any, cast

from eth.exceptions import OutOfGas, Revert
from eth.vm.transaction_context import BaseTransactionContext

from adapters.solidity.machine.frames import HASHES, call_message, create_message, frame_class
from adapters.solidity.machine.state import State, Surroundings
from adapters.solidity.machine.types import Execution, Log, Panic, Read, Traits, Write

ISTANBUL_REFUND_QUOTIENT, LONDON_REFUND_QUOTIENT = 2, 5


class Transaction(BaseTransactionContext):
    """Who started a transaction, how much work its frames may still do, whether one was given less gas for that."""

    def __init__(self, origin: bytes, work_left: int) -> None:
        super().__init__(gas_price=0, origin=cast("Any", origin))
        self.work_left = work_left
        self.limited = False

    @property
    def blob_versioned_hashes(self) -> tuple[()]:
        """No blobs."""
        return ()


class Machine:
    """An EVM with a state of its own and a platform's traits. Not for use by several threads at once."""

    def __init__(self, traits: Traits) -> None:
        self.traits = traits
        self._frames = frame_class(traits)
        warm = frozenset(self._frames.get_precompiles())
        self._state = State(
            HASHES[traits.hash_opcode],
            cast("frozenset[bytes]", warm),
            buffers=traits.frames_buffer_writes,
            persists=traits.nested_writes_persist,
        )
        self._marks: dict[int, int] = {}
        self._next_mark = 0

    def execute(
        self,
        caller: bytes,
        target: bytes,
        data: bytes,
        *,
        gas: int,
        height: int,
        timestamp: int,
        create_at: bytes | None = None,
    ) -> Execution:
        """Run a message and keep what it changed if it succeeded.

        Args:
            caller: 20 bytes; it is also the origin.
            target: 20 bytes of a contract; anything for a deployment.
            data: calldata, or creation code with constructor arguments.
            gas: what the execution may use; no intrinsic gas is charged.
            height: what NUMBER answers.
            timestamp: what TIMESTAMP answers, in the platform's unit.
            create_at: 20 bytes where a contract shall stand; None for a call.
        """
        mark = self._state.snapshot()
        done = self._run(
            caller, target, data, gas, Surroundings(self.traits.chain_number, height, timestamp, gas), create_at
        )
        if not done.success:
            self._state.revert(mark)
        if not self._marks:
            self._state.forget_journal()
        return done

    def call(
        self,
        caller: bytes,
        target: bytes,
        data: bytes,
        *,
        gas: int,
        height: int,
        timestamp: int,
        create_at: bytes | None = None,
    ) -> Execution:
        """Run a message as `execute` does and undo it."""
        mark = self._state.snapshot()
        done = self._run(
            caller, target, data, gas, Surroundings(self.traits.chain_number, height, timestamp, gas), create_at
        )
        self._state.revert(mark)
        return done

    def _run(
        self, caller: bytes, target: bytes, data: bytes, gas: int, surroundings: Surroundings, create_at: bytes | None
    ) -> Execution:
        state = self._state
        state.begin(surroundings)
        for address in (caller, create_at or target):
            state.mark_address_warm(address)
        transaction = Transaction(caller, self.traits.work_max)
        try:
            if create_at is None:
                message = call_message(caller, target, data, gas, state.get_code(target))
                frame = self._frames.apply_message(state, message, transaction)
            elif state.has_code_or_nonce(create_at):
                return Execution(False, b"", 0, (), (), self._reads(), b"", "there is a contract at this address")
            else:
                message = create_message(caller, create_at, data, gas)
                frame = self._frames.apply_create_message(cast("Any", state), message, transaction)
        except Panic as panic:
            return Execution(False, b"", gas, (), (), self._reads(), b"", f"panic: {panic}")
        return self._outcome(frame, create_at)

    def _outcome(self, frame: Any, create_at: bytes | None) -> Execution:
        gas_used = frame.get_gas_used()
        if frame.is_error:
            return Execution(False, frame.output, gas_used, (), (), self._reads(), b"", _failure(frame.error))
        for address in frame.get_accounts_for_deletion():
            self._state.delete_account(address)
        quotient = ISTANBUL_REFUND_QUOTIENT if self.traits.fork in {"istanbul", "berlin"} else LONDON_REFUND_QUOTIENT
        gas_used -= max(0, min(frame.get_gas_refund(), gas_used // quotient))
        output = b"" if create_at else frame.output
        writes = tuple(
            Write(address, _word(slot), _word(value)) for (address, slot), value in self._state.writes.items()
        )
        return Execution(True, output, gas_used, self._logs(frame), writes, self._reads(), create_at or b"", "")

    def _logs(self, frame: Any) -> tuple[Log, ...]:
        found = _callees_first(frame) if self.traits.callee_logs_first else frame.get_log_entries()
        return tuple(
            Log(address, tuple(_word(topic) for topic in topics), bytes(data)) for address, topics, data in found
        )

    def _reads(self) -> tuple[Read, ...]:
        return tuple(Read(address, _word(slot), _word(value)) for (address, slot), value in self._state.reads.items())

    # Looking

    def code(self, address: bytes) -> bytes:
        """Code of a contract, empty where there is none."""
        return self._state.get_code(address)

    def slot(self, address: bytes, slot: bytes) -> bytes:
        """Value (32 bytes) of a slot (32 bytes) of a contract."""
        return _word(self._state.storage.get((address, int.from_bytes(slot, "big")), 0))

    # Going back

    def snapshot(self) -> int:
        """Remember the state of now; returns the number that `revert` or `release` takes."""
        self._next_mark += 1
        self._marks[self._next_mark] = self._state.snapshot()
        return self._next_mark

    def revert(self, number: int) -> None:
        """Go back to a snapshot; it and all later ones are spent.

        Raises:
            KeyError: there is no such snapshot.
        """
        mark = self._marks[number]
        self._marks = {older: place for older, place in self._marks.items() if older < number}
        self._state.revert(mark)

    def release(self, number: int) -> None:
        """Give up a snapshot without going back."""
        self._marks.pop(number, None)
        if not self._marks:
            self._state.forget_journal()


def _callees_first(frame: Any) -> list[Any]:
    if frame.is_error:
        return []
    inner = [log for child in frame.children for log in _callees_first(child)]
    return inner + [entry[1:] for entry in frame._log_entries]  # noqa: SLF001 - py-evm keeps them there


def _failure(error: Exception) -> str:
    if isinstance(error, Revert):
        return "revert"
    return "out of gas" if isinstance(error, OutOfGas) else f"{type(error).__name__}: {error}"


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
