"""Ledgers with an EVM on CometBFT (cosmos/evm and what is built like it): the adapter named `cosmos`."""

from __future__ import annotations

from adapters.protocol import AdapterOptions, Ledger


class CosmosFactory:
    """Opens ledgers that speak Ethereum JSON-RPC and CometBFT RPC."""

    name = "cosmos"
    keeps_time = True

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a ledger at the first endpoint of `options`; nothing is asked yet.

        Raises:
            Misconfigured: an option or the URL cannot be.
        """
        from adapters.cosmos.adapter import CosmosLedger

        return CosmosLedger(options)


ADAPTER = CosmosFactory()
