"""The state as bytes: both ways, bounded, and everything damaged is refused by one name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients import qbft, rlp
from light_clients.bft.state_bytes import MAXIMUM_STATE_SIZE, write_state
from light_clients.bft.types import (
    MAXIMUM_SETS,
    MAXIMUM_VALIDATORS,
    MAXIMUM_VOTES,
    WINDOW,
    BftState,
    ValidatorOverride,
    ValidatorSet,
    Vote,
)
from light_clients.errors import StateUnreadable
from light_clients.qbft import state_from_bytes
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support import qbft_chain as chain

FOUR = tuple(chain.addresses("abcd"))
VOTE = Vote(FOUR[0], FOUR[3], add=False)
CONFIGURATION = qbft.QbftConfiguration(
    dialect=qbft.Dialect.GOQUORUM,
    epoch_length=150_000,
    trusting_period_s=3600,
    sub_second_blocks=True,
    maximum_drift_s=3,
    overrides=(ValidatorOverride(9, FOUR[:2]), ValidatorOverride(12, FOUR)),
    votes=(VOTE,),
)
STATE = BftState(
    configuration=CONFIGURATION,
    height=7,
    timestamp=chain.START,
    recent=(BlockHash(keccak256(b"6")), BlockHash(keccak256(b"7"))),
    sets=(ValidatorSet(6, FOUR), ValidatorSet(8, FOUR[:3])),
    votes=(VOTE, Vote(FOUR[1], FOUR[2], add=True)),
    frozen=True,
)
ITEMS = ("version", "configuration", "height", "timestamp", "recent", "sets", "votes", "frozen")


def test_both_ways():
    assert state_from_bytes(STATE.to_bytes()) == STATE
    assert write_state(state_from_bytes(write_state(STATE))) == write_state(STATE)


def test_the_largest_state_fits():
    members = tuple(number.to_bytes(20, "big") for number in range(1, MAXIMUM_VALIDATORS + 1))
    largest = replace(
        STATE,
        configuration=replace(CONFIGURATION, overrides=(), votes=()),
        height=2**40,
        recent=tuple(BlockHash(keccak256(b"%d" % number)) for number in range(WINDOW)),
        sets=tuple(ValidatorSet(2**40 - number, members) for number in reversed(range(MAXIMUM_SETS))),
        votes=tuple(Vote(members[0], number.to_bytes(20, "big"), add=True) for number in range(MAXIMUM_VOTES)),
    )
    data = largest.to_bytes()
    assert len(data) < MAXIMUM_STATE_SIZE
    assert state_from_bytes(data) == largest


def damaged(name, value):
    items = rlp.decode_list(STATE.to_bytes())
    items[ITEMS.index(name)] = value
    return rlp.encode(items)


def damaged_configuration(index, value):
    configuration = rlp.decode_list(STATE.to_bytes())[1]
    configuration[index] = value
    return damaged("configuration", configuration)


DAMAGED = {
    "nothing": b"",
    "a string": b"\x85state",
    "an empty list": b"\xc0",
    "another version": damaged("version", b"\x02"),
    "an item left out": rlp.encode(rlp.decode_list(STATE.to_bytes())[:-1]),
    "an item too many": rlp.encode([*rlp.decode_list(STATE.to_bytes()), b""]),
    "height with a leading zero": damaged("height", b"\x00\x07"),
    "height as a list": damaged("height", []),
    "no recent blocks": damaged("recent", []),
    "recent blocks as a string": damaged("recent", b""),
    "more recent blocks than blocks": damaged("height", b""),
    "a zero block hash": damaged("recent", [bytes(32)]),
    "a block hash of 31 bytes": damaged("recent", [b"\x01" * 31]),
    "a block hash that is a list": damaged("recent", [[]]),
    "too many recent blocks": damaged("recent", [keccak256(b"block")] * (WINDOW + 1)),
    "no sets": damaged("sets", []),
    "too many sets": damaged("sets", [[b"\x06", list(FOUR)]] * (MAXIMUM_SETS + 1)),
    "an empty set": damaged("sets", [[b"\x06", []]]),
    "a set not ascending": damaged("sets", [[b"\x06", list(FOUR[::-1])]]),
    "a set of the far future": damaged("sets", [[b"\x09", list(FOUR)]]),
    "an address of 19 bytes": damaged("sets", [[b"\x06", [FOUR[0][:19]]]]),
    "a vote of two items": damaged("votes", [[FOUR[0], FOUR[1]]]),
    "a vote of another kind": damaged("votes", [[FOUR[0], FOUR[1], b"\x02"]]),
    "too many votes": damaged("votes", [[FOUR[0], FOUR[1], b"\x01"]] * (MAXIMUM_VOTES + 1)),
    "frozen by half": damaged("frozen", b"\x02"),
    "another dialect": damaged_configuration(0, b"pantheon"),
    "a dialect that is no text": damaged_configuration(0, b"\xff\xfe"),
    "an epoch of no block": damaged_configuration(1, b""),
    "an override of one item": damaged_configuration(5, [[b"\x09"]]),
    "too large": b"\x00" * (MAXIMUM_STATE_SIZE + 1),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_state(name):
    with pytest.raises(StateUnreadable):
        state_from_bytes(DAMAGED[name])


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_read_as_written(position, mask):
    data = bytearray(STATE.to_bytes())
    data[position % len(data)] ^= mask
    try:
        state = state_from_bytes(bytes(data))
    except StateUnreadable:
        return
    assert state != STATE
    assert state.to_bytes() == bytes(data)
