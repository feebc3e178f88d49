"""A ledger in this process: blocks, accounts, a pool, one gateway, and a way back (reorganisation).

Time stands still until a block is mined. The state of each block is kept, so that any height can be proved and returned
to. Everything is under one lock: threads share it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

from adapters.memory.calls import answer, run_call
from adapters.memory.gateway import Frame, Gateway, LaneState, LogNote, Reverted
from adapters.memory.headers import Content, Header, make_clique_header, make_header
from adapters.memory.transactions import Transaction, read_transaction
from adapters.memory.trie import EMPTY_ROOT, Trie
from adapters.memory.verifiers import Both, Verifier
from adapters.protocol import Call, GatewayEvent, Position, Receipt, Rejected
from adapters.solidity.events import HEAD_MOVED, LANE_OPENED, MESSAGE_DELIVERED, MESSAGE_SENT, VERIFIER_CHANGED
from adapters.solidity.storage import head_slot
from light_clients import rlp
from light_clients.proofs.log_notes import note_slots
from schemas.evidence import StateEvidence
from schemas.lane import Lane
from schemas.primitives import BlockHash, ChainId, ChainWord, LaneId
from schemas.suites import integer_word, keccak256

GENESIS_TIME = 1_800_000_000
BLOCK_GAS = 300_000_000
RICH = 10**24
CODE_HASH = keccak256(b"relayhub memory gateway")
"""The code hash of the gateway's account, as a lane pins it."""
_TOPIC = {
    "MessageSent": MESSAGE_SENT,
    "MessageDelivered": MESSAGE_DELIVERED,
    "HeadMoved": HEAD_MOVED,
    "LaneOpened": LANE_OPENED,
    "VerifierChanged": VERIFIER_CHANGED,
}


@dataclass(frozen=True, slots=True)
class Block:
    """A block with everything that happened in it and the state after it."""

    content: Content
    header: Header
    events: tuple[GatewayEvent, ...]
    receipts: tuple[Receipt, ...]
    lanes: dict[LaneId, LaneState]
    notes: dict[bytes, LogNote]
    nonces: dict[bytes, int]
    transactions: tuple[Transaction, ...]


class MemoryChain:
    """One in-process ledger with its gateway.

    Attributes:
        chain_id: its CAIP-2 name.
        word: its chain word.
        gateway: the gateway; receivers are registered on it.
        validator_keys: those who seal, none for a ledger without seals.
        base_fee: what the ledger asks per gas, base units; nothing that offers less is mined.
        fee_ceiling: the most that its users are willing to offer, 0 = no limit.
        balances: what accounts hold that are not rich.
        pool_limit: transactions that the pool takes, None for any number.
        verifiers: what stands at the address of each verifier that a lane was given.
        reverting: how many of the next transactions revert, whatever they call.
    """

    def __init__(self, number: int, *, validators: int = 4, clique: bool = False, minimum_expiry_s: int = 1) -> None:
        """Start the ledger `eip155:number` with block 0.

        Args:
            number: its chain id.
            validators: how many local keys seal its headers in QBFT form; 0 for nobody.
            clique: whether they seal in turn, in Clique form.
            minimum_expiry_s: seconds that a message must have left when it is sent.
        """
        self.lock = threading.RLock()
        self._make_header = make_clique_header if clique else make_header
        self.validator_keys = [
            keccak256(b"relayhub memory validator %d/%d" % (number, index)) for index in range(validators)
        ]
        self.base_fee = 1_000
        self.fee_ceiling = 0
        self.balances: dict[bytes, int] = {}
        self.pool_limit: int | None = None
        self.reverting = 0
        self.blocks: list[Block] = []
        self.pool: list[Transaction] = []
        self.chain_id = ChainId.of("eip155", str(number))
        self._now = GENESIS_TIME
        self._append(Frame(b"", GENESIS_TIME, []), [], [], {}, {})
        self.first_block = BlockHash(self.blocks[0].header.block_hash)
        self.word: ChainWord = self.chain_id.word(self.first_block)
        address = keccak256(b"relayhub memory gateway" + self.word)[12:]
        self.gateway = Gateway(self.word, address, minimum_expiry_s=minimum_expiry_s)
        self.verifiers: dict[bytes, Verifier] = {}

    @property
    def height(self) -> int:
        """Height of the newest block."""
        return len(self.blocks) - 1

    @property
    def now(self) -> int:
        """Time of the newest block, Unix seconds."""
        return self.blocks[-1].content.timestamp

    def nonce(self, address: bytes) -> int:
        """The account's next nonce by the newest block."""
        return self.blocks[-1].nonces.get(address, 0)

    def balance(self, address: bytes) -> int:
        """What an account holds, base units: nothing is ever taken from it here."""
        return self.balances.get(address, RICH)

    def submit(self, raw: bytes) -> bytes:
        """Take a transaction into the pool; returns its hash.

        Raises:
            Rejected: it is malformed, known, too cheap, its nonce is used, its account cannot pay, or the pool is full.
        """
        with self.lock:
            transaction = read_transaction(self.word, raw)
            if transaction in self.pool or self.receipt(transaction.hash) is not None:
                raise Rejected("already known", code="known", reason="already known")
            expected = self.nonce(transaction.sender)
            if transaction.nonce < expected:
                raise Rejected(f"nonce too low: next is {expected}", code="nonce_too_low", reason="nonce too low")
            if transaction.fee < self.base_fee:
                raise Rejected("the fee is below the base fee", code="underpriced", reason="underpriced")
            if transaction.call.gas > BLOCK_GAS:
                raise Rejected("exceeds block gas limit", code="too_much_gas", reason="exceeds block gas limit")
            if transaction.fee * transaction.call.gas > self.balance(transaction.sender):
                raise Rejected(
                    "insufficient funds", code="no_funds", reason="insufficient funds for gas * price + value"
                )
            for other in self.pool:
                if (other.sender, other.nonce) == (transaction.sender, transaction.nonce):
                    if transaction.fee * 10 < other.fee * 11:
                        raise Rejected("replacement transaction underpriced", code="underpriced", reason="underpriced")
                    self.pool.remove(other)
                    break
            if self.pool_limit is not None and len(self.pool) >= self.pool_limit:
                raise Rejected("the pool is full", code="pool_full", reason="txpool is full")
            self.pool.append(transaction)
            return transaction.hash

    def mine(self, blocks: int = 1, *, seconds: int = 1) -> int:
        """Mine blocks, each `seconds` after the one before; the pool goes into the first. Returns the new height."""
        with self.lock:
            for _ in range(blocks):
                self._mine(seconds)
            return self.height

    def reorganise(self, depth: int) -> tuple[Transaction, ...]:
        """Take back the newest `depth` blocks; their transactions are forgotten and returned.

        Raises:
            ValueError: there are not so many blocks above block 0.
        """
        if not 0 < depth <= self.height:
            raise ValueError(f"only {self.height} blocks can be taken back")
        with self.lock:
            taken = [transaction for block in self.blocks[-depth:] for transaction in block.transactions]
            del self.blocks[-depth:]
            self.gateway.lanes = dict(self.blocks[-1].lanes)
            self.gateway.notes = dict(self.blocks[-1].notes)
            self._now += 1  # what comes instead differs in its time at least
            return tuple(taken)

    def fork(self, depth: int, keys: Sequence[bytes]) -> MemoryChain:
        """Another history of this ledger: the same up to `depth` blocks below the newest, and its own from there.

        Args:
            depth: how many of the newest blocks it does not have.
            keys: who seals its blocks.
        """
        with self.lock:
            other = copy(self)
            other.lock = threading.RLock()
            other.validator_keys = list(keys)
            other.blocks = self.blocks[: len(self.blocks) - depth]
            other.pool = []
            other.gateway = copy(self.gateway)
            other.gateway.lanes = dict(other.blocks[-1].lanes)
            other.gateway.notes = dict(other.blocks[-1].notes)
            return other

    def open_lane(self, lane: Lane, end: int, verifier: Verifier, peer_code_hash: bytes = CODE_HASH) -> int:
        """Open this ledger's end (0 source, 1 destination) of a lane, in a block of its own. Returns the height.

        Raises:
            Reverted: the gateway refuses.
        """
        with self.lock:
            frame = Frame(b"", self.now, [])
            self.gateway.open_lane(frame, lane, end, verifier, peer_code_hash)
            self._learn(verifier)
            return self._mine(1, frame.events)

    def set_verifier(self, lane_id: LaneId, verifier: Verifier) -> int:
        """Give a lane another verifier, in a block of its own. Returns the height."""
        with self.lock:
            frame = Frame(b"", self.now, [])
            self.gateway.set_verifier(frame, lane_id, verifier)
            self._learn(verifier)
            return self._mine(1, frame.events)

    def set_lane(self, lane_id: LaneId, *, paused: bool = False, closed: bool = False) -> int:
        """Pause, resume or close a lane, in a block of its own. Returns the height."""
        with self.lock:
            self.gateway.lanes[lane_id] = replace(self.gateway.lanes[lane_id], paused=paused, closed=closed)
            return self._mine(1)

    def ask(self, call: Call) -> bytes:
        """What a view of the gateway answers; empty where the call is of none."""
        with self.lock:
            return answer(self.gateway, call.data) if call.target == self.gateway.address else b""

    def simulate(self, sender: bytes, call: Call) -> None:
        """Run a call and forget it.

        Raises:
            Reverted: the gateway refuses it.
        """
        with self.lock:
            before = dict(self.gateway.lanes), dict(self.gateway.notes)
            try:
                self._run(Frame(sender, self.now, []), call)
            finally:
                self.gateway.lanes, self.gateway.notes = before

    def receipt(self, transaction: bytes) -> Receipt | None:
        """What became of a transaction, None if it is in no block."""
        with self.lock:
            for block in reversed(self.blocks):
                for receipt in block.receipts:
                    if receipt.transaction == transaction:
                        return receipt
            return None

    def evidence(self, height: int, gateway: bytes, lane_id: LaneId, direction: int) -> StateEvidence:
        """The header of a block and the path of a head in its state."""
        return self.slots(height, gateway, [head_slot(lane_id, direction)])[0]

    def slots(self, height: int, gateway: bytes, slots: Sequence[bytes]) -> list[StateEvidence]:
        """The header of a block and the paths of slots in its state."""
        block = self.blocks[height]
        storage = _storage(block.lanes, block.notes)
        account = _accounts(self.gateway.address, storage).path(gateway)
        return [StateEvidence(height, block.header.encoded, account, storage.path(slot)) for slot in slots]

    def _learn(self, verifier: Verifier) -> None:
        known = [verifier, verifier.committee, verifier.light_client] if isinstance(verifier, Both) else [verifier]
        self.verifiers |= {item.address: item for item in known}

    def _run(self, frame: Frame, call: Call, *, told: bool = False) -> None:
        if told:
            raise Reverted("ToldToRevert")
        if call.target != self.gateway.address:
            raise Reverted("NoGatewayHere")
        run_call(self.gateway, frame, call.data)

    def _mine(self, seconds: int, administration: Sequence[GatewayEvent] = ()) -> int:
        self._now = max(self._now, self.now) + seconds
        frame = Frame(b"", self._now, [])
        nonces = dict(self.blocks[-1].nonces)
        done: list[tuple[Transaction, bool]] = []
        places = [(event, keccak256(b"administration")) for event in administration]
        for transaction in sorted(self.pool, key=lambda item: item.nonce):
            if transaction.fee >= self.base_fee and transaction.nonce == nonces.get(transaction.sender, 0):
                nonces[transaction.sender] = transaction.nonce + 1
                success, events = self._execute(frame, transaction)
                done.append((transaction, success))
                places += [(event, transaction.hash) for event in events]
        self.pool = [item for item in self.pool if item.nonce >= nonces.get(item.sender, 0)]
        self._append(frame, done, places, dict(self.gateway.lanes), nonces)
        return self.height

    def _execute(self, frame: Frame, transaction: Transaction) -> tuple[bool, list[GatewayEvent]]:
        """Run a transaction; what it changed is taken back if it reverts."""
        events: list[GatewayEvent] = []
        before = dict(self.gateway.lanes)
        try:
            self._run(
                replace(frame, sender=transaction.sender, events=events), transaction.call, told=self.reverting > 0
            )
        except Reverted:
            self.gateway.lanes = before
            self.reverting = max(0, self.reverting - 1)
            return False, []
        return True, events

    def _append(
        self,
        frame: Frame,
        done: list[tuple[Transaction, bool]],
        places: list[tuple[GatewayEvent, bytes]],
        lanes: dict[LaneId, LaneState],
        nonces: dict[bytes, int],
    ) -> None:
        address = self.gateway.address if self.blocks else bytes(20)
        notes = dict(self.gateway.notes) if self.blocks else {}
        storage = _storage(lanes, notes)
        items = {item for event, _ in places for item in (address, _TOPIC[type(event).__name__], event.lane_id)}
        gas = {transaction.hash: 21_000 + 16 * len(transaction.call.data) for transaction, _ in done}
        content = Content(
            parent_hash=self.blocks[-1].header.block_hash if self.blocks else bytes(32),
            state_root=_accounts(address, storage).root if self.blocks else EMPTY_ROOT,
            transactions=tuple(transaction.hash for transaction, _ in done),
            bloom_items=frozenset(items),
            height=len(self.blocks),
            gas_limit=BLOCK_GAS,
            gas_used=sum(gas.values()),
            timestamp=frame.now,
        )
        header = self._make_header(content, self.validator_keys)
        events = tuple(
            replace(event, position=Position(content.height, header.block_hash, transaction, index, frame.now))
            for index, (event, transaction) in enumerate(places)
        )
        receipts = tuple(
            Receipt(transaction.hash, content.height, header.block_hash, success, gas[transaction.hash])
            for transaction, success in done
        )
        mined = tuple(transaction for transaction, _ in done)
        self.blocks.append(Block(content, header, events, receipts, lanes, notes, nonces, mined))


def _storage(lanes: dict[LaneId, LaneState], notes: dict[bytes, LogNote]) -> Trie:
    """Slot 0 and slot 1 of the gateway, heads by lane, only at the end that keeps them; and slot 16, notes of logs by account."""
    slots: dict[bytes, bytes] = {}
    for lane_id, state in lanes.items():
        head = state.outcomes_head if state.end else state.outbox_head
        slots[head_slot(lane_id, state.end)] = rlp.encode(head.lstrip(b"\x00"))
    for account, note in notes.items():
        words = (integer_word(note.size), note.root)
        slots |= {slot: rlp.encode(word.lstrip(b"\x00")) for slot, word in zip(note_slots(account), words, strict=True)}
    return Trie(slots)


def _accounts(address: bytes, storage: Trie) -> Trie:
    """The state: the gateway's account alone (nonce 1, no balance, its storage and code)."""
    return Trie({address: rlp.encode([b"\x01", b"", storage.root, CODE_HASH])})
