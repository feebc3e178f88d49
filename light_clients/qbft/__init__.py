"""QBFT in header mode: Besu and GoQuorum. This module itself is a `light_clients.protocol.LightClient`."""

from light_clients.qbft.misbehaviour import find_misbehaviour
from light_clients.qbft.state_bytes import state_from_bytes
from light_clients.qbft.types import Dialect, QbftConfiguration, QbftState, ValidatorOverride, VerifiedQbftHeader, Vote
from light_clients.qbft.verify import apply, bootstrap, verify_claim, verify_header

__all__ = [
    "Dialect",
    "QbftConfiguration",
    "QbftState",
    "ValidatorOverride",
    "VerifiedQbftHeader",
    "Vote",
    "apply",
    "bootstrap",
    "find_misbehaviour",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
