"""The adapter for FISCO BCOS 2.x and 3.x, with both suites."""

from __future__ import annotations

from adapters.fisco.adapter import FiscoLedger
from adapters.protocol import AdapterOptions


class FiscoAdapter:
    """What the registry opens."""

    name = "fisco"
    keeps_time = True

    def open(self, options: AdapterOptions) -> FiscoLedger:
        """Open a ledger at its first endpoint; opening asks the network nothing.

        Raises:
            Misconfigured: an option or the URL cannot be.
        """
        return FiscoLedger(options)


ADAPTER = FiscoAdapter()
