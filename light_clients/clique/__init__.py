"""Clique, the proof of authority of geth and Besu. This module itself is a `light_clients.protocol.LightClient`.

A header is given in its run, `header ‖ the headers that follow it`: on Clique only these make it final (`types.depth`).
"""

from light_clients.clique.misbehaviour import double_sealer, find_misbehaviour
from light_clients.clique.state_bytes import state_from_bytes
from light_clients.clique.types import CliqueConfiguration, CliqueState, VerifiedCliqueHeader
from light_clients.clique.verify import apply, bootstrap, verify_claim, verify_header

__all__ = [
    "CliqueConfiguration",
    "CliqueState",
    "VerifiedCliqueHeader",
    "apply",
    "bootstrap",
    "double_sealer",
    "find_misbehaviour",
    "state_from_bytes",
    "verify_claim",
    "verify_header",
]
