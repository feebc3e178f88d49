"""The evm adapter on real geth nodes: Clique headers to the byte, and all that every adapter must do."""

import pytest

from schemas.suites import keccak256
from tests.adapters.conformance_suite import LedgerConformance
from tests.support.geth_lane import GethLane

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def world():
    lane = GethLane(hardforks=("london", "berlin"))
    yield lane
    lane.close()


class TestGeth(LedgerConformance):
    development = False

    @pytest.mark.parametrize("end", [0, 1])
    def test_headers_are_the_bytes_that_were_sealed(self, world, end):
        network, ledger = world.networks[end], world.ledgers[end]
        headers = ledger.headers(0, ledger.tip())
        assert len(headers) > 5
        for height, header in enumerate(headers):
            assert header.hex() == network.rpc("debug_getRawHeader", hex(height)).removeprefix("0x")
            assert "0x" + keccak256(header).hex() == network.hash_at(height)
