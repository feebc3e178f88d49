"""The nouns of ChainMaker: configuration, membership, header, state, evidence, pin (ChainMaker 2.x, pb-go `common`, `config`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from light_clients import rlp
from light_clients.errors import ClaimMalformed, ConfigurationInvalid, RlpRefused
from schemas.primitives import BlockHash, Bytes32

WINDOW = 256
"""Hashes of the newest blocks that a state remembers."""

MAXIMUM_MEMBERSHIPS = 4
"""Memberships that a state remembers, to judge headers below the newest one."""

MAXIMUM_NODES = 256
"""Consensus nodes of one membership."""


@dataclass(frozen=True, slots=True)
class NodePin:
    """A certificate that the officers state for a consensus node, because no block binds one to the other.

    Attributes:
        node_id: As the chain configuration names the node.
        certificate: Its signing certificate, PEM or DER.
    """

    node_id: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class ChainMakerConfiguration:
    """What no header says.

    Attributes:
        chain_config: Protobuf of the `config.ChainConfig` that holds after the pinned block; empty where that block is the
            first one or another configuration block, which show it themselves.
        pins: Certificates of nodes; needed where an organisation has several of them. A node may have several pins.
        refused_certificates: SHA-256 of the DER of certificates that the chain has revoked or frozen.
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended.
        maximum_drift_s: Seconds that a header may be ahead of our clock.

    Raises:
        ConfigurationInvalid: A number is out of its range.
    """

    chain_config: bytes = b""
    pins: tuple[NodePin, ...] = ()
    refused_certificates: tuple[Bytes32, ...] = ()
    trusting_period_s: int = 14 * 24 * 3600
    maximum_drift_s: int = 15

    def __post_init__(self) -> None:
        if not 1 <= self.trusting_period_s < 2**32:
            raise ConfigurationInvalid("The trusting period is at least 1 second.", found=self.trusting_period_s)
        if not 0 <= self.maximum_drift_s < 2**32:
            raise ConfigurationInvalid("The drift is a number of seconds.", found=self.maximum_drift_s)


@dataclass(frozen=True, slots=True)
class ConsensusNode:
    """One validator: its organisation, and the name under which it votes."""

    organisation: str
    node_id: str


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """The certificates under which an organisation's members are certified, as the chain configuration has them."""

    organisation: str
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """Who decides from a height on: what a light client needs of a chain configuration.

    Attributes:
        first_height: The first height that these nodes decide.
        sequence: Number of the chain configuration.
        chain_id: Name of the chain.
        hash_name: ``SHA256`` or ``SM3``: of blocks, transactions and write sets.
        nodes: The validators, each once.
        trust_roots: Of the organisations that have validators.
    """

    first_height: int
    sequence: int
    chain_id: str
    hash_name: str
    nodes: tuple[ConsensusNode, ...]
    trust_roots: tuple[TrustRoot, ...]

    @property
    def quorum(self) -> int:
        """Votes that decide a block: n * 2 / 3 + 1, rounded down."""
        return len(self.nodes) * 2 // 3 + 1

    def node(self, node_id: str) -> ConsensusNode | None:
        """The validator of that name."""
        for node in self.nodes:
            if node.node_id == node_id:
                return node
        return None

    def nodes_of(self, organisation: str) -> tuple[ConsensusNode, ...]:
        """The validators of an organisation."""
        return tuple([node for node in self.nodes if node.organisation == organisation])

    def roots_of(self, organisation: str) -> tuple[bytes, ...]:
        """The trust roots of an organisation; empty where it has none."""
        for root in self.trust_roots:
            if root.organisation == organisation:
                return root.certificates
        return ()


@dataclass(frozen=True, slots=True)
class Member:
    """Who signed: `accesscontrol.Member`.

    Attributes:
        organisation: Its `org_id`.
        member_type: 0 for a certificate, 1 for the hash of one, and others that are refused.
        info: The certificate as PEM, or what the type says.
    """

    organisation: str
    member_type: int
    info: bytes


@dataclass(frozen=True, slots=True)
class ChainMakerHeader:
    """A header that was read but not yet judged (`common.BlockHeader`).

    Attributes:
        version: Number of the block's version.
        block_type: Bit 0 is set in a configuration block.
        chain_id: Name of the chain.
        height: Number of the block.
        block_hash: What the header says its hash is.
        parent_hash: Hash of the block before; empty in the first one.
        configuration_height: Height of the last configuration block before this one.
        transaction_count: Number of transactions.
        transaction_root: Merkle root of the transactions.
        dag_hash: Hash of the order among the transactions.
        read_write_root: Merkle root of the hashes of the read-write sets.
        timestamp: Unix seconds.
        proposer: Who proposed the block; ``None`` in the first one.
        signature: The proposer's, over the block hash, in DER.
        hashed: The bytes whose hash is the block hash: the header without hash and signature.
    """

    version: int
    block_type: int
    chain_id: str
    height: int
    block_hash: bytes
    parent_hash: bytes
    configuration_height: int
    transaction_count: int
    transaction_root: bytes
    dag_hash: bytes
    read_write_root: bytes
    timestamp: int
    proposer: Member | None
    signature: bytes
    hashed: bytes

    @property
    def is_configuration(self) -> bool:
        """Whether it is of a configuration block."""
        return bool(self.block_type & 1)


@dataclass(frozen=True, slots=True)
class ChainMakerState:
    """What the client trusts; its size does not grow with the chain.

    Attributes:
        configuration: What no header says.
        height: Number of the newest accepted block.
        timestamp: Its time, Unix seconds.
        configuration_height: Height of the newest configuration block.
        recent: Hashes of the newest blocks, the newest last; 1 to 256 of them.
        memberships: The one that decides the next block last; 1 to 4 of them.
        frozen: Whether misbehaviour was found.
    """

    configuration: ChainMakerConfiguration
    height: int
    timestamp: int
    configuration_height: int
    recent: tuple[BlockHash, ...]
    memberships: tuple[Membership, ...]
    frozen: bool = False

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest accepted block."""
        return self.recent[-1]

    @property
    def confirmations(self) -> int:
        """None: a block with its quorum is final."""
        return 0

    @property
    def expires_at(self) -> int:
        """Unix seconds from which no header is accepted any more."""
        return self.timestamp + self.configuration.trusting_period_s

    @property
    def membership(self) -> Membership:
        """Who decides the next block."""
        return self.memberships[-1]

    @property
    def oldest_height(self) -> int:
        """The lowest height at which a claim can be judged."""
        return self.height - len(self.recent) + 1

    def hash_at(self, height: int) -> BlockHash | None:
        """The accepted block of a height, or ``None`` where it is outside of the window."""
        index = height - self.oldest_height
        return self.recent[index] if 0 <= index < len(self.recent) else None

    def membership_at(self, height: int) -> Membership | None:
        """Who decides a height, or ``None`` where the state does not know it."""
        if height > self.height + 1:
            return None
        return next((known for known in reversed(self.memberships) if known.first_height <= height), None)

    def freeze(self) -> Self:
        """The same state, frozen for good."""
        return replace(self, frozen=True)

    def to_bytes(self) -> bytes:
        """The state with the version of its form; at most 4 MiB."""
        from light_clients.chainmaker.state_bytes import write_state

        return write_state(self)


@dataclass(frozen=True, slots=True)
class VerifiedChainMakerHeader:
    """A header that passed every check against one state.

    Attributes:
        height: Number of the block.
        block_hash: Its hash.
        timestamp: Unix seconds.
        voters: Node ids of the votes that were counted.
        configuration_height: Height of the newest configuration block, this one included.
        membership: Who decides from the next block on, where this one changes it.
    """

    height: int
    block_hash: BlockHash
    timestamp: int
    voters: tuple[str, ...]
    configuration_height: int
    membership: Membership | None


@dataclass(frozen=True, slots=True)
class ChainMakerPin:
    """What the officers pinned of the gateway; trusted, never part of the evidence.

    Attributes:
        name: The contract's name: the key of its writes and of its events.
        version: The contract's version, because the consortium can replace the code under one name.
        write_set_only: Whether events are no evidence: for chains that run contracts in containers (docker-go), whose events
            carry whatever contract name the container says.
    """

    name: str
    version: str
    write_set_only: bool = False


@dataclass(frozen=True, slots=True)
class ChainMakerEvidence:
    """What a prover brings for a claim; every byte of it is untrusted.

    Attributes:
        header: Protobuf of the block's header.
        transaction: Protobuf of the transaction.
        index: Its place in the block, from 0.
        path: Hashes beside the way from the transaction to the root, the lowest first.
        write_set: Protobuf of the transaction's read-write set; empty where an event is the evidence.
    """

    header: bytes
    transaction: bytes
    index: int
    path: tuple[bytes, ...] = field(default=())
    write_set: bytes = b""

    def to_bytes(self) -> bytes:
        """RLP of [header, transaction, index, path, write set], for the evidence log and receipts."""
        index = self.index.to_bytes((self.index.bit_length() + 7) // 8, "big")
        return rlp.encode([self.header, self.transaction, index, list(self.path), self.write_set])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what `to_bytes` wrote.

        Raises:
            ClaimMalformed: The items are not those of an evidence.
        """
        try:
            items = rlp.decode_list(data)
        except RlpRefused as error:
            raise ClaimMalformed(f"The evidence cannot be read: {error}") from error
        match items:
            case [bytes() as header, bytes() as transaction, bytes() as index, list() as path, bytes() as write_set]:
                hashes = tuple(item for item in path if isinstance(item, bytes))
                if len(hashes) == len(path) and len(index) <= 4 and index[:1] != b"\x00":
                    return cls(header, transaction, int.from_bytes(index, "big"), hashes, write_set)
        raise ClaimMalformed(
            "Evidence is a header, a transaction, its place, a path and a write set; ask for it again."
        )
