"""Synthetic ledgers of FISCO BCOS, both lines and both suites: real hashes, trees and signatures by keys made from labels.

Roots are built here from whole blocks, by the ledger's own description, and not by the paths that the light client follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi.abi import encode as abi_encode

from adapters.fisco.simulator.keys import SealerKey, ordered
from light_clients import rlp
from light_clients.fisco import Execution, FiscoConfiguration, FiscoEvidence, FiscoPin, FiscoState, bootstrap
from light_clients.fisco.claims import HEAD_MOVED, MESSAGE_SENT
from light_clients.fisco.codec import encode_bundle, hashed_bytes
from light_clients.fisco.evidence import DELIVER_SELECTOR, SEND_SELECTOR, integer_bytes
from light_clients.fisco.steps import CONSENSUS_PRECOMPILE, call_data
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import SUITES, integer_word, keccak256

GATEWAY = keccak256(b"fisco gateway")[:20]
PIN = FiscoPin(GATEWAY)
LANE = LaneId(keccak256(b"fisco lane"))
FIRST_TIME_MS = 1_700_000_000_000
VERSION_3 = 0x03000001


def head_of(number: int) -> Head:
    """A head that stands for so many entries."""
    return Head(keccak256(b"fisco head %d" % number))


@dataclass(frozen=True)
class Event:
    """A log: the contract (20 bytes), its topics and data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


ATTACKER_EVENT = Event(b"\xa7" * 20, (bytes(32), b"\x01" * 32), b"an event of a receiver")
"""Something that a contract of somebody else emits."""


def sent_event(nonce: int, head: bytes | None = None, lane: bytes = LANE, payload: bytes = b"\x01hello") -> Event:
    """`MessageSent` of the gateway."""
    types = ["bytes32", "bytes32", "bytes", "bytes", "uint64", "uint64", "uint64", "bytes"]
    values = [keccak256(b"id %d" % nonce), head or head_of(nonce), bytes(20), bytes(20), 0, 0, 0, payload]
    return Event(GATEWAY, (MESSAGE_SENT, lane, integer_word(nonce)), abi_encode(types, values))


def moved_event(nonce: int, direction: int = 1, head: bytes | None = None, lane: bytes = LANE) -> Event:
    """`HeadMoved` of the gateway."""
    topics = (HEAD_MOVED, lane, integer_word(direction))
    return Event(GATEWAY, topics, integer_word(nonce) + (head or head_of(nonce)))


@dataclass(frozen=True)
class Sent:
    """A transaction and what it did; `to` is 20 bytes, or empty where a contract is created."""

    to: bytes
    data: bytes = b""
    output: bytes = b""
    events: tuple[Event, ...] = ()
    status: int = 0
    created: bytes = b""
    nonce: bytes | None = None
    version: int = 0
    gas_used: int = 21_000
    remaining_gas: int | None = None
    tail: bytes = b""


def send(entry: int, payload: bytes = b"\x01hello", **changes: Any) -> Sent:
    """A direct call of the gateway's `send`."""
    data = SEND_SELECTOR + abi_encode(
        ["bytes32", "bytes", "bytes", "uint64", "uint64", "uint64"], [LANE, bytes(20), payload, 0, 0, 0]
    )
    event = sent_event(entry, payload=payload)
    return replace(Sent(GATEWAY, data, keccak256(b"id %d" % entry), (event,)), **changes)


def deliver(entry: int, others: Sequence[Event] = (), **changes: Any) -> Sent:
    """A direct call of the gateway's `deliver`; receivers emit `others` between the two heads."""
    events = (moved_event(entry, 2), *others, moved_event(entry, 1))
    return replace(Sent(GATEWAY, DELIVER_SELECTOR + integer_word(entry), b"", events), **changes)


def change_sealers(
    configuration: FiscoConfiguration, function: str, node: bytes, weight: int | None = None, **changes: Any
) -> Sent:
    """A successful call of the consensus precompile."""
    output = integer_word(1 if configuration.line == 2 else 0)
    return replace(Sent(CONSENSUS_PRECOMPILE, call_data(configuration, function, node, weight), output), **changes)


def sealer_key(label: str, suite: str, weight: int = 1) -> SealerKey:
    """A key made from a label."""
    return SealerKey(keccak256(f"fisco sealer {label}".encode()), suite, weight)


@dataclass(frozen=True)
class Block:
    """A block with everything in it."""

    configuration: FiscoConfiguration
    header: list[rlp.RlpItem]
    sealers: tuple[SealerKey, ...]
    sent: tuple[Sent, ...] = ()
    steps: tuple[Execution, ...] = ()

    @property
    def line(self) -> int:
        """Of the platform."""
        return self.configuration.line

    @property
    def height(self) -> int:
        """Its number."""
        item = self.header[6 if self.line == 2 else 5]
        assert isinstance(item, bytes)
        return int.from_bytes(item, "big")

    @property
    def hash(self) -> BlockHash:
        """Its hash."""
        return BlockHash(self.configuration.hashing.hash(hashed_bytes(self.header, self.configuration)))

    @property
    def timestamp(self) -> int:
        """Unix seconds."""
        item = self.header[9 if self.line == 2 else 7]
        assert isinstance(item, bytes)
        return int.from_bytes(item, "big") // 1000

    def seals(self, signers: Iterable[int] | None = None) -> list[tuple[int, bytes]]:
        """Signatures by index; of all sealers but the last where there are more than three."""
        chosen = range(len(self.sealers) - (len(self.sealers) > 3)) if signers is None else signers
        return [(index, self.sealers[index].sign(self.hash)) for index in chosen]

    def bundle(self, signers: Iterable[int] | None = None) -> bytes:
        """The header as the light client takes it."""
        return encode_bundle(self.header, self.seals(signers), self.steps)

    def with_item(self, place: int, item: rlp.RlpItem) -> Block:
        """The block with another item in its header."""
        return replace(self, header=[*self.header[:place], item, *self.header[place + 1 :]])

    def execution(self, index: int, *, with_transaction: bool | None = None) -> Execution:
        """The inclusion of a transaction and its receipt; line 2 needs the transaction only for a change of sealers."""
        with_transaction = self.line == 3 if with_transaction is None else with_transaction
        transactions, receipts = leaves_of(self.configuration, self.height, self.sent)
        return Execution(
            index=index,
            count=len(self.sent) if self.line == 3 else 0,
            transaction=transaction_bytes(self.configuration, self.height, index, self.sent[index])
            if with_transaction
            else b"",
            transaction_path=_path(self.configuration, transactions, index) if with_transaction else (),
            receipt=receipt_bytes(self.configuration, self.height, self.sent[index]),
            receipt_path=_path(self.configuration, receipts, index),
        )

    def evidence(self, index: int) -> FiscoEvidence:
        """What a prover brings for a claim."""
        return FiscoEvidence(self.bundle(()), self.execution(index))

    def claim(self, nonce: int, direction: int = 0, head: Head | None = None) -> Claim:
        """A claim at this block."""
        return Claim(LANE, Direction(direction), nonce, head or head_of(nonce), self.height, self.hash)


@dataclass
class FiscoChain:
    """A ledger that grows block by block."""

    line: int = 2
    suite: str = "evm"
    sealers: tuple[SealerKey, ...] = ()
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.sealers:
            self.sealers = tuple(sealer_key(str(number), self.suite) for number in range(4))
        self.sealers = ordered(self.sealers)
        self.mine()

    @property
    def configuration(self) -> FiscoConfiguration:
        """Of the light client."""
        names = ("chain0", "group0") if self.line == 3 else ("", "")
        return FiscoConfiguration(self.line, self.suite, *names)

    @property
    def newest(self) -> Block:
        """The last block."""
        return self.blocks[-1]

    def mine(self, *sent: Sent, steps: Sequence[Execution] = (), sealers: Sequence[SealerKey] | None = None) -> Block:
        """Add a block with these transactions; other sealers sign it and every later one where they are given."""
        if sealers is not None:
            self.sealers = ordered(sealers)
        block = self.propose(*sent, steps=steps)
        self.blocks.append(block)
        return block

    def propose(self, *sent: Sent, steps: Sequence[Execution] = (), extra_ms: int = 0) -> Block:
        """A block that would follow, not added."""
        height = len(self.blocks) + 1
        parent = self.blocks[-1].hash if self.blocks else SUITES[self.suite].hash(b"first block")
        transactions, receipts = (
            _root(self.configuration, leaves) for leaves in leaves_of(self.configuration, height, sent)
        )
        time_ms = integer_bytes(FIRST_TIME_MS + 1000 * height + extra_ms)
        keys: list[rlp.RlpItem] = [sealer.public for sealer in self.sealers]
        number, state_root = integer_bytes(height), SUITES[self.suite].hash(b"state %d" % height)
        header: list[rlp.RlpItem]
        if self.line == 2:
            roots = [parent, state_root, transactions, receipts, state_root]
            header = [*roots, bytes(256), number, b"", b"", time_ms, [], b"\x01", keys]
        else:
            version, parents = integer_bytes(VERSION_3), [[integer_bytes(height - 1), parent]]
            gas = b"%d" % sum(item.gas_used for item in sent)
            weights = [integer_bytes(sealer.weight) for sealer in self.sealers]
            places = [number, gas, time_ms, b"\x01", keys, b"", weights]
            header = [version, parents, transactions, receipts, state_root, *places]
        return Block(self.configuration, header, self.sealers, tuple(sent), tuple(steps))

    def state(self, place: int = 0) -> FiscoState:
        """A client that trusts a block."""
        block = self.blocks[place]
        return bootstrap(block.bundle(()), block.hash, self.configuration)

    @property
    def now(self) -> int:
        """Shortly after the newest block."""
        return self.newest.timestamp + 1


def transaction_bytes(configuration: FiscoConfiguration, height: int, index: int, sent: Sent) -> bytes:
    """A transaction in the form of `Execution`."""
    nonce = sent.nonce if sent.nonce is not None else b"%d.%dz" % (height, index)
    limit = integer_bytes(height + 500)
    if configuration.line == 2:
        unique = integer_bytes(int.from_bytes(nonce, "big") + 1)
        signature: list[rlp.RlpItem] = [b"\x1b", b"\x01" * 32, b"\x02" * 32]
        return rlp.encode([unique, b"\x01", b"\x01", limit, sent.to, b"", sent.data, b"\x01", b"\x01", b"", *signature])
    to = sent.to.hex().encode()
    return rlp.encode([integer_bytes(sent.version), limit, nonce, to, sent.data, sent.tail])


def receipt_bytes(configuration: FiscoConfiguration, height: int, sent: Sent) -> bytes:
    """A receipt in the form of `Execution`."""
    logs: list[rlp.RlpItem]
    if configuration.line == 2:
        logs = [[event.address, list(event.topics), event.data] for event in sent.events]
        remaining = [] if sent.remaining_gas is None else [integer_bytes(sent.remaining_gas)]
        state_root = configuration.hashing.hash(b"state %d" % height)
        parts = [state_root, integer_bytes(sent.gas_used), sent.created or bytes(20), bytes(256)]
        return rlp.encode([*parts, integer_bytes(sent.status), sent.output, *remaining, logs])
    logs = [[event.address.hex().encode(), list(event.topics), event.data] for event in sent.events]
    created, price = sent.created.hex().encode(), b"0x1" if sent.version else b""
    texts = [integer_bytes(sent.version), b"%d" % sent.gas_used, created]
    return rlp.encode([*texts, integer_bytes(sent.status), sent.output, price, logs, integer_bytes(height)])


def leaves_of(configuration: FiscoConfiguration, height: int, sent: Sequence[Sent]) -> tuple[list[bytes], list[bytes]]:
    transactions, receipts = [], []
    for index, item in enumerate(sent):
        transactions.append(_transaction_hash(configuration, transaction_bytes(configuration, height, index, item)))
        receipts.append(_receipt_hash(configuration, receipt_bytes(configuration, height, item)))
    if configuration.line == 2:
        return tuple(  # type: ignore[return-value]
            [rlp.encode(integer_bytes(index)) + leaf for index, leaf in enumerate(leaves)]
            for leaves in (transactions, receipts)
        )
    return transactions, receipts


def _transaction_hash(configuration: FiscoConfiguration, transaction: bytes) -> bytes:
    digest = configuration.hashing.hash
    if configuration.line == 2:
        return digest(transaction)
    version, limit, *rest = rlp.decode_list(transaction)
    names = (configuration.chain_id + configuration.group_id).encode()
    return digest(version.rjust(4, b"\0") + names + limit.rjust(8, b"\0") + b"".join(rest))  # type: ignore[union-attr,arg-type]


def _receipt_hash(configuration: FiscoConfiguration, receipt: bytes) -> bytes:
    digest = configuration.hashing.hash
    if configuration.line == 2:
        return digest(receipt)
    version, gas, created, status, output, price, logs, number = rlp.decode_list(receipt)
    flat = b"".join(address + b"".join(topics) + data for address, topics, data in logs)  # type: ignore[misc,operator]
    head = version.rjust(4, b"\0") + gas + created + status.rjust(4, b"\0")  # type: ignore[union-attr,operator]
    return digest(head + output + price + flat + number.rjust(8, b"\0"))  # type: ignore[union-attr,operator]


def levels_of(configuration: FiscoConfiguration, leaves: list[bytes]) -> list[list[bytes]]:
    width = 16 if configuration.line == 2 else 2
    levels = [leaves]
    while len(levels[-1]) > 1:
        nodes = levels[-1]
        parts = (nodes[start : start + width] for start in range(0, len(nodes), width))
        levels.append([configuration.hashing.hash(b"".join(part)) for part in parts])
    return levels


def _root(configuration: FiscoConfiguration, leaves: list[bytes]) -> bytes:
    if not leaves:
        return bytes(32)
    top = levels_of(configuration, leaves)[-1][0]
    return configuration.hashing.hash(top) if configuration.line == 2 else top


def _path(configuration: FiscoConfiguration, leaves: list[bytes], index: int) -> tuple[tuple[bytes, ...], ...]:
    width, path = 16 if configuration.line == 2 else 2, []
    for nodes in levels_of(configuration, leaves)[:-1]:
        start = index // width * width
        group = nodes[start : start + width]
        path.append((*group[: index - start], *group[index - start + 1 :]))
        index //= width
    return tuple(path)
