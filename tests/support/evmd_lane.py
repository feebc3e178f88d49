"""A lane between an evmd network, whose blocks come by themselves, and an anvil that mines when told; either may be the source."""

from contextlib import ExitStack

from adapters.cosmos import ADAPTER
from adapters.cosmos.devnet import EvmdNetwork
from adapters.evm.devnet import DevelopmentNetwork
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint
from light_clients.cometbft.codec import read_bundle
from light_clients.crypto.secp256k1 import address_of
from tests.support.evm_lane import RICH, EvmLane

BLOCK_S = 0.3


class EvmdLane(EvmLane):
    """The lane of `EvmLane` with an evmd network at its source, or at both ends.

    Args:
        kinds: `evmd` or `devnet` for source and destination.
        validators: of each evmd network.
        followers: of each evmd network.
    """

    development = False
    proof_delay = 1
    mines_when_told = False
    consensus = "cometbft"
    first_height = 1

    def __init__(self, kinds=("evmd", "devnet"), *, validators=1, followers=0):
        self.kinds, self.validators, self.followers = kinds, validators, followers
        super().__init__()

    def start_networks(self, hardforks, *, plain):
        del hardforks, plain
        people = [address_of(private_key) for private_key in self.people()]
        networks = []
        with ExitStack() as started:
            for end, kind in enumerate(self.kinds):
                if kind == "evmd":
                    network = EvmdNetwork(
                        chain_id=f"relayhub-{end + 1}",
                        validators=self.validators,
                        followers=self.followers,
                        block_s=BLOCK_S,
                        prefunded=people,
                    )
                else:
                    network = DevelopmentNetwork(chain_id=31_000 + end, block_time_s=0)
                started.callback(network.stop)
                network.start()
                networks.append(network)
                if kind != "evmd":
                    for account in people:
                        network.fund("0x" + account.hex(), RICH)
            started.pop_all()
        return networks

    def open_ledger(self, network):
        if isinstance(network, EvmdNetwork):
            return GuardedLedger(ADAPTER, AdapterOptions(tuple(Endpoint(url) for url in network.urls)))
        return super().open_ledger(network)

    def mine(self, end):
        if self.kinds[end] != "evmd":
            super().mine(end)

    def _reach(self, end, height, deadline):
        """Of anvil the block itself is enough, and the next one comes only when told."""
        if self.kinds[end] == "evmd":
            super()._reach(end, height, deadline)

    def block_hash(self, end):
        if self.kinds[end] != "evmd":
            return super().block_hash(end)
        tip = self.ledgers[end].tip()
        return read_bundle(self.ledgers[end].headers(tip, tip)[0]).header.block_hash

    def code_hash(self, end):
        return self.ledgers[end].installed(self.gateways[end]).code_hash
