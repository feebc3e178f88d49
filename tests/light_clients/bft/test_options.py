"""Options as a person writes them: both ways, and what is wrong is named."""

import tomllib

import pytest
import tomli_w

from light_clients import ibft, ibft2, qbft
from light_clients.bft.options import read_options, write_options
from light_clients.bft.types import Dialect, SelectionMode, ValidatorOverride, ValidatorSelection, Vote
from light_clients.errors import ConfigurationInvalid
from tests.support import qbft_chain as chain

FOUR = tuple(chain.addresses("abcd"))
CONTRACT = ValidatorSelection(20, SelectionMode.CONTRACT, chain.GATEWAY, 7, bytes(chain.CODE_HASH))
FULL = qbft.QbftConfiguration(
    dialect=Dialect.BESU,
    epoch_length=100,
    trusting_period_s=60,
    sub_second_blocks=True,
    maximum_drift_s=0,
    overrides=(ValidatorOverride(9, FOUR), ValidatorOverride(30, FOUR[:2])),
    votes=(Vote(FOUR[0], FOUR[1], add=False),),
    selections=(CONTRACT, ValidatorSelection(30, SelectionMode.HEADER)),
)
TEXT = """
dialect = "goquorum"
epoch_length = 10
[[overrides]]
height = 3
validators = ["{b}", "{a}"]
[[selections]]
height = 3
mode = "pinned"
[[votes]]
voter = "{a}"
subject = "{b}"
add = true
"""


@pytest.mark.parametrize(
    "configuration",
    [
        FULL,
        qbft.QbftConfiguration(),
        qbft.QbftConfiguration(dialect=Dialect.GOQUORUM),
        ibft2.Ibft2Configuration(epoch_length=7),
        ibft.IbftConfiguration(),
    ],
)
def test_both_ways_through_toml(configuration):
    told = tomllib.loads(tomli_w.dumps(write_options(configuration)))
    assert read_options(type(configuration), told) == configuration


def test_defaults_are_not_told():
    assert write_options(ibft2.Ibft2Configuration()) == {}
    assert write_options(qbft.QbftConfiguration(dialect=Dialect.GOQUORUM)) == {"dialect": "goquorum"}


def test_what_a_person_writes():
    a, b = (chain.address(label) for label in "ab")
    told = tomllib.loads(TEXT.format(a="0x" + a.hex().upper(), b=b.hex()))
    configuration = read_options(qbft.QbftConfiguration, told)
    assert configuration.overrides == (ValidatorOverride(3, tuple(sorted((a, b)))),)
    assert configuration.selections == (ValidatorSelection(3, SelectionMode.PINNED),)
    assert configuration.votes == (Vote(a, b, add=True),)
    assert (configuration.dialect, configuration.epoch_length) == (Dialect.GOQUORUM, 10)


BAD = {
    "unknown": ("no option 'speed'; the options are", {"speed": 1}),
    "number as text": ("epoch_length is a whole number", {"epoch_length": "10"}),
    "number as truth": ("epoch_length is a whole number", {"epoch_length": True}),
    "number below zero": ("maximum_drift_s is a whole number", {"maximum_drift_s": -1}),
    "truth as number": ("sub_second_blocks is true or false", {"sub_second_blocks": 1}),
    "dialect of nobody": ("dialect is one of besu", {"dialect": "geth"}),
    "overrides as table": ("overrides is a list", {"overrides": {}}),
    "override as number": ("entry of overrides has height, validators", {"overrides": [3]}),
    "override without validators": ("entry of overrides has height, validators", {"overrides": [{"height": 3}]}),
    "override with more": (
        "entry of overrides has",
        {"overrides": [{"height": 3, "validators": [], "weight": 1}]},
    ),
    "address of 19 bytes": (
        "validators is 20 bytes",
        {"overrides": [{"height": 3, "validators": ["0x" + "11" * 19]}]},
    ),
    "address of other letters": (
        "validators is 20 bytes",
        {"overrides": [{"height": 3, "validators": ["0x" + "zz" * 20]}]},
    ),
    "address as number": ("validators is 20 bytes", {"overrides": [{"height": 3, "validators": [7]}]}),
    "mode of nobody": ("mode is one of header, contract, pinned", {"selections": [{"height": 3, "mode": "vote"}]}),
    "vote without kind": ("entry of votes has voter, subject, add", {"votes": [{"voter": "", "subject": ""}]}),
    "out of range": ("at least 1 block", {"epoch_length": 0}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(name):
    match, options = BAD[name]
    with pytest.raises(ConfigurationInvalid, match=match):
        read_options(qbft.QbftConfiguration, options)
