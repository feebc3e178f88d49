"""Accusations: two updates that one committee should never have signed."""

from __future__ import annotations

import pytest

from light_clients import beacon, errors
from light_clients.beacon import errors as own
from tests.support.beacon_chain import ALL, TWIN, BeaconChain

CHAIN = BeaconChain()
START = CHAIN.trusted(16)


def test_two_finalized_blocks_of_one_slot_are_an_accusation():
    first, second = CHAIN.update(40, 24), CHAIN.update(41, 24, salt=1)
    found = beacon.find_misbehaviour(START, first, second)
    assert isinstance(found, errors.Misbehaviour)
    assert (found.height, found.evidence) == (24, (first, second))


def test_two_finalized_blocks_of_one_checkpoint_are_an_accusation():
    found = beacon.find_misbehaviour(START, CHAIN.finality_update(40, 24), CHAIN.finality_update(42, 25, salt=1))
    assert found.height == 24
    assert beacon.find_misbehaviour(START, CHAIN.finality_update(40, 24), CHAIN.finality_update(42, 32)) is None


def test_checkpoints_are_compared_across_forks_and_containers():
    chain = BeaconChain((0, 0, 0, 0, 0, 6), label="electra soon")
    state = chain.trusted(16)
    found = beacon.find_misbehaviour(state, chain.update(47, 24), chain.update(50, 25, salt=1))
    assert found.height == 24


def test_two_next_committees_of_one_period_with_finality_are_an_accusation():
    found = beacon.find_misbehaviour(START, CHAIN.update(40, 24), CHAIN.update(48, 32, salt=TWIN))
    assert found.height == 40


def test_next_committees_without_finality_in_their_period_are_none():
    honest = CHAIN.update(40, 24)
    assert beacon.find_misbehaviour(START, honest, CHAIN.update(48, None, salt=TWIN)) is None
    assert beacon.find_misbehaviour(START, honest, CHAIN.finality_update(48, 32, salt=TWIN)) is None
    knows_next = CHAIN.advance(START, honest, 41)
    assert beacon.find_misbehaviour(knows_next, CHAIN.update(66, 48), CHAIN.update(90, 72)) is None
    assert beacon.find_misbehaviour(knows_next, CHAIN.update(66, 48), CHAIN.update(68, 56, salt=TWIN)) is None


def test_a_next_committee_that_is_not_in_its_state_accuses_nobody():
    parts = list(CHAIN.update_value(48, 32))
    parts[1] = CHAIN.committee(1, TWIN)
    with pytest.raises(own.CommitteeBranchInvalid):
        beacon.find_misbehaviour(START, CHAIN.update(40, 24), CHAIN.bundle("update", tuple(parts)))


def test_attested_blocks_alone_are_none_because_their_slot_of_signing_is_not_signed():
    first, second = list(CHAIN.update_value(40, 24)), list(CHAIN.update_value(41, 32))
    first[6] = second[6] = 45
    bundles = [CHAIN.bundle("update", tuple(parts)) for parts in (first, second)]
    for bundle in bundles:
        CHAIN.advance(START, bundle, 45)
    assert beacon.find_misbehaviour(START, *bundles) is None
    assert beacon.find_misbehaviour(START, CHAIN.optimistic_update(40), CHAIN.optimistic_update(40, salt=1)) is None


def test_branches_signed_in_other_slots_and_one_block_twice_are_none():
    assert beacon.find_misbehaviour(START, CHAIN.optimistic_update(40), CHAIN.optimistic_update(41, salt=1)) is None
    assert beacon.find_misbehaviour(START, CHAIN.update(40, 24), CHAIN.update(40, 24)) is None
    assert beacon.find_misbehaviour(START, CHAIN.update(40, 24), CHAIN.finality_update(41, 24)) is None


def test_the_committee_of_the_next_period_is_accused_once_it_is_known():
    first, second = CHAIN.finality_update(90, 72), CHAIN.finality_update(90, 72, salt=1)
    with pytest.raises(errors.HeaderGap):
        beacon.find_misbehaviour(START, first, second)
    knows_next = CHAIN.advance(START, CHAIN.update(40, 24), 41)
    assert beacon.find_misbehaviour(knows_next, first, second).height == 72
    later = CHAIN.trusted(130)
    with pytest.raises(errors.HeightNotRetained):
        beacon.find_misbehaviour(later, first, second)


def test_what_is_not_signed_accuses_nobody():
    honest = CHAIN.update(40, 24)
    for name, twin in (
        (errors.SealsTooFew, CHAIN.update(40, 24, salt=1, signers=ALL[:21])),
        (own.SyncSignatureInvalid, _spoiled(5, CHAIN.update_value(48, 24)[5])),
        (own.FinalityBranchInvalid, _spoiled(3, CHAIN.header(24, salt=2))),
        (own.ExecutionBranchInvalid, _spoiled(0, (CHAIN.header(40, 24, 1)[0], *CHAIN.header(41)[1:]))),
        (own.SlotOrderInvalid, CHAIN.update(41, 24, 41, salt=1)),
        (own.BundleInvalid, CHAIN.bootstrap(24)),
    ):
        with pytest.raises(name):
            beacon.find_misbehaviour(START, honest, twin)
        with pytest.raises(name):
            beacon.find_misbehaviour(START, twin, honest)


def _spoiled(place, value):
    parts = list(CHAIN.update_value(40, 24, salt=1))
    parts[place] = value
    return CHAIN.bundle("update", tuple(parts))
