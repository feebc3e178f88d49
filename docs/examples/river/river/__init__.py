"""An adapter for ledgers that speak River: an EVM under QBFT, behind questions of its own form."""

from adapters.protocol import AdapterOptions, Ledger


class RiverFactory:
    """Opens ledgers that speak River."""

    name = "river"
    keeps_time = True

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a ledger at the first endpoint of `options`; nothing is asked yet."""
        from river.ledger import RiverLedger

        return RiverLedger(options)


ADAPTER = RiverFactory()
