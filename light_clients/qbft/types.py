"""The nouns of QBFT: a header, a vote, a configuration, the trusted state.

Sources: Besu `QbftExtraDataCodec` and `VoteTally`; GoQuorum `core/types/istanbul.go` and
`consensus/istanbul/backend/snapshot.go`; EIP-650 for the mark in the mix hash.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import NewType, Self

from light_clients.errors import ConfigurationInvalid
from schemas.primitives import BlockHash, Bytes32

Address = NewType("Address", bytes)
"""An account of the ledger, 20 bytes."""

MAXIMUM_VALIDATORS = 256
"""Members of a set that a client keeps; the largest known networks have about a tenth of it."""

MAXIMUM_VOTES = 4096
"""Open votes that a client keeps; they are cleared at each epoch."""

WINDOW = 256
"""Accepted headers that a state remembers, so that a claim at a recent height can be judged."""

MAXIMUM_SETS = 16
"""Validator sets inside the window that a state remembers, to judge misbehaviour at a recent height."""


class Dialect(StrEnum):
    """Whose vote counting applies. The headers have one form.

    Besu ignores the vote of an epoch block and counts votes that would change nothing; GoQuorum counts the vote of an epoch
    block and ignores votes that would change nothing.
    """

    BESU = "besu"
    GOQUORUM = "goquorum"


@dataclass(frozen=True, slots=True)
class Vote:
    """A proposer's wish about one address.

    Attributes:
        voter: The proposer of the block.
        subject: The address.
        add: True to add it, false to drop it.
    """

    voter: Address
    subject: Address
    add: bool


@dataclass(frozen=True, slots=True)
class QbftExtra:
    """The extra data of a header.

    Attributes:
        vanity: 32 bytes of the proposer's choice.
        validators: The set that seals this block, ascending.
        vote: (subject, add), or ``None``.
        round: The consensus round that sealed; no part of the block hash.
        seals: One of 65 bytes for each sealing validator; no part of the block hash.
    """

    vanity: bytes
    validators: tuple[Address, ...]
    vote: tuple[Address, bool] | None
    round: int
    seals: tuple[bytes, ...]


@dataclass(slots=True)
class QbftHeader:
    """A header that was read but not yet judged.

    Attributes:
        parent_hash: Hash of the parent; zero in the first block.
        coinbase: The proposer.
        state_root: Root of the state after this block.
        difficulty: Always 1 in QBFT.
        height: Number of the block.
        timestamp: Unix seconds.
        extra: The consensus part.
        mix_hash: The mark of Byzantine fault tolerance.
        block_hash: Hash with round 0 and without seals: what children and users name.
        seal_digest: Hash with the round and without seals: what validators sign.
    """

    parent_hash: Bytes32
    coinbase: Address
    state_root: Bytes32
    difficulty: bytes
    height: int
    timestamp: int
    extra: QbftExtra
    mix_hash: bytes
    block_hash: BlockHash
    seal_digest: bytes


@dataclass(frozen=True, slots=True)
class ValidatorOverride:
    """A set that the network's configuration puts in place at a height, without votes (Besu `transitions`).

    Attributes:
        height: The first block that this set seals.
        validators: The set, ascending.
    """

    height: int
    validators: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class QbftConfiguration:
    """What no header says.

    Attributes:
        dialect: Whose vote counting applies.
        epoch_length: Blocks after which open votes are cleared.
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended.
        sub_second_blocks: Whether two blocks may have one time stamp.
        maximum_drift_s: Seconds that a header may be ahead of our clock.
        overrides: Sets that the network's configuration puts in place, ascending by height.
        votes: Votes that are open at the pinned header; none at an epoch block.

    Raises:
        ConfigurationInvalid: A number is out of its range, or the overrides are not ascending.
    """

    dialect: Dialect = Dialect.BESU
    epoch_length: int = 30_000
    trusting_period_s: int = 14 * 24 * 3600
    sub_second_blocks: bool = False
    maximum_drift_s: int = 15
    overrides: tuple[ValidatorOverride, ...] = ()
    votes: tuple[Vote, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.epoch_length < 2**63:
            raise ConfigurationInvalid("The epoch length is at least 1 block.", found=self.epoch_length)
        if not 1 <= self.trusting_period_s < 2**32:
            raise ConfigurationInvalid("The trusting period is at least 1 second.", found=self.trusting_period_s)
        if not 0 <= self.maximum_drift_s <= 3600:
            raise ConfigurationInvalid("The drift of clocks is at most an hour.", found=self.maximum_drift_s)
        heights = [override.height for override in self.overrides]
        if heights != sorted(set(heights)) or any(height < 1 for height in heights):
            raise ConfigurationInvalid("Overrides of the validators stand in ascending order of their heights.")
        for override in self.overrides:
            if not is_validator_set(override.validators):
                raise ConfigurationInvalid(
                    "An override names 1 to 256 addresses of 20 bytes in ascending order.", found=override.height
                )
        if len(self.votes) > MAXIMUM_VOTES:
            raise ConfigurationInvalid("There are too many open votes.", expected=MAXIMUM_VOTES, found=len(self.votes))


def is_validator_set(validators: tuple[Address, ...]) -> bool:
    """Whether it is 1 to 256 distinct addresses of 20 bytes in ascending order."""
    return (
        0 < len(validators) <= MAXIMUM_VALIDATORS
        and all(len(validator) == 20 for validator in validators)
        and all(first < second for first, second in pairwise(validators))
    )


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """A set and the first block that it seals.

    Attributes:
        first_height: The first block.
        members: Addresses, ascending.
    """

    first_height: int
    members: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class QbftState:
    """What the client trusts.

    Attributes:
        configuration: What no header says.
        height: Number of the newest accepted block.
        timestamp: Its time, Unix seconds.
        recent: Hashes of the newest accepted blocks, the newest last; 1 to 256 of them.
        sets: Validator sets, the one that seals the next block last; 1 to 16 of them.
        votes: Open votes.
        frozen: Whether misbehaviour was found.
    """

    configuration: QbftConfiguration
    height: int
    timestamp: int
    recent: tuple[BlockHash, ...]
    sets: tuple[ValidatorSet, ...]
    votes: tuple[Vote, ...]
    frozen: bool = False

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest accepted block."""
        return self.recent[-1]

    @property
    def confirmations(self) -> int:
        """Blocks that must follow before a block counts as final: none, a sealed block is final."""
        return 0

    @property
    def validators(self) -> tuple[Address, ...]:
        """The set that seals the next block."""
        return self.sets[-1].members

    @property
    def expires_at(self) -> int:
        """Unix seconds from which no header is accepted any more."""
        return self.timestamp + self.configuration.trusting_period_s

    @property
    def oldest_height(self) -> int:
        """The lowest height at which a claim can be judged."""
        return self.height - len(self.recent) + 1

    def hash_at(self, height: int) -> BlockHash | None:
        """The accepted block of a height, or ``None`` where it is outside of the window."""
        index = height - self.oldest_height
        return self.recent[index] if 0 <= index < len(self.recent) else None

    def set_at(self, height: int) -> tuple[Address, ...] | None:
        """The set that seals a height, or ``None`` where the state does not know it."""
        if height > self.height + 1:
            return None
        for known in reversed(self.sets):
            if known.first_height <= height:
                return known.members
        return None

    def freeze(self) -> Self:
        """The same state, frozen for good."""
        return replace(self, frozen=True)

    def to_bytes(self) -> bytes:
        """The state with the version of its form; at most 512 KiB."""
        from light_clients.qbft.state_bytes import write_state

        return write_state(self)


@dataclass(slots=True)
class VerifiedQbftHeader:
    """A header that passed every check against one state.

    Attributes:
        height: Number of the block.
        block_hash: Its hash.
        state_root: Root of the state after it.
        timestamp: Unix seconds.
        sealers: Who sealed it, in the order of the seals.
        next_validators: The set that seals the next block.
        next_votes: Votes that are open after it.
    """

    height: int
    block_hash: BlockHash
    state_root: Bytes32
    timestamp: int
    sealers: tuple[Address, ...]
    next_validators: tuple[Address, ...]
    next_votes: tuple[Vote, ...]
