"""The ledger of a simulated network: the pool with the platform's checks, and blocks that are sealed while transactions wait.

As on the platform, no block is made without transactions (unless told), a block is sealed when enough sealers' nodes are up, and a
change of sealers applies from the next block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from adapters.fisco.accounts import signer_of
from adapters.fisco.simulator.execution import Executor
from adapters.fisco.simulator.formats import Executed, SealedBlock, first_block, seal
from adapters.fisco.simulator.keys import SealerKey
from adapters.fisco.transactions import Network, Parsed, parse

BLOCK_LIMIT = {2: 1000, 3: 600}
MAXIMUM_POOL = 10_000
MAXIMUM_IN_BLOCK = 1_000


class Refused(Exception):
    """A transaction that the pool does not take: the status's name on the platform."""


class SimulatedLedger:
    """What all nodes of a network agree on. Safe to share between threads."""

    def __init__(self, network: Network, sealers: tuple[SealerKey, ...], *, clock: Callable[[], float]) -> None:
        self.network = network
        self.executor = Executor(network, sealers)
        self.clock = clock
        self.blocks: list[SealedBlock] = [first_block(network, int(clock() * 1000))]
        self.places: dict[bytes, tuple[int, int]] = {}
        self.lock = threading.RLock()
        self.grown = threading.Condition(self.lock)
        self._pool: dict[bytes, tuple[Parsed, bytes, bytes]] = {}
        self._nonces: dict[bytes, int] = {}
        self.closed = False

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return len(self.blocks) - 1

    @property
    def waiting(self) -> int:
        """Transactions in the pool."""
        return len(self._pool)

    def submit(self, raw: bytes) -> bytes:
        """Take a transaction into the pool; its hash.

        Raises:
            Refused: a check failed.
        """
        try:
            parsed = parse(raw, self.network)
        except ValueError as error:
            raise Refused(f"MalformedTx: {error}") from error
        sender = signer_of(parsed.digest, parsed.signature, self.network.suite)
        if sender is None:
            raise Refused("InvalidSignature")
        with self.lock:
            self._check(parsed)
            self._pool[parsed.hash] = (parsed, raw, sender)
            self._nonces[parsed.nonce] = parsed.block_limit
        return parsed.hash

    def wait_for(self, transaction: bytes, timeout_s: float) -> tuple[SealedBlock, int] | None:
        """Wait until a transaction stands in a block; None if it does not in time."""
        ends = time.monotonic() + timeout_s
        with self.grown:
            while transaction not in self.places:
                left = ends - time.monotonic()
                if left <= 0 or self.closed:
                    return None
                self.grown.wait(left)
            height, index = self.places[transaction]
            return self.blocks[height], index

    def seal_next(self, up: Callable[[SealerKey], bool], *, empty: bool = False) -> SealedBlock | None:
        """Seal a block of what waits; None where nothing does, or too few sealers are up.

        Args:
            up: whether a sealer's node runs.
            empty: make a block without transactions too.
        """
        with self.grown:
            if not (self._pool or empty):
                return None
            sealers = self.executor.sealers
            signers = [index for index, sealer in enumerate(sealers) if up(sealer)]
            total = sum(sealer.weight for sealer in sealers)
            needed = total - (total - 1) // 3
            if sum(sealers[index].weight for index in signers) < needed:
                return None
            votes, chosen = 0, []
            for index in signers:
                if votes < needed:
                    chosen.append(index)
                    votes += sealers[index].weight
            parent = self.blocks[-1]
            timestamp_ms = max(int(self.clock() * 1000), parent.timestamp_ms + 1)
            executed = self._execute(parent.height + 1, timestamp_ms)
            block = seal(self.network, parent, sealers, chosen, executed, timestamp_ms)
            self.blocks.append(block)
            for index, item in enumerate(executed):
                self.places[item.parsed.hash] = (block.height, index)
            self._nonces = {nonce: limit for nonce, limit in self._nonces.items() if limit > block.height}
            self.grown.notify_all()
            return block

    def call(self, sender: bytes, target: bytes, data: bytes) -> tuple[int, bytes]:
        """Run a call against the newest state."""
        with self.lock:
            height, timestamp_ms = self.height, self.blocks[-1].timestamp_ms
            return self.executor.call(sender, target, data, height=height, timestamp_ms=timestamp_ms)

    def close(self) -> None:
        """Wake whoever waits for a block."""
        with self.grown:
            self.closed = True
            self.grown.notify_all()

    def _check(self, parsed: Parsed) -> None:
        if parsed.hash in self._pool:
            raise Refused("AlreadyInTxPool")
        if parsed.hash in self.places:
            raise Refused("TxAlreadyInChain")
        if parsed.chain != self.network.chain:
            raise Refused("InvalidChainId")
        if parsed.group != self.network.group:
            raise Refused("InvalidGroupId")
        if not self.height < parsed.block_limit <= self.height + BLOCK_LIMIT[self.network.line]:
            raise Refused("BlockLimitCheckFail")
        if parsed.nonce in self._nonces:
            raise Refused("NonceCheckFail")
        if len(self._pool) >= MAXIMUM_POOL:
            raise Refused("TxPoolIsFull")

    def _execute(self, height: int, timestamp_ms: int) -> list[Executed]:
        """Run what waits; what has passed its block limit is dropped."""
        executed = []
        for transaction in list(self._pool)[:MAXIMUM_IN_BLOCK]:
            parsed, raw, sender = self._pool.pop(transaction)
            if parsed.block_limit < height:
                continue
            executed.append(self.executor.run(parsed, raw, sender, height=height, timestamp_ms=timestamp_ms))
        return executed
