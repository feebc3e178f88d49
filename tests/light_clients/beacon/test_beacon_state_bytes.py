"""The state as bytes, and the configuration that stands in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from light_clients import beacon
from light_clients.beacon.state_bytes import MAXIMUM_STATE_SIZE, STATE_VERSION
from light_clients.errors import ConfigurationInvalid, StateUnreadable
from tests.support.beacon_chain import BeaconChain

CHAIN = BeaconChain()
START = CHAIN.trusted(16)
LATER = CHAIN.advance(START, CHAIN.update(40, 24), 41)


@pytest.mark.parametrize("state", [START, LATER, LATER.freeze(), BeaconChain((0, 0)).trusted(8)])
def test_a_state_comes_back_and_goes_on(state):
    data = state.to_bytes()
    assert beacon.state_from_bytes(data) == state
    assert beacon.state_from_bytes(data).to_bytes() == data
    assert data[0] == STATE_VERSION


def test_a_state_that_was_read_follows_the_chain():
    assert CHAIN.advance(beacon.state_from_bytes(LATER.to_bytes()), CHAIN.update(90, 72), 91).height == 72


def test_damaged_states_are_refused():
    data = LATER.to_bytes()
    empty_window = replace(LATER, recent=()).to_bytes()
    twice = replace(LATER, recent=(*LATER.recent, LATER.recent[-1])).to_bytes()
    for damaged in (
        b"",
        b"\x02" + data[1:],
        data[:1] + b"\x02" + data[2:],
        data[:1],
        data[:-1],
        data + b"\x00",
        bytes(MAXIMUM_STATE_SIZE + 1),
        empty_window,
        twice,
        data[:2] + bytes(32) + bytes(8) + bytes(8) + data[50:],
    ):
        with pytest.raises(StateUnreadable):
            beacon.state_from_bytes(damaged)


def test_a_flag_is_0_or_1_and_a_block_has_a_hash():
    data = LATER.to_bytes()
    frozen = LATER.freeze().to_bytes()
    (place,) = [index for index in range(len(data)) if data[index] != frozen[index]]
    with pytest.raises(StateUnreadable, match="flag"):
        beacon.state_from_bytes(data[:place] + b"\x02" + data[place + 1 :])
    at = data.index(LATER.block_hash)
    with pytest.raises(StateUnreadable, match="damaged"):
        beacon.state_from_bytes(data[:at] + bytes(32) + data[at + 32 :])


def test_a_full_state_of_mainnet_is_within_its_bound():
    committee = beacon.SyncCommittee(bytes(48 * 513))
    configuration = replace(CHAIN.configuration, preset=beacon.MAINNET)
    recent = tuple(replace(LATER.newest, slot=slot) for slot in range(256))
    data = beacon.BeaconState(configuration, recent, committee, committee).to_bytes()
    assert len(data) < MAXIMUM_STATE_SIZE
    assert beacon.state_from_bytes(data).configuration == configuration


@pytest.mark.parametrize(
    "change",
    [
        {"forks": ()},
        {"forks": CHAIN.configuration.forks[1:]},
        {"forks": (replace(CHAIN.configuration.forks[0], epoch=1),)},
        {"forks": (CHAIN.configuration.forks[0], replace(CHAIN.configuration.forks[1], version=b"\x01"))},
        {"forks": (replace(CHAIN.configuration.forks[0]), beacon.Fork("altair", 2**64, bytes(4)))},
        {
            "forks": (
                *CHAIN.configuration.forks[:2],
                beacon.Fork("bellatrix", 3, bytes(4)),
                beacon.Fork("capella", 2, bytes(4)),
            )
        },
        {"preset": beacon.Preset(1, 1, 1)},
        {"genesis_time": -1},
        {"seconds_per_slot": 0},
        {"checkpoint_age_limit_s": 0},
        {"maximum_drift_s": 2**64},
    ],
)
def test_options_out_of_range_are_refused(change):
    with pytest.raises(ConfigurationInvalid):
        replace(CHAIN.configuration, **change)


def test_a_state_knows_the_blocks_of_its_window_alone():
    assert LATER.oldest_height == START.height
    assert [LATER.hash_at(block.height) for block in LATER.recent] == [block.block_hash for block in LATER.recent]
    assert LATER.hash_at(LATER.height + 1) is None
