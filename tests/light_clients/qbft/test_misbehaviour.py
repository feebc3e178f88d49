"""Two sealed blocks of one height: who is accused, and who is not."""

from dataclasses import replace

import pytest

from light_clients import qbft
from light_clients.errors import (
    DifficultyInvalid,
    HeaderGap,
    HeightNotRetained,
    Misbehaviour,
    SealForeign,
    SealsTooFew,
)
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support import qbft_chain as chain

GENESIS = chain.first_spec()
FIRST = chain.next_spec(GENESIS)
SECOND = chain.next_spec(FIRST)
RIVAL = replace(SECOND, state_root=keccak256(b"rival"), sealers=SECOND.validators[1:])


def state_after(*specs):
    state = qbft.bootstrap(GENESIS.sealed(), BlockHash(GENESIS.hash()), qbft.QbftConfiguration())
    for spec in specs:
        state = qbft.apply(state, qbft.verify_header(state, spec.sealed(), spec.timestamp))
    return state


@pytest.mark.parametrize("known", [(FIRST,), (FIRST, SECOND), (FIRST, SECOND, chain.next_spec(SECOND))])
def test_two_sealed_blocks_of_one_height(known):
    found = qbft.find_misbehaviour(state_after(*known), SECOND.sealed(), RIVAL.sealed())
    assert isinstance(found, Misbehaviour)
    assert found.height == 2
    assert found.evidence == (SECOND.sealed(), RIVAL.sealed())


def test_neither_need_descend_from_what_we_accepted():
    stray = replace(RIVAL, parent_hash=keccak256(b"a branch of their own"))
    assert qbft.find_misbehaviour(state_after(FIRST, SECOND), RIVAL.sealed(), stray.sealed()).height == 2


def test_one_block_sealed_in_two_rounds_is_no_conflict():
    again = replace(SECOND, round=3, sealers=SECOND.validators[1:])
    assert qbft.find_misbehaviour(state_after(FIRST), SECOND.sealed(), again.sealed()) is None


def test_one_block_with_other_seals_is_no_conflict():
    again = replace(SECOND, sealers=SECOND.validators[1:])
    assert qbft.find_misbehaviour(state_after(FIRST), SECOND.sealed(), again.sealed()) is None


def test_two_heights_are_no_conflict():
    assert qbft.find_misbehaviour(state_after(FIRST), FIRST.sealed(), SECOND.sealed()) is None


@pytest.mark.parametrize("order", [1, -1])
def test_too_few_seals_accuse_nobody(order):
    weak = replace(RIVAL, sealers=RIVAL.sealers[:2])
    with pytest.raises(SealsTooFew):
        qbft.find_misbehaviour(state_after(FIRST), *[SECOND.sealed(), weak.sealed()][::order])


@pytest.mark.parametrize("order", [1, -1])
def test_strangers_accuse_nobody(order):
    strangers = chain.ascending("wxyz")
    forged = replace(RIVAL, validators=strangers, sealers=strangers[:3])
    with pytest.raises(SealForeign):
        qbft.find_misbehaviour(state_after(FIRST), *[SECOND.sealed(), forged.sealed()][::order])


def test_another_form_accuses_nobody():
    with pytest.raises(DifficultyInvalid):
        qbft.find_misbehaviour(state_after(FIRST), SECOND.sealed(), replace(RIVAL, difficulty=2).sealed())


def test_the_set_of_a_later_height_is_not_known_yet():
    with pytest.raises(HeaderGap):
        qbft.find_misbehaviour(state_after(), SECOND.sealed(), RIVAL.sealed())


def test_the_set_of_a_height_before_the_pin_is_not_known():
    state = qbft.bootstrap(
        chain.next_spec(SECOND).sealed(), BlockHash(chain.next_spec(SECOND).hash()), qbft.QbftConfiguration()
    )
    with pytest.raises(HeightNotRetained):
        qbft.find_misbehaviour(state, SECOND.sealed(), RIVAL.sealed())


def test_a_removed_validator_accuses_with_the_set_of_its_time():
    gone = chain.ascending("abcd")[3]
    spec, specs = GENESIS, []
    for voter in GENESIS.validators[:3]:
        spec = chain.next_spec(spec, vote=(chain.address(gone), False), proposer=chain.address(voter))
        specs.append(spec)
    state = state_after(*specs)
    sealers = (gone, *spec.validators[:2])
    rival = replace(spec, state_root=keccak256(b"rival"), sealers=sealers)
    assert qbft.find_misbehaviour(state, spec.sealed(), rival.sealed()).height == 3
    later = chain.next_spec(spec, validators=spec.validators[:3])
    forged = replace(later, state_root=keccak256(b"rival"), sealers=(gone, later.validators[0]))
    with pytest.raises(SealForeign):
        qbft.find_misbehaviour(state, later.sealed(), forged.sealed())
