"""ChainMaker 2.x over gRPC: the adapter named `chainmaker`."""

from __future__ import annotations

from adapters.protocol import AdapterOptions, Ledger


class ChainMakerFactory:
    """Opens chains of ChainMaker."""

    name = "chainmaker"
    keeps_time = True

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a ledger at the first endpoint of `options`; nothing is asked yet.

        Raises:
            Misconfigured: an option or the URL cannot be.
        """
        from adapters.chainmaker.adapter import ChainMakerLedger

        return ChainMakerLedger(options)


ADAPTER = ChainMakerFactory()
"""What the registry of adapters loads."""
