"""Hyperledger Fabric, ordered by raft or SmartBFT. This module itself is a `light_clients.protocol.LightClient`.

A header is given as the whole block, as an orderer or a peer delivers it (`codec` says so, and how a claim is proved).
"""

from light_clients.fabric.definitions import pin_from_block
from light_clients.fabric.misbehaviour import find_misbehaviour
from light_clients.fabric.state_bytes import state_from_bytes
from light_clients.fabric.types import (
    AttestedRead,
    FabricConfiguration,
    FabricEvidence,
    FabricPin,
    FabricState,
    VerifiedFabricHeader,
)
from light_clients.fabric.verify import apply, bootstrap, verify_claim, verify_header

__all__ = [
    "AttestedRead",
    "FabricConfiguration",
    "FabricEvidence",
    "FabricPin",
    "FabricState",
    "VerifiedFabricHeader",
    "apply",
    "bootstrap",
    "find_misbehaviour",
    "pin_from_block",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
