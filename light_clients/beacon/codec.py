"""Bundles: what a prover sends as a header.

A bundle is the RLP list [kind, fork, SSZ]: the kind is ``bootstrap``, ``update``, ``finality_update`` or ``optimistic_update``,
the fork names the form of the containers (``altair`` to ``fulu``), and the SSZ is what the Beacon API sends for
``application/octet-stream``. An object of an earlier fork may stand in the containers of a later one, as the specification
allows (its sections Upgrading the store).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from light_clients import rlp
from light_clients.beacon.containers import (
    BEACON_HEADER,
    BOOTSTRAP,
    CAPELLA_EXECUTION,
    DENEB_EXECUTION,
    EXECUTION_DEPTH,
    EXECUTION_INDEX,
    FINALITY_UPDATE,
    KINDS,
    OPTIMISTIC_UPDATE,
    UPDATE,
    committee_type,
    container_of,
    depth_of,
    header_type,
    is_since,
)
from light_clients.beacon.errors import BundleInvalid, ExecutionBranchInvalid, ForkUnexpected
from light_clients.beacon.types import FORKS, ZERO, BeaconConfiguration, FinalizedBlock, Preset, SyncCommittee
from light_clients.errors import HeaderFieldInvalid, HeaderTooLarge
from light_clients.ssz import Value, branch_root
from schemas.primitives import BlockHash, Bytes32

MAXIMUM_BUNDLE_SIZE = 64 * 1024
"""Bytes; an update of mainnet takes about 27 KiB."""

DOMAIN_SYNC_COMMITTEE = bytes.fromhex("07000000")

Branch = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LightClientHeader:
    """A beacon block's header, with the execution header from Capella on.

    Attributes:
        fork: The fork that named the container.
        beacon: slot, proposer_index, parent_root, state_root, body_root.
        execution: The fields of the execution header, or nothing before Capella.
        execution_branch: From the execution header to the body's root, or nothing before Capella.
    """

    fork: str
    beacon: tuple[Value, ...]
    execution: tuple[Value, ...] = ()
    execution_branch: Branch = ()

    @property
    def slot(self) -> int:
        """Slot of the block."""
        return int(self.beacon[0])

    @property
    def state_root(self) -> bytes:
        """Root of the beacon state after the block."""
        return bytes(self.beacon[3])

    @property
    def body_root(self) -> bytes:
        """Root of the block's body."""
        return bytes(self.beacon[4])

    def root(self) -> Bytes32:
        """Hash tree root of the beacon block's header, which is the block's own."""
        return Bytes32(BEACON_HEADER.root(self.beacon))

    def is_empty(self) -> bool:
        """Whether every field is zero, as the specification fills a header that is not there."""
        container = header_type(self.fork)
        value = (self.beacon, self.execution, self.execution_branch)[: len(container.fields)]
        return container.encode(value) == container.encode(_empty_header(self.fork))


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """A trusted block with its committee.

    Attributes:
        header: The block's header.
        committee: The sync committee of its period.
        branch: From the committee to the state's root.
    """

    header: LightClientHeader
    committee: SyncCommittee
    branch: Branch


@dataclass(frozen=True, slots=True)
class Update:
    """What the sync committee signed, and what follows from it.

    Attributes:
        attested: The header that was signed.
        following: The next sync committee; ``None`` where the update has none.
        following_branch: From it to the attested state's root.
        finalized: The finalized header; ``None`` where the update has none.
        finality_branch: From its root to the attested state's root.
        bits: Who signed: the lowest bit of the first byte is the first member.
        signature: 96 bytes.
        signature_slot: When the signature was included.
    """

    attested: LightClientHeader
    following: SyncCommittee | None
    following_branch: Branch
    finalized: LightClientHeader | None
    finality_branch: Branch
    bits: bytes
    signature: bytes
    signature_slot: int

    @property
    def participants(self) -> int:
        """Members that signed."""
        return int.from_bytes(self.bits, "little").bit_count()


def write_bundle(kind: str, fork: str, encoded: bytes) -> bytes:
    """Wraps an SSZ object.

    Args:
        kind: One of `containers.KINDS`.
        fork: Such as ``deneb``.
        encoded: SSZ of the object.

    Returns:
        The bundle.
    """
    return rlp.encode([kind.encode(), fork.encode(), encoded])


def parse_bundle(data: bytes, preset: Preset) -> Bootstrap | Update:
    """Reads a bundle of any kind.

    Args:
        data: At most 64 KiB.
        preset: Sizes.

    Raises:
        HeaderTooLarge: It is larger than any.
        BundleInvalid: It is no list of a kind, a fork and an SSZ object.
        HeaderFieldInvalid: A committee or header stands where its branch says that there is none.
        RlpRefused: It is not canonical RLP.
        SszRefused: The object is not of the kind's and fork's form.
    """
    if len(data) > MAXIMUM_BUNDLE_SIZE:
        raise HeaderTooLarge("The bundle is too large.", expected=MAXIMUM_BUNDLE_SIZE, found=len(data))
    match rlp.decode_list(data):
        case [bytes() as kind_bytes, bytes() as fork_bytes, bytes() as encoded]:
            kind, fork = kind_bytes.decode("latin-1"), fork_bytes.decode("latin-1")
        case _:
            raise BundleInvalid("A bundle is a list of a kind, a fork and an SSZ object.")
    if kind not in KINDS or fork not in FORKS[1:]:
        raise BundleInvalid("The kind or the fork of the bundle is not known.", found=f"{kind} of {fork}"[:80])
    value = container_of(kind, fork, preset).decode(encoded)
    match kind:
        case "bootstrap":
            header, committee, branch = value
            return Bootstrap(_header(fork, header), _committee(committee, preset), branch)
        case "update":
            attested, committee, branch, finalized, finality_branch, (bits, signature), slot = value
            return Update(
                _header(fork, attested),
                _present_committee(committee, branch, preset),
                branch,
                _present_header(_header(fork, finalized), finality_branch),
                finality_branch,
                bits,
                signature,
                slot,
            )
        case "finality_update":
            attested, finalized, finality_branch, (bits, signature), slot = value
            found = _present_header(_header(fork, finalized), finality_branch)
            return Update(_header(fork, attested), None, (), found, finality_branch, bits, signature, slot)
        case _:
            attested, (bits, signature), slot = value
            return Update(_header(fork, attested), None, (), None, (), bits, signature, slot)


def beacon_root(data: bytes, configuration: BeaconConfiguration) -> BlockHash:
    """The root of the beacon block from which a client begins, which is what officers pin; nothing is judged.

    Raises:
        BundleInvalid: It is no bundle of the kind ``bootstrap``.
    """
    parsed = parse_bundle(data, configuration.preset)
    if not isinstance(parsed, Bootstrap):
        raise BundleInvalid("A client begins with a bundle of the kind bootstrap.")
    return BlockHash(parsed.header.root())


def read_finalized(configuration: BeaconConfiguration, header: LightClientHeader) -> FinalizedBlock:
    """Checks a header by the rules of its slot's fork, and takes from it what a state keeps.

    Args:
        configuration: Knows the forks.
        header: A header.

    Returns:
        The block.

    Raises:
        ForkUnexpected: The container is of an earlier fork than the slot.
        HeaderFieldInvalid: It shows what its fork does not have, or a zero hash.
        ExecutionBranchInvalid: The execution header is not the one of the block.
    """
    root = header.root()
    if not check_header(configuration, header):
        return FinalizedBlock(header.slot, root, header.slot, BlockHash(root), ZERO, ZERO)
    fields = dict(zip((name for name, _ in DENEB_EXECUTION.fields), header.execution, strict=False))
    if not any(fields["block_hash"]):
        raise HeaderFieldInvalid("The hash of the execution block is zero.")
    return FinalizedBlock(
        header.slot,
        root,
        int(fields["block_number"]),
        BlockHash(fields["block_hash"]),
        Bytes32(fields["state_root"]),
        Bytes32(fields["receipts_root"]),
    )


def check_header(configuration: BeaconConfiguration, header: LightClientHeader) -> bool:
    """Checks a header by the rules of its slot's fork (deneb/light-client/sync-protocol.md, is_valid_light_client_header).

    Returns:
        Whether it shows an execution block.

    Raises:
        ForkUnexpected: The container is of an earlier fork than the slot, or the slot is before Altair.
        HeaderFieldInvalid: It shows what its fork does not have.
        ExecutionBranchInvalid: The execution header is not the one of the block.
    """
    fork = configuration.fork_at(header.slot).name
    if fork == "phase0" or not is_since(header.fork, fork):
        raise ForkUnexpected("The header is not in a form of its slot's fork.", expected=fork, found=header.fork)
    if not is_since(fork, "capella"):
        if header.execution and (header.execution, header.execution_branch) != _empty_header(header.fork)[1:]:
            raise HeaderFieldInvalid("A header before Capella shows an execution block.", found=header.slot)
        return False
    execution = header.execution
    if is_since(fork, "deneb"):
        root = DENEB_EXECUTION.root(execution)
    else:
        if any(execution[15:]):
            raise HeaderFieldInvalid("A header before Deneb uses blobs.", found=header.slot)
        root = CAPELLA_EXECUTION.root(execution[:15])
    if branch_root(root, header.execution_branch, EXECUTION_INDEX) != header.body_root:
        raise ExecutionBranchInvalid("The execution header is not the one of the block.", expected=header.body_root)
    return True


def is_valid_branch(leaf: bytes, branch: Branch, generalized_index: int, root: bytes) -> bool:
    """Whether a branch leads to a root; one of a later fork's length begins with zeros (is_valid_normalized_merkle_branch).

    Args:
        leaf: 32 bytes.
        branch: At least as many nodes as the index is deep.
        generalized_index: Place of the leaf.
        root: 32 bytes.
    """
    extra = len(branch) - depth_of(generalized_index)
    return not any(map(any, branch[:extra])) and branch_root(leaf, branch[extra:], generalized_index) == root


def committee_root(committee: SyncCommittee, preset: Preset) -> bytes:
    """Hash tree root of a committee."""
    container = committee_type(preset)
    return container.root(container.decode(committee.encoded))


def signing_root(configuration: BeaconConfiguration, attested_root: bytes, signature_slot: int) -> bytes:
    """What the committee signs (altair/light-client/sync-protocol.md, validate_light_client_update; phase0, compute_domain).

    Args:
        configuration: Knows the fork versions and the ledger's name.
        attested_root: Hash tree root of the attested beacon header.
        signature_slot: Above 0; the version is that of the slot before it.

    Returns:
        32 bytes.
    """
    version = configuration.fork_at(max(signature_slot, 1) - 1).version
    fork_data = sha256(version.ljust(32, b"\x00") + configuration.genesis_validators_root).digest()
    return sha256(attested_root + DOMAIN_SYNC_COMMITTEE + fork_data[:28]).digest()


def _header(fork: str, value: tuple[Value, ...]) -> LightClientHeader:
    return LightClientHeader(fork, *value)


def _committee(value: tuple[Value, ...], preset: Preset) -> SyncCommittee:
    return SyncCommittee(committee_type(preset).encode(value))


def _present_committee(value: tuple[Value, ...], branch: Branch, preset: Preset) -> SyncCommittee | None:
    """The committee, or ``None`` where the branch is of zeros: then it must be empty."""
    committee = _committee(value, preset)
    if any(map(any, branch)):
        return committee
    if any(committee.encoded):
        raise HeaderFieldInvalid("A next sync committee comes without its branch.")
    return None


def _present_header(header: LightClientHeader, branch: Branch) -> LightClientHeader | None:
    """The finalized header, or ``None`` where the branch is of zeros: then it must be empty."""
    if any(map(any, branch)):
        return header
    if not header.is_empty():
        raise HeaderFieldInvalid("A finalized header comes without its branch.")
    return None


def _empty_header(fork: str) -> tuple[Value, ...]:
    beacon = (0, 0, bytes(32), bytes(32), bytes(32))
    if not is_since(fork, "capella"):
        return (beacon,)
    execution = (
        bytes(32),
        bytes(20),
        bytes(32),
        bytes(32),
        bytes(256),
        bytes(32),
        0,
        0,
        0,
        0,
        b"",
        0,
        *(bytes(32),) * 3,
    )
    blobs = (0, 0) if is_since(fork, "deneb") else ()
    return (beacon, (*execution, *blobs), (bytes(32),) * EXECUTION_DEPTH)


__all__ = [
    "BOOTSTRAP",
    "FINALITY_UPDATE",
    "OPTIMISTIC_UPDATE",
    "UPDATE",
    "Bootstrap",
    "LightClientHeader",
    "Update",
    "check_header",
    "committee_root",
    "is_valid_branch",
    "parse_bundle",
    "read_finalized",
    "signing_root",
    "write_bundle",
]
