"""The platform's options of the adapter `cosmos`, given as text under `extra`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from adapters.ethereum.options import EthereumOptions

CONSENSUS_PORT = 26_657
"""Where CometBFT serves its RPC by default (`config.toml`, `[rpc] laddr`)."""


class CosmosOptions(EthereumOptions):
    """What can be said of a ledger beyond its endpoints.

    Attributes:
        initial_height: height of the first block; 0 asks the node's genesis where block 1 is not served.
        batch: questions that CometBFT takes in one request (`[rpc] max_request_batch_size`, 10 by default).
        store: name of the EVM module's store.
        faucet_key_file: of a development network, the file (mode 600) with the private key of its bank, in hexadecimal; the ledger then
            counts as one.
    """

    adapter: ClassVar[str] = "cosmos"

    log_range: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    initial_height: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    batch: Annotated[int, Field(ge=1, le=400)] = 10
    store: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "evm"
    faucet_key_file: str = ""
