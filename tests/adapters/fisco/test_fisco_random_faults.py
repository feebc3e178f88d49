"""Messages over networks whose endpoints fail, lag and lie at random: nothing is lost, nothing false is believed."""

import random
import time

import pytest

from adapters.fisco.simulator.faults import known_faults
from adapters.protocol import AdapterError, MessageDelivered, MessageSent
from light_clients import fisco
from light_clients.fisco import FiscoEvidence, FiscoPin
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, outbox_genesis
from tests.support.fisco_lane import FiscoLane, followed, open_fisco

MESSAGES = 30
CEILING_S = 60
SLOW = frozenset({"slow", "flood"})
"""Faults that only cost time here; other tests have them."""


@pytest.fixture(scope="module", params=[2, 3], ids=["line 2", "line 3"])
def lane(request):
    made = FiscoLane(request.param)
    yield made
    made.close()


def insist(question):
    """Ask until an answer comes: the faults go away."""
    ends = time.monotonic() + CEILING_S
    while True:
        try:
            return question()
        except AdapterError:
            assert time.monotonic() < ends, "no answer comes"
            time.sleep(0.01)


def deliver_one(lane, ledger, number):
    """Send a message and wait for its receipt, at endpoints of which one is faulty."""
    signed = insist(lambda: ledger.sign(lane.sender, number, lane.send_call(b"message %d" % number), 0))
    insist(lambda: ledger.broadcast([signed.raw]))
    ends = time.monotonic() + CEILING_S
    while insist(lambda: ledger.receipts([signed.transaction])) == [None]:
        assert time.monotonic() < ends, "no receipt comes"
        time.sleep(0.01)


def test_messages_arrive_whatever_one_endpoint_of_three_does(lane):
    source = random.Random(14)
    faults, network = sorted(known_faults() - SLOW), lane.networks[0]
    liar = network.faults[1]
    ledger = open_fisco(network, (1, 2, 3), timeout_s=5.0)
    for number in range(MESSAGES):
        liar.set(source.sample(faults, 2), fork_from=max(network.ledger.height - 3, 1))
        deliver_one(lane, ledger, number)
        liar_told = ledger.status()[0]
    liar.set([])
    assert liar_told.last_error
    assert not any(status.last_error for status in ledger.status()[1:])
    ledger.close()
    events = lane.events(0, MessageSent)
    assert [event.message.payload for event in events] == [b"message %d" % number for number in range(MESSAGES)]
    suite, lane_id = lane.lane.suite, lane.lane.lane_id
    ids = [event.message.message_id(suite, lane_id) for event in events]
    assert fold_all(suite, outbox_genesis(lane_id), ids) == events[-1].head
    last = events[-1]
    state = followed(lane.ledgers[0], lane.configuration(0))
    position = last.position
    (found,) = lane.ledgers[0].evidence(lane.gateways[0], [(lane_id, 0)], position.height)
    claim = Claim(lane_id, Direction.OUTBOX, MESSAGES, last.head, position.height, position.block_hash)
    fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(found.proof), FiscoPin(lane.gateways[0]))
    assert lane.deliver(lane.delivery(events)).success
    assert len(lane.events(1, MessageDelivered)) == MESSAGES
