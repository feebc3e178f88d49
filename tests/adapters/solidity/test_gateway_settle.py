"""settle and retry: every entry bound, callbacks with exactly their gas, failures kept and retried."""

from dataclasses import replace

import pytest

from adapters.solidity import administration
from adapters.solidity.calldata import encode_retry, encode_send, encode_settle
from schemas.claim import Direction
from schemas.heads import fold_all, genesis
from schemas.outcome import Settled, Status
from schemas.primitives import BlockHash, Bytes32, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.evm_world import (
    GUARDIAN,
    RELAYER,
    SENDER,
    STRANGER,
    EvmWorld,
    account,
    attest,
    heads_moved,
    refuses,
)


@pytest.fixture
def world():
    return EvmWorld.create()


def with_sender(world, name, callback_gas=100_000, *arguments):
    """Deploy a sender that is a contract, let it send one message, and deliver it."""
    sender = world.source.chain.create(name, *arguments)
    world.allow_sender(sender)
    data = encode_send(world.lane_id, world.receiver, b"hello", 100_000, callback_gas, 0)
    world.note_sent(world.source.chain.call(STRANGER, sender, name, "forward", world.source.gateway, data))
    world.deliver()
    return sender


def callback_failed(world, entry):
    outcome = entry.outcome_id(EVM, world.lane_id)
    return world.source.chain.view(world.source.gateway, "Gateway", "callbackFailed", outcome)


def retry(world, entry, gas=1_000_000):
    data = encode_retry(world.lane_id, entry)
    return world.source.chain.transact(RELAYER, world.source.gateway, data, gas=gas)


def test_outcomes_are_settled_in_order(world):
    for _ in range(3):
        world.send()
    world.deliver()
    done = world.settle()
    assert heads_moved(done, world.source.gateway) == [(3, 3, world.head(1, 3))]
    seen = world.source_view()
    assert (seen.sent, seen.settled) == (3, 3)


def test_settled_entries_are_skipped_and_one_new_is_enough(world):
    for _ in range(3):
        world.send()
    world.deliver()
    world.settle(last=2)
    world.settle(first=1, last=3)
    with refuses("NothingNew", consumed=3):
        world.settle(first=1, last=3)


def test_a_gap_is_refused(world):
    for _ in range(3):
        world.send()
    world.deliver()
    with refuses("NonceGap", expected=1, given=2):
        world.settle(first=2, last=3)


def test_suffix_ids_share_a_claim_and_are_not_consumed(world):
    for _ in range(3):
        world.send()
    world.deliver()
    ids = [entry.outcome_id(EVM, world.lane_id) for entry in world.outcomes]
    world.settle(last=1, suffix_ids=ids[1:])
    assert world.source_view().settled == 1
    world.settle()
    assert world.source_view().settled == 3


MESSAGE_FLIPS = {
    "sender": lambda message: replace(message, sender=account("somebody else")),
    "receiver": lambda message: replace(message, receiver=account("somebody else")),
    "expires_at": lambda message: replace(message, expires_at=message.expires_at + 1),
    "gas_limit": lambda message: replace(message, gas_limit=message.gas_limit + 1),
    "callback_gas": lambda message: replace(message, callback_gas=message.callback_gas + 1),
    "payload_length": lambda message: replace(message, payload_length=message.payload_length + 1),
    "payload_hash": lambda message: replace(message, payload_hash=Bytes32(keccak256(b"another"))),
}


@pytest.mark.parametrize("field", MESSAGE_FLIPS)
def test_every_field_of_the_message_is_bound(world, field):
    world.send()
    world.deliver()
    entry = world.outcomes[0]
    with refuses("HeadMismatch"):
        world.settle(settled=[replace(entry, message=MESSAGE_FLIPS[field](entry.message))])


def test_status_and_result_are_bound(world):
    world.send()
    world.deliver()
    entry = world.outcomes[0]
    for altered in (replace(entry, status=Status.FAILED), replace(entry, result=entry.result + b"\x00")):
        with refuses("HeadMismatch"):
            world.settle(settled=[altered])


CLAIM_FLIPS = {
    "lane_id": (lambda claim: replace(claim, lane_id=LaneId(b"\x01" * 32)), "ClaimForAnotherLane"),
    "direction": (lambda claim: replace(claim, direction=Direction.OUTBOX), "WrongDirection"),
    "nonce": (lambda claim: replace(claim, nonce=claim.nonce + 1), "ClaimNonceMismatch"),
    "head": (lambda claim: replace(claim, head=Head(b"\x01" * 32)), "HeadMismatch"),
    "height": (lambda claim: replace(claim, height=claim.height + 1), "SignatureOfAnother"),
    "block_hash": (lambda claim: replace(claim, block_hash=BlockHash(b"\x01" * 32)), "SignatureOfAnother"),
}


@pytest.mark.parametrize("field", CLAIM_FLIPS)
def test_every_field_of_a_claim_is_bound(world, field):
    world.send()
    world.deliver()
    flip, name = CLAIM_FLIPS[field]
    claim = world.claim(1, 1)
    with refuses(name):
        world.settle(claim=flip(claim), proof=attest(world.source, claim))


def raw_settle(world, settled, claim):
    return encode_settle(world.lane_id, settled, [], claim, attest(world.source, claim))


def claimed(world, entries):
    """A claim that the committee would sign for these entries, whatever they say."""
    ids = [entry.outcome_id(EVM, world.lane_id) for entry in entries]
    head = fold_all(EVM, genesis(EVM, world.lane_id, 1), ids)
    return replace(world.claim(1, 1), nonce=len(entries), head=Head(head))


def test_a_payload_in_a_settled_entry_is_refused(world):
    world.send(b"hello")
    world.deliver()
    claim = world.claim(1, 1)
    data = raw_settle(world, world.outcomes, claim)
    length_of_payload = data.index(world.sent[0].payload_hash) + 32 * 2 + 64 * 2
    altered = bytearray(data)
    assert altered[length_of_payload : length_of_payload + 32] == bytes(32)
    altered[length_of_payload + 31] = 1
    with refuses("PayloadGiven", nonce=1):
        world.source.chain.transact(RELAYER, world.source.gateway, bytes(altered))


@pytest.mark.parametrize("status", [0, 5, 255])
def test_an_unknown_status_is_refused(world, status):
    world.send()
    world.deliver()
    data = raw_settle(world, [Settled(world.outcomes[0].message, status, b"")], world.claim(1, 1))
    with refuses("OutcomeMalformed", nonce=1):
        world.source.chain.transact(RELAYER, world.source.gateway, data)


def test_a_result_over_256_bytes_is_refused(world):
    world.send()
    world.deliver()
    data = raw_settle(world, [replace(world.outcomes[0], result=bytes(257))], world.claim(1, 1))
    with refuses("OutcomeMalformed", nonce=1):
        world.source.chain.transact(RELAYER, world.source.gateway, data)


def test_an_outcome_of_a_message_never_sent_is_refused(world):
    world.send()
    world.deliver()
    invented = replace(world.outcomes[0], message=replace(world.outcomes[0].message, nonce=2))
    entries = [world.outcomes[0], invented]
    with refuses("NeverSent", sent=1, claimed=2):
        world.settle(settled=entries, claim=claimed(world, entries))


def test_outcome_ids_behind_what_was_sent_are_refused_too(world):
    world.send()
    world.deliver()
    invented = replace(world.outcomes[0], message=replace(world.outcomes[0].message, nonce=2))
    claim = claimed(world, [world.outcomes[0], invented])
    with refuses("NeverSent"):
        world.settle(settled=world.outcomes, suffix_ids=[invented.outcome_id(EVM, world.lane_id)], claim=claim)


def test_the_sender_is_told_what_became_of_it(world):
    moody = with_sender(world, "test/Moody", 200_000)
    world.source.chain.call(STRANGER, moody, "test/Moody", "mend")
    world.settle()
    seen = [world.source.chain.view(moody, "test/Moody", name) for name in ("count", "messageId", "status", "result")]
    assert seen == [1, world.sent[0].message_id(EVM, world.lane_id), 1, world.outcomes[0].result]
    assert not callback_failed(world, world.outcomes[0])


def test_callback_gas_zero_calls_nobody(world):
    moody = with_sender(world, "test/Moody", 0)
    world.source.chain.call(STRANGER, moody, "test/Moody", "mend")
    world.settle()
    assert world.source.chain.view(moody, "test/Moody", "count") == 0
    assert not callback_failed(world, world.outcomes[0])


def test_a_callback_gets_exactly_its_gas(world):
    meter = with_sender(world, "test/GasMeter", 60_000)
    world.settle()
    seen = world.source.chain.view(meter, "test/GasMeter", "seen")
    assert 59_000 < seen <= 60_000
    # a relayer who gives ten times as much changes nothing
    other = EvmWorld.create()
    meter = with_sender(other, "test/GasMeter", 60_000)
    other.settle(gas=10_000_000)
    assert other.source.chain.view(meter, "test/GasMeter", "seen") == seen


def test_a_failed_callback_is_kept_and_never_stops_the_settlement(world):
    moody = with_sender(world, "test/Moody")
    world.send()
    world.deliver()
    done = world.settle()
    entry = world.outcomes[0]
    assert world.source_view().settled == 2
    assert callback_failed(world, entry)
    ((topics, data),) = done.named("Gateway", "CallbackFailed")
    assert (topics[1], int.from_bytes(topics[2], "big"), data) == (
        world.lane_id,
        1,
        entry.outcome_id(EVM, world.lane_id),
    )
    outcome = entry.outcome_id(EVM, world.lane_id)
    with refuses("CallbackFailedAgain", outcomeId=outcome):
        retry(world, entry)
    assert callback_failed(world, entry)
    world.source.chain.call(STRANGER, moody, "test/Moody", "mend")
    done = retry(world, entry)
    assert len(done.named("Gateway", "CallbackRetried")) == 1
    assert world.source.chain.view(moody, "test/Moody", "count") == 1
    assert not callback_failed(world, entry)
    with refuses("NothingToRetry", outcomeId=outcome):
        retry(world, entry)


def test_a_retry_needs_the_same_entry(world):
    moody = with_sender(world, "test/Moody")
    world.settle()
    world.source.chain.call(STRANGER, moody, "test/Moody", "mend")
    entry = world.outcomes[0]
    flips = [replace(entry, message=flip(entry.message)) for flip in MESSAGE_FLIPS.values()]
    for altered in [*flips, replace(entry, status=Status.FAILED), replace(entry, result=b"")]:
        with refuses("NothingToRetry"):
            retry(world, altered)
    retry(world, entry)


def test_a_retry_needs_at_least_the_gas_of_the_callback(world):
    with_sender(world, "test/Moody", 400_000)
    world.settle()
    with refuses("GasTooLow"):
        retry(world, world.outcomes[0], gas=400_000)


def test_a_sender_of_another_length_is_not_called(world):
    world.send()
    entry = Settled(
        replace(world.sent[0].without_payload(), sender=bytes(19), callback_gas=50_000), Status.EXECUTED, b""
    )
    world.settle(settled=[entry], claim=claimed(world, [entry]))
    assert callback_failed(world, entry)


def test_a_sender_whose_code_is_gone_is_kept_as_failed(world):
    world.send()
    entry = Settled(replace(world.sent[0].without_payload(), callback_gas=50_000), Status.EXECUTED, b"")
    world.settle(settled=[entry], claim=claimed(world, [entry]))
    assert callback_failed(world, entry)


def test_settle_and_retry_need_a_lane_that_begins_here(world):
    world.send()
    world.deliver()
    world.settle()
    chain, gateway = world.destination.chain, world.destination.gateway
    for data in (raw_settle(world, world.outcomes, world.claim(1, 1)), encode_retry(world.lane_id, world.outcomes[0])):
        with refuses("WrongEnd"):
            chain.transact(RELAYER, gateway, data)


def test_paused_refuses_settle_and_retry(world):
    world.send()
    world.deliver()
    chain, gateway = world.source.chain, world.source.gateway
    for pause, name in (
        (administration.pause_lane(world.lane_id), "LanePaused"),
        (administration.pause(), "GatewayPaused"),
    ):
        chain.transact(GUARDIAN, gateway, pause)
        with refuses(name):
            world.settle()
        with refuses(name):
            retry(world, world.outcomes[0])
    chain.administer(gateway, administration.unpause())
    chain.administer(gateway, administration.unpause_lane(world.lane_id))
    world.settle()


def test_a_closed_source_still_settles_and_retries(world):
    moody = with_sender(world, "test/Moody")
    world.source.chain.administer(world.source.gateway, administration.close_lane(world.lane_id))
    world.settle()
    world.source.chain.call(STRANGER, moody, "test/Moody", "mend")
    retry(world, world.outcomes[0])
    assert world.source.chain.view(moody, "test/Moody", "count") == 1


def test_an_application_refunds_only_what_it_holds(world):
    escrow = world.source.chain.create("test/Escrow", world.source.gateway)
    world.allow_sender(escrow)
    lock = ("test/Escrow", "lock", world.lane_id, account("nobody"), 500)
    world.note_sent(world.source.chain.call(STRANGER, escrow, *lock))
    world.deliver()
    assert world.statuses() == [4]
    world.settle()
    assert world.source.chain.view(escrow, "test/Escrow", "refunded") == 500
    # an outcome that the destination invents names a message that was never ours
    world.send()
    invented = replace(world.sent[1].without_payload(), sender=escrow, callback_gas=100_000)
    entries = [world.outcomes[0], Settled(invented, Status.REFUSED, b"")]
    world.settle(settled=entries[1:], claim=claimed(world, entries))
    assert world.source.chain.view(escrow, "test/Escrow", "refunded") == 500
    with refuses("Error", text="only the gateway may say what became of it"):
        world.source.chain.call(SENDER, escrow, "test/Escrow", "onOutcome", bytes(32), bytes(32), 2, b"")
