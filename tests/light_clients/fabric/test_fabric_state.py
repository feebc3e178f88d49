"""The stored state: round trips, bounds, and a size that does not grow."""

import hashlib
from dataclasses import replace

import pytest

from light_clients import errors, fabric, rlp
from light_clients.fabric.state_bytes import MAXIMUM_STATE_SIZE
from light_clients.fabric.types import WINDOW, VerifiedFabricHeader
from schemas.primitives import BlockHash
from tests.support import fabric_chain as f

SCENE = f.scene(f.Network("BFT"))
STATE = SCENE.chain.followed()
ITEMS = rlp.decode_list(STATE.to_bytes())


def test_round_trip():
    for state in (STATE, STATE.freeze(), SCENE.chain.state(heeds_expiry=False, trusting_period_s=7)):
        assert fabric.state_from_bytes(state.to_bytes()) == state
    assert STATE.freeze().frozen
    assert STATE.expires_at == STATE.timestamp + 90 * 24 * 3600


def test_ten_thousand_blocks_leave_the_same_size():
    state, sizes = STATE, set()
    for number in range(10_000):
        block_hash = BlockHash(hashlib.sha256(number.to_bytes(4, "big")).digest())
        state = fabric.apply(state, VerifiedFabricHeader(state.height + 1, block_hash, f.START + 10 + number, None))
        if number in (2_000, 5_000, 9_999):
            sizes.add(len(state.to_bytes()))
    assert len(sizes) == 1
    assert len(state.recent) == WINDOW
    assert state.oldest_height == state.height - WINDOW + 1
    assert fabric.state_from_bytes(state.to_bytes()) == state


def test_a_configuration_takes_the_place_of_the_one_before():
    verified = VerifiedFabricHeader(4, BlockHash(bytes(31) + b"\1"), f.START, STATE.channel_config)
    after = fabric.apply(STATE, verified)
    assert (after.config_height, after.channel_config) == (4, STATE.channel_config)
    assert fabric.apply(STATE, replace(verified, channel_config=None)).config_height == 0


def spoilt(place, item):
    return rlp.encode([*ITEMS[:place], item, *ITEMS[place + 1 :]])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        bytes(MAXIMUM_STATE_SIZE + 1),
        rlp.encode(ITEMS[:-1]),
        rlp.encode([*ITEMS, b""]),
        spoilt(0, b"\x02"),
        spoilt(1, [b"trade", b"\x01"]),
        spoilt(1, [b"", b"\x01", b""]),
        spoilt(1, [b"\xff", b"\x01", b""]),
        spoilt(1, [b"trade", b"", b""]),
        spoilt(1, [b"trade", b"\x01", b"\x02"]),
        spoilt(2, b"junk"),
        spoilt(2, b""),
        spoilt(3, b"\x04"),
        spoilt(4, b"\x01"),
        spoilt(4, b"\x00"),
        spoilt(6, []),
        spoilt(6, [b"short"]),
        spoilt(6, [[]]),
        spoilt(6, [bytes(32)]),
        spoilt(6, [b"\x01" * 32] * (WINDOW + 1)),
        spoilt(7, b"\x05"),
        spoilt(7, []),
    ],
)
def test_what_is_damaged_is_refused(data):
    with pytest.raises(errors.StateUnreadable):
        fabric.state_from_bytes(data)
