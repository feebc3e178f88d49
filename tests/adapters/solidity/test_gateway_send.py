"""send: every condition, each refused by its own name, and the limits of senders."""

import pytest

from adapters.protocol import MessageSent
from adapters.solidity import administration
from adapters.solidity.administration import Caps
from adapters.solidity.calldata import encode_load, encode_send
from schemas.heads import fold
from schemas.suites import EVM
from tests.support.evm_world import DEPLOYER, GUARDIAN, OFFICERS, SENDER, STRANGER, EvmWorld, account, refuses


@pytest.fixture
def world():
    return EvmWorld.create(caps=Caps(max_payload=100, max_gas=300_000, max_callback_gas=50_000))


def test_a_message_gets_the_next_nonce_and_moves_the_head(world):
    done = world.send(b"hello", expires_at=world.source.chain.now + 60)
    (event,) = done.events_of(world.source.gateway)
    assert isinstance(event, MessageSent)
    assert event.message.nonce == 1
    assert event.message.sender == SENDER
    assert event.message.receiver == world.receiver
    assert event.message.payload == b"hello"
    assert (event.message.gas_limit, event.message.callback_gas) == (200_000, 0)
    assert event.message.expires_at == world.source.chain.now + 60
    assert event.message_id == event.message.message_id(EVM, world.lane_id)
    assert event.head == fold(EVM, world.lane_id, event.message_id)
    assert done.output == event.message_id
    heads = world.source.chain.view(world.source.gateway, "Gateway", "heads", world.lane_id)
    assert heads[0] == event.head
    assert world.source_view().sent == 1


def test_nonces_have_no_gaps(world):
    nonces = [world.send(bytes([number])).events_of(world.source.gateway)[0].message.nonce for number in range(5)]
    assert nonces == [1, 2, 3, 4, 5]


def test_an_empty_payload_is_a_message(world):
    world.send(b"")
    assert world.deliver().events_of(world.destination.gateway)
    assert world.statuses() == [1]


def test_nobody_on_the_list_means_nobody():
    world = EvmWorld.create()
    call = administration.lower_sender_limit(world.lane_id, SENDER)
    world.source.chain.transact(OFFICERS[0], world.source.gateway, call)
    with refuses("SenderNotAllowed", sender="0x" + SENDER.hex()):
        world.send()


def test_a_stranger_is_refused(world):
    with refuses("SenderNotAllowed"):
        world.send(sender=STRANGER)


def test_a_payload_up_to_the_cap(world):
    world.send(bytes(100))
    with refuses("PayloadTooLarge", length=101, cap=100):
        world.send(bytes(101))


def test_gas_up_to_the_cap(world):
    world.send(gas_limit=300_000)
    with refuses("GasLimitTooHigh", gasLimit=300_001, cap=300_000):
        world.send(gas_limit=300_001)


def test_callback_gas_up_to_the_cap(world):
    moody = world.source.chain.create("test/Moody")
    world.allow_sender(moody)

    def send(callback_gas):
        data = encode_send(world.lane_id, world.receiver, b"", 100_000, callback_gas, 0)
        return world.source.chain.call(STRANGER, moody, "test/Moody", "forward", world.source.gateway, data)

    send(50_000)
    assert world.source_view().sent == 1
    with refuses("Error", text="refused"):
        send(50_001)
    with refuses("CallbackGasTooHigh", callbackGas=50_001, cap=50_000):
        world.send(callback_gas=50_001)


def test_an_account_without_code_cannot_be_called_back(world):
    with refuses("CallbackWithoutCode"):
        world.send(callback_gas=1)


@pytest.mark.parametrize("length", [0, 19, 21, 32])
def test_a_receiver_has_the_length_of_the_other_ledger(world, length):
    data = encode_send(world.lane_id, bytes(length), b"", 0, 0, 0)
    with refuses("ReceiverForm", length=length):
        world.source.chain.transact(SENDER, world.source.gateway, data)


@pytest.mark.parametrize(("length", "taken"), [(0, False), (1, True), (33, True), (64, True), (65, False)])
def test_form_zero_takes_receivers_of_1_to_64_bytes(length, taken):
    world = EvmWorld.create(caps=Caps(receiver_length=0))
    data = encode_send(world.lane_id, bytes(length), b"", 0, 0, 0)
    if taken:
        world.source.chain.transact(SENDER, world.source.gateway, data)
        assert world.source_view().sent == 1
    else:
        with refuses("ReceiverForm"):
            world.source.chain.transact(SENDER, world.source.gateway, data)


def test_what_expires_sooner_than_the_minimum_is_refused(world):
    earliest = world.source.chain.now + 60
    with refuses("ExpiresTooSoon", earliest=earliest):
        world.send(expires_at=earliest - 1)
    world.send(expires_at=earliest)


def test_a_development_network_may_have_a_shorter_minimum():
    world = EvmWorld.create(minimum_expiry_s=1)
    world.send(expires_at=world.source.chain.now + 1)
    with refuses("ExpiresTooSoon"):
        world.send(expires_at=world.source.chain.now)


def test_time_in_milliseconds_is_divided():
    world = EvmWorld.create(time_divisor=1000)
    world.source.chain.now *= 1000
    now = world.source.chain.now // 1000
    assert world.source.chain.view(world.source.gateway, "Gateway", "nowSeconds") == now
    with refuses("ExpiresTooSoon", earliest=now + 60):
        world.send(expires_at=now + 59)
    world.send(expires_at=now + 60)


def test_a_limit_counts_each_sender_in_each_window(world):
    other = account("other sender")
    world.allow_sender(SENDER, 3)
    world.allow_sender(other, 1)
    world.source.chain.now = now = 60 * 1_000_000
    for _ in range(3):
        world.send()
    with refuses("SenderLimitReached", retryAt=now + 60):
        world.send()
    world.send(sender=other)
    with refuses("SenderLimitReached"):
        world.send(sender=other)
    world.source.chain.now = now + 59
    with refuses("SenderLimitReached"):
        world.send()
    world.source.chain.now = now + 60
    for _ in range(3):
        world.send()
    assert world.source_view().sent == 7


def test_more_senders_than_fit_a_page_are_counted_apart():
    world = EvmWorld.create()
    senders = [account(f"sender {number}") for number in range(21)]
    for sender in senders:
        world.allow_sender(sender, 2)
    for sender in [*senders, *senders]:
        world.send(sender=sender)
    for sender in senders:
        with refuses("SenderLimitReached"):
            world.send(sender=sender)
    assert [message.nonce for message in world.sent] == list(range(1, 43))
    world.send()
    world.source.chain.now += 60
    for sender in senders:
        world.send(sender=sender)
    assert world.source_view().sent == 64


def test_the_largest_limit_does_not_run_into_the_next_counter():
    world = EvmWorld.create()
    loader = world.source.chain.create("Loader", world.source.gateway)
    world.allow_sender(loader, 65_535)
    neighbour = account("neighbour")
    world.allow_sender(neighbour, 1)
    data = encode_load(world.lane_id, world.receiver, b"", 0, 0, 0, 1_000)
    for _ in range(65):
        world.source.chain.transact(DEPLOYER, loader, data)
    last = encode_load(world.lane_id, world.receiver, b"", 0, 0, 0, 535)
    world.source.chain.transact(DEPLOYER, loader, last)
    with refuses("SenderLimitReached"):
        world.source.chain.transact(DEPLOYER, loader, encode_load(world.lane_id, world.receiver, b"", 0, 0, 0, 1))
    world.send(sender=neighbour)
    assert world.source_view().sent == 65_536


def test_a_loader_obeys_its_owner_alone(world):
    loader = world.source.chain.create("Loader", world.source.gateway)
    world.allow_sender(loader)
    data = encode_load(world.lane_id, world.receiver, b"x", 50_000, 0, 0, 3)
    with refuses("Error", text="only the owner may load"):
        world.source.chain.transact(STRANGER, loader, data)
    world.note_sent(world.source.chain.transact(DEPLOYER, loader, data))
    assert [message.nonce for message in world.sent] == [1, 2, 3]


def test_send_needs_a_lane_that_stands_here_at_its_source(world):
    with refuses("UnknownLane"):
        data = encode_send(b"\x01" * 32, world.receiver, b"", 0, 0, 0)
        world.source.chain.transact(SENDER, world.source.gateway, data)
    with refuses("WrongEnd"):
        data = encode_send(world.lane_id, world.receiver, b"", 0, 0, 0)
        world.destination.chain.transact(SENDER, world.destination.gateway, data)


def test_paused_and_closed_refuse_send(world):
    chain, gateway = world.source.chain, world.source.gateway
    chain.transact(GUARDIAN, gateway, administration.pause_lane(world.lane_id))
    with refuses("LanePaused"):
        world.send()
    chain.administer(gateway, administration.unpause_lane(world.lane_id))
    world.send()
    chain.transact(GUARDIAN, gateway, administration.pause())
    with refuses("GatewayPaused"):
        world.send()
    chain.administer(gateway, administration.unpause())
    world.send()
    chain.administer(gateway, administration.close_lane(world.lane_id))
    with refuses("LaneIsClosed"):
        world.send()


def test_a_lowered_limit_counts_at_once(world):
    world.source.chain.now = 60 * 1_000_000
    world.send()
    call = administration.lower_sender_limit(world.lane_id, SENDER, 1)
    world.source.chain.transact(OFFICERS[1], world.source.gateway, call)
    with refuses("SenderLimitReached"):
        world.send()
