"""A whole hub with a Clique network of real geth nodes among its ledgers, and applications that send all the time."""

import threading

from adapters.protocol import AdapterError
from relay.errors import HubError
from relay.keys import KeyStore
from relay.registry.names import GUARDIAN, OFFICERS, SENDER
from tests.support.geth_network import GethNetwork
from tests.support.stack import GENEROUS_S, Stack

PAUSE_S = 0.3


class GethStack(Stack):
    """A `Stack` whose ledgers may be `GethNetwork`s: nobody gives coins away there, so the hub's people get them beforehand."""

    def join(self):
        """Register every network under its name, a geth network by the endpoint of its node 0."""
        for name, network in self.networks.items():
            if isinstance(network, GethNetwork):
                self.fund(name)
            self.json("chain", "add", name, "--rpc", network.url)

    def fund(self, name):
        """Coins for the relayer of a ledger, the officers and the sender."""
        keys = KeyStore(self.home.keys)
        relayer = keys.load_or_new(f"relayer-{name}")
        people = [keys.load(person) for person in (*OFFICERS, GUARDIAN, SENDER)]
        self.networks[name].fund(*(key.address for key in (relayer, *people)))


class Traffic:
    """Messages over lanes, one after another in a thread a lane, until the block ends; what a ledger refuses meanwhile is tried again.

    Args:
        drill: the hub's `Drill`.
        pairs: lanes by (source, destination), each with a source of its own.
    """

    def __init__(self, drill, *pairs):
        self.drill, self.sent, self.refused = drill, dict.fromkeys(pairs, 0), 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(pair,)) for pair in pairs]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(GENEROUS_S)
            assert not thread.is_alive()

    def _send(self, pair):
        while not self._over.wait(PAUSE_S):
            try:
                self.drill.send(*pair)
            except (AdapterError, HubError):
                self.refused += 1
            else:
                self.sent[pair] += 1
