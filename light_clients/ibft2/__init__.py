"""IBFT2 of Besu. This module itself is a `light_clients.protocol.LightClient`."""

from light_clients.ibft2.types import Ibft2Configuration
from light_clients.ibft2.verify import CLIENT

bootstrap = CLIENT.bootstrap
verify_header = CLIENT.verify_header
find_misbehaviour = CLIENT.find_misbehaviour
apply = CLIENT.apply
verify_claim = CLIENT.verify_claim
state_from_bytes = CLIENT.state_from_bytes

__all__ = [
    "Ibft2Configuration",
    "apply",
    "bootstrap",
    "find_misbehaviour",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
