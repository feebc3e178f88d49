"""A second opinion on the beacon chain: containers by remerkleable, signatures by py_ecc."""

from functools import lru_cache
from typing import Any

from py_ecc.bls import G2ProofOfPossession
from remerkleable.basic import uint64, uint256
from remerkleable.bitfields import Bitvector
from remerkleable.byte_arrays import ByteList, Bytes4, Bytes32, ByteVector
from remerkleable.complex import Container, Vector

from light_clients.beacon.types import Preset


class BeaconBlockHeader(Container):
    slot: uint64
    proposer_index: uint64
    parent_root: Bytes32
    state_root: Bytes32
    body_root: Bytes32


class CapellaExecution(Container):
    parent_hash: Bytes32
    fee_recipient: ByteVector[20]
    state_root: Bytes32
    receipts_root: Bytes32
    logs_bloom: ByteVector[256]
    prev_randao: Bytes32
    block_number: uint64
    gas_limit: uint64
    gas_used: uint64
    timestamp: uint64
    extra_data: ByteList[32]
    base_fee_per_gas: uint256
    block_hash: Bytes32
    transactions_root: Bytes32
    withdrawals_root: Bytes32


class DenebExecution(CapellaExecution):
    blob_gas_used: uint64
    excess_blob_gas: uint64


class ForkData(Container):
    current_version: Bytes4
    genesis_validators_root: Bytes32


class SigningData(Container):
    object_root: Bytes32
    domain: Bytes32


@lru_cache
def container(kind: str, fork: str, preset: Preset) -> type[Container]:
    """The container of a bundle, put together once more."""
    electra = fork in {"electra", "fulu"}

    class SyncCommittee(Container):
        pubkeys: Vector[ByteVector[48], preset.committee_size]
        aggregate_pubkey: ByteVector[48]

    class Aggregate(Container):
        sync_committee_bits: Bitvector[preset.committee_size]
        sync_committee_signature: ByteVector[96]

    if fork in {"altair", "bellatrix"}:

        class Header(Container):
            beacon: BeaconBlockHeader
    else:
        payload = CapellaExecution if fork == "capella" else DenebExecution

        class Header(Container):
            beacon: BeaconBlockHeader
            execution: payload
            execution_branch: Vector[Bytes32, 4]

    committee_branch = Vector[Bytes32, 6 if electra else 5]
    finality_branch_type = Vector[Bytes32, 7 if electra else 6]

    class Bootstrap(Container):
        header: Header
        current_sync_committee: SyncCommittee
        current_sync_committee_branch: committee_branch

    class Update(Container):
        attested_header: Header
        next_sync_committee: SyncCommittee
        next_sync_committee_branch: committee_branch
        finalized_header: Header
        finality_branch: finality_branch_type
        sync_aggregate: Aggregate
        signature_slot: uint64

    class FinalityUpdate(Container):
        attested_header: Header
        finalized_header: Header
        finality_branch: finality_branch_type
        sync_aggregate: Aggregate
        signature_slot: uint64

    class OptimisticUpdate(Container):
        attested_header: Header
        sync_aggregate: Aggregate
        signature_slot: uint64

    return {
        "bootstrap": Bootstrap,
        "update": Update,
        "finality_update": FinalityUpdate,
        "optimistic_update": OptimisticUpdate,
    }[kind]


def read(kind: str, fork: str, preset: Preset, encoded: bytes) -> Any:
    """Decodes by remerkleable."""
    return container(kind, fork, preset).decode_bytes(encoded)


def root(view: Any) -> bytes:
    """hash_tree_root by remerkleable."""
    return bytes(view.hash_tree_root())


def is_signed(update: Any, keys: list[bytes], version: bytes, genesis_validators_root: bytes) -> bool:
    """Whether the members that the bits name signed, by py_ecc."""
    fork_root = root(
        ForkData(current_version=Bytes4(version), genesis_validators_root=Bytes32(genesis_validators_root))
    )
    domain = bytes.fromhex("07000000") + fork_root[:28]
    message = root(SigningData(object_root=Bytes32(root(update.attested_header.beacon)), domain=Bytes32(domain)))
    signers = [key for key, bit in zip(keys, update.sync_aggregate.sync_committee_bits, strict=True) if bit]
    return G2ProofOfPossession.FastAggregateVerify(
        signers, message, bytes(update.sync_aggregate.sync_committee_signature)
    )
