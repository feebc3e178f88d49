"""CometBFT (Tendermint 0.34 to CometBFT 1.0). This module itself is a `light_clients.protocol.LightClient`.

A header is given as a bundle of header, commit and validators (`codec`); heights may be skipped (`bisection`).
"""

from light_clients.cometbft.bisection import Provider, compare_with_witness, follow
from light_clients.cometbft.misbehaviour import find_misbehaviour
from light_clients.cometbft.state_bytes import state_from_bytes
from light_clients.cometbft.types import (
    ApplicationPin,
    CometbftConfiguration,
    CometbftEvidence,
    CometbftPin,
    CometbftState,
    EvmStorePin,
    VerifiedCometbftHeader,
)
from light_clients.cometbft.verify import apply, bootstrap, verify_claim, verify_header

__all__ = [
    "ApplicationPin",
    "CometbftConfiguration",
    "CometbftEvidence",
    "CometbftPin",
    "CometbftState",
    "EvmStorePin",
    "Provider",
    "VerifiedCometbftHeader",
    "apply",
    "bootstrap",
    "compare_with_witness",
    "find_misbehaviour",
    "follow",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
