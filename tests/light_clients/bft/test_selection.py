"""Configurations that cannot be: orders, contradictions, and what belongs to another family."""

import pytest

from light_clients import ibft, ibft2, qbft
from light_clients.bft.types import HEADER_SELECTION, SelectionMode, ValidatorOverride, ValidatorSelection
from light_clients.errors import ConfigurationInvalid, StateUnreadable
from schemas.primitives import BlockHash
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain

FOUR = tuple(chain.addresses("abcd"))
CONTRACT = ValidatorSelection(0, SelectionMode.CONTRACT, family.CONTRACT, 0, bytes(32))
HEADER = ValidatorSelection(9, SelectionMode.HEADER)
PINNED = ValidatorSelection(9, SelectionMode.PINNED)


def selecting(*selections, overrides=()):
    return {"selections": selections, "overrides": tuple(ValidatorOverride(height, FOUR) for height in overrides)}


BAD = {
    "another dialect": ("The dialect", {"dialect": qbft.Dialect.GOQUORUM_IBFT}),
    "selections descending": ("ascending", selecting(HEADER, CONTRACT)),
    "two selections of one height": ("ascending", selecting(CONTRACT, CONTRACT)),
    "selection below zero": ("ascending", selecting(ValidatorSelection(-1, SelectionMode.HEADER))),
    "address of 19 bytes": ("20 bytes", selecting(ValidatorSelection(0, SelectionMode.CONTRACT, bytes(19)))),
    "no address": ("20 bytes", selecting(ValidatorSelection(0, SelectionMode.CONTRACT))),
    "slot of 33 bytes": ("20 bytes", selecting(ValidatorSelection(0, SelectionMode.CONTRACT, bytes(20), 2**256))),
    "slot below zero": ("20 bytes", selecting(ValidatorSelection(0, SelectionMode.CONTRACT, bytes(20), -1))),
    "code of 31 bytes": (
        "20 bytes",
        selecting(ValidatorSelection(0, SelectionMode.CONTRACT, bytes(20), 0, bytes(31))),
    ),
    "headers with an address": ("Only a contract", selecting(ValidatorSelection(0, SelectionMode.HEADER, bytes(20)))),
    "headers with a slot": ("Only a contract", selecting(ValidatorSelection(0, SelectionMode.HEADER, b"", 1))),
    "headers with code": ("Only a contract", selecting(ValidatorSelection(0, SelectionMode.HEADER, b"", 0, b"1"))),
    "pinned nobody": ("give an override", selecting(PINNED)),
    "pinned from a later block on": ("give an override", selecting(PINNED, overrides=(10,))),
    "contract that ends with nobody": ("give an override", selecting(CONTRACT, HEADER)),
    "pinned that ends with nobody": (
        "give an override",
        selecting(PINNED, ValidatorSelection(12, SelectionMode.HEADER), overrides=(9,)),
    ),
    "override under a contract": ("where a contract selects", selecting(CONTRACT, overrides=(4,))),
    "contract in GoQuorum": ("Only Besu", {**selecting(CONTRACT), "dialect": qbft.Dialect.GOQUORUM}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be(name):
    match, fields = BAD[name]
    with pytest.raises(ConfigurationInvalid, match=match):
        qbft.QbftConfiguration(**fields)


def test_no_contract_in_the_other_families():
    for configuration in (ibft2.Ibft2Configuration, ibft.IbftConfiguration):
        with pytest.raises(ConfigurationInvalid, match="Only Besu"):
            configuration(selections=(CONTRACT,))


def test_what_holds_at_a_height():
    configuration = qbft.QbftConfiguration(
        selections=(ValidatorSelection(5, SelectionMode.CONTRACT, family.CONTRACT), HEADER),
        overrides=(ValidatorOverride(9, FOUR),),
    )
    assert [configuration.selection_at(height).mode for height in (0, 4, 5, 8, 9, 99)] == [
        "header",
        "header",
        "contract",
        "contract",
        "header",
        "header",
    ]
    assert qbft.QbftConfiguration().selection_at(7) is HEADER_SELECTION


def test_pinned_from_the_first_block_on():
    assert qbft.QbftConfiguration(**selecting(ValidatorSelection(0, SelectionMode.PINNED), overrides=(1,)))


def test_a_configuration_of_another_family_is_refused():
    first = family.first_of(family.Ibft2Spec)
    for configuration in (qbft.QbftConfiguration(), ibft.IbftConfiguration()):
        with pytest.raises(ConfigurationInvalid, match="another family"):
            ibft2.bootstrap(first.sealed(), BlockHash(first.hash()), configuration)


def test_a_state_of_another_family_is_not_read():
    first = family.first_of(family.Ibft2Spec)
    state = ibft2.bootstrap(first.sealed(), BlockHash(first.hash()), ibft2.Ibft2Configuration())
    for client in (qbft, ibft):
        with pytest.raises(StateUnreadable):
            client.state_from_bytes(state.to_bytes())
