"""A whole hub with an evmd network among its ledgers: nobody gives coins away there, so the hub's people get them beforehand."""

from adapters.cosmos.devnet import EvmdNetwork
from tests.support.geth_stack import GethStack


class EvmdStack(GethStack):
    """A `Stack` whose ledgers may be `EvmdNetwork`s, each registered with all its nodes as endpoints."""

    def join(self):
        for name, network in self.networks.items():
            if isinstance(network, EvmdNetwork):
                self.fund(name)
                endpoints = [word for url in network.urls for word in ("--rpc", url)]
                self.json("chain", "add", name, "--adapter", "cosmos", "--consensus", "cometbft", *endpoints)
            else:
                self.json("chain", "add", name, "--rpc", network.url)
