"""Options of light clients that a person writes: read and written again they are the same; what is wrong is named."""

from dataclasses import dataclass, replace
from importlib import import_module

import pytest

from light_clients.beacon.types import MINIMAL, BeaconConfiguration, Fork
from light_clients.cometbft.types import CometbftConfiguration
from light_clients.errors import ConfigurationInvalid
from light_clients.fabric.types import FabricConfiguration
from light_clients.plain_options import read_plain, write_plain
from schemas.primitives import Bytes32


@dataclass(frozen=True)
class Plain:
    """Of each kind one; annotated with types, not with their names."""

    name: str
    number: int = 3
    switch: bool = False


FULL = {"name": "x", "number": 4, "switch": True}


def test_what_is_not_said_has_its_default():
    assert read_plain(Plain, {"name": "x"}) == Plain("x")
    assert read_plain(Plain, FULL) == Plain("x", 4, True)


@pytest.mark.parametrize("said", [FULL, {"name": "x"}, {"name": "", "switch": True}])
def test_written_and_read_again(said):
    assert write_plain(read_plain(Plain, said)) == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "The option name is missing"),
        ({"name": "x", "other": 1}, "no option 'other'; the options are name, number, switch"),
        ({"name": 1}, "name is a text"),
        ({"name": "x", "number": True}, "number is a whole number"),
        ({"name": "x", "number": 1.0}, "number is a whole number"),
        ({"name": "x", "switch": 1}, "switch is true or false"),
    ],
)
def test_what_is_wrong_is_named(options, said):
    with pytest.raises(ConfigurationInvalid, match=said):
        read_plain(Plain, options)


BEACON = BeaconConfiguration(
    Bytes32(b"\x07" * 32),
    1_600_000_000,
    (Fork("phase0", 0, bytes(4)), Fork("altair", 2, b"\x01\0\0\0")),
    preset=MINIMAL,
)


@pytest.mark.parametrize(
    ("family", "configuration"),
    [
        ("cometbft", CometbftConfiguration()),
        ("cometbft", CometbftConfiguration(trusting_period_s=60, unbonding_period_s=90)),
        ("fabric", FabricConfiguration(channel="trade")),
        ("beacon", BEACON),
        ("beacon", replace(BEACON, seconds_per_slot=6, maximum_drift_s=4)),
    ],
)
def test_every_family(family, configuration):
    options = import_module(f"light_clients.{family}.options")
    assert options.read_options(options.write_options(configuration)) == configuration


@pytest.mark.parametrize(("family", "option"), [("cometbft", "trusting_period_s"), ("fabric", "channel")])
def test_every_family_refuses(family, option):
    options = import_module(f"light_clients.{family}.options")
    with pytest.raises(ConfigurationInvalid, match=option):
        options.read_options({option: b""})


class TestBeacon:
    def said(self, **changes):
        from light_clients.beacon.options import write_options

        return {name: value for name, value in (write_options(BEACON) | changes).items() if value is not None}

    def test_the_usual_preset(self):
        from light_clients.beacon.options import read_options

        assert read_options(self.said(preset=None)).preset != MINIMAL

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"other": 1}, "no option 'other'"),
            ({"genesis_time": "1"}, "genesis_time is a whole number"),
            ({"seconds_per_slot": -1}, "seconds_per_slot is a whole number"),
            ({"preset": "mine"}, "one of mainnet, minimal"),
            ({"forks": {}}, "forks is a list"),
            ({"forks": [1]}, "a name, an epoch and a version"),
            ({"forks": [{"name": "phase0"}]}, "a name, an epoch and a version"),
            ({"forks": [{"name": 1, "epoch": 0, "version": "0x00000000"}]}, "name of a fork is a text"),
            ({"forks": [{"name": "phase0", "epoch": True, "version": "0x00000000"}]}, "epoch is a whole number"),
            ({"forks": [{"name": "phase0", "epoch": 0, "version": "0x00"}]}, "version is 4 bytes"),
            ({"genesis_validators_root": "0xzz"}, "32 bytes in hexadecimal"),
            ({"genesis_validators_root": 7}, "32 bytes in hexadecimal"),
            ({"genesis_validators_root": None}, "genesis_validators_root is missing"),
            ({"genesis_time": None}, "genesis_time is missing"),
            ({"forks": None}, "forks is missing"),
        ],
    )
    def test_what_is_wrong_is_named(self, changes, words):
        from light_clients.beacon.options import read_options

        with pytest.raises(ConfigurationInvalid, match=words):
            read_options(self.said(**changes))

    def test_presets_are_those_that_have_a_name(self):
        own = replace(MINIMAL, committee_size=16)
        with pytest.raises(ConfigurationInvalid, match="preset"):
            replace(BEACON, preset=own)
