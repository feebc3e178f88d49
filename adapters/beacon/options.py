"""The platform's options of the adapter `beacon`, given as text under `extra`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from adapters.ethereum.options import EthereumOptions

BEACON_PORT = 5_052
"""Where most beacon nodes serve the Beacon API by default."""


class BeaconOptions(EthereumOptions):
    """What can be said of a ledger beyond its endpoints; a transaction may have 16,777,216 gas since EIP-7825."""

    adapter: ClassVar[str] = "beacon"

    transaction_gas_cap: Annotated[int, Field(ge=0)] = 1 << 24
