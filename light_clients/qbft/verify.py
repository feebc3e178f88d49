"""The light client of QBFT: its form of headers and the rules of `bft.client` (Besu `QbftBlockHeaderValidationRulesetFactory`)."""

from __future__ import annotations

from light_clients.bft.checks import check_form
from light_clients.bft.client import BftClient
from light_clients.qbft.codec import parse_header
from light_clients.qbft.types import QbftConfiguration

CLIENT = BftClient(parse_header, check_form, QbftConfiguration)
"""Its functions are the module's face in `light_clients.qbft`."""
