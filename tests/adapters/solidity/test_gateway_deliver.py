"""deliver: folding, statuses, limits, what is refused and by which name; and the ten-line application."""

from dataclasses import replace

import pytest

from adapters.protocol import HeadMoved, MessageDelivered
from adapters.solidity import administration
from adapters.solidity.administration import Caps
from adapters.solidity.calldata import encode_deliver
from schemas.claim import Direction
from schemas.primitives import BlockHash, Bytes32, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.evm_world import (
    GUARDIAN,
    OFFICERS,
    RELAYER,
    SENDER,
    EvmWorld,
    account,
    attest,
    heads_moved,
    refuses,
    view_of,
)


@pytest.fixture
def world():
    return EvmWorld.create()


def mailbox(world, function):
    return world.destination.chain.view(world.receiver, "Mailbox", function)


def test_a_batch_is_delivered_in_order(world):
    for number in range(3):
        world.send(f"message {number}".encode())
    done = world.deliver()
    assert world.statuses() == [1, 1, 1]
    assert mailbox(world, "count") == 3
    assert mailbox(world, "last") == b"message 2"
    assert world.destination_view().delivered == 3
    events = done.events_of(world.destination.gateway)
    assert [type(event) for event in events] == [HeadMoved, *[MessageDelivered] * 3, HeadMoved]
    moved = heads_moved(done, world.destination.gateway)
    assert moved == [(2, 3, world.head(0, 3)), (1, 3, world.head(1, 3))]
    heads = world.destination.chain.view(world.destination.gateway, "Gateway", "heads", world.lane_id)
    assert heads[1:3] == (world.head(1, 3), world.head(0, 3))


def test_the_application_sees_who_sent_what_over_which_lane(world):
    world.send("文字 🙂".encode())
    done = world.deliver()
    ((_, data),) = done.named("Mailbox", "MessageReceived")
    assert data[:64] == world.lane_id + world.sent[0].message_id(EVM, world.lane_id)
    assert SENDER in data
    assert "文字 🙂".encode() in data
    assert mailbox(world, "last") == "文字 🙂".encode()


def test_the_application_takes_messages_from_its_gateway_only(world):
    with refuses("Error", text="only the gateway may bring messages"):
        world.destination.chain.call(SENDER, world.receiver, "Mailbox", "onMessage", bytes(32), bytes(32), b"", b"")


def test_a_result_is_the_bytes_that_came_back(world):
    world.send()
    world.deliver()
    assert world.outcomes[0].result == (32).to_bytes(32, "big") * 2 + (1).to_bytes(32, "big")


def test_a_receiver_that_reverts_is_an_outcome_and_never_a_jam():
    world = EvmWorld.create(receiver="Reverting")
    world.send()
    world.send()
    world.deliver()
    assert world.statuses() == [2, 2]
    assert b"this receiver takes no messages" in world.outcomes[0].result


def test_messages_taken_before_are_skipped_and_one_new_is_enough(world):
    for _ in range(4):
        world.send()
    world.deliver(last=2)
    world.deliver(first=1, last=4)
    assert mailbox(world, "count") == 4
    with refuses("NothingNew", consumed=4):
        world.deliver(first=1, last=4)


def test_no_messages_at_all_is_nothing_new(world):
    world.send()
    with refuses("NothingNew", consumed=0):
        world.deliver(messages=[])


def test_a_gap_is_refused(world):
    for _ in range(3):
        world.send()
    with refuses("NonceGap", expected=1, given=2):
        world.deliver(first=2, last=3)
    with refuses("NonceGap", expected=2, given=3):
        world.deliver(messages=[world.sent[0], world.sent[2]])
    with refuses("NonceGap", expected=2, given=1):
        world.deliver(messages=[world.sent[0], world.sent[0]])


def test_suffix_ids_share_a_claim_and_are_not_consumed(world):
    for _ in range(5):
        world.send()
    ids = [message.message_id(EVM, world.lane_id) for message in world.sent]
    world.deliver(last=2, suffix_ids=ids[2:])
    assert world.destination_view().delivered == 2
    world.deliver(first=3, last=5)
    assert mailbox(world, "count") == 5


def test_suffix_ids_in_another_order_do_not_fold(world):
    for _ in range(3):
        world.send()
    ids = [message.message_id(EVM, world.lane_id) for message in world.sent]
    with refuses("HeadMismatch"):
        world.deliver(last=1, claim=world.claim(0, 3), suffix_ids=[ids[2], ids[1]])


FLIPS = {
    "nonce": lambda message: replace(message, nonce=message.nonce + 1),
    "sender": lambda message: replace(message, sender=account("somebody else")),
    "receiver": lambda message: replace(message, receiver=account("somebody else")),
    "expires_at": lambda message: replace(message, expires_at=message.expires_at + 1),
    "gas_limit": lambda message: replace(message, gas_limit=message.gas_limit + 1),
    "callback_gas": lambda message: replace(message, callback_gas=1),
    "payload_length": lambda message: replace(message, payload_length=message.payload_length + 1),
    "payload_hash": lambda message: replace(message, payload_hash=Bytes32(keccak256(b"another"))),
    "payload": lambda message: replace(message, payload=b"jello"),
    "payload and its hash": lambda message: replace(
        message, payload=b"jello", payload_hash=Bytes32(keccak256(b"jello"))
    ),
    "payload left out, hash altered": lambda message: replace(
        message, payload=b"", payload_hash=Bytes32(keccak256(b"x"))
    ),
}


@pytest.mark.parametrize("field", FLIPS)
def test_every_field_of_a_message_is_bound(world, field):
    world.send(b"hello")
    with (
        refuses("NonceGap" if field == "nonce" else "HeadMismatch")
        if field != "payload"
        else refuses("PayloadMismatch")
    ):
        world.deliver(messages=[FLIPS[field](world.sent[0])], claim=world.claim(0, 1))


def test_a_payload_of_another_length_is_refused(world):
    world.send(b"hello")
    with refuses("PayloadMismatch", nonce=1):
        world.deliver(messages=[replace(world.sent[0], payload=b"hell")], claim=world.claim(0, 1))


def test_an_empty_payload_cannot_hide_behind_a_length_of_zero(world):
    world.send(b"")
    with refuses("HeadMismatch"):
        message = replace(world.sent[0], payload_hash=Bytes32(keccak256(b"more")))
        world.deliver(messages=[message], claim=world.claim(0, 1))


CLAIM_FLIPS = {
    "lane_id": (lambda claim: replace(claim, lane_id=LaneId(b"\x01" * 32)), "ClaimForAnotherLane"),
    "direction": (lambda claim: replace(claim, direction=Direction.OUTCOMES), "WrongDirection"),
    "nonce up": (lambda claim: replace(claim, nonce=claim.nonce + 1), "ClaimNonceMismatch"),
    "nonce down": (lambda claim: replace(claim, nonce=claim.nonce - 1), "ClaimNonceMismatch"),
    "head": (lambda claim: replace(claim, head=Head(b"\x01" * 32)), "HeadMismatch"),
    "height": (lambda claim: replace(claim, height=claim.height + 1), "SignatureOfAnother"),
    "block_hash": (lambda claim: replace(claim, block_hash=BlockHash(b"\x01" * 32)), "SignatureOfAnother"),
}


@pytest.mark.parametrize("field", CLAIM_FLIPS)
def test_every_field_of_a_claim_is_bound(world, field):
    world.send()
    world.send()
    flip, name = CLAIM_FLIPS[field]
    claim = world.claim(0, 2)
    with refuses(name):
        world.deliver(claim=flip(claim), proof=attest(world.destination, claim))


def test_an_expired_message_is_an_outcome_without_a_call(world):
    expires_at = world.destination.chain.now + 60
    world.send(expires_at=expires_at)
    world.destination.chain.now = expires_at
    world.deliver(messages=[world.sent[0].without_payload()])
    assert world.statuses() == [3]
    assert mailbox(world, "count") == 0


def test_a_message_lives_until_the_second_before(world):
    expires_at = world.destination.chain.now + 60
    world.send(expires_at=expires_at)
    world.destination.chain.now = expires_at - 1
    world.deliver()
    assert world.statuses() == [1]


def test_a_message_to_be_executed_needs_its_payload(world):
    world.send(b"hello")
    with refuses("PayloadMissing", nonce=1):
        world.deliver(messages=[world.sent[0].without_payload()])


REFUSED = {
    "gas over the cap": ({"gas_limit": 200_000}, Caps(max_gas=199_999)),
    "payload over the cap": ({"payload": bytes(51)}, Caps(max_payload=50)),
    "receiver not on the list": ({"receiver": account("nobody")}, None),
}


@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.parametrize("by_hash", [False, True])
def test_what_the_destination_refuses_is_an_outcome(world, reason, by_hash):
    message, caps = REFUSED[reason]
    if caps:
        call = administration.lower_caps(world.lane_id, caps)
        world.destination.chain.transact(OFFICERS[0], world.destination.gateway, call)
    world.send(**message)
    world.send()
    first = world.sent[0].without_payload() if by_hash else world.sent[0]
    second = replace(world.sent[1], gas_limit=200_000)
    world.deliver(messages=[first, second])
    assert world.statuses()[0] == 4
    assert mailbox(world, "count") == (0 if reason == "gas over the cap" else 1)


def test_an_expired_message_over_the_caps_is_expired_not_refused(world):
    expires_at = world.destination.chain.now + 60
    world.send(receiver=account("nobody"), expires_at=expires_at)
    world.destination.chain.now = expires_at
    world.deliver()
    assert world.statuses() == [3]


@pytest.mark.parametrize("length", [1, 19, 21, 64])
def test_a_receiver_of_another_length_is_refused_by_the_destination(length):
    world = EvmWorld.create(caps=Caps(receiver_length=0))
    world.send(receiver=(world.receiver * 4)[:length])
    world.deliver()
    assert world.statuses() == [4]


def test_verdicts_on_one_receiver_are_not_those_on_the_next(world):
    nobody = account("nobody")
    for receiver in (nobody, world.receiver, nobody, world.receiver, bytes(20), world.receiver):
        world.send(receiver=receiver)
    world.deliver()
    assert world.statuses() == [4, 1, 4, 1, 4, 1]


def test_a_closed_destination_still_delivers_but_calls_nobody(world):
    expires_at = world.destination.chain.now + 60
    world.send(expires_at=expires_at)
    world.send()
    world.destination.chain.administer(world.destination.gateway, administration.close_lane(world.lane_id))
    world.destination.chain.now = expires_at
    world.deliver(messages=[message.without_payload() for message in world.sent])
    assert world.statuses() == [3, 4]
    assert mailbox(world, "count") == 0


def test_a_denied_receiver_gets_nothing_more(world):
    world.send()
    world.deliver()
    call = administration.deny_receiver(world.lane_id, world.receiver)
    world.destination.chain.transact(OFFICERS[0], world.destination.gateway, call)
    world.send()
    world.deliver()
    assert world.statuses() == [1, 4]
    assert not world.destination.chain.view(
        world.destination.gateway, "Gateway", "receiverAllowed", world.lane_id, world.receiver
    )


def test_the_window_delays_and_never_refuses(world):
    now = world.destination.chain.now = 60 * 1_000_000
    call = administration.lower_caps(world.lane_id, Caps(window_limit=2))
    world.destination.chain.transact(OFFICERS[0], world.destination.gateway, call)
    for _ in range(3):
        world.send()
    world.send(receiver=account("nobody"))
    with refuses("WindowFull", retryAt=now + 60):
        world.deliver(last=3)
    world.deliver(last=2)
    with refuses("WindowFull"):
        world.deliver()
    world.destination.chain.now = now + 60
    world.deliver()
    assert world.statuses() == [1, 1, 1, 4]


def test_refused_and_expired_messages_are_not_counted_in_the_window(world):
    call = administration.lower_caps(world.lane_id, Caps(window_limit=1))
    world.destination.chain.transact(OFFICERS[0], world.destination.gateway, call)
    for _ in range(5):
        world.send(receiver=account("nobody"))
    world.send()
    world.deliver()
    assert world.statuses() == [4, 4, 4, 4, 4, 1]


def test_paused_refuses_deliver(world):
    world.send()
    chain, gateway = world.destination.chain, world.destination.gateway
    chain.transact(GUARDIAN, gateway, administration.pause_lane(world.lane_id))
    with refuses("LanePaused"):
        world.deliver()
    chain.administer(gateway, administration.unpause_lane(world.lane_id))
    chain.transact(GUARDIAN, gateway, administration.pause())
    with refuses("GatewayPaused"):
        world.deliver()
    chain.administer(gateway, administration.unpause())
    world.deliver()


def test_deliver_needs_a_lane_that_ends_here(world):
    world.send()
    claim = world.claim(0, 1)
    with refuses("WrongEnd"):
        data = encode_deliver(world.lane_id, world.sent, [], claim, b"")
        world.source.chain.transact(RELAYER, world.source.gateway, data)
    with refuses("UnknownLane"):
        data = encode_deliver(b"\x01" * 32, world.sent, [], claim, b"")
        world.destination.chain.transact(RELAYER, world.destination.gateway, data)


def test_a_lane_that_was_never_opened_looks_so(world):
    assert not view_of(world.source, b"\x01" * 32).opened
    assert view_of(world.source, world.lane_id).opened


def test_a_verifier_that_says_no_is_obeyed(world):
    stub = world.destination.chain.create("test/StubVerifier")
    action = administration.set_verifier(world.lane_id, stub)
    world.destination.chain.administer(world.destination.gateway, action)
    world.send()
    with refuses("ProofRefused"):
        world.deliver(proof=b"anything")
    world.destination.chain.call(SENDER, stub, "test/StubVerifier", "set", True, bytes(32))
    world.deliver(proof=b"anything")


def test_a_verifier_is_told_the_gateway_the_peer_and_its_code(world):
    stub = world.destination.chain.create("test/StubVerifier")
    world.destination.chain.administer(world.destination.gateway, administration.set_verifier(world.lane_id, stub))
    world.send()
    claim = world.claim(0, 1)
    peer = world.source
    told = (keccak256(world.destination.gateway), peer.gateway, peer.chain.code_hash(peer.gateway))
    spoken = (claim.lane_id, 0, claim.nonce, claim.head, claim.height, claim.block_hash)
    world.destination.chain.call(SENDER, stub, "test/StubVerifier", "expect", *told, spoken)
    world.deliver(claim=claim, proof=b"anything")
    assert world.statuses() == [1]


def test_a_probe_says_what_the_verifier_would(world):
    world.send()
    chain, gateway = world.destination.chain, world.destination.gateway
    claim = world.claim(0, 1)
    spoken = (claim.lane_id, 0, claim.nonce, claim.head, claim.height, claim.block_hash)
    good = attest(world.destination, claim)
    assert chain.view(gateway, "Gateway", "probe", world.lane_id, spoken, good) is True
    forged = attest(world.destination, claim, keys=[(key, b"") for key in (b"\x07" * 32, b"\x08" * 32)])
    with refuses("SignatureOfAnother"):
        chain.view(gateway, "Gateway", "probe", world.lane_id, spoken, forged)
    with refuses("ProofNotCanonical"):
        chain.view(gateway, "Gateway", "probe", world.lane_id, spoken, b"")
