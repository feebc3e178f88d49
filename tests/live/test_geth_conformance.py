"""The evm adapter on real geth nodes: Clique headers to the byte, and all that every adapter must do."""

from itertools import pairwise

import pytest

from adapters.protocol import HeadMoved, MessageSent
from light_clients import clique
from light_clients.clique import CliqueConfiguration
from light_clients.proofs.gateway import GatewayPin, SlotEvidence
from schemas.claim import Claim, Direction
from schemas.primitives import Bytes32
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
    @pytest.mark.parametrize("end", [0, 1])
    def test_headers_are_the_bytes_that_were_sealed(self, world, end):
        network, ledger = world.networks[end], world.ledgers[end]
        headers = ledger.headers(0, ledger.tip())
        assert len(headers) > 5
        for height, header in enumerate(headers):
            assert header.hex() == network.rpc("debug_getRawHeader", hex(height)).removeprefix("0x")
            assert "0x" + keccak256(header).hex() == network.hash_at(height)

    @pytest.mark.parametrize("end", [0, 1])
    def test_the_light_client_believes_headers_and_proofs(self, world, end):
        world.send(b"the last block confirms the one before it")
        world.deliver(world.delivery(world.events(0, MessageSent)[3:]))
        ledger = world.ledgers[end]
        headers = ledger.headers(0, ledger.tip())
        state = clique.bootstrap(headers[0], ledger.identity().first_block, CliqueConfiguration())
        for header, follower in pairwise(headers[1:]):
            state = clique.apply(state, clique.verify_header(state, header + follower, state.timestamp + 60))
        moved = [*world.events(0, MessageSent), *world.events(1, HeadMoved)]
        event = [
            event for event in moved if end == getattr(event, "direction", 0) and event.position.height <= state.height
        ][-1]
        nonce = event.message.nonce if end == 0 else event.nonce
        claim = Claim(world.lane.lane_id, Direction(end), nonce, event.head, state.height, state.block_hash)
        (found,) = ledger.evidence(world.gateways[end], [(world.lane.lane_id, end)], state.height)
        pin = GatewayPin(world.gateways[end], Bytes32(world.code_hash(end)))
        clique.verify_claim(state, claim, SlotEvidence(found.header, found.account_proof, found.storage_proof), pin)
