"""The evm adapter does what every adapter must do: with a base fee at the source and without one at the destination."""

import pytest

from light_clients import qbft
from light_clients.proofs.gateway import GatewayPin, SlotEvidence
from schemas.primitives import Bytes32
from tests.adapters.conformance_suite import LedgerConformance, MessageSent
from tests.support.evm_lane import EvmLane

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def world():
    lane = EvmLane(hardforks=("london", "berlin"))
    yield lane
    lane.close()


class TestEvm(LedgerConformance):
    def test_the_light_client_believes_headers_and_proofs(self, world):
        ledger, tip = world.ledgers[0], world.ledgers[0].tip()
        headers = ledger.headers(0, tip)
        state = qbft.bootstrap(
            headers[0], ledger.identity().first_block, qbft.QbftConfiguration(sub_second_blocks=True)
        )
        for header in headers[1:]:
            state = qbft.apply(state, qbft.verify_header(state, header, state.timestamp + 1))
        sent = world.events(0, MessageSent)[-1]
        claim = world.claim(0, sent.message.nonce, sent.head)
        (found,) = ledger.evidence(world.gateways[0], [(world.lane.lane_id, 0)], tip)
        evidence = SlotEvidence(found.header, found.account_proof, found.storage_proof)
        qbft.verify_claim(state, claim, evidence, GatewayPin(world.gateways[0], Bytes32(world.code_hash(0))))
