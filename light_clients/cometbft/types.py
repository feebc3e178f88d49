"""The nouns of CometBFT: configuration, validators, header, commit, state, evidence, pins (CometBFT specification, Data structures)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from light_clients import rlp
from light_clients.errors import ClaimMalformed, ConfigurationInvalid, RlpRefused
from schemas.primitives import BlockHash, Bytes32

WINDOW = 256
"""Accepted headers of which a state remembers what claims and accusations need."""

MAXIMUM_VALIDATORS = 10_000
"""Of one set (CometBFT, `MaxVotesCount`)."""

MAXIMUM_TOTAL_POWER = 2**63 // 8
"""Of one set (CometBFT, `MaxTotalVotingPower`)."""

NANOSECONDS = 10**9
"""Of one second."""


@dataclass(frozen=True, slots=True)
class CometbftConfiguration:
    """What no header says.

    Attributes:
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended.
        unbonding_period_s: Seconds for which the chain still punishes validators that left; longer than the trusting period.
        maximum_drift_s: Seconds that a header may be ahead of our clock.
        trust_numerator: Numerator of the part of the trusted power that must have signed a header that skips heights.
        trust_denominator: Its denominator; the part is at least 1/3 and at most 1.
        block_version: Version of the block protocol, 11 from CometBFT 0.34 on.

    Raises:
        ConfigurationInvalid: A number is out of its range.
    """

    trusting_period_s: int = 14 * 24 * 3600
    unbonding_period_s: int = 21 * 24 * 3600
    maximum_drift_s: int = 10
    trust_numerator: int = 1
    trust_denominator: int = 3
    block_version: int = 11

    def __post_init__(self) -> None:
        if not 1 <= self.trusting_period_s < self.unbonding_period_s < 2**32:
            raise ConfigurationInvalid(
                "The trusting period is at least 1 second and shorter than the unbonding period.",
                expected=self.unbonding_period_s,
                found=self.trusting_period_s,
            )
        if not 0 <= self.maximum_drift_s < 2**32:
            raise ConfigurationInvalid("The drift is a number of seconds.", found=self.maximum_drift_s)
        if not 1 <= self.trust_numerator <= self.trust_denominator <= min(3 * self.trust_numerator, 2**32):
            raise ConfigurationInvalid("The level of trust is at least 1/3 and at most 1.", found=self.trust_numerator)
        if not 0 <= self.block_version < 2**64:
            raise ConfigurationInvalid("The version of blocks is a number.", found=self.block_version)


class Validator(NamedTuple):
    """One validator.

    Attributes:
        address: 20 bytes, computed from the key.
        key: Public key: 32 bytes of ed25519, or 33 of secp256k1.
        power: Its voting power, at least 1.
    """

    address: bytes
    key: bytes
    power: int


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """Validators in the order of their votes.

    Attributes:
        members: Each address once; 1 to 10,000 of them.
        set_hash: Root of the Merkle tree over them, 32 bytes.
        total_power: Sum of their powers, at most 2^60.
    """

    members: tuple[Validator, ...]
    set_hash: bytes
    total_power: int


class BlockId(NamedTuple):
    """What a vote names: hash of the header, number of the block's parts, hash over them."""

    block_hash: bytes
    parts_total: int
    parts_hash: bytes


@dataclass(frozen=True, slots=True)
class CometbftHeader:
    """A header that was read but not yet judged.

    Attributes:
        block_version: Version of the block protocol.
        chain_id: Name of the chain.
        height: Number of the block, at least 1.
        time_ns: Unix nanoseconds, at least 0.
        validators_hash: Of those who decide this block, 32 bytes.
        next_validators_hash: Of those who decide the next one, 32 bytes.
        app_hash: Root of the application's state after the block before; of any length.
        block_hash: Hash of the header.
    """

    block_version: int
    chain_id: str
    height: int
    time_ns: int
    validators_hash: bytes
    next_validators_hash: bytes
    app_hash: bytes
    block_hash: BlockHash


class Vote(NamedTuple):
    """A validator's part of a commit.

    Attributes:
        flag: 1 absent, 2 for the block, 3 for no block (BlockIDFlag).
        address: 20 bytes; empty where absent.
        timestamp: Protobuf of its time, canonical; empty where absent.
        signature: 64 bytes; empty where absent.
    """

    flag: int
    address: bytes
    timestamp: bytes
    signature: bytes


ABSENT, FOR_BLOCK, FOR_NIL = 1, 2, 3
"""The flags of a vote."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The votes for a block that were read but not yet judged.

    Attributes:
        height: Of the block.
        round: The round of consensus that decided it.
        block_id: What was voted for.
        votes: One for each validator, in the order of the set.
    """

    height: int
    round: int
    block_id: BlockId
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class LightBlock:
    """A header with all that judges it.

    Attributes:
        header: The header.
        commit: Its votes; ``None`` where the bundle brings the header alone.
        validators: Who decides this block; ``None`` where the bundle brings none.
        trusted_height: The accepted height that `trusted_validators` follow; 0 where the bundle does not say.
        trusted_validators: Who was to decide the block after a trusted one; ``None`` where the bundle brings none.
    """

    header: CometbftHeader
    commit: Commit | None
    validators: ValidatorSet | None
    trusted_height: int
    trusted_validators: ValidatorSet | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a state keeps of an accepted header.

    Attributes:
        height: Number of the block.
        block_hash: Its hash.
        time_ns: Its time, Unix nanoseconds.
        app_hash: Root of the application's state after the block before.
        next_validators_hash: Of those who decide the block after it, 32 bytes.
    """

    height: int
    block_hash: BlockHash
    time_ns: int
    app_hash: bytes
    next_validators_hash: bytes


@dataclass(frozen=True, slots=True)
class CometbftState:
    """What the client trusts; its size does not grow with the chain.

    Attributes:
        configuration: What no header says.
        chain_id: Name of the chain.
        anchors: The newest accepted headers, the newest last, in ascending heights; 1 to 256 of them.
        frozen: Whether misbehaviour was found.
    """

    configuration: CometbftConfiguration
    chain_id: str
    anchors: tuple[Anchor, ...]
    frozen: bool = False

    @property
    def newest(self) -> Anchor:
        """The newest accepted header."""
        return self.anchors[-1]

    @property
    def height(self) -> int:
        """Number of the newest accepted block."""
        return self.newest.height

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest accepted block."""
        return self.newest.block_hash

    @property
    def timestamp(self) -> int:
        """Time of the newest accepted block, Unix seconds."""
        return self.newest.time_ns // NANOSECONDS

    @property
    def confirmations(self) -> int:
        """None: a block with its commit is final."""
        return 0

    @property
    def expires_at(self) -> int:
        """Unix seconds from which no header is accepted any more."""
        return self.timestamp + self.configuration.trusting_period_s

    @property
    def oldest_height(self) -> int:
        """The lowest height at which a claim can be judged."""
        return self.anchors[0].height

    def anchor_at(self, height: int) -> Anchor | None:
        """What was accepted at a height, or ``None`` where the height was skipped or is outside of the window."""
        return next((anchor for anchor in reversed(self.anchors) if anchor.height == height), None)

    def hash_at(self, height: int) -> BlockHash | None:
        """The hash that was accepted at a height, or ``None`` where the state does not say."""
        anchor = self.anchor_at(height)
        return None if anchor is None else anchor.block_hash

    def anchor_below(self, height: int) -> Anchor | None:
        """The newest accepted header below a height, or ``None`` where it is outside of the window."""
        return next((anchor for anchor in reversed(self.anchors) if anchor.height < height), None)

    def freeze(self) -> Self:
        """The same state, frozen for good."""
        return replace(self, frozen=True)

    def to_bytes(self) -> bytes:
        """The state with the version of its form; at most 128 KiB."""
        from light_clients.cometbft.state_bytes import write_state

        return write_state(self)


@dataclass(frozen=True, slots=True)
class VerifiedCometbftHeader:
    """A header that passed every check against one state.

    Attributes:
        anchor: What the state will keep of it.
    """

    anchor: Anchor

    @property
    def height(self) -> int:
        """Number of the block."""
        return self.anchor.height

    @property
    def block_hash(self) -> BlockHash:
        """Its hash."""
        return self.anchor.block_hash

    @property
    def timestamp(self) -> int:
        """Unix seconds."""
        return self.anchor.time_ns // NANOSECONDS


@dataclass(frozen=True, slots=True)
class EvmStorePin:
    """A gateway in the EVM of a chain built with cosmos/evm; trusted, never part of the evidence.

    Attributes:
        address: The gateway, 20 bytes.
        code_hash: Keccak-256 of its code.
        store: Name of the EVM module's store.
    """

    address: bytes
    code_hash: Bytes32
    store: bytes = b"evm"


@dataclass(frozen=True, slots=True)
class ApplicationPin:
    """A gateway that is a module of the application; trusted, never part of the evidence.

    Its head of a lane is the value of ``key_prefix ‖ direction ‖ lane_id`` (1 byte, 32 bytes), the head's 32 bytes.

    Attributes:
        store: Name of the module's IAVL store.
        key_prefix: What stands before direction and lane in its keys; may be empty.
    """

    store: bytes
    key_prefix: bytes = b""


CometbftPin = EvmStorePin | ApplicationPin
"""What the officers pinned of a gateway."""


@dataclass(frozen=True, slots=True)
class CometbftEvidence:
    """What a prover brings for a claim: protobufs of CommitmentProof; every byte of them is untrusted.

    Attributes:
        head_proof: From the root of the store to the lane's head (``ics23:iavl``).
        store_proof: From the app hash to the root of the store (``ics23:simple``).
        code_proof: From the root of the store to the hash of the gateway's code; empty for an application's module.
    """

    head_proof: bytes
    store_proof: bytes
    code_proof: bytes = b""

    def to_bytes(self) -> bytes:
        """RLP of [head proof, store proof, code proof], for the evidence log and receipts."""
        return rlp.encode([self.head_proof, self.store_proof, self.code_proof])

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
            case [bytes() as head_proof, bytes() as store_proof, bytes() as code_proof]:
                return cls(head_proof, store_proof, code_proof)
        raise ClaimMalformed("Evidence is three proofs: of head, store and code; ask for it again.")
