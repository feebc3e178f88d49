"""The nouns that QBFT, IBFT2 and legacy IBFT share: a header, a vote, a configuration, the trusted state.

Sources: Besu `BftExtraData`, `VoteTally`, `ForkingValidatorProvider`; GoQuorum `core/types/istanbul.go` and
`consensus/istanbul/backend/snapshot.go`; EIP-650 for the mark in the mix hash.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar, NewType, Self

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
    """Whose headers and vote counting apply.

    Besu ignores the vote of an epoch block and counts votes that would change nothing; GoQuorum counts the vote of an epoch
    block and ignores votes that would change nothing. QBFT headers have one form in both; IBFT2 is Besu's alone, legacy IBFT
    GoQuorum's.
    """

    BESU = "besu"
    GOQUORUM = "goquorum"
    BESU_IBFT2 = "besu-ibft2"
    GOQUORUM_IBFT = "goquorum-ibft"

    @property
    def counts_idle_votes(self) -> bool:
        """Whether votes that would change nothing are kept, and the vote of an epoch block is not: Besu's counting."""
        return self in (Dialect.BESU, Dialect.BESU_IBFT2)


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
class BftExtra:
    """The extra data of a header.

    Attributes:
        vanity: 32 bytes of the proposer's choice.
        validators: The set that seals this block, ascending; empty where a contract selects it.
        vote: (subject, add), or ``None``. In legacy IBFT it stands in the coinbase and the nonce.
        round: The consensus round that sealed; no part of the block hash. Legacy IBFT writes none.
        seals: One of 65 bytes for each sealing validator; no part of the block hash.
        proposer_seal: 65 bytes by the proposer, part of the block hash; in legacy IBFT alone.
    """

    vanity: bytes
    validators: tuple[Address, ...]
    vote: tuple[Address, bool] | None
    round: int
    seals: tuple[bytes, ...]
    proposer_seal: bytes = b""


@dataclass(slots=True)
class BftHeader:
    """A header that was read but not yet judged.

    Attributes:
        parent_hash: Hash of the parent; zero in the first block.
        ommers_hash: Hash of the list of ommers.
        proposer: Who proposed the block and cast its vote: the coinbase, or in legacy IBFT whoever made the proposer's seal.
        state_root: Root of the state after this block.
        difficulty: Always 1.
        height: Number of the block.
        timestamp: Unix seconds.
        extra: The consensus part.
        mix_hash: The mark of Byzantine fault tolerance.
        nonce: 8 bytes.
        block_hash: What children and users name; it has no seals of the committee in it, and no round.
        seal_digest: What validators sign.
    """

    parent_hash: Bytes32
    ommers_hash: bytes
    proposer: Address
    state_root: Bytes32
    difficulty: bytes
    height: int
    timestamp: int
    extra: BftExtra
    mix_hash: bytes
    nonce: bytes
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


class SelectionMode(StrEnum):
    """Where the validators of a block come from.

    HEADER: the list in the header, changed by votes. CONTRACT: `getValidators()` of a contract in the state of the parent;
    headers list nobody. PINNED: the same ledger, but the officers state the set and each change of it.
    """

    HEADER = "header"
    CONTRACT = "contract"
    PINNED = "pinned"


@dataclass(frozen=True, slots=True)
class ValidatorSelection:
    """Where validators come from, from a height on (Besu `transitions`, `validatorselectionmode`).

    Attributes:
        height: The first block whose validators are selected like this.
        mode: How.
        contract: Address of the contract in CONTRACT mode, empty otherwise.
        slot: Number of the storage slot that holds the length of its ``address[]``.
        code_hash: Hash of the contract's code, 32 bytes, or empty where any code is accepted.
    """

    height: int
    mode: SelectionMode
    contract: bytes = b""
    slot: int = 0
    code_hash: bytes = b""


HEADER_SELECTION = ValidatorSelection(0, SelectionMode.HEADER)
"""What holds where a configuration says nothing."""


@dataclass(frozen=True, slots=True)
class BftConfiguration:
    """What no header says. Each family has a subclass that names its dialects.

    Attributes:
        dialect: Whose headers and vote counting apply.
        epoch_length: Blocks after which open votes are cleared.
        trusting_period_s: Seconds after the newest accepted header during which the state may be extended.
        sub_second_blocks: Whether two blocks may have one time stamp.
        maximum_drift_s: Seconds that a header may be ahead of our clock.
        overrides: Sets that the network's configuration puts in place, ascending by height.
        votes: Votes that are open at the pinned header; none at an epoch block.
        selections: Where validators come from, ascending by height; from the headers where nothing is said.

    Raises:
        ConfigurationInvalid: A number is out of its range, an order is wrong, or two parts contradict each other.
    """

    dialects: ClassVar[tuple[Dialect, ...]] = tuple(Dialect)

    dialect: Dialect = Dialect.BESU
    epoch_length: int = 30_000
    trusting_period_s: int = 14 * 24 * 3600
    sub_second_blocks: bool = False
    maximum_drift_s: int = 15
    overrides: tuple[ValidatorOverride, ...] = ()
    votes: tuple[Vote, ...] = ()
    selections: tuple[ValidatorSelection, ...] = ()

    def __post_init__(self) -> None:
        from light_clients.bft.selection import check_configuration

        check_configuration(self)

    def selection_at(self, height: int) -> ValidatorSelection:
        """Where the validators of a block come from."""
        for selection in reversed(self.selections):
            if selection.height <= height:
                return selection
        return HEADER_SELECTION


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
class BftState:
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

    configuration: BftConfiguration
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
        from light_clients.bft.state_bytes import write_state

        return write_state(self)


@dataclass(slots=True)
class VerifiedBftHeader:
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
