"""anchor: a backlog walked back in pieces, and anchors that are void with their generation."""

from dataclasses import replace

import pytest

from adapters.solidity import administration
from schemas.claim import Direction
from schemas.primitives import LaneId
from schemas.suites import EVM
from tests.support.evm_world import GUARDIAN, RELAYER, EvmWorld, account, attest, make_committee, refuses


@pytest.fixture
def world():
    world = EvmWorld.create()
    for number in range(9):
        world.send(bytes([number]))
    return world


def ids(world, first, last):
    return [message.message_id(EVM, world.lane_id) for message in world.sent[first - 1 : last]]


def anchored(world, end, head):
    return end.chain.view(end.gateway, "Gateway", "anchored", world.lane_id, head)


def anchor_at(world, nonce, claim_nonce, proof=None):
    """Anchor the outbox head after `nonce` under a claim after `claim_nonce` messages."""
    claim = world.claim(0, claim_nonce)
    return world.anchor(world.destination, 0, world.head(0, nonce), ids(world, nonce + 1, claim_nonce), claim, proof)


def test_a_backlog_is_walked_back_in_pieces_and_delivered_in_order(world):
    anchor_at(world, 6, 9)
    anchor_at(world, 3, 6, proof=b"")
    assert anchored(world, world.destination, world.head(0, 3))
    world.deliver(last=3, proof=b"")
    world.deliver(last=6, proof=b"")
    world.deliver(last=9)
    assert world.statuses() == [1] * 9


def test_an_anchor_is_deleted_once_it_is_reached(world):
    anchor_at(world, 3, 9)
    world.deliver(last=3, proof=b"")
    assert not anchored(world, world.destination, world.head(0, 3))


def test_an_anchor_not_reached_stays(world):
    anchor_at(world, 6, 9)
    world.deliver(last=3, proof=b"", claim=world.claim(0, 6), suffix_ids=ids(world, 4, 6))
    assert anchored(world, world.destination, world.head(0, 6))
    world.deliver(last=6, proof=b"")
    assert not anchored(world, world.destination, world.head(0, 6))


def test_a_head_that_is_not_anchored_needs_a_proof(world):
    with refuses("NotAnchored"):
        world.deliver(last=3, proof=b"")
    with refuses("NotAnchored"):
        anchor_at(world, 3, 6, proof=b"")


def test_ids_must_fold_to_the_claims_head(world):
    claim = world.claim(0, 9)
    with refuses("HeadMismatch"):
        world.anchor(world.destination, 0, world.head(0, 3), ids(world, 5, 9), claim)
    with refuses("HeadMismatch"):
        world.anchor(world.destination, 0, world.head(0, 3), ids(world, 9, 9) + ids(world, 4, 8), claim)


def test_a_zero_head_is_never_anchored(world):
    with refuses("HeadZero"):
        world.anchor(world.destination, 0, bytes(32), ids(world, 1, 9), world.claim(0, 9))


def test_each_end_anchors_what_it_consumes(world):
    world.deliver(last=3)
    with refuses("WrongDirection", direction=1):
        world.anchor(world.destination, 1, world.head(1, 1), [], world.claim(1, 1))
    with refuses("WrongDirection", direction=0):
        world.anchor(world.source, 0, world.head(0, 1), [], world.claim(0, 1))
    outcomes = [entry.outcome_id(EVM, world.lane_id) for entry in world.outcomes]
    world.anchor(world.source, 1, world.head(1, 1), outcomes[1:], world.claim(1, 3))
    world.settle(last=1, proof=b"")
    assert world.source_view().settled == 1
    assert not anchored(world, world.source, world.head(1, 1))


def test_a_claim_of_the_other_direction_or_lane_anchors_nothing(world):
    claim = world.claim(0, 9)
    with refuses("WrongDirection"):
        world.anchor(world.destination, 0, world.head(0, 9), [], replace(claim, direction=Direction.OUTCOMES), b"x")
    with refuses("ClaimForAnotherLane"):
        world.anchor(world.destination, 0, world.head(0, 9), [], replace(claim, lane_id=LaneId(b"\x01" * 32)), b"x")


def test_an_anchor_keeps_no_nonce_and_the_consumer_derives_it(world):
    anchor_at(world, 3, 9)
    claim = replace(world.claim(0, 3), nonce=4)
    with refuses("ClaimNonceMismatch", derived=3, claimed=4):
        world.deliver(last=3, proof=b"", claim=claim)


def test_changing_the_verifier_voids_anchors(world):
    anchor_at(world, 3, 9)
    committee = make_committee(world.destination.chain)
    action = administration.set_verifier(world.lane_id, committee)
    world.destination.chain.administer(world.destination.gateway, action)
    assert not anchored(world, world.destination, world.head(0, 3))
    with refuses("NotAnchored"):
        world.deliver(last=3, proof=b"")
    world.destination.committee = committee
    anchor_at(world, 3, 9)
    world.deliver(last=3, proof=b"")


def test_changing_back_to_an_older_verifier_does_not_revive_its_anchors(world):
    anchor_at(world, 3, 9)
    first = world.destination.committee
    for verifier in (make_committee(world.destination.chain), first):
        action = administration.set_verifier(world.lane_id, verifier)
        world.destination.chain.administer(world.destination.gateway, action)
    with refuses("NotAnchored"):
        world.deliver(last=3, proof=b"")


def test_striking_a_signer_voids_anchors(world):
    anchor_at(world, 3, 9)
    signer = account("signer 2")
    world.destination.chain.transact(GUARDIAN, world.destination.committee, administration.strike(signer))
    with refuses("NotAnchored"):
        world.deliver(last=3, proof=b"")


def test_paused_refuses_anchor(world):
    chain, gateway = world.destination.chain, world.destination.gateway
    chain.transact(GUARDIAN, gateway, administration.pause_lane(world.lane_id))
    with refuses("LanePaused"):
        anchor_at(world, 3, 9)
    chain.administer(gateway, administration.unpause_lane(world.lane_id))
    chain.transact(GUARDIAN, gateway, administration.pause())
    with refuses("GatewayPaused"):
        anchor_at(world, 3, 9)


def test_a_verifier_that_says_no_is_obeyed(world):
    stub = world.destination.chain.create("test/StubVerifier")
    action = administration.set_verifier(world.lane_id, stub)
    world.destination.chain.administer(world.destination.gateway, action)
    with refuses("ProofRefused"):
        anchor_at(world, 3, 9, proof=b"anything")


def test_the_event_names_the_head_and_the_generation(world):
    done = anchor_at(world, 3, 9, proof=attest(world.destination, world.claim(0, 9)))
    ((topics, data),) = done.named("Gateway", "Anchored")
    assert topics[1:] == [world.lane_id, bytes(32)]
    assert data == world.head(0, 3) + world.destination_view().generation
    assert RELAYER not in data
