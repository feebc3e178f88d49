"""A lane between two Clique networks of one signer each, which seal when told: the source with a base fee, the destination without."""

from contextlib import ExitStack

from light_clients.crypto.secp256k1 import address_of
from tests.support.evm_lane import EvmLane
from tests.support.geth_network import GethNetwork


class GethLane(EvmLane):
    """The lane of `EvmLane`, on real geth nodes."""

    development = False

    def start_networks(self, hardforks, *, plain):
        rich = [address_of(private_key) for private_key in self.people()]
        with ExitStack() as started:
            networks = [
                started.enter_context(
                    GethNetwork(
                        chain_id=32_000 + end, signers=1, period_s=0, london=hardfork == "london", prefunded=rich
                    )
                )
                for end, hardfork in enumerate(hardforks)
            ]
            for network in networks:
                network.seal(0, on=False)
            started.pop_all()
        return networks

    def mine(self, end):
        """Seal what waits in the pool."""
        self.networks[end].seal_pool()
