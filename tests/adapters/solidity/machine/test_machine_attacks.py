"""Attackers on machines where a lock does not hold and what callees wrote outlives a revert: no second effect, heads right.

Every attack runs on Ethereum's rules and on ChainMaker's beside them, so that each test also says what differs.
"""

from dataclasses import replace

import pytest

from adapters.protocol import MessageSent
from adapters.solidity import administration
from adapters.solidity.administration import Caps
from adapters.solidity.calldata import encode_anchor, encode_deliver, encode_retry, encode_send, encode_settle
from adapters.solidity.events import MESSAGE_SENT, decode_event
from adapters.solidity.machine import Machine, Traits
from adapters.solidity.refusals import decode_refusal
from schemas.heads import fold_all, genesis
from schemas.lane import Lane
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.suites import EVM, keccak256
from tests.support.assembly import assemble, creation_of
from tests.support.evm_world import NOWHERE, OFFICERS, SENDER, STRANGER, EvmWorld, Refused, attest
from tests.support.machine_world import PLATFORMS, Platform, chain_of, make_end

REENTRANT = "test/Reentrant"
MACHINES = ["ethereum", "chainmaker", "chainmaker-sm"]


ETHEREUM = Platform(Traits(fork="istanbul"), EVM, "ecrecover")


def attacked_world(machine, receiver=REENTRANT):
    platform = PLATFORMS.get(machine, ETHEREUM)
    return EvmWorld.between(*(make_end(chain_of(name, platform), platform) for name in "ab"), receiver=receiver)


def aim(chain, attacker, target, data):
    chain.call(STRANGER, attacker, REENTRANT, "aim", target, data)


def answer(chain, attacker):
    """What became of the attacker's call: None if it went through, else the error's name."""
    if chain.view(attacker, REENTRANT, "succeeded"):
        return None
    return decode_refusal(chain.view(attacker, REENTRANT, "answer")).name


def three_sent(machine):
    world = attacked_world(machine)
    for number in range(3):
        world.send(bytes([number]), gas_limit=1_500_000)
    return world


def check_heads(world, delivered):
    """The destination has consumed so many messages, once each, and its heads are the folds of them."""
    chain, gateway = world.destination.chain, world.destination.gateway
    heads = chain.view(gateway, "Gateway", "heads", world.lane_id)
    assert heads[1:3] == (world.head(1, delivered), world.head(0, delivered))
    assert world.destination_view().delivered == delivered
    assert len(world.outcomes) == delivered


@pytest.mark.parametrize("machine", MACHINES)
def test_a_receiver_that_delivers_again(machine):
    world = three_sent(machine)
    claim = world.claim(0, 3)
    again = encode_deliver(world.lane_id, world.sent, [], claim, attest(world.destination, claim))
    chain = world.destination.chain
    aim(chain, world.receiver, world.destination.gateway, again)
    world.deliver()
    assert answer(chain, world.receiver) == "NotOrigin"
    assert chain.view(world.receiver, REENTRANT, "count") == 3
    assert world.statuses() == [1, 1, 1]
    check_heads(world, 3)


@pytest.mark.parametrize("step", ["settle", "anchor", "retry"])
@pytest.mark.parametrize("machine", MACHINES)
def test_a_receiver_that_calls_another_step(machine, step):
    world = three_sent(machine)
    claim, entry = world.claim(0, 3), Settled(world.sent[0].without_payload(), Status.EXECUTED, b"")
    proof = attest(world.destination, claim)
    data = {
        "settle": encode_settle(world.lane_id, [entry], [], claim, proof),
        "anchor": encode_anchor(world.lane_id, 0, claim.head, [], claim, proof),
        "retry": encode_retry(world.lane_id, entry),
    }[step]
    aim(world.destination.chain, world.receiver, world.destination.gateway, data)
    world.deliver()
    assert answer(world.destination.chain, world.receiver) == "NotOrigin"
    check_heads(world, 3)


def back_lane(world):
    """A lane back from the destination on which the receiver may send."""
    here, there = world.destination, world.source
    lane = Lane("hub", here.suite, here.chain.word, here.names[0], there.chain.word, there.names[0], "back")
    here.chain.administer(here.gateway, administration.open_lane(lane, 0, here.committee, b"\x01" * 32, Caps()))
    here.chain.administer(here.gateway, administration.allow_sender(lane.lane_id, world.receiver, 100))
    return lane


@pytest.mark.parametrize("machine", MACHINES)
def test_a_receiver_that_sends(machine):
    """The frame that calls receivers writes no slot that `send` writes, so nothing is overwritten when it ends."""
    world = three_sent(machine)
    back, gateway = back_lane(world), world.destination.gateway
    aim(world.destination.chain, world.receiver, gateway, encode_send(back.lane_id, SENDER, b"answer", 0, 0, 0))
    done = world.deliver()
    assert answer(world.destination.chain, world.receiver) is None
    sent = [event for event in done.events_of(gateway) if isinstance(event, MessageSent)]
    assert [event.message.nonce for event in sent] == [1, 2, 3]
    heads = world.destination.chain.view(gateway, "Gateway", "heads", back.lane_id)
    assert heads[0] == fold_all(back.suite, genesis(back.suite, back.lane_id, 0), [event.message_id for event in sent])
    check_heads(world, 3)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_callback_that_sends_or_settles_again(machine):
    world = attacked_world(machine, receiver="Mailbox")
    chain, gateway = world.source.chain, world.source.gateway
    sender = chain.create(REENTRANT)
    world.allow_sender(sender)
    data = encode_send(world.lane_id, world.receiver, b"", 100_000, 500_000, 0)
    for _ in range(2):
        world.note_sent(chain.call(STRANGER, sender, REENTRANT, "forward", gateway, data))
    world.deliver()
    claim = world.claim(1, 2)
    again = encode_settle(world.lane_id, world.outcomes, [], claim, attest(world.source, claim))
    aim(chain, sender, gateway, again)
    world.settle(first=1, last=1)
    assert answer(chain, sender) == "NotOrigin"
    aim(chain, sender, gateway, encode_send(world.lane_id, world.receiver, b"more", 100_000, 0, 0))
    world.note_sent(world.settle(first=2, last=2))
    assert answer(chain, sender) is None
    assert chain.view(sender, REENTRANT, "count") == 2, "called back once for each"
    seen = world.source_view()
    assert (seen.sent, seen.settled) == (3, 2)
    heads = chain.view(gateway, "Gateway", "heads", world.lane_id)
    assert (heads[0], heads[3]) == (world.head(0, 3), world.head(1, 2))


def make_officer(chain, gateway, contract_):
    """Put a contract in the place of the first officer."""
    replacing = administration.replace_officer(OFFICERS[0], contract_)
    number = chain.propose(gateway, replacing, OFFICERS[1])
    chain.transact(OFFICERS[2], gateway, administration.approve(number))
    chain.transact(OFFICERS[2], gateway, administration.execute(number, replacing))


@pytest.mark.parametrize(("machine", "refusal"), [("ethereum", "Locked"), ("chainmaker", "NotOrigin")])
def test_a_receiver_that_is_an_officer_and_pauses(machine, refusal):
    """Where the lock is not seen, administration takes the transaction's origin only: officers of such a ledger are keys."""
    world = three_sent(machine)
    chain, gateway = world.destination.chain, world.destination.gateway
    make_officer(chain, gateway, world.receiver)
    aim(chain, world.receiver, gateway, administration.pause())
    world.deliver()
    assert answer(chain, world.receiver) == refusal
    assert chain.view(gateway, "Gateway", "paused") is False
    check_heads(world, 3)


def calls_and_reverts(target, data):
    """A receiver that calls a target with this calldata and then reverts."""
    stores = " ".join(
        f"0x{data[place : place + 32].ljust(32, bytes(1)).hex()} {place} MSTORE" for place in range(0, len(data), 32)
    )
    return assemble(f"{stores} 0 0 {len(data)} 0 0 0x{target.hex()} GAS CALL POP 0 0 REVERT")


@pytest.mark.parametrize(("machine", "kept"), [("ethereum", 0), ("chainmaker", 1), ("chainmaker-sm", 1)])
def test_a_receiver_that_sends_and_reverts(machine, kept):
    """Where callees' writes outlive a revert the other lane's head moves without an event; the head is still the fold of the
    message, which the gateway keeps for readers, and the lane that delivers is whole."""
    world = attacked_world(machine)
    here = world.destination
    name = b"receiver that sends"
    world.receiver = keccak256(keccak256(name))[12:]
    back = back_lane(world)
    data = encode_send(back.lane_id, SENDER, b"never", 0, 0, 0)
    code = calls_and_reverts(here.gateway, data)
    assert here.chain.deploy(creation_of(code), name) == world.receiver
    world.allow_receiver(world.receiver)
    world.send(gas_limit=1_000_000)
    done = world.deliver()
    assert world.statuses() == [2]
    check_heads(world, 1)
    assert not [event for event in done.events_of(here.gateway) if isinstance(event, MessageSent)]
    message = Message.create(back.suite, nonce=1, sender=world.receiver, receiver=SENDER, payload=b"never", gas_limit=0)
    heads = here.chain.view(here.gateway, "Gateway", "heads", back.lane_id)
    assert heads[0] == fold_all(
        back.suite, genesis(back.suite, back.lane_id, 0), [message.message_id(back.suite, back.lane_id)][:kept]
    )
    data = here.chain.view(here.gateway, "Gateway", "sentData", back.lane_id, 1)
    topics = [MESSAGE_SENT, back.lane_id, (1).to_bytes(32, "big")]
    told = [decode_event(topics, data, NOWHERE)] if data else []
    assert [(event.head, event.message) for event in told] == [(heads[0], message)][:kept]


@pytest.mark.parametrize("receiver", ["test/Bomb", "test/Burner"])
def test_a_receiver_without_end_or_measure_on_ethereum(receiver):
    world = bad_receiver("ethereum", receiver)
    world.deliver()
    assert world.statuses() == [2]
    check_heads(world, 1)


def bad_receiver(machine, receiver, **traits):
    """A world with one message for a receiver that burns all gas, or answers with a great many bytes."""
    world = attacked_world(machine, receiver="Mailbox")
    chain = world.destination.chain
    chain.machine = rebuilt(chain.machine, **traits)
    world.receiver = chain.create(receiver, *([100_000, True] if receiver == "test/Bomb" else []))
    world.allow_receiver(world.receiver)
    world.send(gas_limit=300_000)
    return world


def rebuilt(machine, **traits):
    """The same state on a machine with other traits."""
    other = Machine(replace(machine.traits, **traits))
    other._state.code, other._state.storage, other._state.nonces = (
        machine._state.code,
        machine._state.storage,
        machine._state.nonces,
    )
    return other


def test_a_receiver_without_measure_on_chainmaker():
    world = bad_receiver("chainmaker", "test/Bomb")
    world.deliver()
    assert world.statuses() == [2]
    check_heads(world, 1)


def test_a_receiver_without_end_is_never_committed_on_chainmaker():
    """Its gas limit is ignored and the scheduler gives up: nothing happened, and the lane waits until it is denied."""
    world = bad_receiver("chainmaker", "test/Burner", work_max=10_000_000)
    with pytest.raises(Refused, match="scheduler"):
        world.deliver()
    assert world.destination_view().delivered == 0
    chain, gateway = world.destination.chain, world.destination.gateway
    chain.transact(OFFICERS[0], gateway, administration.deny_receiver(world.lane_id, world.receiver))
    world.deliver()
    assert world.statuses() == [4]
    check_heads(world, 1)
