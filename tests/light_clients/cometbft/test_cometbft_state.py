"""The stored form of the state and of evidence."""

import random
from dataclasses import replace

import pytest

from light_clients import cometbft, rlp
from light_clients.cometbft.state_bytes import MAXIMUM_STATE_SIZE, STATE_VERSION
from light_clients.cometbft.types import Anchor, CometbftConfiguration, CometbftEvidence
from light_clients.errors import ClaimMalformed, StateUnreadable
from schemas.primitives import BlockHash
from tests.support.cometbft_chain import START, Chain

CONFIGURATION = CometbftConfiguration(1000, 2000, 3, 2, 5, 11)


def anchor(height, **fields):
    made = Anchor(
        height, BlockHash(bytes([height % 255 + 1]) * 32), (START + height) * 10**9 + height, b"a" * 32, b"n" * 32
    )
    return replace(made, **fields)


def state_with(*anchors):
    return replace(Chain().bootstrap(CONFIGURATION), anchors=tuple(anchors))


def test_a_state_goes_round():
    for state in (Chain().bootstrap(), state_with(anchor(1), anchor(7)), state_with(anchor(5, app_hash=b"")).freeze()):
        assert cometbft.state_from_bytes(state.to_bytes()) == state


def test_a_state_that_goes_round_judges_as_before():
    chain = Chain()
    state = cometbft.state_from_bytes(chain.bootstrap().to_bytes())
    assert cometbft.verify_header(state, chain.grow().bundle(), START + 60).height == 2


def test_ten_thousand_headers_leave_the_same_size():
    state, sizes = Chain().bootstrap(), set()
    for height in range(2, 10_002):
        state = cometbft.apply(state, cometbft.VerifiedCometbftHeader(anchor(height)))
        if height > 1_000 and height % 1_000 == 0:
            sizes.add(len(state.to_bytes()))
    assert len(state.anchors) == 256
    assert max(sizes) - min(sizes) <= 256
    assert max(sizes) < 40_000


def spoiled(place, value, state=None):
    items = rlp.decode_list((state or state_with(anchor(1), anchor(2))).to_bytes())
    items[place] = value
    return rlp.encode(items)


def anchor_items(**fields):
    made = anchor(1)
    items = {
        "height": b"\x01",
        "block_hash": made.block_hash,
        "time": b"\x01",
        "app_hash": made.app_hash,
        "next": made.next_validators_hash,
        **fields,
    }
    return list(items.values())


NUMBERS = [b"\x64", b"\xc8", b"", b"\x01", b"\x03", b"\x0b"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        bytes(MAXIMUM_STATE_SIZE + 1),
        spoiled(0, bytes([STATE_VERSION + 1])),
        spoiled(1, b""),
        spoiled(1, NUMBERS[:5]),
        spoiled(1, [b"", *NUMBERS[1:]]),
        spoiled(2, b"\xff"),
        spoiled(2, []),
        spoiled(3, []),
        spoiled(3, b""),
        spoiled(3, [b""]),
        spoiled(3, [anchor_items()[:4]]),
        spoiled(3, [anchor_items(height=b"")]),
        spoiled(3, [anchor_items(block_hash=b"short")]),
        spoiled(3, [anchor_items(block_hash=bytes(32))]),
        spoiled(3, [anchor_items(app_hash=b"a" * 65)]),
        spoiled(3, [anchor_items(next=b"n" * 31)]),
        spoiled(3, [anchor_items(time=b"\x01" * 10)]),
        spoiled(3, [anchor_items(), anchor_items(time=b"\x02")]),
        spoiled(3, [anchor_items(), anchor_items(height=b"\x02")]),
        spoiled(4, b"\x02"),
        rlp.encode([*rlp.decode_list(state_with(anchor(1)).to_bytes()), b""]),
        state_with(*(anchor(height) for height in range(1, 258))).to_bytes(),
    ],
)
def test_a_damaged_state_is_unreadable(data):
    with pytest.raises(StateUnreadable):
        cometbft.state_from_bytes(data)


def test_the_sound_parts_of_those_cases_are_readable():
    assert cometbft.state_from_bytes(spoiled(1, NUMBERS)).configuration == CometbftConfiguration(100, 200, 0, 1, 3, 11)
    assert cometbft.state_from_bytes(spoiled(3, [anchor_items()])).height == 1
    pair = [anchor_items(), anchor_items(height=b"\x02", time=b"\x02")]
    assert cometbft.state_from_bytes(spoiled(3, pair)).height == 2


def test_any_damage_is_unreadable_or_read():
    chance, good, unreadable = random.Random(7), state_with(anchor(1), anchor(2)).to_bytes(), 0
    for _ in range(2000):
        data = bytearray(good)
        data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            cometbft.state_from_bytes(bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.2 else data))
        except StateUnreadable:
            unreadable += 1
    assert unreadable > 500


def test_evidence_goes_round():
    for evidence in (CometbftEvidence(b"head", b"store", b"code"), CometbftEvidence(b"head", b"store")):
        assert CometbftEvidence.from_bytes(evidence.to_bytes()) == evidence


@pytest.mark.parametrize(
    "data", [b"", b"\xff", rlp.encode([b"a", b"b"]), rlp.encode([b"a", b"b", [b"c"]]), rlp.encode([b""] * 4)]
)
def test_evidence_that_is_none_is_refused(data):
    with pytest.raises(ClaimMalformed):
        CometbftEvidence.from_bytes(data)


def test_a_state_knows_the_blocks_of_its_window_alone():
    state = state_with(anchor(3), anchor(7))
    assert (state.oldest_height, state.hash_at(3), state.hash_at(7)) == (3, anchor(3).block_hash, anchor(7).block_hash)
    assert state.hash_at(5) is state.hash_at(2) is state.hash_at(8) is None
