"""The nouns of FISCO BCOS, lines 2.x and 3.x: configuration, sealers, header, trusted state; evidence and pin are in `evidence`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from light_clients.errors import ConfigurationInvalid
from light_clients.fisco.evidence import Execution
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import SUITES, Suite

MAXIMUM_SEALERS = 256
"""Sealers that a client keeps."""

WINDOW = 256
"""Hashes of recent blocks that a state remembers."""

MAXIMUM_SETS = 16
"""Sets of sealers that a state remembers."""

KEY_SIZE = 64
"""Bytes of a sealer's public key, which is its node id: x and y without a prefix."""


@dataclass(frozen=True, slots=True)
class FiscoConfiguration:
    """What no header says.

    Attributes:
        line: 2 or 3, the platform's line.
        suite: ``evm`` (keccak-256, secp256k1) or ``sm`` (SM3, SM2).
        chain_id: The chain id in every transaction; on line 2 a number, which only notes of an evidence log need.
        group_id: The group id in every transaction; on line 2 as the chain id.
        extra_data_size: Line 3: bytes of extra data in every header. The hashed header has no lengths, so it must be known.
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended.
        maximum_drift_s: Seconds that a header may be ahead of our clock.

    Raises:
        ConfigurationInvalid: An option is out of its range.
    """

    line: int
    suite: str = "evm"
    chain_id: str = ""
    group_id: str = ""
    extra_data_size: int = 0
    trusting_period_s: int = 14 * 24 * 3600
    maximum_drift_s: int = 15

    def __post_init__(self) -> None:
        if self.line not in (2, 3):
            raise ConfigurationInvalid("The line of FISCO BCOS is 2 or 3.", found=self.line)
        if self.suite not in SUITES:
            raise ConfigurationInvalid("The suite is evm or sm.", found=self.suite)
        names = (self.chain_id, self.group_id)
        for name in names:
            named = name.isascii() and name.isprintable() and len(name) <= 64
            if not named or not (name if self.line == 3 else name.isdecimal() or not any(names)):
                raise ConfigurationInvalid(
                    "Line 3 needs chain_id and group_id, 1 to 64 characters of ASCII; line 2 takes two numbers or none.",
                    found=name,
                )
        if not 0 <= self.extra_data_size <= 4096 or (self.extra_data_size and self.line == 2):
            raise ConfigurationInvalid("Extra data is 0 to 4,096 bytes, on line 3 alone.", found=self.extra_data_size)
        if not 1 <= self.trusting_period_s < 2**32:
            raise ConfigurationInvalid("The trusting period is at least 1 second.", found=self.trusting_period_s)
        if not 0 <= self.maximum_drift_s < 2**32:
            raise ConfigurationInvalid("The drift is a number of seconds.", found=self.maximum_drift_s)

    @property
    def hashing(self) -> Suite:
        """The suite itself."""
        return SUITES[self.suite]


@dataclass(frozen=True, slots=True)
class Sealer:
    """Who may sign blocks.

    Attributes:
        key: Public key, 64 bytes.
        weight: Its votes; 1 on line 2.
    """

    key: bytes
    weight: int = 1


@dataclass(frozen=True, slots=True)
class SealerSet:
    """Sealers in the order of the header, whose indices the signatures name.

    Attributes:
        first_height: The first block that they sign.
        sealers: 1 to 256 of them.
    """

    first_height: int
    sealers: tuple[Sealer, ...]


def quorum(sealers: tuple[Sealer, ...]) -> int:
    """Votes that a block needs: W - floor((W - 1) / 3) of W; on line 2 every sealer has one.

    Args:
        sealers: Of one block.
    """
    total = sum(sealer.weight for sealer in sealers)
    return total - (total - 1) // 3


@dataclass(frozen=True, slots=True)
class FiscoHeader:
    """A header that was read but not yet judged.

    Attributes:
        height: Number of the block.
        block_hash: Its hash, which is also what sealers sign.
        parent_hash: Hash of the parent; zero in the first block.
        transactions_root: Root of the tree of transactions.
        receipts_root: Root of the tree of receipts.
        timestamp_ms: Unix milliseconds.
        sealers: Who signs this block.
        seals: Index and signature of each signer.
        steps: Proofs, under the parent's roots, of the calls that changed the sealers.
    """

    height: int
    block_hash: BlockHash
    parent_hash: bytes
    transactions_root: Bytes32
    receipts_root: Bytes32
    timestamp_ms: int
    sealers: tuple[Sealer, ...]
    seals: tuple[tuple[int, bytes], ...] = ()
    steps: tuple[Execution, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedFiscoHeader:
    """A header that passed every check against one state.

    Attributes:
        header: The header.
        signers: Indices of its signers, ascending.
    """

    header: FiscoHeader
    signers: tuple[int, ...]

    @property
    def height(self) -> int:
        """Number of the block."""
        return self.header.height

    @property
    def block_hash(self) -> BlockHash:
        """Its hash."""
        return self.header.block_hash

    @property
    def timestamp(self) -> int:
        """Unix seconds."""
        return self.header.timestamp_ms // 1000


@dataclass(frozen=True, slots=True)
class FiscoState:
    """What the client trusts.

    Attributes:
        configuration: What no header says.
        height: Number of the newest accepted block.
        timestamp: Unix seconds of the newest time seen; no rule of the ledger orders the times of its blocks.
        transactions_root: Root of the newest block's transactions, under which a change of sealers is proved.
        receipts_root: Root of its receipts.
        recent: Hashes of the newest blocks, the newest last; 1 to 256 of them.
        sets: Sets of sealers, the one that signed the newest block last; 1 to 16 of them.
        frozen: Whether misbehaviour was found.
    """

    configuration: FiscoConfiguration
    height: int
    timestamp: int
    transactions_root: Bytes32
    receipts_root: Bytes32
    recent: tuple[BlockHash, ...]
    sets: tuple[SealerSet, ...]
    frozen: bool = False

    @property
    def block_hash(self) -> BlockHash:
        """Hash of the newest accepted block."""
        return self.recent[-1]

    @property
    def sealers(self) -> tuple[Sealer, ...]:
        """Who signed the newest block, and signs the next one unless it proves a change."""
        return self.sets[-1].sealers

    @property
    def confirmations(self) -> int:
        """0: a block with a quorum is final."""
        return 0

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

    def set_at(self, height: int) -> tuple[Sealer, ...] | None:
        """Who signed an accepted height, or ``None`` where the state does not know it."""
        for known in reversed(self.sets):
            if known.first_height <= height <= self.height:
                return known.sealers
        return None

    def freeze(self) -> Self:
        """The same state, frozen for good."""
        return replace(self, frozen=True)

    def to_bytes(self) -> bytes:
        """The state with the version of its form; at most 512 KiB."""
        from light_clients.fisco.state_bytes import write_state

        return write_state(self)
