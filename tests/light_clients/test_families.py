"""Light clients by name."""

import inspect

import pytest

from light_clients import qbft
from light_clients.errors import ConfigurationInvalid
from light_clients.families import FAMILIES, client_named
from light_clients.protocol import LightClient


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
            assert list(inspect.signature(getattr(FAMILIES[name], function)).parameters) == expected
