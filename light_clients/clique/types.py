"""The nouns of Clique: a header, a configuration, the trusted state (EIP-225; go-ethereum `consensus/clique`).

What is called a *run* here is bytes: a header and the headers that follow it, one encoding after the other. A header is
judged in the run that confirms it, because on Clique nothing else makes a block final.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from light_clients.bft.types import Address, Dialect, ValidatorSet, Vote
from light_clients.errors import ConfigurationInvalid
from schemas.primitives import BlockHash, Bytes32

MAXIMUM_CONFIRMATIONS = 500
"""Blocks after a header that a configuration may ask for."""

SEALERS_KEPT = 128
"""Sealers of the newest blocks that a state remembers: half of the largest set."""


@dataclass(frozen=True, slots=True)
class CliqueConfiguration:
    """What no header says.

    Attributes:
        epoch_length: Blocks from one list of the signers to the next.
        confirmations: Blocks that must follow a block before it is final; never fewer than floor(n / 2) + 1 are asked for.
        period_s: Least seconds between two blocks.
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended.
        maximum_drift_s: Seconds that a header may be ahead of our clock.
        counts_idle_votes: Whether votes that would change nothing are kept: Besu's counting, not geth's.

    Raises:
        ConfigurationInvalid: A number is out of its range.
    """

    epoch_length: int = 30_000
    confirmations: int = 0
    period_s: int = 0
    trusting_period_s: int = 14 * 24 * 3600
    maximum_drift_s: int = 15
    counts_idle_votes: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.epoch_length < 2**63:
            raise ConfigurationInvalid("An epoch has at least 1 block.", found=self.epoch_length)
        if not 0 <= self.confirmations <= MAXIMUM_CONFIRMATIONS:
            raise ConfigurationInvalid("Confirmations are 0 to 500 blocks.", found=self.confirmations)
        if not 0 <= self.period_s < 2**32:
            raise ConfigurationInvalid("The period is a number of seconds.", found=self.period_s)
        if not 1 <= self.trusting_period_s < 2**32:
            raise ConfigurationInvalid("The trusting period is at least 1 second.", found=self.trusting_period_s)
        if not 0 <= self.maximum_drift_s < 2**32:
            raise ConfigurationInvalid("The drift is a number of seconds.", found=self.maximum_drift_s)

    @property
    def dialect(self) -> Dialect:
        """Whose counting of votes applies; GoQuorum's is geth's."""
        return Dialect.BESU if self.counts_idle_votes else Dialect.GOQUORUM


@dataclass(frozen=True, slots=True)
class CliqueHeader:
    """A header that was read but not yet judged.

    Attributes:
        parent_hash: Hash of the parent; zero in the first block.
        ommers_hash: Hash of the list of ommers.
        subject: Whom the sealer votes about: the coinbase; zero for nobody.
        state_root: Root of the state after this block.
        difficulty: 2 where it was the sealer's turn, otherwise 1.
        height: Number of the block.
        timestamp: Unix seconds.
        listed: The signers, in the first block and in epoch blocks.
        seal: The sealer's signature, 65 bytes.
        mix_hash: 32 bytes of zero.
        nonce: 8 bytes: all ones for a vote to add, all zeros otherwise.
        block_hash: Hash of the whole header, seal included.
        seal_digest: What the sealer signs.
    """

    parent_hash: Bytes32
    ommers_hash: bytes
    subject: Address
    state_root: Bytes32
    difficulty: int
    height: int
    timestamp: int
    listed: tuple[Address, ...]
    seal: bytes
    mix_hash: bytes
    nonce: bytes
    block_hash: BlockHash
    seal_digest: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a block leaves to the next one.

    Attributes:
        height: Number of the block.
        block_hash: Its hash.
        timestamp: Its time, Unix seconds.
        signers: Who may seal the next block, ascending.
        votes: Votes that are open.
        sealers: Who sealed the newest blocks, the newest last; at most 128 of them.
    """

    height: int
    block_hash: BlockHash
    timestamp: int
    signers: tuple[Address, ...]
    votes: tuple[Vote, ...]
    sealers: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class CliqueState:
    """What the client trusts: final blocks alone, so that it never holds two branches.

    Attributes:
        configuration: What no header says.
        newest: What the newest final block leaves to the next one.
        recent: Hashes of the newest final blocks, the newest last; 1 to 256 of them.
        sets: Sets of signers, the one that seals the next block last; 1 to 16 of them.
        frozen: Whether misbehaviour was found.
    """

    configuration: CliqueConfiguration
    newest: Snapshot
    recent: tuple[BlockHash, ...]
    sets: tuple[ValidatorSet, ...]
    frozen: bool = False

    @property
    def height(self) -> int:
        """Number of the newest final block."""
        return self.newest.height

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest final block."""
        return self.newest.block_hash

    @property
    def timestamp(self) -> int:
        """Time of the newest final block, Unix seconds."""
        return self.newest.timestamp

    @property
    def signers(self) -> tuple[Address, ...]:
        """Who may seal the next block, ascending."""
        return self.newest.signers

    @property
    def confirmations(self) -> int:
        """Blocks that must follow the next block before it is final."""
        return depth(self.configuration, len(self.signers))

    @property
    def expires_at(self) -> int:
        """Unix seconds from which no header is accepted any more."""
        return self.timestamp + self.configuration.trusting_period_s

    @property
    def oldest_height(self) -> int:
        """The lowest height at which a claim can be judged."""
        return self.height - len(self.recent) + 1

    def hash_at(self, height: int) -> BlockHash | None:
        """The final block of a height, or ``None`` where it is outside of the window."""
        index = height - self.oldest_height
        return self.recent[index] if 0 <= index < len(self.recent) else None

    def set_at(self, height: int) -> tuple[Address, ...] | None:
        """Who may seal a height, or ``None`` where the state does not know it."""
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
        from light_clients.clique.state_bytes import write_state

        return write_state(self)


@dataclass(frozen=True, slots=True)
class VerifiedCliqueHeader:
    """A header that passed every check against one state, and is final under the blocks that follow it.

    Attributes:
        sealer: Who sealed it.
        state_root: Root of the state after it.
        snapshot: What it leaves to the next block.
    """

    sealer: Address
    state_root: Bytes32
    snapshot: Snapshot

    @property
    def height(self) -> int:
        """Number of the block."""
        return self.snapshot.height

    @property
    def block_hash(self) -> BlockHash:
        """Its hash."""
        return self.snapshot.block_hash

    @property
    def timestamp(self) -> int:
        """Unix seconds."""
        return self.snapshot.timestamp


def depth(configuration: CliqueConfiguration, signers: int) -> int:
    """Blocks that must follow a block before it is final.

    Any floor(n / 2) + 1 blocks in a row have as many sealers, which is more than half of the set: fewer signers than that
    can never show so many. One block more than the majority needs is asked for, because honest signers that choose between
    two branches of one length seal on both.

    Args:
        configuration: May ask for more.
        signers: Size of the set that seals the block.
    """
    return max(configuration.confirmations, signers // 2 + 1)


def is_majority(sealers: int, signers: int) -> bool:
    """Whether so many distinct sealers are more than half of a set."""
    return sealers > signers // 2
