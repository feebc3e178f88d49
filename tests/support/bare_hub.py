"""A hub without processes, which registers ledgers as `relayhub chain add` does."""

from relay.home import Home
from relay.keys import KeyStore
from relay.registry.hub import ensure_hub, prepare
from relay.registry.registration import ChainRequest, Registration


class BareHub:
    """A hub in a folder.

    Attributes:
        told: what registration said of its steps.
    """

    def __init__(self, folder, *, production=False):
        self.home = Home(folder / "hub")
        self.config, _ = ensure_hub(self.home, name="hub", production=production)
        self.store = prepare(self.home, self.config)
        self.keys = KeyStore(self.home.keys)
        self.told = []

    def add(self, name, *urls, **fields):
        """Register a ledger; returns its row."""
        registration = Registration(self.home, self.config, self.store, self.told.append)
        return registration.add(ChainRequest(name, tuple(urls), **fields))
