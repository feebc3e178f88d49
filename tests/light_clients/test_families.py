"""Light clients by name."""

import inspect

import pytest

from light_clients import qbft
from light_clients.errors import ConfigurationInvalid
from light_clients.families import ETHEREUM_FAMILIES, FAMILIES, client_named, header_hash, is_sealed
from light_clients.protocol import LightClient
from schemas.suites import keccak256
from tests.support import bft_chain
from tests.support import qbft_chain as chain


def test_qbft_by_name():
    assert client_named("qbft") is qbft


def test_a_name_that_nobody_has():
    with pytest.raises(ConfigurationInvalid, match="choose one of qbft"):
        client_named("proof-of-hope")


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_the_whole_face(name):
    for function, declared in inspect.getmembers(LightClient, inspect.isfunction):
        if not function.startswith("_"):
            expected = list(inspect.signature(declared).parameters)[1:]
            assert list(inspect.signature(getattr(client_named(name), function)).parameters) == expected


SAMPLES = {
    "qbft": chain.next_spec(chain.first_spec()),
    "ibft2": bft_chain.next_of(bft_chain.first_of(bft_chain.Ibft2Spec)),
    "ibft": bft_chain.next_of(bft_chain.first_of(bft_chain.IbftSpec)),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_family_has_its_own_hash_and_form(name):
    header = SAMPLES[name].sealed()
    assert header_hash(name, header) == SAMPLES[name].hash()
    assert [family for family in ETHEREUM_FAMILIES if is_sealed(family, header)] == [name]


def test_a_plain_header_has_the_plain_hash_and_no_seals():
    header = chain.first_spec().sealed()
    assert header_hash("development", header) == keccak256(header)
    assert not any(is_sealed(family, header) for family in ETHEREUM_FAMILIES)
