"""The fisco adapter does what every adapter must do, against simulated networks of line 2 and line 3."""

import pytest

from adapters.protocol import HeadMoved, MessageSent, Rejected
from light_clients import fisco
from light_clients.errors import Refused
from light_clients.fisco import FiscoEvidence, FiscoPin
from schemas.claim import Claim, Direction
from tests.adapters.conformance_suite import LedgerConformance
from tests.support.fisco_lane import FiscoLane, followed

LEDGERS = {"line 2": (2, False), "line 3": (3, False), "line 2 national": (2, True), "line 3 national": (3, True)}


@pytest.fixture(scope="module", params=LEDGERS.values(), ids=LEDGERS)
def world(request):
    line, national = request.param
    lane = FiscoLane(line, national=national)
    yield lane
    lane.close()


def proved(world, end, direction, event):
    """The evidence of the head that an event tells, at the event's own block, and the claim of it."""
    height = event.position.height
    (found,) = world.ledgers[end].evidence(world.gateways[end], [(world.lane.lane_id, direction)], height)
    nonce = event.message.nonce if direction == 0 else event.nonce
    claim = Claim(world.lane.lane_id, Direction(direction), nonce, event.head, height, event.position.block_hash)
    return found, claim


class TestFisco(LedgerConformance):
    def test_equal_requests_are_one_transaction(self, world):
        """There are no account nonces; what is known counts as taken."""
        ledger = world.ledgers[0]
        wallet = ledger.wallet(world.account(0, world.sender))
        assert (wallet.nonce, wallet.pending_nonce, wallet.fee) == (0, 0, 0)
        assert wallet.balance > 10**30
        signed = [ledger.sign(world.sender, number, world.send_call(b"one"), 0) for number in (70_001, 70_001, 70_002)]
        assert signed[0] == signed[1]
        assert signed[1].transaction != signed[2].transaction
        assert ledger.receipts([signed[0].transaction, b"\x09" * 32]) == [None, None]
        assert ledger.broadcast([item.raw for item in signed[1:]]) == [None, None]
        assert ledger.broadcast([item.raw for item in signed[1:]]) == [None, None]
        world.receipt(0, signed[1].transaction)
        world.receipt(0, signed[2].transaction)
        assert ledger.broadcast([item.raw for item in signed]) == [None, None, None]
        receipts = ledger.receipts([item.transaction for item in reversed(signed[1:])])
        assert [receipt.transaction for receipt in receipts] == [item.transaction for item in reversed(signed[1:])]
        assert all(receipt.success for receipt in receipts)
        sent = [event for event in world.events(0, MessageSent) if event.message.payload == b"one"]
        assert len(sent) == 2

    def test_the_light_client_believes_headers_and_what_was_sent(self, world):
        state = followed(world.ledgers[0], world.configuration(0))
        assert state.height == world.ledgers[0].tip()
        last_of_block = {event.position.height: event for event in world.events(0, MessageSent)}
        for event in last_of_block.values():
            found, claim = proved(world, 0, 0, event)
            fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(found.proof), FiscoPin(world.gateways[0]))

    def test_the_light_client_believes_the_outcomes_and_no_other_head(self, world):
        state = followed(world.ledgers[1], world.configuration(1))
        event = [event for event in world.events(1, HeadMoved) if event.direction == 1][-1]
        found, claim = proved(world, 1, 1, event)
        evidence, pin = FiscoEvidence.from_bytes(found.proof), FiscoPin(world.gateways[1])
        fisco.verify_claim(state, claim, evidence, pin)
        for false in (
            Claim(claim.lane_id, claim.direction, claim.nonce + 1, claim.head, claim.height, claim.block_hash),
            Claim(
                claim.lane_id,
                claim.direction,
                claim.nonce,
                type(claim.head)(b"\x09" * 32),
                claim.height,
                claim.block_hash,
            ),
        ):
            with pytest.raises(Refused):
                fisco.verify_claim(state, false, evidence, pin)
        with pytest.raises(Refused):
            fisco.verify_claim(state, claim, evidence, FiscoPin(b"\x05" * 20))

    def test_installed_code_is_shown_and_nothing_where_nothing_stands(self, world):
        shown = world.ledgers[0].installed(world.gateways[0])
        assert len(shown.code) > 10_000
        with pytest.raises(Rejected):
            world.ledgers[0].installed(b"\x05" * 20)
