"""Two sealed networks and a plain one for the session; each test has a hub of its own."""

import pytest

from adapters.evm.devnet import DevelopmentNetwork
from relay.home import Home
from relay.keys import KeyStore
from relay.registry.hub import ensure_hub, prepare
from relay.registry.registration import ChainRequest, Registration

BLOCK_S = 0.25


@pytest.fixture(scope="session")
def sealed():
    with DevelopmentNetwork(chain_id=52_001, block_time_s=BLOCK_S) as network:
        yield network


@pytest.fixture(scope="session")
def other():
    with DevelopmentNetwork(chain_id=52_002, block_time_s=BLOCK_S) as network:
        yield network


@pytest.fixture(scope="session")
def plain():
    with DevelopmentNetwork(chain_id=52_003, block_time_s=BLOCK_S, plain=True) as network:
        yield network


class Hub:
    """A hub without processes."""

    def __init__(self, folder, *, production=False):
        self.home = Home(folder / "hub")
        self.config, _ = ensure_hub(self.home, name="hub", production=production)
        self.store = prepare(self.home, self.config)
        self.keys = KeyStore(self.home.keys)
        self.told = []

    def add(self, name, *urls, **fields):
        registration = Registration(self.home, self.config, self.store, self.told.append)
        return registration.add(ChainRequest(name, tuple(urls), **fields))


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path)
    yield hub
    hub.store.close()


@pytest.fixture
def production(tmp_path):
    hub = Hub(tmp_path, production=True)
    yield hub
    hub.store.close()


@pytest.fixture(scope="module")
def linked(tmp_path_factory, sealed, other):
    """A hub with both sealed networks, for tests that leave them usable."""
    hub = Hub(tmp_path_factory.mktemp("linked"))
    hub.add("alpha", sealed.url)
    hub.add("beta", other.url)
    yield hub
    hub.store.close()
