"""Ledgers with an Ethereum JSON-RPC: the adapter named `evm`."""

from __future__ import annotations

from adapters.protocol import AdapterOptions, Ledger


class EvmFactory:
    """Opens ledgers that speak Ethereum JSON-RPC."""

    name = "evm"
    keeps_time = True

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a ledger at the first endpoint of `options`; nothing is asked yet.

        Raises:
            Misconfigured: an option or the URL cannot be.
        """
        from adapters.evm.adapter import EvmLedger

        return EvmLedger(options)


ADAPTER = EvmFactory()
