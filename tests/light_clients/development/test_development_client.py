"""The development client: one history by parent links, nobody accused, and every refusal by name."""

from dataclasses import replace

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from light_clients import development, rlp
from light_clients.development.codec import MAXIMUM_STATE_SIZE
from light_clients.development.types import WINDOW
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimMalformed,
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    HeaderBehind,
    HeaderFieldInvalid,
    HeaderGap,
    HeaderTooLarge,
    HeadMismatch,
    HeightNotReached,
    HeightNotRetained,
    ParentMismatch,
    PinMismatch,
    RlpRefused,
    StateUnreadable,
    TimestampNotIncreasing,
)
from light_clients.proofs.gateway import head_slot
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import keccak256
from tests.support import qbft_chain as chain

LANE = LaneId(keccak256(b"lane"))
HEAD = Head(keccak256(b"head"))
STORAGE = chain.Storage({head_slot(LANE, 0): HEAD})


def header(parent_hash=bytes(32), number=0, timestamp=chain.START, items=None):
    fields = [
        parent_hash,
        bytes(32),
        bytes(20),
        STORAGE.root,
        bytes(32),
        bytes(32),
        bytes(256),
        0,
        number,
        1,
        0,
        timestamp,
        b"",
        bytes(32),
        bytes(8),
    ]
    for index, value in (items or {}).items():
        fields[index] = value
    return oracle.encode(fields)


def after(parent, number, **changes):
    return header(keccak256(parent), number, chain.START + number, **changes)


FIRST = header()
SECOND = after(FIRST, 1)


def pinned(**options):
    return development.bootstrap(FIRST, BlockHash(keccak256(FIRST)), development.DevelopmentConfiguration(**options))


def follow(state, encoded, now=chain.START):
    return development.apply(state, development.verify_header(state, encoded, now))


def grown(count):
    state, last = pinned(), FIRST
    for number in range(1, count + 1):
        last = after(last, number)
        state = follow(state, last)
    return state


def test_headers_are_followed():
    state = follow(pinned(confirmations=3), SECOND)
    assert (state.height, state.block_hash, state.timestamp) == (1, keccak256(SECOND), chain.START + 1)
    assert (state.confirmations, state.frozen) == (3, False)
    assert state.expires_at == state.timestamp + state.configuration.trusting_period_s


def test_time_may_stand_still_but_not_go_back():
    assert follow(pinned(), header(keccak256(FIRST), 1)).height == 1
    with pytest.raises(TimestampNotIncreasing):
        follow(pinned(), header(keccak256(FIRST), 1, chain.START - 1))


@pytest.mark.parametrize(
    ("error", "encoded"),
    [
        (HeaderGap, header(keccak256(FIRST), 2)),
        (HeaderBehind, header(keccak256(FIRST), 0)),
        (ParentMismatch, header(keccak256(b"other"), 1)),
        (HeaderTooLarge, after(FIRST, 1, items={12: bytes(64 * 1024)})),
        (HeaderFieldInvalid, oracle.encode([b""] * 14)),
        (HeaderFieldInvalid, oracle.encode([*oracle.decode(SECOND), *[b""] * 7])),
        (HeaderFieldInvalid, after(FIRST, 1, items={9: [b"\x01"]})),
        (HeaderFieldInvalid, after(FIRST, 1, items={0: bytes(31)})),
        (HeaderFieldInvalid, after(FIRST, 1, items={3: bytes(33)})),
        (RlpRefused, SECOND[:-1]),
        (RlpRefused, after(FIRST, 1, items={11: b"\x00\x01"})),
    ],
)
def test_a_header_is_refused_by_name(error, encoded):
    with pytest.raises(error):
        follow(pinned(), encoded)


def test_frozen_and_expired():
    state = pinned(trusting_period_s=10)
    with pytest.raises(ClientFrozen):
        follow(state.freeze(), SECOND)
    assert follow(state, SECOND, chain.START + 9).height == 1
    with pytest.raises(ClientExpired):
        follow(state, SECOND, chain.START + 10)


def test_another_header_than_the_pinned_one():
    with pytest.raises(PinMismatch):
        development.bootstrap(SECOND, BlockHash(keccak256(FIRST)), development.DevelopmentConfiguration())


@pytest.mark.parametrize(
    "options",
    [{"confirmations": -1}, {"confirmations": 501}, {"trusting_period_s": 0}, {"trusting_period_s": 2**32}],
)
def test_configurations_that_cannot_be(options):
    with pytest.raises(ConfigurationInvalid):
        development.DevelopmentConfiguration(**options)


def test_nobody_is_accused():
    rival = header(keccak256(b"other"), 1)
    assert development.find_misbehaviour(pinned(), SECOND, rival) is None
    for pair in ((SECOND, b"\xc0"), (b"\xc0", SECOND)):
        with pytest.raises(HeaderFieldInvalid):
            development.find_misbehaviour(pinned(), *pair)


def test_the_window_is_bounded():
    state = grown(WINDOW + 1)
    assert (len(state.recent), state.oldest_height, state.height) == (WINDOW, 2, WINDOW + 1)
    assert development.state_from_bytes(state.to_bytes()) == state


# Claims

CLAIM = Claim(LANE, Direction.OUTBOX, 4, HEAD, 1, BlockHash(keccak256(SECOND)))
EVIDENCE = STORAGE.evidence(SECOND, head_slot(LANE, 0))


def judge(state, claim=CLAIM, evidence=EVIDENCE, proved_head=None):
    development.verify_claim(state, claim, evidence, chain.PIN, proved_head)


def test_a_claim_within_the_window():
    judge(grown(1))
    judge(grown(WINDOW))
    judge(grown(1), replace(CLAIM, head=Head(keccak256(b"earlier"))), proved_head=HEAD)


@pytest.mark.parametrize(
    ("error", "claim"),
    [
        (ClaimMalformed, replace(CLAIM, nonce=0)),
        (HeightNotReached, replace(CLAIM, height=2)),
        (ClaimBlockMismatch, replace(CLAIM, block_hash=BlockHash(keccak256(b"other")))),
        (ClaimBlockMismatch, replace(CLAIM, height=0, block_hash=BlockHash(keccak256(FIRST)))),
        (HeadMismatch, replace(CLAIM, head=Head(keccak256(b"other")))),
    ],
)
def test_a_claim_is_refused_by_name(error, claim):
    with pytest.raises(error):
        judge(grown(1), claim)


def test_a_claim_on_a_rival_of_the_accepted_block():
    rival = after(FIRST, 1, items={12: b"rival"})
    with pytest.raises(ClaimBlockMismatch):
        judge(grown(1), replace(CLAIM, block_hash=BlockHash(keccak256(rival))), replace(EVIDENCE, header=rival))
    with pytest.raises(ClaimBlockMismatch):
        judge(grown(1), evidence=replace(EVIDENCE, header=rival))


def test_a_claim_below_the_window_or_on_a_frozen_client():
    with pytest.raises(HeightNotRetained):
        judge(grown(WINDOW + 1))
    with pytest.raises(ClientFrozen):
        judge(grown(1).freeze())


# The state as bytes

STATE = development.DevelopmentState(
    development.DevelopmentConfiguration(2, 60),
    7,
    chain.START,
    (BlockHash(keccak256(b"6")), CLAIM.block_hash),
    frozen=True,
)


def damaged(index, value):
    items = rlp.decode_list(STATE.to_bytes())
    items[index] = value
    return rlp.encode(items)


def test_both_ways():
    assert development.state_from_bytes(STATE.to_bytes()) == STATE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        rlp.encode(rlp.decode_list(STATE.to_bytes())[:-1]),
        damaged(0, b"\x02"),
        damaged(1, b"\xff\xff"),
        damaged(2, b""),
        damaged(3, b""),
        damaged(5, b""),
        damaged(5, []),
        damaged(5, [bytes(32)]),
        damaged(5, [keccak256(b"block")] * (WINDOW + 1)),
        damaged(6, b"\x02"),
        bytes(MAXIMUM_STATE_SIZE + 1),
    ],
)
def test_a_damaged_state(data):
    with pytest.raises(StateUnreadable):
        development.state_from_bytes(data)


@given(st.integers(0, 500), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_read_as_written(position, mask):
    data = bytearray(STATE.to_bytes())
    data[position % len(data)] ^= mask
    try:
        state = development.state_from_bytes(bytes(data))
    except StateUnreadable:
        return
    assert state.to_bytes() == bytes(data)
