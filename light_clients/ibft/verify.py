"""The light client of legacy IBFT: its form of headers and the rules of `bft.client` (GoQuorum `consensus/istanbul/ibft/engine`)."""

from __future__ import annotations

from light_clients.bft.checks import check_form as check_bft_form
from light_clients.bft.checks import check_ommers
from light_clients.bft.client import BftClient
from light_clients.bft.types import BftHeader
from light_clients.ibft.codec import parse_header
from light_clients.ibft.types import IbftConfiguration


def check_form(parsed: BftHeader) -> None:
    """Checks what every header of legacy IBFT has, whatever the state.

    Args:
        parsed: A header that was read.

    Raises:
        HeaderRefused: It lacks the form of every BFT family, by its name.
        OmmersInvalid: It has ommers.
    """
    check_bft_form(parsed)
    check_ommers(parsed)


CLIENT = BftClient(parse_header, check_form, IbftConfiguration)
"""Its functions are the module's face in `light_clients.ibft`."""
