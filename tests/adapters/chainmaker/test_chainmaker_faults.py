"""Nodes that fail, fall behind, fork or lie: nothing false passes, another endpoint answers, and the status says which and why."""

import pytest

from adapters.chainmaker.simulator.faults import FAILURES, LIES
from adapters.protocol import (
    AdapterError,
    AnswerTooLarge,
    BadAnswer,
    Call,
    HeadMoved,
    MessageSent,
    Rejected,
    Unreachable,
)
from adapters.solidity.contracts import contract
from light_clients.chainmaker import ChainMakerEvidence, verify_claim
from light_clients.errors import HeaderRefused, Refused
from schemas.claim import Claim, Direction
from tests.support.chainmaker_lane import ChainMakerLane, followed, open_guarded, open_one, options_of, pin_of

KINDS = {
    "unavailable": Unreachable,
    "exhausted": Unreachable,
    "internal": BadAnswer,
    "silence": Unreachable,
    "slow": Unreachable,
    "cut": BadAnswer,
    "garbage": BadAnswer,
    "huge": AnswerTooLarge,
}


@pytest.fixture(scope="module")
def lane():
    made = ChainMakerLane(nodes=(0, 1, 2))
    for number in range(3):
        made.send(f"message {number}".encode())
    yield made
    made.close()


@pytest.fixture(autouse=True)
def honest_again(request):
    yield
    if "lane" in request.fixturenames:
        for node in request.getfixturevalue("lane").networks[0].nodes:
            node.faults.clear()


@pytest.fixture
def one(lane):
    """The adapter at the first node alone."""
    ledger = open_one(lane.networks[0], timeout_s=20, max_answer_bytes=8 * 1024 * 1024)
    ledger.identity()
    yield ledger
    ledger.close()


@pytest.fixture
def three(lane):
    """The adapter behind the guard, at three nodes of three operators."""
    ledger = open_guarded(options_of(lane.networks[0], nodes=(0, 1, 2), timeout_s=5, max_answer_bytes=8 * 1024 * 1024))
    ledger.identity()
    yield ledger
    ledger.close()


def faults(lane):
    return lane.networks[0].nodes[0].faults


def questions(lane, ledger):
    tip, gateway = lane.networks[0].chain.height, lane.gateways[0]
    return {
        "tip": ledger.tip,
        "one header": lambda: ledger.headers(tip, tip),
        "many headers": lambda: ledger.headers(0, tip),
        "events": lambda: ledger.events(0, tip, gateway),
        "lane ends": lambda: ledger.lane_ends(gateway, lane.lane.lane_id),
        "evidence": lambda: ledger.evidence(gateway, [(lane.lane.lane_id, 0)], tip),
        "receipts": lambda: ledger.receipts([b"\x09" * 32]),
    }


def test_every_way_to_fail_is_told_apart():
    assert set(KINDS) == set(FAILURES)


@pytest.fixture
def impatient(lane):
    """The adapter at the first node, for half a second."""
    ledger = open_one(lane.networks[0], timeout_s=0.5)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("failure", FAILURES)
def test_a_node_that_fails_ends_in_an_error_of_the_face(lane, one, impatient, failure):
    faults(lane).failure = failure
    one = impatient if failure in ("slow", "silence") else one
    for name, ask in questions(lane, one).items():
        with pytest.raises(AdapterError) as caught:
            ask()
        assert type(caught.value) is KINDS[failure], (name, caught.value)
        assert "127.0.0.1" in str(caught.value) or type(caught.value) is BadAnswer


@pytest.mark.parametrize("failure", FAILURES)
def test_another_endpoint_answers_in_its_place(lane, three, failure):
    expected = {name: ask() for name, ask in questions(lane, three).items()}
    faults(lane).failure = failure
    for name, ask in questions(lane, three).items():
        assert ask() == expected[name], name
    first = three.status()[0]
    if failure != "slow":
        assert first.failures
        assert first.last_error


@pytest.mark.parametrize("lie", sorted(set(LIES) - {"votes"}))
def test_a_lie_about_a_block_contradicts_its_header(lane, one, three, lie):
    tip, gateway = lane.networks[0].chain.height, lane.gateways[0]
    honest = three.events(0, tip, gateway)
    faults(lane).lies = {lie}
    with pytest.raises(BadAnswer, match="leave the endpoint"):
        one.events(0, tip, gateway)
    if lie != "reordered_events":  # the newest block has one event
        with pytest.raises(BadAnswer):
            one.evidence(gateway, [(lane.lane.lane_id, 0)], tip)
    assert three.events(0, tip, gateway) == honest
    assert three.status()[0].failures == {"BadAnswer": 1}


def test_a_lie_about_the_newest_height_is_found(lane, one, three):
    height = lane.networks[0].chain.height
    faults(lane).lies = {"height"}
    with pytest.raises(BadAnswer, match="another hash"):
        one.tip()
    assert three.tip() == height


def test_votes_that_are_missing_are_the_light_clients_to_find(lane, one, three):
    first_block = one.identity().first_block
    faults(lane).lies = {"votes"}
    with pytest.raises(HeaderRefused):
        followed(one, first_block)
    three.tip()
    with pytest.raises(HeaderRefused):
        followed(three, first_block)
    assert three.leave_endpoint("its headers are not believed")
    assert followed(three, first_block).height == lane.networks[0].chain.height


def test_a_fork_of_one_node_is_not_believed(lane, one, three):
    height, first_block = lane.networks[0].chain.height, one.identity().first_block
    faults(lane).fork = height - 2
    assert one.headers(height, height) != three._seats[1].ledger.headers(height, height)
    with pytest.raises(HeaderRefused):
        followed(one, first_block)
    (found,) = one.evidence(lane.gateways[0], [(lane.lane.lane_id, 0)], height)
    honest = three._seats[1].ledger
    state, sent = followed(honest, first_block), honest.events(height, height, lane.gateways[0])
    claim = Claim(
        lane.lane.lane_id, Direction.OUTBOX, sent[-1].message.nonce, sent[-1].head, height, state.hash_at(height)
    )
    pin = pin_of(three.installed(lane.gateways[0]))
    with pytest.raises(Refused):
        verify_claim(state, claim, ChainMakerEvidence.from_bytes(found.proof), pin)


def test_a_node_that_lags_says_so_and_another_answers(lane, one, three):
    height = lane.networks[0].chain.height
    faults(lane).lag = 3
    assert one.tip() == height - 3
    with pytest.raises(Rejected) as caught:
        one.headers(height, height)
    assert caught.value.code == "no_state"
    with pytest.raises(Rejected):
        one.headers(0, height)
    assert len(three.headers(height, height)) == 1


def test_a_lie_about_receipts_or_outputs_is_outvoted(lane, one, three):
    sent = lane.events(0, MessageSent)[-1]
    faults(lane).lies = {"receipts", "heads"}
    (false,) = one.receipts([sent.position.transaction])
    assert not false.success
    (agreed,) = three.receipts([sent.position.transaction])
    assert agreed.success
    call = Call(lane.gateways[0], contract("Gateway").encode("proposals"), 0)
    assert three.simulate(bytes(20), call) == lane.view(0, "proposals") != one.simulate(bytes(20), call)
    assert "than most" in three.status()[0].last_error


def test_a_node_that_restarts_is_used_again(lane, one):
    network = lane.networks[0]
    height = one.tip()
    network.stop_node(0)
    with pytest.raises(Unreachable):
        one.tip()
    lane.ledgers[0].endow([lane.sender])
    receipt = lane.send(b"while one node is down")
    assert receipt.success
    network.start_node(0)
    assert one.tip() == height + 1


def test_too_few_nodes_decide_nothing_and_nothing_is_lost(lane):
    network = lane.networks[0]
    for number in (2, 3):
        network.stop_node(number)
    signed = lane.post(0, lane.sender, lane.send_call(b"waits"))
    assert not network.produce()
    assert lane.ledgers[0].receipts([signed.transaction]) == [None]
    for number in (2, 3):
        network.start_node(number)
    assert network.produce()
    assert lane.ledgers[0].receipts([signed.transaction])[0].success


def test_no_head_moved_means_no_evidence(lane):
    network, ledger = lane.networks[0], lane.ledgers[0]
    network.produce(empty=True)
    tip = ledger.tip()
    assert ledger.evidence(lane.gateways[0], [(lane.lane.lane_id, 0), (lane.lane.lane_id, 1)], tip) == [None, None]
    assert ledger.events(tip, tip, lane.gateways[0]) == []
    assert not [event for event in lane.events(0, HeadMoved) if event.position.height == tip]
