"""Bare development nodes: no consensus to verify. This module itself is a `light_clients.protocol.LightClient`.

It holds an endpoint to *one* history: headers must hash to what children name and link by parent. Whoever runs the node can
still write any history, so lanes of such a ledger carry the trust level `development`.
"""

from light_clients.development.codec import state_from_bytes
from light_clients.development.misbehaviour import find_misbehaviour
from light_clients.development.types import DevelopmentConfiguration, DevelopmentState, VerifiedDevelopmentHeader
from light_clients.development.verify import apply, bootstrap, verify_claim, verify_header

__all__ = [
    "DevelopmentConfiguration",
    "DevelopmentState",
    "VerifiedDevelopmentHeader",
    "apply",
    "bootstrap",
    "find_misbehaviour",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
