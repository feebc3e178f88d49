"""The platform's options of the adapter `evm`, given as text under `extra`."""

from __future__ import annotations

from typing import ClassVar

from adapters.ethereum.options import EthereumOptions


class EvmOptions(EthereumOptions):
    """What can be said of an Ethereum-like ledger beyond its endpoints.

    Attributes:
        validator_contracts: contracts that select validators, `ADDRESS:SLOT:FIRST[:LAST]` with commas between.
        faucet_key_file: of a development network, the file (mode 600) with the private key of its bank, in hexadecimal; the ledger then
            counts as one.
    """

    adapter: ClassVar[str] = "evm"

    validator_contracts: str = ""
    faucet_key_file: str = ""
