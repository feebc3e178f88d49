"""Misbehaviour on the ledger, and what the officers do about it: frozen, pinned anew, generations."""

from dataclasses import replace

import pytest

from adapters.solidity import administration, verifiers
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.evm_world import GUARDIAN, OFFICERS, STRANGER, refuses
from tests.support.light_client_world import LightClient, rival_of, signed

FIRST = chain.first_spec(number=9)
NEXT = chain.next_spec(FIRST)
RIVAL = rival_of(NEXT)
PERIOD_S = 14 * 24 * 3600


@pytest.fixture
def client():
    return LightClient(FIRST).at(NEXT.timestamp)


def number(word):
    return int.from_bytes(word, "big")


def test_two_sealed_blocks_of_one_height_freeze_it_whoever_brings_them(client):
    done = client.freeze(signed(NEXT), signed(RIVAL), STRANGER)
    assert client.view("client")[6] is True
    assert number(client.view("generation")) == 1
    ((topics, data),) = done.named("QbftVerifier", "ClientFroze")
    assert (number(topics[1]), topics[2][12:]) == (NEXT.number, STRANGER)
    assert data == NEXT.hash() + RIVAL.hash()
    with refuses("ClientIsFrozen"):
        client.update(signed(chain.next_spec(NEXT)))
    with refuses("ClientIsFrozen"):
        client.freeze(signed(NEXT), signed(RIVAL))


@pytest.mark.parametrize("height", [3, 9, 5_000])
def test_a_conflict_at_any_height_of_the_trusted_set_freezes(client, height):
    client.freeze(signed(replace(NEXT, number=height)), signed(replace(RIVAL, number=height)))
    assert client.view("client")[6] is True


def test_a_conflict_ahead_of_the_clock_or_behind_the_trusting_period_freezes_too(client):
    client.at(NEXT.timestamp + PERIOD_S)
    ahead = NEXT.timestamp + 2 * PERIOD_S
    client.freeze(signed(replace(NEXT, timestamp=ahead)), signed(replace(RIVAL, timestamp=ahead)))
    assert client.view("client")[6] is True


def test_one_block_sealed_in_two_rounds_is_no_conflict(client):
    with refuses("NoConflict"):
        client.freeze(signed(NEXT), signed(replace(NEXT, round=1)))
    with refuses("NoConflict"):
        client.freeze(signed(NEXT), signed(replace(NEXT, sealers=NEXT.validators[1:])))


def test_blocks_of_two_heights_are_no_conflict(client):
    with refuses("NoConflict"):
        client.freeze(signed(NEXT), signed(chain.next_spec(NEXT)))


@pytest.mark.parametrize("which", [0, 1])
def test_both_blocks_are_sealed_by_the_trusted_set(client, which):
    pair = [signed(NEXT), signed(RIVAL)]
    weak = [pair[0], pair[1]]
    weak[which] = (pair[which][0], pair[which][1][:2])
    with refuses("SealsTooFew"):
        client.freeze(*weak)
    other = [NEXT, RIVAL]
    other[which] = chain.next_spec(FIRST, validators=("w", "x", "y", "z"))
    with refuses("ValidatorsUnexpected"):
        client.freeze(*map(signed, other))
    strange = [NEXT, RIVAL]
    strange[which] = replace(strange[which], proposer=chain.address("stranger"))
    with refuses("ProposerUnfit"):
        client.freeze(*map(signed, strange))
    assert client.view("client")[6] is False


def test_officers_pin_another_header_after_a_freeze(client):
    client.freeze(signed(NEXT), signed(RIVAL))
    later = chain.next_spec(NEXT, validators=("w", "x", "y", "z"))
    done = client.at(later.timestamp).set_validators(later)
    assert client.view("client") == (
        later.number,
        later.hash(),
        later.timestamp,
        verifiers.validators_hash(chain.addresses(later.validators)),
        later.number,
        later.timestamp + PERIOD_S,
        False,
    )
    assert number(client.view("generation")) == 2
    assert len(done.named("QbftVerifier", "ClientPinned")) == 1
    client.update(signed(chain.next_spec(later)))


def test_officers_pin_an_older_header_too_and_every_pin_is_a_new_generation(client):
    client.update(signed(NEXT))
    client.set_validators(FIRST)
    assert client.height == 9
    assert number(client.view("generation")) == 1
    client.set_validators(FIRST)
    assert number(client.view("generation")) == 2


def test_officers_wake_an_expired_client(client):
    late = replace(NEXT, number=900_000, timestamp=FIRST.timestamp + PERIOD_S + 5)
    client.at(late.timestamp)
    with refuses("ClientExpired"):
        client.update(signed(late))
    client.set_validators(late)
    client.update(signed(chain.next_spec(late)))


def test_officers_pin_nothing_that_cannot_be(client):
    with refuses("PinMismatch"):
        client.chain.administer(client.address, verifiers.set_validators(NEXT.signed(), RIVAL.hash()))
    alone = chain.next_spec(FIRST, validators=("a",))
    with refuses("ValidatorsUnfit"):
        client.set_validators(alone)
    with refuses("HeaderAhead"):
        client.set_validators(replace(NEXT, timestamp=NEXT.timestamp + 16))
    with refuses("ClientExpired"):
        client.set_validators(replace(NEXT, timestamp=NEXT.timestamp - PERIOD_S))
    assert number(client.view("generation")) == 0


def test_it_takes_two_officers_and_the_delay():
    client = LightClient(FIRST, delay_s=100).at(NEXT.timestamp)
    action = verifiers.set_validators(NEXT.signed(), NEXT.hash())
    for nobody in (STRANGER, GUARDIAN):
        with refuses("NotOfficer"):
            client.transact(administration.propose(action), nobody)
    proposal = client.chain.propose(client.address, action)
    with refuses("SameOfficer"):
        client.transact(administration.approve(proposal), OFFICERS[0])
    client.transact(administration.approve(proposal), OFFICERS[1])
    with refuses("TooEarly"):
        client.transact(administration.execute(proposal, action), OFFICERS[2])
    client.at(NEXT.timestamp + 100).transact(administration.execute(proposal, action), OFFICERS[2])
    assert client.height == NEXT.number


def test_officers_and_guardian_are_replaced_as_everywhere(client):
    client.chain.administer(client.address, administration.replace_guardian(STRANGER))
    assert client.view("guardian") == "0x" + STRANGER.hex()
    client.chain.administer(client.address, administration.replace_officer(OFFICERS[2], GUARDIAN))
    assert "0x" + GUARDIAN.hex() in client.view("officers")


def test_actions_of_other_contracts_are_unknown_here(client):
    with refuses("UnknownAction"):
        client.chain.propose(client.address, administration.unpause())


def test_setting_validators_is_no_call_that_anyone_can_make(client):
    with refuses(""):
        client.transact(verifiers.set_validators(NEXT.signed(), keccak256(b"anything")), OFFICERS[0])
