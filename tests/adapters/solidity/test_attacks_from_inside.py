"""Attacks that call back into the gateway while it runs: re-entrance, administration under the lock, sends from inside."""

import pytest

from adapters.protocol import MessageSent
from adapters.solidity import administration
from adapters.solidity.administration import Caps
from adapters.solidity.calldata import encode_anchor, encode_deliver, encode_retry, encode_send, encode_settle
from adapters.solidity.refusals import decode_refusal
from schemas.heads import fold_all, genesis
from schemas.lane import Lane
from schemas.outcome import Settled, Status
from schemas.suites import EVM
from tests.support.evm_world import (
    OFFICERS,
    SENDER,
    STRANGER,
    EvmWorld,
    attest,
)

REENTRANT = "test/Reentrant"


def aim(chain, attacker, target, data):
    chain.call(STRANGER, attacker, REENTRANT, "aim", target, data)


def answer(chain, attacker):
    """What became of the call that the attacker made while it was called: None if it went through, else the error's name."""
    if chain.view(attacker, REENTRANT, "succeeded"):
        return None
    return decode_refusal(chain.view(attacker, REENTRANT, "answer")).name


def reentrant_world():
    world = EvmWorld.create(receiver="test/Reentrant")
    for number in range(3):
        world.send(bytes([number]), gas_limit=1_500_000)
    return world


def test_reentering_deliver_to_run_a_message_twice():
    world = reentrant_world()
    claim = world.claim(0, 3)
    again = encode_deliver(world.lane_id, world.sent, [], claim, attest(world.destination, claim))
    chain = world.destination.chain
    aim(chain, world.receiver, world.destination.gateway, again)
    world.deliver()
    assert world.statuses() == [1, 1, 1]
    assert chain.view(world.receiver, REENTRANT, "count") == 3
    assert answer(chain, world.receiver) == "NotOrigin"


INNER = [
    "deliver",
    "settle",
    "anchor",
    "retry",
    "pause",
    "pauseLane",
    "cancel",
    "propose",
    "approve",
    "execute",
    "lowerCaps",
    "lowerSenderLimit",
    "denyReceiver",
]


def inner_calls(world):
    claim, entry = world.claim(0, 3), Settled(world.sent[0].without_payload(), Status.EXECUTED, b"")
    proof = attest(world.destination, claim)
    return {
        "deliver": (encode_deliver(world.lane_id, world.sent, [], claim, proof), "NotOrigin"),
        "settle": (encode_settle(world.lane_id, [entry], [], claim, proof), "NotOrigin"),
        "anchor": (encode_anchor(world.lane_id, 0, claim.head, [], claim, proof), "NotOrigin"),
        "retry": (encode_retry(world.lane_id, entry), "NotOrigin"),
        "pause": (administration.pause(), "Locked"),
        "pauseLane": (administration.pause_lane(world.lane_id), "Locked"),
        "cancel": (administration.cancel(1), "Locked"),
        "propose": (administration.propose(administration.unpause()), "Locked"),
        "approve": (administration.approve(1), "Locked"),
        "execute": (administration.execute(1, administration.unpause()), "Locked"),
        "lowerCaps": (administration.lower_caps(world.lane_id, Caps(max_gas=1)), "Locked"),
        "lowerSenderLimit": (administration.lower_sender_limit(world.lane_id, SENDER), "Locked"),
        "denyReceiver": (administration.deny_receiver(world.lane_id, world.receiver), "Locked"),
    }


@pytest.mark.parametrize("name", INNER)
def test_while_a_receiver_runs_nothing_else_does(name):
    """The receiver is itself an officer: what refuses it is the lock, or that it is not the origin."""
    world = reentrant_world()
    chain, gateway = world.destination.chain, world.destination.gateway
    replacing = administration.replace_officer(OFFICERS[0], world.receiver)
    number = chain.propose(gateway, replacing, OFFICERS[1])
    chain.transact(OFFICERS[2], gateway, administration.approve(number))
    chain.transact(OFFICERS[2], gateway, administration.execute(number, replacing))
    data, refusal = inner_calls(world)[name]
    aim(chain, world.receiver, gateway, data)
    world.deliver()
    assert answer(chain, world.receiver) == refusal
    assert world.statuses() == [1, 1, 1]
    assert world.destination_view().delivered == 3


def test_while_a_sender_is_called_back_nothing_else_runs():
    world = EvmWorld.create()
    chain, gateway = world.source.chain, world.source.gateway
    sender = chain.create(REENTRANT)
    world.allow_sender(sender)
    data = encode_send(world.lane_id, world.receiver, b"", 100_000, 500_000, 0)
    world.note_sent(chain.call(STRANGER, sender, REENTRANT, "forward", gateway, data))
    world.deliver()
    claim = world.claim(1, 1)
    proof = attest(world.source, claim)
    aim(chain, sender, gateway, encode_settle(world.lane_id, world.outcomes, [], claim, proof))
    world.settle()
    assert answer(chain, sender) == "NotOrigin"
    assert chain.view(sender, REENTRANT, "count") == 1


def test_a_receiver_may_send_while_it_is_called():
    """`send` is not refused under the lock, and the frame that calls receivers writes no slot that send writes."""
    world = EvmWorld.create(receiver="test/Reentrant")
    back = Lane(
        "hub",
        EVM,
        world.destination.chain.word,
        world.destination.gateway,
        world.source.chain.word,
        world.source.gateway,
        "back",
    )
    chain, gateway = world.destination.chain, world.destination.gateway
    chain.administer(gateway, administration.open_lane(back, 0, world.destination.committee, b"\x01" * 32, Caps()))
    chain.administer(gateway, administration.allow_sender(back.lane_id, world.receiver, 100))
    aim(chain, world.receiver, gateway, encode_send(back.lane_id, SENDER, b"answer", 0, 0, 0))
    for _ in range(3):
        world.send(gas_limit=1_000_000)
    done = world.deliver()
    assert answer(chain, world.receiver) is None
    sent = [event for event in done.events_of(gateway) if isinstance(event, MessageSent)]
    assert [event.message.nonce for event in sent] == [1, 2, 3]
    heads = chain.view(gateway, "Gateway", "heads", back.lane_id)
    assert heads[0] == fold_all(EVM, genesis(EVM, back.lane_id, 0), [event.message_id for event in sent])
    assert world.statuses() == [1, 1, 1]
    assert world.destination_view().delivered == 3


def test_a_callback_that_sends_leaves_both_heads_whole():
    world = EvmWorld.create()
    chain, gateway = world.source.chain, world.source.gateway
    sender = chain.create(REENTRANT)
    world.allow_sender(sender)
    data = encode_send(world.lane_id, world.receiver, b"", 100_000, 400_000, 0)
    for _ in range(2):
        world.note_sent(chain.call(STRANGER, sender, REENTRANT, "forward", gateway, data))
    world.deliver()
    aim(chain, sender, gateway, encode_send(world.lane_id, world.receiver, b"more", 100_000, 0, 0))
    world.note_sent(world.settle())
    assert answer(chain, sender) is None
    seen = world.source_view()
    assert (seen.sent, seen.settled) == (4, 2)
    heads = chain.view(gateway, "Gateway", "heads", world.lane_id)
    assert (heads[0], heads[3]) == (world.head(0, 4), world.head(1, 2))
    world.deliver()
    world.settle()
    assert world.source_view().settled == 4
