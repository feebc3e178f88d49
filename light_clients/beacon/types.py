"""What the light client of the beacon chain is told, trusts and found.

Heights and hashes are those of the execution chain, because the gateway lives there and the claim opens its state root. A
finalized header of a fork before Capella shows no execution block: there the height is the slot, the hash the beacon block's
root, and no claim can be judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from light_clients.errors import ConfigurationInvalid
from schemas.primitives import BlockHash, Bytes32

FORKS: Final = ("phase0", "altair", "bellatrix", "capella", "deneb", "electra", "fulu")
"""The forks that this version reads, in order; the sync protocol begins with Altair."""

WINDOW = 256
"""Finalized headers at which claims can be judged; on mainnet, one in 6.4 minutes, about 27 hours."""

KEY_SIZE = 48
ZERO = Bytes32(bytes(32))
_UINT64 = 2**64


@dataclass(frozen=True, slots=True)
class Preset:
    """Sizes that were fixed when the ledger's software was built (consensus specifications, presets/*/altair.yaml).

    Attributes:
        slots_per_epoch: 32, or 8 where minimal.
        epochs_per_period: Epochs for which a sync committee serves: 256, or 8 where minimal.
        committee_size: Members of a sync committee: 512, or 32 where minimal.
    """

    slots_per_epoch: int
    epochs_per_period: int
    committee_size: int


MAINNET: Final = Preset(32, 256, 512)
MINIMAL: Final = Preset(8, 8, 32)


@dataclass(frozen=True, slots=True)
class Fork:
    """When a fork begins.

    Attributes:
        name: One of `FORKS`.
        epoch: The first epoch.
        version: 4 bytes, part of what is signed.
    """

    name: str
    epoch: int
    version: bytes


@dataclass(frozen=True, slots=True)
class BeaconConfiguration:
    """What no header says.

    Attributes:
        genesis_validators_root: Names the ledger in every signature.
        genesis_time: Unix seconds of slot 0.
        forks: From phase0 on, in order; a fork that is not scheduled is left out.
        seconds_per_slot: 12 on mainnet.
        preset: Sizes.
        checkpoint_age_limit_s: Age of the newest finalized header from which nothing is accepted any more: within this time
            the members of its committee have still something to lose (weak subjectivity); two weeks are usual.
        maximum_drift_s: How far our clock may be behind.
    """

    genesis_validators_root: Bytes32
    genesis_time: int
    forks: tuple[Fork, ...]
    seconds_per_slot: int = 12
    preset: Preset = MAINNET
    checkpoint_age_limit_s: int = 14 * 24 * 3600
    maximum_drift_s: int = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be.

        Raises:
            ConfigurationInvalid: By name of the option.
        """
        names = tuple(fork.name for fork in self.forks)
        if not names or names != FORKS[: len(names)]:
            raise ConfigurationInvalid(f"forks must be named {', '.join(FORKS)}, in order and without a gap.")
        epochs = [fork.epoch for fork in self.forks]
        if epochs[0] != 0 or epochs != sorted(epochs) or epochs[-1] >= _UINT64:
            raise ConfigurationInvalid("The epochs of forks must begin with 0 and not go back.")
        if any(len(fork.version) != 4 for fork in self.forks):
            raise ConfigurationInvalid("The version of a fork has 4 bytes.")
        if self.preset not in {MAINNET, MINIMAL}:
            raise ConfigurationInvalid("preset must be the mainnet or the minimal one.")
        for name, value, lowest in (
            ("genesis_time", self.genesis_time, 0),
            ("seconds_per_slot", self.seconds_per_slot, 1),
            ("checkpoint_age_limit_s", self.checkpoint_age_limit_s, 1),
            ("maximum_drift_s", self.maximum_drift_s, 0),
        ):
            if not lowest <= value < _UINT64:
                raise ConfigurationInvalid(f"{name} must be at least {lowest}.", found=value)

    def epoch_of(self, slot: int) -> int:
        """The epoch of a slot."""
        return slot // self.preset.slots_per_epoch

    def period_of(self, slot: int) -> int:
        """The sync-committee period of a slot."""
        return slot // (self.preset.slots_per_epoch * self.preset.epochs_per_period)

    def fork_at(self, slot: int) -> Fork:
        """The fork of a slot."""
        epoch = self.epoch_of(slot)
        return next(fork for fork in reversed(self.forks) if fork.epoch <= epoch)

    def timestamp_of(self, slot: int) -> int:
        """When a slot begins, Unix seconds."""
        return self.genesis_time + slot * self.seconds_per_slot


@dataclass(frozen=True, slots=True)
class SyncCommittee:
    """The members of one period.

    Attributes:
        encoded: SSZ: 48 bytes for each member, and 48 for their sum, which nothing here relies on.
    """

    encoded: bytes

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The public keys in their order, 48 bytes each; one member may stand several times."""
        return tuple(
            self.encoded[place : place + KEY_SIZE] for place in range(0, len(self.encoded) - KEY_SIZE, KEY_SIZE)
        )


@dataclass(frozen=True, slots=True)
class FinalizedBlock:
    """A finalized header, as far as anything is asked of it later.

    Attributes:
        slot: Of the beacon block.
        root: Hash tree root of the beacon block's header.
        height: Number of the execution block, or the slot before Capella.
        block_hash: Hash of the execution block, or ``root`` before Capella.
        state_root: Of the execution block; zero before Capella.
        receipts_root: Of the execution block; zero before Capella.
    """

    slot: int
    root: Bytes32
    height: int
    block_hash: BlockHash
    state_root: Bytes32
    receipts_root: Bytes32


@dataclass(frozen=True, slots=True)
class BeaconState:
    """What the client trusts: finalized headers alone, and who signs.

    Attributes:
        configuration: What no header says.
        recent: The newest finalized headers, the newest last; 1 to 256 of them.
        current: The committee of the newest one's period.
        following: The committee of the period after it, once it was shown.
        frozen: Whether misbehaviour was found.
    """

    configuration: BeaconConfiguration
    recent: tuple[FinalizedBlock, ...]
    current: SyncCommittee
    following: SyncCommittee | None = None
    frozen: bool = False

    @property
    def newest(self) -> FinalizedBlock:
        """The newest finalized header."""
        return self.recent[-1]

    @property
    def height(self) -> int:
        """Number of the newest finalized execution block."""
        return self.newest.height

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest finalized execution block."""
        return self.newest.block_hash

    @property
    def timestamp(self) -> int:
        """When the slot of the newest finalized header began, Unix seconds."""
        return self.configuration.timestamp_of(self.newest.slot)

    @property
    def confirmations(self) -> int:
        """Always 0: what is accepted is final."""
        return 0

    @property
    def expires_at(self) -> int:
        """Unix seconds from which no header is accepted any more."""
        return self.timestamp + self.configuration.checkpoint_age_limit_s

    @property
    def period(self) -> int:
        """The sync-committee period of the newest finalized header."""
        return self.configuration.period_of(self.newest.slot)

    @property
    def oldest_height(self) -> int:
        """The lowest height at which a claim can be judged."""
        return self.recent[0].height

    def hash_at(self, height: int) -> BlockHash | None:
        """The execution block that was finalized at a height, or ``None`` where the state does not say."""
        block = self.block_at(height)
        return None if block is None else block.block_hash

    def block_at(self, height: int) -> FinalizedBlock | None:
        """The finalized header that shows an execution block, or ``None`` where none of the window does."""
        return next((block for block in reversed(self.recent) if block.height == height), None)

    def committee_of(self, period: int) -> SyncCommittee | None:
        """Who signs in a period, or ``None`` where the state does not know it."""
        if period == self.period:
            return self.current
        return self.following if period == self.period + 1 else None

    def freeze(self) -> Self:
        """The same state, frozen for good."""
        return replace(self, frozen=True)

    def to_bytes(self) -> bytes:
        """The state with the version of its form; at most 128 KiB."""
        from light_clients.beacon.state_bytes import write_state

        return write_state(self)


@dataclass(frozen=True, slots=True)
class VerifiedBeaconHeader:
    """An update that passed every check against one state.

    Attributes:
        configuration: The state's.
        finalized: The finalized header that it shows.
        following: The committee of the period after the attested header's, where the update shows one.
        participants: Members of the committee that signed.
    """

    configuration: BeaconConfiguration
    finalized: FinalizedBlock
    following: SyncCommittee | None
    participants: int

    @property
    def height(self) -> int:
        """Number of the finalized execution block."""
        return self.finalized.height

    @property
    def block_hash(self) -> BlockHash:
        """Its hash."""
        return self.finalized.block_hash

    @property
    def timestamp(self) -> int:
        """When its slot began, Unix seconds."""
        return self.configuration.timestamp_of(self.finalized.slot)
