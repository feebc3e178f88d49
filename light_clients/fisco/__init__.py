"""FISCO BCOS, lines 2.x and 3.x, with both suites. This module itself is a `light_clients.protocol.LightClient`.

A header is given in a bundle with its signatures and, where the sealers changed, the proofs of it (`codec`). A claim is proved
by an event in a receipt, because no ledger of this family proves state (`claims`).
"""

from light_clients.fisco.evidence import Execution, FiscoEvidence, FiscoPin
from light_clients.fisco.misbehaviour import find_misbehaviour
from light_clients.fisco.state_bytes import state_from_bytes
from light_clients.fisco.types import (
    FiscoConfiguration,
    FiscoState,
    VerifiedFiscoHeader,
)
from light_clients.fisco.verify import apply, bootstrap, verify_claim, verify_header

__all__ = [
    "Execution",
    "FiscoConfiguration",
    "FiscoEvidence",
    "FiscoPin",
    "FiscoState",
    "VerifiedFiscoHeader",
    "apply",
    "bootstrap",
    "find_misbehaviour",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
