"""ChainMaker 2.x under TBFT with certificates. This module itself is a `light_clients.protocol.LightClient`.

A header is given as the ledger's own `common.Block` in protobuf: its header and additional data, and in a configuration block
all of its transactions; what else the block holds may be left out (`codec`).
"""

from light_clients.chainmaker.evidence import evidence_of_block
from light_clients.chainmaker.misbehaviour import find_misbehaviour
from light_clients.chainmaker.state_bytes import state_from_bytes
from light_clients.chainmaker.types import (
    ChainMakerConfiguration,
    ChainMakerEvidence,
    ChainMakerPin,
    ChainMakerState,
    NodePin,
    VerifiedChainMakerHeader,
)
from light_clients.chainmaker.verify import apply, bootstrap, verify_claim, verify_header

__all__ = [
    "ChainMakerConfiguration",
    "ChainMakerEvidence",
    "ChainMakerPin",
    "ChainMakerState",
    "NodePin",
    "VerifiedChainMakerHeader",
    "apply",
    "bootstrap",
    "evidence_of_block",
    "find_misbehaviour",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
