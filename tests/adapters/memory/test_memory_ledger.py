"""The in-process ledger: one message's whole way, refusals, faults of one endpoint, reorganisations."""

import time
from dataclasses import replace

import pytest

from adapters.memory import ADAPTER, faults_at
from adapters.memory.chain import CODE_HASH
from adapters.memory.gateway import Reverted
from adapters.protocol import (
    AdapterOptions,
    BadAnswer,
    Call,
    Endpoint,
    HeadMoved,
    LaneOpened,
    MessageDelivered,
    MessageSent,
    Misconfigured,
    Rejected,
    Unreachable,
)
from light_clients import development, qbft
from light_clients.crypto.secp256k1 import address_of
from light_clients.proofs.gateway import GatewayPin, SlotEvidence
from schemas.heads import fold_all, outbox_genesis, outcomes_genesis
from schemas.outcome import Status
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import EVM, SM
from tests.support.memory_lane import REVERTING, MemoryLane


@pytest.fixture(params=[EVM, SM], ids=lambda suite: suite.name)
def lane(request):
    made = MemoryLane(suite=request.param, endpoints=("", "b"))
    yield made
    made.close()


def test_a_message_goes_there_and_its_outcome_comes_back(lane):
    for payload, options in [(b"one", {}), (b"two", {"receiver": REVERTING}), (b"three", {"receiver": b"\x01" * 20})]:
        assert lane.send(payload, **options).success
    assert lane.send(b"four", expires_at=lane.source.now + 5).success
    sent = lane.events(0, MessageSent)
    assert [event.message.nonce for event in sent] == [1, 2, 3, 4]
    assert sent[-1].head == fold_all(
        lane.lane.suite, outbox_genesis(lane.lane.lane_id), [event.message_id for event in sent]
    )
    lane.destination.mine(seconds=10)
    assert lane.deliver(lane.delivery(sent)).success
    delivered = lane.events(1, MessageDelivered)
    assert [event.status for event in delivered] == [Status.EXECUTED, Status.FAILED, Status.REFUSED, Status.EXPIRED]
    assert [event.result for event in delivered] == [b"got one", b"NotToday", b"", b""]
    assert lane.received == [(sent[0].message_id, address_of(lane.sender), b"one")]
    inbox, outcomes = lane.events(1, HeadMoved)
    assert (inbox.direction, inbox.head, outcomes.direction) == (2, sent[-1].head, 1)
    assert lane.settle(lane.settlement(sent, delivered, outcomes.head)).success
    (settled,) = lane.events(0, HeadMoved)
    assert (settled.direction, settled.nonce, settled.head) == (3, 4, outcomes.head)
    source, destination = (
        ledger.lane_ends(chain.gateway.address, lane.lane.lane_id)
        for ledger, chain in zip(lane.ledgers, (lane.source, lane.destination), strict=True)
    )
    assert (source.sent, source.settled, destination.delivered) == (4, 4, 4)


def test_a_lane_says_every_preimage_when_it_is_opened(lane):
    (opened,) = lane.events(0, LaneOpened)
    assert (opened.lane_id, opened.end, opened.hub, opened.channel) == (lane.lane.lane_id, 0, "tests", "main")
    assert (opened.source, opened.destination_gateway) == (lane.source.word, lane.destination.gateway.address)


def test_suffix_ids_prove_a_part_under_a_later_head(lane):
    for number in range(3):
        lane.send(b"%d" % number)
    sent = lane.events(0, MessageSent)
    assert lane.deliver(lane.delivery(sent, suffix_ids=[sent[2].message_id])).success
    assert [event.nonce for event in lane.events(1, MessageDelivered)] == [1, 2]


def refusal(lane, end, action):
    ledger, chain = lane.ledgers[end], (lane.source, lane.destination)[end]
    with pytest.raises(Rejected) as caught:
        ledger.simulate(address_of(lane.relayer), ledger.call_for(chain.gateway.address, action))
    assert caught.value.code == "reverted"
    return caught.value.reason


def test_what_was_delivered_is_not_delivered_again(lane):
    lane.send()
    action = lane.delivery(lane.events(0, MessageSent))
    lane.deliver(action)
    assert refusal(lane, 1, action) == "NothingNew"
    assert not lane.deliver(action).success
    assert len(lane.received) == 1


BAD_DELIVERIES = {
    "NonceGap": lambda action: replace(action, messages=action.messages[::2]),
    "HeadMismatch": lambda action: replace(action, messages=action.messages[:2]),
    "ClaimNonceMismatch": lambda action: replace(action, claim=replace(action.claim, nonce=4)),
    "WrongDirection": lambda action: replace(action, claim=replace(action.claim, direction=1)),
    "ClaimForAnotherLane": lambda action: replace(action, claim=replace(action.claim, lane_id=Bytes32(b"\x01" * 32))),
    "SignatureOfAnother": lambda action: replace(action, claim=replace(action.claim, height=action.claim.height + 1)),
    "ProofNotCanonical": lambda action: replace(action, proof=action.proof[:-1]),
    "PayloadMismatch": lambda action: replace(
        action, messages=(replace(action.messages[0], payload=b"other"), *action.messages[1:])
    ),
    "UnknownLane": lambda action: replace(action, lane_id=Bytes32(b"\x01" * 32)),
}


@pytest.mark.parametrize("name", BAD_DELIVERIES)
def test_a_bad_delivery_is_refused_by_name(lane, name):
    for number in range(3):
        lane.send(b"%d" % number)
    action = lane.delivery(lane.events(0, MessageSent))
    assert refusal(lane, 1, BAD_DELIVERIES[name](action)) == name
    assert lane.deliver(action).success


BAD_PROOFS = {
    "UnknownEpoch": lambda proof: (2).to_bytes(32, "big") + proof[32:],
    "SignatureCount": lambda proof: proof[:32] + (7).to_bytes(32, "big") + proof[64:],
    "SignatureMalformed": lambda proof: proof.replace(b"\x1b" + bytes(31), b"\x00" * 32).replace(
        b"\x1c" + bytes(31), bytes(32)
    ),
    "SignatureOfAnother": lambda proof: proof[:32] + (6).to_bytes(32, "big") + proof[64:],
}


@pytest.mark.parametrize("name", BAD_PROOFS)
def test_a_bad_proof_is_refused_by_name(lane, name):
    lane.send()
    action = lane.delivery(lane.events(0, MessageSent))
    assert refusal(lane, 1, replace(action, proof=BAD_PROOFS[name](action.proof))) == name


def test_an_executed_message_needs_its_payload_and_another_does_not(lane):
    lane.send()
    lane.send(receiver=b"\x01" * 20)
    sent = lane.events(0, MessageSent)
    action = lane.delivery(sent)
    bare = tuple(message.without_payload() for message in action.messages)
    assert refusal(lane, 1, replace(action, messages=bare)) == "PayloadMissing"
    assert lane.deliver(replace(action, messages=(action.messages[0], bare[1]))).success


def test_each_step_belongs_to_its_end(lane):
    lane.send()
    action = lane.delivery(lane.events(0, MessageSent))
    call = lane.ledgers[0].call_for(lane.source.gateway.address, action)
    with pytest.raises(Rejected, match="WrongEnd"):
        lane.ledgers[0].simulate(address_of(lane.relayer), call)
    stranger = replace(lane.send_call(b"x"), data=lane.send_call(b"x").data.replace(lane.lane.lane_id, b"\x01" * 32))
    with pytest.raises(Rejected, match="UnknownLane"):
        lane.ledgers[0].simulate(address_of(lane.sender), stranger)


def test_a_receiver_that_cannot_be_is_refused_at_send(lane):
    with pytest.raises(Rejected, match="CalldataMalformed"):
        lane.ledgers[0].simulate(address_of(lane.sender), lane.send_call(b"x", receiver=b"\x01" * 65))


def test_too_many_headers_are_not_asked_for(lane):
    with pytest.raises(Misconfigured, match="at most 1000"):
        lane.ledgers[0].headers(0, 1000)


def test_too_few_operators_are_refused(lane):
    lane.send()
    action = lane.delivery(lane.events(0, MessageSent))
    assert refusal(lane, 1, replace(action, proof=lane.proof(action.claim, operators=(1,)))) == "QuorumTooSmall"


def test_a_settlement_of_what_was_never_sent_is_refused(lane):
    lane.send()
    sent = lane.events(0, MessageSent)
    lane.deliver(lane.delivery(sent))
    action = lane.settlement(sent, lane.events(1, MessageDelivered), lane.events(1, HeadMoved)[1].head)
    forged = replace(action.settled[0], message=replace(action.settled[0].message, nonce=2))
    assert refusal(lane, 0, replace(action, settled=(*action.settled, forged))) == "NeverSent"
    assert lane.settle(action).success


def test_a_paused_lane_refuses_and_a_closed_one_refuses_to_send(lane):
    lane.source.set_lane(lane.lane.lane_id, paused=True)
    assert lane.ledgers[0].lane_ends(lane.source.gateway.address, lane.lane.lane_id).paused
    assert not lane.send().success
    lane.source.set_lane(lane.lane.lane_id, closed=True)
    with pytest.raises(Rejected, match="LaneIsClosed"):
        lane.ledgers[0].simulate(address_of(lane.sender), lane.send_call(b"x"))


def test_a_lane_is_opened_once_and_at_its_own_end(lane):
    with pytest.raises(Reverted, match="LaneExists"):
        lane.source.open_lane(lane.lane, 0, lane.committees[0])
    with pytest.raises(Reverted, match="NotOurEnd"):
        lane.source.open_lane(lane.lane, 1, lane.committees[0])


@pytest.mark.parametrize(("direction", "head"), [(0, "sent"), (1, "outcomes")])
def test_the_qbft_light_client_believes_its_headers_and_proofs(lane, direction, head):
    lane.send()
    sent = lane.events(0, MessageSent)
    lane.deliver(lane.delivery(sent))
    chain, ledger = (lane.source, lane.destination)[direction], lane.ledgers[direction]
    headers = ledger.headers(0, chain.height)
    state = qbft.bootstrap(headers[0], chain.first_block, qbft.QbftConfiguration(trusting_period_s=10**6))
    for header in headers[1:]:
        state = qbft.apply(state, qbft.verify_header(state, header, chain.now + 1))
    value = sent[-1].head if direction == 0 else lane.events(1, HeadMoved)[1].head
    claim = lane.claim(direction, 1, value)
    (found,) = ledger.evidence(chain.gateway.address, [(lane.lane.lane_id, direction)], chain.height)
    evidence = SlotEvidence(found.header, found.account_proof, found.storage_proof)
    qbft.verify_claim(state, claim, evidence, GatewayPin(chain.gateway.address, Bytes32(CODE_HASH)))
    assert value != outcomes_genesis(lane.lane.suite, lane.lane.lane_id)


def test_a_ledger_without_validators_is_hashed_whole():
    lane = MemoryLane(validators=0)
    first, second = lane.ledgers[0].headers(0, 1)
    assert EVM.hash(first) == lane.source.first_block
    state = development.bootstrap(first, lane.source.first_block, development.DevelopmentConfiguration())
    assert development.apply(state, development.verify_header(state, second, lane.source.now)).height == 1
    lane.close()


class TestFaults:
    """Each fault stands at one endpoint; the guard goes on at the other."""

    @pytest.fixture
    def faults(self, lane):
        return faults_at(f"memory://{lane.names[0]}")

    @pytest.mark.parametrize(("name", "value"), [("unreachable", True), ("truncated", True), ("answer_s", 99.0)])
    def test_a_failing_endpoint_is_left(self, lane, faults, name, value):
        setattr(faults, name, value)
        before = time.monotonic()
        assert lane.ledgers[0].tip() == lane.source.height
        assert time.monotonic() - before < 60
        assert lane.ledgers[0].endpoint.endswith("/b")

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [({"unreachable": True}, Unreachable), ({"truncated": True}, BadAnswer), ({"answer_s": 11.0}, Unreachable)],
    )
    def test_a_fault_has_its_own_kind(self, lane, faults, fault, kind):
        for name, value in fault.items():
            setattr(faults, name, value)
        alone = ADAPTER.open(AdapterOptions((Endpoint(f"memory://{lane.names[0]}"),)))
        with pytest.raises(kind):
            alone.tip()

    @staticmethod
    def alone(lane):
        """The endpoint with the faults, without the guard that would ask the other one."""
        return ADAPTER.open(AdapterOptions((Endpoint(f"memory://{lane.names[0]}"),)))

    def test_a_stalled_endpoint_has_no_newer_block(self, lane, faults):
        lane.send()
        faults.stalled_at = 1
        ledger = self.alone(lane)
        assert ledger.tip() == 1
        with pytest.raises(Rejected, match="does not have block 2"):
            ledger.headers(0, 2)
        assert ledger.lane_ends(lane.source.gateway.address, lane.lane.lane_id).sent == 0

    def test_false_events(self, lane, faults):
        for number in range(2):
            lane.send(b"%d" % number)
        true = lane.events(0, MessageSent)
        faults.events_lie = True
        assert [event.message for event in lane.events(0, MessageSent)] != [event.message for event in true]
        faults.events_lie, faults.events_dropped = False, True
        assert not lane.events(0, LaneOpened)
        faults.events_dropped, faults.events_doubled = False, True
        assert len(lane.events(0, LaneOpened)) == 2
        faults.events_doubled, faults.events_reordered = False, True
        assert lane.events(0, MessageSent) == true[::-1]

    def test_false_outcomes_and_heads(self, lane):
        lane.send()
        lane.deliver(lane.delivery(lane.events(0, MessageSent)))
        true = lane.events(1, MessageDelivered) + lane.events(1, HeadMoved) + lane.events(1, LaneOpened)
        faults_at(f"memory://{lane.names[1]}").events_lie = True
        false = lane.events(1, MessageDelivered) + lane.events(1, HeadMoved) + lane.events(1, LaneOpened)
        assert all(one != other for one, other in zip(true, false, strict=True))

    def test_a_false_proof_shows_another_head(self, lane, faults):
        faults.heads_lie = True
        asked = (lane.source.gateway.address, [(lane.lane.lane_id, 0)], 1)
        (found,) = lane.ledgers[0].evidence(*asked)
        (true,) = ADAPTER.open(AdapterOptions((Endpoint(f"memory://{lane.names[0]}/b"),))).evidence(*asked)
        assert (found.header, found.account_proof) == (true.header, true.account_proof)
        assert found.storage_proof[:-1] == true.storage_proof[:-1]
        assert found.storage_proof[-1] != true.storage_proof[-1]

    def test_a_lost_transaction_is_in_no_block(self, lane, faults):
        faults.loses_transactions = True
        signed = lane.post(0, lane.sender, lane.send_call(b"x"))
        lane.source.mine()
        assert lane.ledgers[0].receipts([signed.transaction]) == [None]

    def test_a_nonce_that_jumps_leaves_the_transaction_waiting(self, lane, faults):
        faults.nonce_jump = 3
        lane.ledgers[0] = self.alone(lane)
        signed = lane.post(0, lane.sender, lane.send_call(b"x"))
        lane.source.mine()
        assert lane.ledgers[0].receipts([signed.transaction]) == [None]
        assert len(lane.source.pool) == 1

    def test_a_told_revert_takes_the_nonce_and_nothing_else(self, lane):
        lane.source.reverting = 1
        assert not lane.send().success
        assert lane.send().success
        assert lane.events(0, MessageSent)[0].position.height == lane.source.height


def test_a_reorganisation_takes_messages_back(lane):
    lane.send(b"first")
    kept = lane.source.height
    signed = lane.post(0, lane.sender, lane.send_call(b"second"))
    lane.source.mine()
    before = lane.ledgers[0].headers(kept + 1, kept + 1)
    taken = lane.source.reorganise(1)
    assert [transaction.hash for transaction in taken] == [signed.transaction]
    assert lane.ledgers[0].receipts([signed.transaction]) == [None]
    assert len(lane.events(0, MessageSent)) == 1
    lane.source.mine()
    assert lane.ledgers[0].headers(kept + 1, kept + 1) != before
    assert lane.ledgers[0].broadcast([taken[0].raw]) == [None]
    lane.source.mine()
    assert len(lane.events(0, MessageSent)) == 2
    with pytest.raises(ValueError, match="blocks can be taken back"):
        lane.source.reorganise(99)


def send_raw(lane, **changes):
    fields = {"nonce": 0, "fee": lane.source.base_fee, "gas": 200_000} | changes
    call = replace(lane.send_call(b"x"), gas=fields["gas"])
    raw = lane.ledgers[0].sign(lane.sender, fields["nonce"], call, fields["fee"]).raw
    return lane.ledgers[0].broadcast([raw])[0]


def test_the_pool_refuses_by_name(lane):
    assert send_raw(lane) is None
    assert send_raw(lane) is None  # known already is as good as taken
    assert send_raw(lane, fee=lane.source.base_fee + 50).code == "underpriced"
    assert send_raw(lane, gas=200_001).code == "underpriced"
    assert send_raw(lane, fee=lane.source.base_fee * 2) is None
    assert len(lane.source.pool) == 1
    lane.source.mine()
    assert send_raw(lane, gas=200_002).code == "nonce_too_low"
    assert send_raw(lane, nonce=1, fee=1).code == "underpriced"
    assert send_raw(lane, nonce=1, gas=10**12).code == "too_much_gas"
    assert lane.ledgers[0].broadcast([b"\xc0"])[0].code == "other"
    assert lane.ledgers[0].broadcast([b"\xff"])[0].code == "other"


def test_a_call_of_something_else_reverts(lane):
    for call, reason in [
        (Call(b"\x01" * 20, b"", 0), "NoGatewayHere"),
        (Call(lane.source.gateway.address, b"1234", 0), "UnknownFunction"),
        (replace(lane.send_call(b"x"), data=lane.send_call(b"x").data[:-32]), "CalldataMalformed"),
    ]:
        with pytest.raises(Rejected, match=reason):
            lane.ledgers[0].simulate(address_of(lane.sender), call)


def test_another_gateway_has_no_events_and_no_lane(lane):
    assert lane.ledgers[0].events(0, 1, b"\x01" * 20) == []
    with pytest.raises(Rejected, match="never opened"):
        lane.ledgers[0].lane_ends(b"\x01" * 20, lane.lane.lane_id)


def test_an_expiry_too_soon_is_refused(lane):
    with pytest.raises(Rejected, match="ExpiresTooSoon"):
        lane.ledgers[0].simulate(address_of(lane.sender), lane.send_call(b"x", expires_at=lane.source.now))


@pytest.mark.parametrize("url", ["http://127.0.0.1", "memory://", "memory:///x"])
def test_a_url_of_another_kind_is_misconfigured(url):
    with pytest.raises(Misconfigured, match="memory://NAME"):
        ADAPTER.open(AdapterOptions((Endpoint(url),)))


def test_one_endpoint_alone_cannot_be_left(lane):
    assert ADAPTER.open(AdapterOptions((Endpoint(f"memory://{lane.names[0]}"),))).leave_endpoint("lied") is False


def test_a_bad_key_is_misconfigured(lane):
    with pytest.raises(Misconfigured, match="private key"):
        lane.ledgers[0].sign(bytes(32), 0, Call(b"", b"", 0), 0)


def test_blocks_differ_between_ledgers_and_stay_within_a_name(lane):
    assert lane.source.first_block != lane.destination.first_block
    assert lane.ledgers[0].identity().first_block == BlockHash(lane.source.first_block)
