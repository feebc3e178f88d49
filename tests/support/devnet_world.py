"""The ready-made world of `adapters.conformance` on two development networks, for tests of the certification."""

from adapters.conformance.world import LaneWorld
from adapters.evm.devnet import DevelopmentNetwork
from adapters.protocol import AdapterOptions, Endpoint


class DevnetWorld(LaneWorld):
    """Two networks that make blocks when told. `url_of` says how an endpoint is named, where something stands before the node."""

    consensus = "qbft"

    def __init__(self, open_ledger, *, url_of=lambda url: url):
        self.networks = [DevelopmentNetwork(chain_id=31_100 + end, block_time_s=0).start() for end in (0, 1)]
        try:
            super().__init__(
                [AdapterOptions((Endpoint(url_of(network.url)),)) for network in self.networks], open_ledger
            )
        except BaseException:
            self.stop()
            raise

    def consensus_options(self, _end):
        return {"sub_second_blocks": True}

    def mine(self, end):
        self.networks[end].mine()

    def stop(self):
        for network in self.networks:
            network.stop()

    def close(self):
        super().close()
        self.stop()
