"""The state of the machine: dictionaries with one journal, and what a single transaction saw and wrote.

There is no trie and no root. py-evm's opcodes ask this object what they ask its own state. Source: py-evm's StateAPI for the
names of the methods; EIP-2200 and EIP-2929 for original values and warm slots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Slot = tuple[bytes, int]
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the opcodes about block and chain answer: numbers, and a coinbase of 20 bytes."""

    chain_id: int
    block_number: int
    timestamp: int
    gas_limit: int
    coinbase: bytes = bytes(20)
    base_fee: int = 0
    difficulty: int = 0
    mix_hash: bytes = bytes(32)
    excess_blob_gas: int = 0


@dataclass
class Frame:
    """What an open frame holds under `frames_buffer_writes`: slots as it knows them, and those that it wrote."""

    mark: int
    known: dict[Slot, int] = field(default_factory=dict)
    written: dict[Slot, None] = field(default_factory=dict)


class State:
    """Accounts and storage with a journal.

    Args:
        hash_code: hash of a contract's code, for EXTCODEHASH.
        always_warm: addresses that are never cold: the precompiles.
        buffers: whether frames keep their writes to themselves until they end.
        persists: whether a frame that fails leaves the writes of its callees standing.
    """

    def __init__(
        self, hash_code: Callable[[bytes], bytes], always_warm: frozenset[bytes], *, buffers: bool, persists: bool
    ) -> None:
        self.code: dict[bytes, bytes] = {}
        self.storage: dict[Slot, int] = {}
        self.nonces: dict[bytes, int] = {}
        self.balances: dict[bytes, int] = {}
        self.execution_context = Surroundings(0, 0, 0, 0)
        self._hash_code, self._always_warm = hash_code, always_warm
        self._buffers, self._persists = buffers, persists
        self._journal: list[tuple[dict[Any, Any], Any, Any, int]] = []
        self._frames: list[Frame] = []
        self._forget_transaction()

    # One transaction

    def begin(self, surroundings: Surroundings) -> None:
        """Start a transaction in these surroundings: nothing is warm, nothing was read or written."""
        self.execution_context = surroundings
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        self.writes: dict[Slot, int] = {}
        self.reads: dict[Slot, int] = {}
        self._originals: dict[Slot, int] = {}
        self._warm: dict[Any, bool] = {}
        self._transient: dict[Slot, bytes] = {}

    def forget_journal(self) -> None:
        """Give up the way back: what stands now stands."""
        self._journal.clear()

    # The journal

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        self._journal.append((table, key, table.get(key, _MISSING), len(self._frames)))
        table[key] = value

    def snapshot(self) -> int:
        """Return a mark to which `revert` goes back."""
        return len(self._journal)

    def commit(self, mark: int) -> None:
        """Keep what was changed since the mark; an outer revert still undoes it."""

    def revert(self, mark: int) -> None:
        """Undo every change since the mark."""
        journal = self._journal
        while len(journal) > mark:
            table, key, before, _ = journal.pop()
            _restore(table, key, before)

    def _revert_own(self, mark: int, depth: int) -> None:
        """Undo what the frame of this depth itself changed since the mark; its callees' changes stay."""
        kept = []
        while len(self._journal) > mark:
            change = self._journal.pop()
            if change[3] == depth:
                _restore(*change[:3])
            else:
                kept.append(change)
        self._journal += reversed(kept)

    # Frames

    def open_frame(self) -> None:
        """A contract starts to run."""
        self._frames.append(Frame(len(self._journal)))

    def close_frame(self, *, success: bool) -> None:
        """The contract that started last has ended."""
        depth = len(self._frames)
        frame = self._frames.pop()
        if success:
            for slot in frame.written:
                self._put(slot, frame.known[slot], depth)
        elif self._persists and depth > 1:
            self._revert_own(frame.mark, depth)
        else:
            self.revert(frame.mark)

    def _put(self, slot: Slot, value: int, depth: int) -> None:
        before = self.storage.get(slot, 0)
        self._originals.setdefault(slot, before)
        self._journal.append((self.storage, slot, self.storage.get(slot, _MISSING), depth))
        self.storage[slot] = value
        self._journal.append((self.writes, slot, self.writes.get(slot, _MISSING), depth))
        self.writes[slot] = value

    # Storage

    def load(self, slot: Slot) -> int:
        """What SLOAD finds: noted among the reads where it is not of this transaction's own writing."""
        if self._buffers:
            known = self._frames[-1].known
            if slot in known:
                return known[slot]
        value = self.storage.get(slot, 0)
        if slot not in self.writes:
            self.reads.setdefault(slot, value)
        if self._buffers:
            known[slot] = value
        return value

    def get_storage(self, address: bytes, slot: int, from_journal: bool = True) -> int:
        """The value now, or (`from_journal` false) as the transaction found it; for SSTORE's price."""
        where = (address, slot)
        if not from_journal:
            return self._originals.get(where, self.storage.get(where, 0))
        if self._buffers and where in self._frames[-1].known:
            return self._frames[-1].known[where]
        return self.storage.get(where, 0)

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Write a slot, or keep it with the frame until it ends."""
        where = (address, slot)
        if self._buffers:
            self._frames[-1].known[where] = value
            self._frames[-1].written[where] = None
        else:
            self._put(where, value, len(self._frames))

    def delete_storage(self, address: bytes) -> None:
        """Empty all slots of an account."""
        for slot in [slot for slot in self.storage if slot[0] == address]:
            self._put(slot, 0, len(self._frames))

    def get_transient_storage(self, address: bytes, slot: int) -> bytes:
        """What TLOAD finds."""
        return self._transient.get((address, slot), b"")

    def set_transient_storage(self, address: bytes, slot: int, value: bytes) -> None:
        """What TSTORE writes."""
        self._set(self._transient, (address, slot), value)

    # Accounts

    def get_balance(self, address: bytes) -> int:
        """Coins of an account; simulators give none."""
        return self.balances.get(address, 0)

    def set_balance(self, address: bytes, balance: int) -> None:
        """Give an account this many coins."""
        self._set(self.balances, address, balance)

    def get_nonce(self, address: bytes) -> int:
        """Count of contracts that an account created, plus one for a contract."""
        return self.nonces.get(address, 0)

    def increment_nonce(self, address: bytes) -> None:
        """Count a creation."""
        self._set(self.nonces, address, self.nonces.get(address, 0) + 1)

    def get_code(self, address: bytes) -> bytes:
        """Code of an account, empty where it has none."""
        return self.code.get(address, b"")

    def set_code(self, address: bytes, code: bytes) -> None:
        """Put the code of a contract."""
        self._set(self.code, address, code)

    def get_code_hash(self, address: bytes) -> bytes:
        """Hash of the code, with the machine's own hash."""
        return self._hash_code(self.code.get(address, b""))

    def has_code_or_nonce(self, address: bytes) -> bool:
        """Whether a creation at this address would collide."""
        return bool(self.code.get(address) or self.nonces.get(address))

    def account_exists(self, address: bytes) -> bool:
        """Whether anything is known of the account."""
        return not self.account_is_empty(address)

    def account_is_empty(self, address: bytes) -> bool:
        """Whether the account has neither code, nor nonce, nor coins (EIP-161)."""
        return not (self.code.get(address) or self.nonces.get(address) or self.balances.get(address))

    def delete_account(self, address: bytes) -> None:
        """SELFDESTRUCT at the end of a transaction."""
        self.delete_storage(address)
        for table in (self.code, self.nonces, self.balances):
            if address in table:
                self._set(table, address, type(table[address])())

    # What is warm, what is cold

    def is_storage_warm(self, address: bytes, slot: int) -> bool:
        """Whether the transaction has touched the slot."""
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: bytes, slot: int) -> None:
        """The transaction touches the slot."""
        self._set(self._warm, (address, slot), value=True)

    def is_address_warm(self, address: bytes) -> bool:
        """Whether the transaction has touched the account."""
        return address in self._warm or address in self._always_warm

    def mark_address_warm(self, address: bytes) -> None:
        """The transaction touches the account."""
        self._set(self._warm, address, value=True)

    # The block

    @property
    def timestamp(self) -> int:
        """What TIMESTAMP answers, in the platform's unit."""
        return self.execution_context.timestamp

    @property
    def block_number(self) -> int:
        """What NUMBER answers."""
        return self.execution_context.block_number

    @property
    def gas_limit(self) -> int:
        """What GASLIMIT answers."""
        return self.execution_context.gas_limit

    @property
    def coinbase(self) -> bytes:
        """What COINBASE answers."""
        return self.execution_context.coinbase

    @property
    def base_fee(self) -> int:
        """What BASEFEE answers: zero, for nobody pays."""
        return self.execution_context.base_fee

    @property
    def difficulty(self) -> int:
        """What DIFFICULTY answers: zero."""
        return self.execution_context.difficulty

    @property
    def mix_hash(self) -> bytes:
        """What PREVRANDAO answers: zeros, for there is no randomness."""
        return self.execution_context.mix_hash

    def get_ancestor_hash(self, block_number: int) -> bytes:
        """What BLOCKHASH answers: nothing; the gateway never asks."""
        return b""


def _restore(table: dict[Any, Any], key: Any, before: Any) -> None:
    if before is _MISSING:
        table.pop(key, None)
    else:
        table[key] = before
