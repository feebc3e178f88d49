"""What light clients and adapters are told about a ledger's consensus."""

import pytest

from adapters.protocol import LedgerIdentity
from light_clients import ibft, ibft2, qbft
from light_clients.bft.types import SelectionMode, ValidatorOverride, ValidatorSelection
from light_clients.development import DevelopmentConfiguration
from light_clients.errors import ConfigurationInvalid
from relay.clients import (
    adapter_extra,
    client_configuration,
    extra_of_options,
    extra_of_state,
    options_of_state,
    with_announced,
)
from schemas.primitives import BlockHash, ChainId
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain

FOUR = tuple(chain.addresses("abcd"))
ADDRESS = "0x" + family.CONTRACT.hex()
CONTRACT = {"height": 5, "mode": "contract", "contract": ADDRESS, "slot": 3}


def identity(software, *, development=False):
    return LedgerIdentity(ChainId("eip155:7"), BlockHash(b"\x01" * 32), software, development=development)


def test_the_dialect_follows_from_the_software_unless_it_is_said():
    assert client_configuration("qbft", {}, identity("besu/v26")) == qbft.QbftConfiguration()
    goquorum = qbft.QbftConfiguration(dialect=qbft.Dialect.GOQUORUM)
    assert client_configuration("qbft", {}, identity("Geth/v1.10.3-stable(quorum-v24.4.1)")) == goquorum
    assert client_configuration("qbft", {"dialect": "goquorum"}, identity("besu/v26")) == goquorum


def test_a_development_node_may_have_two_blocks_a_second_unless_it_is_said():
    assert client_configuration("ibft2", {}, identity("x", development=True)).sub_second_blocks
    told = {"sub_second_blocks": False}
    assert client_configuration("ibft2", told, identity("x", development=True)) == ibft2.Ibft2Configuration()


def test_each_family_has_its_configuration():
    assert client_configuration("ibft", {"epoch_length": 7}, identity("x")) == ibft.IbftConfiguration(epoch_length=7)
    assert client_configuration("development", {"confirmations": 2}, identity("x")) == DevelopmentConfiguration(2)
    with pytest.raises(ConfigurationInvalid, match="no option 'speed'"):
        client_configuration("ibft", {"speed": 7}, identity("x"))


def test_the_adapter_learns_which_headers_need_a_proof():
    configuration = qbft.QbftConfiguration(
        selections=(
            ValidatorSelection(0, SelectionMode.CONTRACT, family.CONTRACT),
            ValidatorSelection(5, SelectionMode.CONTRACT, family.CONTRACT, 3),
            ValidatorSelection(9, SelectionMode.HEADER),
            ValidatorSelection(20, SelectionMode.CONTRACT, family.CONTRACT),
        ),
        overrides=(ValidatorOverride(9, FOUR),),
    )
    spans = f"{ADDRESS}:0:0:3,{ADDRESS}:3:4:7,{ADDRESS}:0:19"
    assert adapter_extra(configuration) == {"validator_contracts": spans}
    assert adapter_extra(qbft.QbftConfiguration()) == {}
    assert adapter_extra(DevelopmentConfiguration()) == {}


def test_from_options_and_from_a_state():
    wanted = {"validator_contracts": f"{ADDRESS}:3:4"}
    assert extra_of_options("qbft", {"selections": [CONTRACT]}) == wanted
    assert extra_of_options("qbft", {}) == extra_of_options("development", {"confirmations": 1}) == {}
    first = family.first_of(chain.Spec)
    configuration = qbft.QbftConfiguration(
        selections=(ValidatorSelection(5, SelectionMode.CONTRACT, family.CONTRACT, 3),)
    )
    state = qbft.bootstrap(first.sealed(), BlockHash(first.hash()), configuration).to_bytes()
    assert extra_of_state("qbft", state) == wanted
    assert options_of_state("qbft", state) == {"selections": [CONTRACT]}
    assert extra_of_state("development", state) == options_of_state("development", state) == {}


def test_a_kept_state_takes_up_what_was_announced():
    first = family.first_of(family.Ibft2Spec, number=7)
    state = ibft2.bootstrap(first.sealed(), BlockHash(first.hash()), ibft2.Ibft2Configuration())
    told = {"overrides": [{"height": 20, "validators": ["0x" + validator.hex() for validator in FOUR]}]}
    assert with_announced("ibft2", state, told).configuration.overrides == (ValidatorOverride(20, FOUR),)
    assert with_announced("ibft2", state, {}) is state
    assert with_announced("development", state, {"confirmations": 1}) is state
