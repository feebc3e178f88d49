"""Hyperledger Fabric 2.x and 3.x over gRPC: endorsement, ordering and blocks, with certificates of members.

How to join a channel is in this folder's README.
"""

from __future__ import annotations

from adapters.protocol import AdapterOptions, Ledger


class FabricFactory:
    """Opens channels of Fabric."""

    name = "fabric"
    verdicts_unsigned = True
    keeps_time = True
    ordered = False

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a channel at the first peer of `options`; opening asks the network nothing.

        Raises:
            Misconfigured: there is no endpoint, or an option cannot be.
        """
        from adapters.fabric.adapter import FabricLedger

        return FabricLedger(options)


ADAPTER = FabricFactory()
