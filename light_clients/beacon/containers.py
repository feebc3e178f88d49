"""The SSZ containers of the sync protocol by fork and preset.

Source: Ethereum consensus specifications, altair, capella, deneb and electra, light-client/sync-protocol.md, sections
Containers; altair and electra also Constants (generalized indices). Fulu changes no container.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from light_clients.beacon.types import FORKS, Preset
from light_clients.ssz import Bitvector, ByteList, ByteVector, Container, Uint, Vector

BOOTSTRAP: Final = "bootstrap"
UPDATE: Final = "update"
FINALITY_UPDATE: Final = "finality_update"
OPTIMISTIC_UPDATE: Final = "optimistic_update"
KINDS: Final = (BOOTSTRAP, UPDATE, FINALITY_UPDATE, OPTIMISTIC_UPDATE)

ROOT: Final = ByteVector(32)
UINT64: Final = Uint(8)

BEACON_HEADER: Final = Container(
    (
        ("slot", UINT64),
        ("proposer_index", UINT64),
        ("parent_root", ROOT),
        ("state_root", ROOT),
        ("body_root", ROOT),
    )
)

CAPELLA_EXECUTION: Final = Container(
    (
        ("parent_hash", ROOT),
        ("fee_recipient", ByteVector(20)),
        ("state_root", ROOT),
        ("receipts_root", ROOT),
        ("logs_bloom", ByteVector(256)),
        ("prev_randao", ROOT),
        ("block_number", UINT64),
        ("gas_limit", UINT64),
        ("gas_used", UINT64),
        ("timestamp", UINT64),
        ("extra_data", ByteList(32)),
        ("base_fee_per_gas", Uint(32)),
        ("block_hash", ROOT),
        ("transactions_root", ROOT),
        ("withdrawals_root", ROOT),
    )
)
DENEB_EXECUTION: Final = Container((*CAPELLA_EXECUTION.fields, ("blob_gas_used", UINT64), ("excess_blob_gas", UINT64)))

EXECUTION_INDEX: Final = 25
"""Place of the execution payload in a block's body."""

EXECUTION_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Places:
    """Generalized indices inside of a beacon state.

    Attributes:
        finalized: The root of the finalized checkpoint.
        current: The sync committee of this period.
        following: The sync committee of the next one.
    """

    finalized: int
    current: int
    following: int


_ALTAIR: Final = Places(105, 54, 55)
_ELECTRA: Final = Places(169, 86, 87)


def is_since(fork: str, first: str) -> bool:
    """Whether a fork is another one or later."""
    return FORKS.index(fork) >= FORKS.index(first)


def places_of(fork: str) -> Places:
    """Where a state of a fork has its checkpoint and committees."""
    return _ELECTRA if is_since(fork, "electra") else _ALTAIR


def depth_of(generalized_index: int) -> int:
    """Nodes of the branch of a generalized index."""
    return generalized_index.bit_length() - 1


@lru_cache(maxsize=4)
def committee_type(preset: Preset) -> Container:
    """SyncCommittee."""
    return Container((("pubkeys", Vector(ByteVector(48), preset.committee_size)), ("aggregate_pubkey", ByteVector(48))))


@lru_cache(maxsize=8)
def header_type(fork: str) -> Container:
    """LightClientHeader."""
    beacon = ("beacon", BEACON_HEADER)
    if not is_since(fork, "capella"):
        return Container((beacon,))
    execution = DENEB_EXECUTION if is_since(fork, "deneb") else CAPELLA_EXECUTION
    return Container((beacon, ("execution", execution), ("execution_branch", Vector(ROOT, EXECUTION_DEPTH))))


@lru_cache(maxsize=64)
def container_of(kind: str, fork: str, preset: Preset) -> Container:
    """The container of a kind of bundle.

    Args:
        kind: One of `KINDS`.
        fork: From ``altair`` on.
        preset: Sizes.
    """
    header, committee, places = header_type(fork), committee_type(preset), places_of(fork)
    finality = (
        ("finalized_header", header),
        ("finality_branch", Vector(ROOT, depth_of(places.finalized))),
    )
    aggregate = Container(
        (
            ("sync_committee_bits", Bitvector(preset.committee_size)),
            ("sync_committee_signature", ByteVector(96)),
        )
    )
    signed = (("sync_aggregate", aggregate), ("signature_slot", UINT64))
    attested = ("attested_header", header)
    following = (
        ("next_sync_committee", committee),
        ("next_sync_committee_branch", Vector(ROOT, depth_of(places.following))),
    )
    return {
        BOOTSTRAP: Container(
            (
                ("header", header),
                ("current_sync_committee", committee),
                ("current_sync_committee_branch", Vector(ROOT, depth_of(places.current))),
            )
        ),
        UPDATE: Container((attested, *following, *finality, *signed)),
        FINALITY_UPDATE: Container((attested, *finality, *signed)),
        OPTIMISTIC_UPDATE: Container((attested, *signed)),
    }[kind]
