"""The nouns of a development chain: a plain Ethereum header, a configuration, the trusted state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from light_clients.errors import ConfigurationInvalid
from schemas.primitives import BlockHash, Bytes32

WINDOW = 256
"""Accepted headers that a state remembers, so that a claim at a recent height can be judged."""


@dataclass(frozen=True, slots=True)
class DevelopmentConfiguration:
    """What no header says.

    Attributes:
        confirmations: Blocks that must follow before a block counts as final; a reorganisation below is never seen.
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended.

    Raises:
        ConfigurationInvalid: A number is out of its range.
    """

    confirmations: int = 0
    trusting_period_s: int = 14 * 24 * 3600

    def __post_init__(self) -> None:
        if not 0 <= self.confirmations <= 500:
            raise ConfigurationInvalid("Confirmations are 0 to 500 blocks.", found=self.confirmations)
        if not 1 <= self.trusting_period_s < 2**32:
            raise ConfigurationInvalid("The trusting period is at least 1 second.", found=self.trusting_period_s)


@dataclass(frozen=True, slots=True)
class DevelopmentHeader:
    """A header that was read but not yet judged: parent, state root, height, time (Unix seconds), block hash."""

    parent_hash: Bytes32
    state_root: Bytes32
    height: int
    timestamp: int
    block_hash: BlockHash


@dataclass(frozen=True, slots=True)
class DevelopmentState:
    """What the client takes for the chain.

    Attributes:
        configuration: What no header says.
        height: Number of the newest accepted block.
        timestamp: Its time, Unix seconds.
        recent: Hashes of the newest accepted blocks, the newest last; 1 to 256 of them.
        frozen: Whether the client was frozen by hand.
    """

    configuration: DevelopmentConfiguration
    height: int
    timestamp: int
    recent: tuple[BlockHash, ...]
    frozen: bool = False

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest accepted block."""
        return self.recent[-1]

    @property
    def confirmations(self) -> int:
        """Blocks that must follow before a block counts as final."""
        return self.configuration.confirmations

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

    def freeze(self) -> Self:
        """The same state, frozen for good."""
        return replace(self, frozen=True)

    def to_bytes(self) -> bytes:
        """The state with the version of its form; at most 16 KiB."""
        from light_clients.development.codec import write_state

        return write_state(self)


@dataclass(frozen=True, slots=True)
class VerifiedDevelopmentHeader:
    """A header that continues a state: height, hash, state root, time (Unix seconds)."""

    height: int
    block_hash: BlockHash
    state_root: Bytes32
    timestamp: int
