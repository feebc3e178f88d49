"""Transitions that are announced while a client runs: later blocks may change, what is decided may not."""

from dataclasses import replace

import pytest

from light_clients import qbft
from light_clients.bft.reconfigure import reconfigure
from light_clients.bft.types import SelectionMode, ValidatorOverride, ValidatorSelection
from light_clients.errors import ConfigurationInvalid
from schemas.primitives import BlockHash
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain

FIVE = tuple(chain.addresses("abcde"))
FIRST = family.first_of(chain.Spec, number=7)
TOLD = qbft.QbftConfiguration(epoch_length=50, overrides=(ValidatorOverride(3, FIVE),))
STATE = qbft.bootstrap(FIRST.sealed(), BlockHash(FIRST.hash()), TOLD)


def test_a_set_for_a_later_block_takes_its_place():
    announced = replace(TOLD, epoch_length=9, overrides=(*TOLD.overrides, ValidatorOverride(9, FIVE)))
    state = reconfigure(STATE, announced)
    assert state.configuration == replace(announced, epoch_length=50)
    spec = family.next_of(FIRST)
    state = qbft.apply(state, qbft.verify_header(state, spec.sealed(), spec.timestamp))
    assert state.validators == FIVE
    assert qbft.state_from_bytes(state.to_bytes()) == state


def test_what_was_announced_may_be_taken_back():
    later = replace(TOLD, overrides=(*TOLD.overrides, ValidatorOverride(9, FIVE)))
    assert reconfigure(reconfigure(STATE, later), TOLD) == STATE


def test_a_contract_from_a_later_block_on():
    selection = ValidatorSelection(9, SelectionMode.CONTRACT, family.CONTRACT)
    assert reconfigure(STATE, replace(TOLD, selections=(selection,))).configuration.selections == (selection,)


@pytest.mark.parametrize(
    "announced",
    [
        replace(TOLD, overrides=()),
        replace(TOLD, overrides=(*TOLD.overrides, ValidatorOverride(8, FIVE))),
        replace(TOLD, selections=(ValidatorSelection(8, SelectionMode.CONTRACT, family.CONTRACT),)),
    ],
    ids=["set taken back", "set of the next block", "contract from the next block on"],
)
def test_what_is_decided_stays(announced):
    with pytest.raises(ConfigurationInvalid, match="are decided"):
        reconfigure(STATE, announced)


def test_the_dialect_still_has_to_fit():
    state = qbft.bootstrap(
        FIRST.sealed(), BlockHash(FIRST.hash()), qbft.QbftConfiguration(dialect=qbft.Dialect.GOQUORUM)
    )
    selection = ValidatorSelection(9, SelectionMode.CONTRACT, family.CONTRACT)
    with pytest.raises(ConfigurationInvalid, match="Only Besu"):
        reconfigure(state, qbft.QbftConfiguration(selections=(selection,)))
