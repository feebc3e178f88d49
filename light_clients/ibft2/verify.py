"""The light client of IBFT2: its form of headers and the rules of `bft.client` (Besu `IbftBlockHeaderValidationRulesetFactory`)."""

from __future__ import annotations

from light_clients.bft.checks import check_form as check_bft_form
from light_clients.bft.checks import check_nonce, check_ommers
from light_clients.bft.client import BftClient
from light_clients.bft.types import BftHeader
from light_clients.ibft2.codec import parse_header
from light_clients.ibft2.types import Ibft2Configuration


def check_form(parsed: BftHeader) -> None:
    """Checks what every header of IBFT2 has, whatever the state.

    Args:
        parsed: A header that was read.

    Raises:
        HeaderRefused: It lacks the form of every BFT family, by its name.
        OmmersInvalid: It has ommers.
        NonceInvalid: Its nonce is not zero.
    """
    check_bft_form(parsed)
    check_ommers(parsed)
    check_nonce(parsed)


CLIENT = BftClient(parse_header, check_form, Ibft2Configuration)
"""Its functions are the module's face in `light_clients.ibft2`."""
