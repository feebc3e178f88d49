"""Light clients by name."""

import inspect

import pytest

from light_clients import qbft
from light_clients.errors import ConfigurationInvalid
from light_clients.families import (
    ETHEREUM_FAMILIES,
    FAMILIES,
    NOTE_FAMILIES,
    client_named,
    header_hash,
    is_sealed,
    note_judge_named,
)
from light_clients.protocol import LightClient, NoteJudge
from schemas.suites import keccak256
from tests.support import bft_chain
from tests.support import qbft_chain as chain


def test_qbft_by_name():
    assert client_named("qbft") is qbft


def test_a_name_that_nobody_has():
    with pytest.raises(ConfigurationInvalid, match="choose one of qbft"):
        client_named("proof-of-hope")


def test_notes_have_a_form_of_their_own_on_some_families_only():
    with pytest.raises(ConfigurationInvalid, match="'qbft'"):
        note_judge_named("qbft")


def check_face(module, face):
    """A module has every function of a face, with its parameters."""
    for function, declared in inspect.getmembers(face, inspect.isfunction):
        if not function.startswith("_"):
            expected = list(inspect.signature(declared).parameters)[1:]
            assert list(inspect.signature(getattr(module, function)).parameters) == expected


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_the_whole_face(name):
    check_face(client_named(name), LightClient)


@pytest.mark.parametrize("name", NOTE_FAMILIES)
def test_every_family_with_notes_of_its_own_judges_them(name):
    check_face(note_judge_named(name), NoteJudge)


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
