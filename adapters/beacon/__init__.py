"""Ethereum proof of stake: the adapter named `beacon`."""

from __future__ import annotations

from adapters.protocol import AdapterOptions, Ledger


class BeaconFactory:
    """Opens ledgers that speak Ethereum JSON-RPC and the Beacon API."""

    name = "beacon"
    keeps_time = True
    skips_heights = True

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a ledger at the first endpoint of `options`; nothing is asked yet.

        Raises:
            Misconfigured: an option or the URL cannot be.
        """
        from adapters.beacon.adapter import BeaconLedger

        return BeaconLedger(options)


ADAPTER = BeaconFactory()
