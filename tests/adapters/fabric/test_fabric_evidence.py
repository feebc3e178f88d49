"""What was sent is proved: the light client believes the adapter's evidence, and nothing that peers lie."""

import time
from contextlib import suppress
from dataclasses import replace

import pytest

from adapters.protocol import AdapterError, HeadMoved, MessageSent, Rejected, Unreachable
from light_clients import fabric
from light_clients.errors import Refused
from schemas.claim import Claim, Direction
from schemas.primitives import Head
from tests.support.fabric_world import followed, opened, options_of, pin_of


def claim_of(world, event, direction=0):
    place = event.position
    nonce = event.message.nonce if direction == 0 else event.nonce
    return Claim(world.lane.lane_id, Direction(direction), nonce, event.head, place.height, place.block_hash)


def evidence_of(world, event, direction=0, ledger=None):
    asked = [(world.lane.lane_id, direction)]
    (found,) = (ledger or world.ledgers[direction]).evidence(world.gateways[direction], asked, event.position.height)
    return found


@pytest.fixture(scope="module")
def sent(world):
    assert world.send(b"first").success
    return world.events(0, MessageSent)[-1]


def test_evidence_of_what_was_sent_is_believed_and_of_nothing_else(world, sent):
    found, claim = evidence_of(world, sent), claim_of(world, sent)
    state, pin = followed(world.ledgers[0], "trade"), pin_of(world.ledgers[0])
    assert found.header == world.ledgers[0].headers(found.height, found.height)[0]
    evidence = fabric.FabricEvidence.from_bytes(found.proof)
    fabric.verify_claim(state, claim, evidence, pin)
    for false in (replace(claim, head=Head(b"\x09" * 32)), replace(claim, direction=Direction.OUTCOMES)):
        with pytest.raises(Refused):
            fabric.verify_claim(state, false, evidence, pin)
    with pytest.raises(Refused):
        fabric.verify_claim(state, claim, evidence, replace(pin, definition_transaction=7))


def test_a_block_that_moved_no_head_has_no_evidence(world, sent):
    ledger, lane_id = world.ledgers[0], world.lane.lane_id
    assert ledger.evidence(world.gateways[0], [(lane_id, 0), (lane_id, 1)], 0) == [None, None]
    assert ledger.evidence(world.gateways[0], [(lane_id, 1)], sent.position.height) == [None]
    assert ledger.evidence(world.gateways[0], [], sent.position.height) == []


def test_an_older_head_is_attested_no_more_and_the_newer_one_is(world):
    for payload in (b"older", b"newer"):
        assert world.send(payload).success
    older, newer = world.events(0, MessageSent)[-2:]
    assert older.position.height < newer.position.height
    with opened(options_of(world.networks[0])) as fresh:
        assert evidence_of(world, older, ledger=fresh) is None
        assert evidence_of(world, newer, ledger=fresh).height == newer.position.height
    assert evidence_of(world, newer).height == newer.position.height


def test_a_head_that_was_read_in_time_stays_proved(world):
    assert world.send(b"in time").success
    event = world.events(0, MessageSent)[-1]
    first = evidence_of(world, event)
    assert world.send(b"later").success
    assert evidence_of(world, event) == first
    state = followed(world.ledgers[0], "trade")
    evidence = fabric.FabricEvidence.from_bytes(first.proof)
    fabric.verify_claim(state, claim_of(world, event), evidence, pin_of(world.ledgers[0]))


def test_outcomes_are_proved_at_the_other_end(world, sent):
    del sent
    assert world.deliver(world.delivery(world.events(0, MessageSent))).success
    event = [each for each in world.events(1, HeadMoved) if each.direction == 1][-1]
    found = evidence_of(world, event, direction=1)
    state, pin = followed(world.ledgers[1], "goods"), pin_of(world.ledgers[1])
    fabric.verify_claim(state, claim_of(world, event, 1), fabric.FabricEvidence.from_bytes(found.proof), pin)


def test_a_peer_that_lies_about_a_head_gives_no_evidence(world):
    assert world.send(b"lied about").success
    event = world.events(0, MessageSent)[-1]
    faults = world.networks[0].peers[1].node.faults
    faults.set(wrong_answer=True)
    with pytest.raises(Unreachable, match="lies"):
        evidence_of(world, event)
    faults.heal()
    assert evidence_of(world, event).height == event.position.height


def test_a_peer_that_is_behind_is_waited_for(world):
    network = world.networks[0]
    signed = world.signed(0, world.relayer, world.seal_call(world.ticket(b"behind")))
    network.peers[1].node.faults.set(lag=1)
    assert world.ledgers[0].broadcast([signed.raw]) == [None]
    assert world.receipt(0, signed.transaction).success
    event = world.events(0, MessageSent)[-1]
    with pytest.raises(AdapterError):
        evidence_of(world, event)
    network.peers[1].node.faults.heal()
    network.wait_for_height(event.position.height + 1)
    assert evidence_of(world, event).height == event.position.height


def test_a_peer_that_is_down_leaves_too_few_organisations(world):
    assert world.send(b"down").success
    event = world.events(0, MessageSent)[-1]
    node = world.networks[0].peers[1].node
    node.stop()
    with pytest.raises(Unreachable, match="1 of 2 organisations"):
        evidence_of(world, event)
    node.start()
    deadline, found = time.monotonic() + 60, None
    while found is None and time.monotonic() < deadline:
        with suppress(Unreachable):
            found = evidence_of(world, event)
    assert found.height == event.position.height


def test_nothing_is_installed_where_nothing_was_committed(world):
    with pytest.raises(Rejected, match="No chaincode 'nobody' is committed"):
        world.ledgers[0].installed(b"nobody")
