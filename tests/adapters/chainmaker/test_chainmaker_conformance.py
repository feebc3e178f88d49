"""The chainmaker adapter does what every adapter must do, from P-256 to P-256 and from SM2 to P-256, and its proofs are believed."""

import pytest

from adapters.protocol import HeadMoved, MessageSent
from light_clients.chainmaker import ChainMakerEvidence, verify_claim
from schemas.claim import Claim, Direction
from tests.adapters.conformance_suite import LedgerConformance
from tests.support.chainmaker_lane import ChainMakerLane, followed, pin_of


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((("ecc", "ecc"), "event"), id="P-256 to P-256"),
        pytest.param((("sm", "ecc"), "event"), id="SM2 to P-256"),
        pytest.param((("ecc", "sm"), "write-set"), id="P-256 to SM2 by write sets"),
        pytest.param((("sm", "sm"), "event", "national"), id="SM2 to SM2 in a lane of the suite sm"),
    ],
)
def world(request):
    suites, evidence, *national = request.param
    lane = ChainMakerLane(suites, evidence=evidence, national=bool(national))
    yield lane
    lane.close()


class TestChainMaker(LedgerConformance):
    """Every test of the suite, on lanes whose ends are two simulated networks each."""

    def test_the_light_client_believes_headers_and_proofs_at_both_ends(self, world):
        for end, kind in ((0, MessageSent), (1, HeadMoved)):
            ledger, gateway = world.ledgers[end], world.gateways[end]
            state = followed(ledger, ledger.identity().first_block)
            pin = pin_of(ledger.installed(gateway))
            moves = [event for event in world.events(end, kind) if kind is MessageSent or event.direction == end]
            assert moves
            for move in moves:
                place = move.position
                nonce = move.message.nonce if kind is MessageSent else move.nonce
                (found,) = ledger.evidence(gateway, [(world.lane.lane_id, end)], place.height)
                claim = Claim(
                    world.lane.lane_id, Direction(end), nonce, move.head, place.height, state.hash_at(place.height)
                )
                verify_claim(state, claim, ChainMakerEvidence.from_bytes(found.proof), pin)
