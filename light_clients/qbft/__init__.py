"""QBFT: Besu and GoQuorum. This module itself is a `light_clients.protocol.LightClient`."""

from light_clients.bft.types import Dialect, ValidatorOverride, Vote
from light_clients.qbft.types import QbftConfiguration
from light_clients.qbft.verify import CLIENT

bootstrap = CLIENT.bootstrap
verify_header = CLIENT.verify_header
find_misbehaviour = CLIENT.find_misbehaviour
apply = CLIENT.apply
verify_claim = CLIENT.verify_claim
state_from_bytes = CLIENT.state_from_bytes

__all__ = [
    "Dialect",
    "QbftConfiguration",
    "ValidatorOverride",
    "Vote",
    "apply",
    "bootstrap",
    "find_misbehaviour",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
