"""Two sealed networks and a plain one for the session; each test has a hub of its own."""

import pytest

from adapters.evm.devnet import DevelopmentNetwork
from tests.support.bare_hub import BareHub

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


@pytest.fixture
def hub(tmp_path):
    hub = BareHub(tmp_path)
    yield hub
    hub.store.close()


@pytest.fixture
def production(tmp_path):
    hub = BareHub(tmp_path, production=True)
    yield hub
    hub.store.close()


@pytest.fixture(scope="module")
def linked(tmp_path_factory, sealed, other):
    """A hub with both sealed networks, for tests that leave them usable."""
    hub = BareHub(tmp_path_factory.mktemp("linked"))
    hub.add("alpha", sealed.url)
    hub.add("beta", other.url)
    yield hub
    hub.store.close()
