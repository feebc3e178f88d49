"""Simulated networks that make blocks when told, one of each suite for all tests that leave them as they were."""

import pytest

from adapters.chainmaker.simulator import ChainMakerNetwork


@pytest.fixture(scope="session", params=["ecc", "sm"])
def suite(request):
    return request.param


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    with ChainMakerNetwork(tmp_path_factory.mktemp("chainmaker"), block_interval_s=0) as running:
        yield running


@pytest.fixture(scope="session")
def network_of_suite(tmp_path_factory, suite):
    with ChainMakerNetwork(tmp_path_factory.mktemp(f"chainmaker_{suite}"), suite=suite, block_interval_s=0) as running:
        yield running


@pytest.fixture
def own_network(tmp_path):
    """A network that the test may break."""
    with ChainMakerNetwork(tmp_path / "network", block_interval_s=0) as running:
        yield running
