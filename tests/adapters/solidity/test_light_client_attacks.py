"""Lanes judged by light clients on the ledger, and the protocol's attacks on them, through the gateways."""

from dataclasses import replace

import pytest

from adapters.solidity import administration, verifiers
from adapters.solidity.calldata import encode_probe
from light_clients.proofs.gateway import head_slot
from schemas.suites import keccak256
from tests.support import qbft_chain
from tests.support.evm_world import RELAYER, make_committee, refuses
from tests.support.light_client_world import LightClient, LightLane, claim_at, proof_at, rival_of, signed

PERIOD_S = 14 * 24 * 3600


@pytest.fixture
def lane():
    made = LightLane()
    made.world.send()
    return made


def anchored(lane, head):
    end = lane.world.destination
    return end.chain.view(end.gateway, "Gateway", "anchored", lane.lane_id, head)


def anchor(lane, claim):
    """Anchor the claim's head at the destination with its own proof."""
    lane.world.anchor(lane.world.destination, 0, claim.head, (), claim, lane.proof(0))


def test_messages_and_outcomes_cross_by_light_clients_alone(lane):
    lane.world.send()
    lane.deliver()
    lane.settle()
    assert lane.world.statuses() == [1, 1]
    assert lane.world.source_view().settled == 2


def test_a_backlog_crosses_in_pieces_by_later_ids_and_by_an_anchor(lane):
    for _ in range(4):
        lane.world.send()
    claim = lane.claim(0)
    ids = [message.message_id(lane.world.lane.suite, lane.lane_id) for message in lane.world.sent]
    lane.world.deliver(last=2, claim=claim, proof=lane.proof(0), suffix_ids=ids[2:])
    head = lane.world.head(0, 4)
    lane.world.anchor(lane.world.destination, 0, head, ids[4:], claim, lane.proof(0))
    lane.world.deliver(first=3, last=4, claim=replace(claim, nonce=4, head=head), proof=b"")
    assert lane.world.statuses() == [1] * 4
    lane.deliver()
    assert lane.world.statuses() == [1] * 5


def test_the_probe_says_what_the_client_says(lane):
    claim = lane.claim(0)
    end = lane.world.destination
    assert end.chain.transact(RELAYER, end.gateway, encode_probe(lane.lane_id, claim, lane.proof(0))).output[-1] == 1
    with refuses("ClaimHeightMismatch"):
        lane.world.deliver(claim=replace(claim, height=claim.height + 1), proof=lane.proof(0))


def test_retired_keys_bring_nothing_past_a_stale_client(lane):
    claim = lane.claim(0)
    lane.world.destination.chain.now = lane.peers[0].spec.timestamp + PERIOD_S + 100
    with refuses("ClientExpired"):
        lane.world.deliver(claim=claim, proof=lane.proof(0))
    forged = lane.peers[0].seal(lane.world.source.gateway, lane.lane_id, timestamp=lane.world.destination.chain.now)
    with refuses("ClientExpired"):
        lane.clients[0].update(signed(forged))


def test_a_slots_key_comes_from_the_lane_and_never_from_the_proof(lane):
    other = LightLane(channel="other")
    other.world.send()
    gateway = lane.world.source.gateway
    heads = {lane.lane_id: lane.world.head(0, 1), other.lane_id: other.world.head(0, 1)}
    store = qbft_chain.Storage(
        {head_slot(lane_id, 0): head for lane_id, head in heads.items()},
        lane.world.source.chain.code_hash(gateway),
        gateway,
    )
    spec = qbft_chain.next_spec(lane.peers[0].spec, state_root=store.root)
    claim = claim_at(spec, lane.lane_id, 0, 1, heads[lane.lane_id])
    with refuses("ProofNodeMismatch"):
        lane.world.deliver(claim=claim, proof=proof_at(spec, store, other.lane_id, 0))
    lane.world.deliver(claim=claim, proof=proof_at(spec, store, lane.lane_id, 0))


def test_another_program_at_the_gateways_address_proves_nothing(lane):
    gateway = lane.world.source.gateway
    store = qbft_chain.Storage({head_slot(lane.lane_id, 0): lane.world.head(0, 1)}, keccak256(b"other code"), gateway)
    spec = qbft_chain.next_spec(lane.peers[0].spec, state_root=store.root)
    claim = claim_at(spec, lane.lane_id, 0, 1, lane.world.head(0, 1))
    with refuses("CodeHashMismatch", found=keccak256(b"other code")):
        lane.world.deliver(claim=claim, proof=proof_at(spec, store, lane.lane_id, 0))


def test_an_anchor_does_not_outlive_a_frozen_client(lane):
    claim = lane.claim(0)
    anchor(lane, claim)
    assert anchored(lane, claim.head) is True
    spec = lane.peers[0].spec
    lane.clients[0].freeze(signed(spec), signed(rival_of(spec)))
    assert anchored(lane, claim.head) is False
    with refuses("NotAnchored"):
        lane.world.deliver(claim=claim, proof=b"")
    with refuses("ClientIsFrozen"):
        lane.world.deliver(claim=claim, proof=lane.proof(0))


def test_an_anchor_does_not_outlive_validators_that_the_officers_replaced(lane):
    claim = lane.claim(0)
    anchor(lane, claim)
    lane.clients[0].set_validators(lane.peers[0].spec)
    assert anchored(lane, claim.head) is False
    lane.world.deliver(claim=claim, proof=lane.proof(0))


def test_an_anchor_outlives_a_change_of_the_set_by_votes(lane):
    claim = lane.claim(0)
    anchor(lane, claim)
    grown_by_votes(lane)
    assert anchored(lane, claim.head) is True
    lane.world.deliver(claim=claim, proof=b"")


def grown_by_votes(lane):
    """A fifth validator is voted in on the source's ledger; its light client follows."""
    run = []
    labels = lane.peers[0].spec.validators
    for label in labels[:3]:
        vote = (qbft_chain.address("z"), True)
        run.append(lane.seal(0, vote=vote, proposer=qbft_chain.address(label)))
    run.append(lane.seal(0, validators=(*labels, "z")))
    lane.clients[0].follow(*map(signed, run))


def test_a_lane_goes_on_after_its_ledgers_validators_changed(lane):
    before, proof = lane.claim(0), lane.proof(0)
    grown_by_votes(lane)
    with refuses("HeaderBeforeSet"):
        lane.world.deliver(claim=before, proof=proof)
    lane.deliver()
    assert lane.world.statuses() == [1]


def test_a_header_of_the_old_set_is_not_believed_after_the_change(lane):
    old = lane.peers[0].spec
    grown_by_votes(lane)
    store = lane.peers[0].storage
    forged = qbft_chain.next_spec(
        replace(old, number=lane.peers[0].spec.number, timestamp=lane.peers[0].spec.timestamp), state_root=store.root
    )
    claim = claim_at(forged, lane.lane_id, 0, 1, lane.world.head(0, 1))
    with refuses("ValidatorsUnexpected"):
        lane.world.deliver(claim=claim, proof=proof_at(forged, store, lane.lane_id, 0))


def test_a_client_of_another_ledger_does_not_judge_this_one(lane):
    stranger = LightClient(lane.peers[1].spec, lane.world.destination.chain)
    world = lane.world
    world.destination.chain.administer(
        world.destination.gateway, administration.set_verifier(lane.lane_id, stranger.address)
    )
    with refuses("ValidatorsUnexpected"):
        lane.deliver()


def test_keys_reused_on_a_second_ledger_forge_what_stands_there(lane):
    """What docs/trust.md says of this lane kind: nothing but the officers' word keeps the same keys off another ledger."""
    gateway = lane.world.source.gateway
    false_head = lane.world.head(0, 1)
    store = qbft_chain.Storage(
        {head_slot(lane.lane_id, 0): false_head}, lane.world.source.chain.code_hash(gateway), gateway
    )
    elsewhere = qbft_chain.first_spec(
        lane.peers[0].spec.validators,
        number=70,
        timestamp=lane.peers[0].spec.timestamp,
        parent_hash=keccak256(b"another ledger"),
        state_root=store.root,
    )
    claim = claim_at(elsewhere, lane.lane_id, 0, 1, false_head)
    lane.world.deliver(claim=claim, proof=proof_at(elsewhere, store, lane.lane_id, 0))
    assert lane.world.statuses() == [1]


def test_a_conflict_that_anyone_shows_stops_the_lane_and_officers_open_it_again(lane):
    claim = lane.claim(0)
    spec = lane.peers[0].spec
    lane.clients[0].freeze(signed(spec), signed(rival_of(spec)))
    with refuses("ClientIsFrozen"):
        lane.world.deliver(claim=claim, proof=lane.proof(0))
    lane.clients[0].set_validators(spec)
    lane.world.deliver(claim=claim, proof=lane.proof(0))
    assert lane.world.statuses() == [1]


def test_a_lanes_kind_is_the_kind_of_its_verifier(lane):
    end = lane.world.destination
    address = bytes.fromhex(end.chain.view(end.gateway, "Gateway", "lane", lane.lane_id)[5][2:])
    assert end.chain.view(address, "QbftVerifier", "kind") == verifiers.VerifierKind.LIGHT_CLIENT
    committee = make_committee(end.chain)
    end.chain.administer(end.gateway, administration.set_verifier(lane.lane_id, committee))
    with refuses("ProofNotCanonical"):
        lane.deliver()
