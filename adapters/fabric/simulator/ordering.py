"""The ordering service: cuts blocks of envelopes and has them signed (Fabric 3.1 `protoutil/blockutils.go`, `orderer/consensus`).

On SmartBFT a block has signatures of a quorum of the consenters that are up, and without a quorum there are no blocks; on raft
one consenter that is up signs. A configuration stands alone in its block.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.fabric.identities import SigningIdentity
from adapters.fabric.simulator.configuration import Group, config_envelope
from adapters.fabric.simulator.wire import message
from light_clients.fabric.codec import header_der
from light_clients.fabric.config_block import ConfigBlock, read_config
from light_clients.fabric.config_update import check_update

REMEMBERED_S = 5.0
"""Seconds for which an envelope is known."""

BATCH = 100
"""Envelopes of a block at most."""


@dataclass
class Consenter:
    """An orderer that signs blocks.

    Attributes:
        number: its id, from 1 on.
        identity: its member and key.
        host: its TLS name.
        up: whether it takes part now.
    """

    number: int
    identity: SigningIdentity
    host: str
    up: bool = True


class OrderingService:
    """A channel's blocks, from the first one on."""

    def __init__(
        self, channel: str, root: Group, consenters: Sequence[Consenter], *, byzantine: bool, interval_s: float
    ) -> None:
        """Make the first block.

        Args:
            channel: its name.
            root: the tree of the first configuration.
            consenters: who signs.
            byzantine: whether by SmartBFT, else by raft.
            interval_s: seconds that envelopes wait for a block.
        """
        self.channel = channel
        self.root = root
        self.consenters = list(consenters)
        self.blocks: list[bytes] = []
        self.changed = threading.Condition()
        self._byzantine = byzantine
        self._interval_s = interval_s
        self._queue: list[bytes] = []
        self._taken: dict[bytes, float] = {}
        self._sequence = 0
        self._config_height = 0
        self._hash = b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="orderer", daemon=True)
        first = config_envelope(root, 0, b"", channel=channel, timestamp=int(time.time()))
        self._append([first], signers=[])

    def start(self) -> None:
        """Begin to cut blocks."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        with self.changed:
            self.changed.notify_all()
        self._thread.join()

    def submit(self, envelope: bytes) -> None:
        """Take an envelope into the next block; one that waits, or was ordered a moment ago, is not taken again (SmartBFT's pool)."""
        mark, now = hashlib.sha256(envelope).digest(), time.monotonic()
        with self.changed:
            if now - self._taken.get(mark, float("-inf")) < REMEMBERED_S:
                return
            self._taken = {each: at for each, at in self._taken.items() if now - at < REMEMBERED_S} | {mark: now}
            self._queue.append(envelope)

    def wait(self, number: int, timeout_s: float) -> bytes | None:
        """A block of a number as soon as it is there; None after so many seconds or at the end."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.blocks) > number or self._stop.is_set(), timeout_s)
            return self.blocks[number] if len(self.blocks) > number else None

    def reconfigure(self, after: Group, update: bytes, consenters: Sequence[Consenter] | None = None) -> int:
        """Bring a new configuration in a block of its own, if those who may change it signed the update.

        Args:
            after: the whole tree.
            update: the envelope of the update.
            consenters: who signs blocks after it, where that changes.

        Returns:
            The number of its block.

        Raises:
            light_clients.errors.Refused: The update is not allowed, by its name.
        """
        with self.changed:
            before = read_config(message((1, self._sequence), (2, self.root.encoded())))
            following = message((1, self._sequence + 1), (2, after.encoded()))
            check_update(before, ConfigBlock(following, update), self.channel)
            self._drain()
            signers = self._signers()
            self._sequence += 1
            self.root = after
            self._config_height = len(self.blocks)
            envelope = config_envelope(after, self._sequence, update, channel=self.channel, timestamp=int(time.time()))
            self._append([envelope], signers)
            self.consenters = list(consenters or self.consenters)
            return self._config_height

    @property
    def config_height(self) -> int:
        """Number of the block with the configuration in force."""
        return self._config_height

    def has_quorum(self) -> bool:
        """Whether enough consenters are up."""
        up = sum(consenter.up for consenter in self.consenters)
        return up >= self._wanted()

    def _wanted(self) -> int:
        count = len(self.consenters)
        return (count + (count - 1) // 3 + 2) // 2 if self._byzantine else count // 2 + 1

    def _signers(self) -> list[Consenter]:
        up = [consenter for consenter in self.consenters if consenter.up]
        return up[: self._wanted() if self._byzantine else 1]

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            with self.changed:
                if self.has_quorum():
                    self._drain(once=True)

    def _drain(self, *, once: bool = False) -> None:
        while self._queue:
            batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
            self._append(batch, self._signers())
            if once:
                return

    def _append(self, envelopes: list[bytes], signers: list[Consenter]) -> None:
        number = len(self.blocks)
        data_hash = hashlib.sha256(b"".join(envelopes)).digest()
        header = header_der(number, self._hash, data_hash)
        value = message((1, message((1, self._config_height))), (2, b"simulator"))
        made = [self._signature(consenter, value, header) for consenter in signers]
        metadata = message((1, value), *((2, signature) for signature in made))
        fields = message((1, number), (2, self._hash or None), (3, data_hash))
        data = message(*((1, envelope) for envelope in envelopes))
        self._hash = hashlib.sha256(header).digest()
        with self.changed:
            self.blocks.append(message((1, fields), (2, data), (3, message((1, metadata), *((1, b""),) * 4))))
            self.changed.notify_all()

    def _signature(self, consenter: Consenter, value: bytes, header: bytes) -> bytes:
        identity = consenter.identity
        nonce = hashlib.sha256(header).digest()[:24]
        if self._byzantine:
            own = message((1, consenter.number), (2, nonce))
            return message((2, identity.sign(value + own + header)), (3, own))
        own = message((1, identity.serialized), (2, nonce))
        return message((1, own), (2, identity.sign(value + own + header)))
