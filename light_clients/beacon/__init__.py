"""The beacon chain of Ethereum, Altair to Fulu. This module itself is a `light_clients.protocol.LightClient`.

A header is a bundle (`codec`): an object of the sync protocol with its kind and fork. Claims are at execution blocks.
"""

from light_clients.beacon.misbehaviour import find_misbehaviour
from light_clients.beacon.state_bytes import state_from_bytes
from light_clients.beacon.types import (
    MAINNET,
    MINIMAL,
    BeaconConfiguration,
    BeaconState,
    FinalizedBlock,
    Fork,
    Preset,
    SyncCommittee,
    VerifiedBeaconHeader,
)
from light_clients.beacon.verify import apply, bootstrap, prove_log, verify_claim, verify_header

__all__ = [
    "MAINNET",
    "MINIMAL",
    "BeaconConfiguration",
    "BeaconState",
    "FinalizedBlock",
    "Fork",
    "Preset",
    "SyncCommittee",
    "VerifiedBeaconHeader",
    "apply",
    "bootstrap",
    "find_misbehaviour",
    "prove_log",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
