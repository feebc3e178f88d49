"""Endpoints that fail, lag, fork or lie: nothing false passes, nothing is lost, and the status says which one and why."""

import time
from dataclasses import replace

import pytest

from adapters.protocol import AdapterError, BadAnswer, HeadMoved, MessageDelivered, MessageSent, Rejected, Unreachable
from light_clients import fisco
from light_clients.errors import Refused
from light_clients.fisco import FiscoEvidence, FiscoPin
from light_clients.fisco.codec import parse_header
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, outbox_genesis
from tests.support.fisco_lane import FiscoLane, followed, open_fisco

TIMEOUT_S = 1.0


@pytest.fixture(scope="module", params=[2, 3], ids=["line 2", "line 3"])
def lane(request):
    made = FiscoLane(request.param)
    for payload in (b"one", b"two", b"three"):
        assert made.send(payload).success
    assert made.deliver(made.delivery(made.events(0, MessageSent))).success
    yield made
    made.close()


@pytest.fixture
def network(lane):
    yield lane.networks[0]
    for faults in lane.networks[0].faults:
        faults.set([])
    for index in range(len(lane.networks[0].servers)):
        lane.networks[0].start_node(index)


@pytest.fixture
def opened():
    ledgers = []

    def open_at(network, nodes=(0,), **more):
        ledgers.append(open_fisco(network, nodes, **({"timeout_s": TIMEOUT_S} | more)))
        return ledgers[-1]

    yield open_at
    for ledger in ledgers:
        ledger.close()


def ask_everything(lane, ledger):
    """Each question of the reader and prover at the source."""
    tip = ledger.tip()
    gateway, lane_id = lane.gateways[0], lane.lane.lane_id
    return (
        ledger.identity(),
        ledger.headers(1, tip),
        ledger.events(1, tip, gateway),
        ledger.lane_ends(gateway, lane_id),
        ledger.evidence(gateway, [(lane_id, 0)], lane.events(0, MessageSent)[-1].position.height),
    )


@pytest.mark.parametrize("fault", ["busy", "throttled", "slow", "cut", "flood", "garbage", "errors"])
def test_a_failing_endpoint_is_left_for_the_next_and_named(lane, network, opened, fault):
    expected = ask_everything(lane, lane.ledgers[0])
    network.faults[1].set([fault])
    ledger = opened(network, (1, 2), max_answer_bytes=2 * 1024 * 1024)
    assert ask_everything(lane, ledger) == expected
    status = ledger.status()
    assert status[0].last_error
    assert status[0].label == network.endpoints[1]
    assert not status[1].last_error


@pytest.mark.parametrize("fault", ["busy", "throttled", "slow", "cut", "flood", "garbage", "errors"])
def test_where_there_is_no_other_endpoint_the_error_is_an_adapters(lane, network, opened, fault):
    network.faults[1].set([fault])
    ledger = opened(network, (1,), max_answer_bytes=2 * 1024 * 1024)
    with pytest.raises(AdapterError):
        ask_everything(lane, ledger)


def test_a_node_that_restarts_is_asked_again(lane, network, opened):
    ledger = opened(network, (1,))
    expected = ask_everything(lane, ledger)
    network.stop_node(1)
    with pytest.raises(Unreachable):
        ledger.tip()
    network.start_node(1)
    assert ask_everything(lane, ledger) == expected


def test_an_endpoint_that_is_lost_is_replaced_by_the_second_one(lane, network, opened):
    ledger = opened(network, (1, 2))
    expected = ask_everything(lane, ledger)
    network.stop_node(1)
    assert ask_everything(lane, ledger) == expected
    assert lane.send(b"while one node is down").success
    assert ledger.tip() == lane.ledgers[0].tip()


def test_a_node_that_lags_has_not_reached_what_it_does_not_serve(lane, network, opened):
    tip = lane.ledgers[0].tip()
    network.faults[1].set(["lag"])
    ledger = opened(network, (1,))
    assert ledger.tip() == tip - 10
    with pytest.raises(Unreachable):
        ledger.events(tip, tip, lane.gateways[0])
    with pytest.raises(Rejected):
        ledger.headers(tip, tip)
    with pytest.raises(AdapterError):
        ledger.evidence(lane.gateways[0], [(lane.lane.lane_id, 0)], tip)


def test_a_fork_is_not_followed(lane, network, opened):
    tip, configuration = lane.ledgers[0].tip(), lane.configuration(0)
    before = followed(lane.ledgers[0], configuration)
    network.faults[1].set(["fork"], fork_from=tip - 2)
    headers = opened(network, (1,)).headers(tip - 2, tip)
    state = replace(before, height=tip - 3, recent=before.recent[:-3])
    with pytest.raises(Refused):
        fisco.verify_header(state, headers[0], int(time.time()) + 1)
    true = lane.ledgers[0].headers(tip - 2, tip)
    assert fisco.verify_header(state, true[0], int(time.time()) + 1).height == tip - 2


@pytest.mark.parametrize("lie", ["headers", "seals", "height"])
def test_false_headers_are_no_answer_or_not_believed(lane, network, opened, lie):
    network.faults[1].set([lie])
    ledger, configuration = opened(network, (1,)), lane.configuration(0)
    with pytest.raises((AdapterError, Refused)):
        followed(ledger, configuration)


@pytest.mark.parametrize("lie", ["events", "missing_events", "repeated_events", "reordered_events", "receipts"])
def test_false_events_do_not_fold_to_a_proved_head(lane, network, opened, lie):
    true = lane.events(0, MessageSent)
    network.faults[1].set([lie])
    ledger = opened(network, (1,))
    suite, lane_id = lane.lane.suite, lane.lane.lane_id
    try:
        told = [event for event in ledger.events(1, ledger.tip(), lane.gateways[0]) if isinstance(event, MessageSent)]
    except AdapterError:
        return
    ids = [event.message.message_id(suite, lane_id) for event in told]
    differs = ids != [event.message_id for event in true]
    if lie == "reordered_events":
        assert not differs
    if differs:
        assert fold_all(suite, outbox_genesis(lane_id), ids) != true[-1].head


@pytest.mark.parametrize("lie", ["events", "repeated_events", "receipts", "proofs", "headers"])
@pytest.mark.parametrize("end", [0, 1])
def test_false_evidence_is_no_answer_or_not_believed(lane, opened, lie, end):
    network = lane.networks[end]
    network.faults[1].set([lie])
    try:
        kind = MessageSent if end == 0 else HeadMoved
        event = [event for event in lane.events(end, kind) if end == 0 or event.direction == 1][-1]
        height, nonce = event.position.height, event.message.nonce if end == 0 else event.nonce
        claim = Claim(lane.lane.lane_id, Direction(end), nonce, event.head, height, event.position.block_hash)
        state = followed(lane.ledgers[end], lane.configuration(end))
        try:
            (found,) = opened(network, (1,)).evidence(lane.gateways[end], [(claim.lane_id, end)], height)
        except AdapterError:
            return
        if found is None:
            return
        with pytest.raises(Refused):
            fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(found.proof), FiscoPin(lane.gateways[end]))
    finally:
        network.faults[1].set([])


def test_a_false_receipt_of_one_of_three_is_outvoted_and_the_liar_named(lane, network, opened):
    sent = lane.events(0, MessageSent)[-1].position
    network.faults[1].set(["receipts"])
    ledger = opened(network, (1, 2, 3))
    (receipt,) = ledger.receipts([sent.transaction])
    assert receipt.success
    assert (receipt.height, receipt.block_hash) == (sent.height, sent.block_hash)
    assert [bool(status.last_error) for status in ledger.status()] == [True, False, False]


def test_an_endpoint_that_tells_another_transactions_receipt_is_bad(lane, network):
    node = lane.ledgers[0]
    events = lane.events(0, MessageSent)
    first, last = events[0].position.transaction, events[-1].position.transaction
    assert first != last
    methods = network.servers[0]._methods
    answer = methods.answer

    def swapped(method, params):
        if method == "getTransactionReceipt":
            params = [last.hex() if item == "0x" + first.hex() else item for item in params]
        return answer(method, params)

    methods.answer = swapped
    try:
        with pytest.raises(BadAnswer):
            node.receipts([first])
    finally:
        methods.answer = answer


def test_too_few_sealers_seal_nothing_and_what_waits_is_not_lost(lane, network):
    """Line 2, whose nodes answer before the block is there."""
    ledger = lane.ledgers[0]
    for index in (2, 3):
        network.stop_node(index)
    tip = ledger.tip()
    if network.network.line == 3:
        return
    signed = lane.post(0, lane.sender, lane.send_call(b"waits"))
    time.sleep(0.2)
    assert (ledger.tip(), ledger.receipts([signed.transaction])) == (tip, [None])
    network.start_node(2)
    assert lane.receipt(0, signed.transaction).success


def test_delivery_goes_on_while_the_first_endpoint_fails(lane, network, opened):
    before = len(lane.events(1, MessageDelivered))
    assert lane.send(b"four").success
    destination = lane.networks[1]
    destination.faults[0].set(["busy"])
    try:
        ledger = opened(destination, (0, 1), timeout_s=20.0)
        action = lane.delivery(lane.events(0, MessageSent)[before:])
        call = ledger.call_for(lane.gateways[1], action)
        ledger.simulate(lane.account(1, lane.relayer), call)
        signed = ledger.sign(lane.relayer, 77_777, call, 0)
        assert ledger.broadcast([signed.raw]) == [None]
    finally:
        destination.faults[0].set([])
    assert lane.receipt(1, signed.transaction).success
    assert len(lane.events(1, MessageDelivered)) == len(lane.events(0, MessageSent))


def test_headers_of_the_honest_are_those_of_the_lane(lane):
    for end in (0, 1):
        ledger, configuration = lane.ledgers[end], lane.configuration(end)
        headers = ledger.headers(1, ledger.tip())
        assert [parse_header(header, configuration).height for header in headers] == list(range(1, ledger.tip() + 1))
