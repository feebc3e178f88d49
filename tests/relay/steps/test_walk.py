"""A long backlog is walked back from a proof by anchors; whoever meddles, and whatever voids them, nothing jams."""

from dataclasses import replace

import pytest

from adapters.memory.transactions import sign_transaction
from adapters.protocol import Anchoring, Call, Delivery, MessageSent
from adapters.solidity.calldata import DELIVER, encode_action
from light_clients.crypto.secp256k1 import address_of
from relay.steps.carry import IN_FLIGHT
from relay.store.tables import anchors, transactions
from relay.store.verifiers import Kind
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head
from tests.support.memory_hub import RECEIVER, label_key

OUT = ("alpha", "beta")
BY_LIGHT_CLIENT = (Kind.LIGHT_CLIENT, Kind.BOTH)


@pytest.fixture(params=BY_LIGHT_CLIENT)
def hub(request, make_hub):
    """Lanes whose batches hold four messages, with a backlog of forty in one block."""
    made = make_hub(kind=request.param, batch_limit=4, pairs=(OUT,))
    backlog(made, 40)
    return made


def backlog(hub, count):
    for number in range(count):
        hub.send(*OUT, b"message %d" % number, receiver=RECEIVER)
    hub.mine()


def prepared(hub):
    """Everything is proved and signed, and the first transactions are written down."""
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)


def finish(hub):
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    assert hub.journey(*OUT).executed == len(sent(hub))


def of(hub, purpose):
    return [row for row in hub.rows(transactions) if row.purpose == purpose]


def stranger(hub, action, name="beta"):
    """Somebody else sends a transaction to the gateway; it is in the next block."""
    ledger, key = hub.ledgers[name], label_key("stranger")
    nonce = ledger.nonce(address_of(key)) + sum(item.sender == address_of(key) for item in ledger.pool)
    call = Call(ledger.gateway.address, encode_action(action), 10_000_000)
    ledger.submit(sign_transaction(ledger.word, key, nonce, call, 10_000).raw)


def held_back(hub, count):
    """Take what beta's pool holds beyond the first `count` deliveries out of it, until somebody brings it again."""
    pool = hub.ledgers["beta"].pool
    later = [item for item in pool if item.call.data[:4] == DELIVER][count:]
    for item in later:
        pool.remove(item)
    return later


def sent(hub):
    return hub.events("alpha", hub.lane_ids[OUT], MessageSent)


def delivered(hub):
    return hub.ledgers["beta"].gateway.lanes[hub.lane_ids[OUT]].delivered


def claim_after(hub, count):
    """A claim whose head is that after so many messages; only an anchor makes it worth anything."""
    head = Head(sent(hub)[count - 1].head)
    return Claim(hub.lane_ids[OUT], Direction.OUTBOX, count, head, 1, BlockHash(b"\x01" * 32))


def test_anchors_go_first_and_batches_against_them_bring_no_proof(hub):
    prepared(hub)
    walked, carried = of(hub, "anchor"), of(hub, "deliver")
    assert [(row.first, row.last) for row in walked] == [
        (36, 40),
        (32, 36),
        (28, 32),
        (24, 28),
        (20, 24),
        (16, 20),
        (12, 16),
        (8, 12),
    ]
    assert max(row.id for row in walked) < min(row.id for row in carried)
    assert [(row.first, row.last) for row in carried] == [(first, first + 3) for first in range(1, 41, 4)]
    assert len(carried[1].data) < len(carried[-1].data) - 1_000  # the last one alone has a proof
    finish(hub)
    assert {row.state for row in hub.rows(transactions)} <= {"mined", "sent"}


def test_outcomes_are_walked_back_the_same_way(hub):
    prepared(hub)
    hub.chain_task("beta")
    hub.mine("beta")
    hub.chain_task("beta")
    assert hub.journey(*OUT).delivered == 40
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)
    assert len(of(hub, "anchor_back")) == 8
    finish(hub)
    assert hub.journey(*OUT).settled == 40


def test_a_walk_that_is_longer_than_what_may_be_on_its_way_goes_on_later(make_hub):
    hub = make_hub(kind=Kind.LIGHT_CLIENT, batch_limit=2, pairs=(OUT,))
    backlog(hub, 4 * IN_FLIGHT)
    prepared(hub)
    assert len(of(hub, "anchor")) == IN_FLIGHT
    assert of(hub, "deliver") == []
    finish(hub)
    assert sum(row.last - row.first for row in of(hub, "anchor")) <= 4 * IN_FLIGHT  # each id was brought once
    assert {row.state for row in hub.rows(transactions)} <= {"mined", "sent"}


def test_a_generation_that_ends_before_the_anchors_are_in_a_block_costs_nothing(hub):
    prepared(hub)
    hub.light_client("beta", "alpha").pins += 1
    finish(hub)
    assert len(of(hub, "anchor")) == 8


def test_anchors_that_a_new_generation_voids_are_laid_again(hub):
    prepared(hub)
    hub.chain_task("beta")
    later = held_back(hub, 3)
    hub.mine("beta")
    assert delivered(hub) == 12
    hub.light_client("beta", "alpha").pins += 1
    hub.ledgers["beta"].pool += later
    finish(hub)
    failed = [row for row in of(hub, "deliver") if row.state == "failed"]
    assert failed
    assert failed[0].reason.startswith("NotAnchored")
    present = hub.ledgers["beta"].gateway.lanes[hub.lane_ids[OUT]].generation
    assert {row.generation for row in hub.rows(anchors) if row.direction == 0} == {present}


def test_anchors_whose_block_did_not_stay_are_laid_again(hub):
    prepared(hub)
    hub.chain_task("beta")
    later = held_back(hub, 0)
    hub.mine("beta")
    gateway, lane_id = hub.ledgers["beta"].gateway, hub.lane_ids[OUT]
    gateway.lanes[lane_id] = replace(gateway.lanes[lane_id], anchors={})
    hub.ledgers["beta"].pool += later
    finish(hub)
    assert len(of(hub, "anchor")) > 8


def test_a_front_runner_who_uses_up_an_anchor_with_parts_stops_nobody(hub):
    prepared(hub)
    hub.chain_task("beta")
    later = held_back(hub, 0)
    hub.mine("beta")
    events, lane_id = sent(hub), hub.lane_ids[OUT]
    first, second = [tuple(event.message for event in part) for part in (events[:3], events[3:8])]
    stranger(hub, Delivery(lane_id, first, tuple(event.message_id for event in events[3:8]), claim_after(hub, 8), b""))
    hub.mine("beta")
    stranger(hub, Delivery(lane_id, second, (), claim_after(hub, 8), b""))
    hub.mine("beta")
    assert delivered(hub) == 8
    hub.ledgers["beta"].pool += later
    finish(hub)
    assert len(of(hub, "anchor")) == 8


def test_a_stranger_may_anchor_what_the_hub_anchored(hub):
    prepared(hub)
    hub.chain_task("beta")
    later = held_back(hub, 0)
    hub.mine("beta")
    for count in (8, 20, 36):
        stranger(hub, Anchoring(hub.lane_ids[OUT], Head(sent(hub)[count - 1].head), (), claim_after(hub, count), b""))
    hub.mine("beta")
    hub.ledgers["beta"].pool += later
    finish(hub)
    assert {row.state for row in hub.rows(transactions)} <= {"mined", "sent"}


def test_new_messages_behind_a_walk_do_not_disturb_it(hub):
    prepared(hub)
    backlog(hub, 13)
    finish(hub)
    assert hub.journey(*OUT).settled == 53
