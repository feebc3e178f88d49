"""What each refusal of `verify` tells a person: the sentence, what the rule asks for, what was found."""

from dataclasses import replace

import pytest
import rlp as oracle

from light_clients import development, errors
from light_clients.development.types import WINDOW
from light_clients.proofs.gateway import head_slot
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import keccak256
from tests.support import qbft_chain as chain

LANE = LaneId(keccak256(b"lane"))
HEAD = Head(keccak256(b"head"))
OTHER = keccak256(b"other")
STORAGE = chain.Storage({head_slot(LANE, 0): HEAD})
NOW = chain.START + 5


def header(parent_hash, number, timestamp, extra=b""):
    fields = [parent_hash, bytes(32), bytes(20), STORAGE.root, bytes(32), bytes(32), bytes(256), 0, number, 1, 0]
    return oracle.encode([*fields, timestamp, extra, bytes(32), bytes(8)])


def hash_of(encoded):
    return BlockHash(keccak256(encoded))


FIRST = header(bytes(32), 3, chain.START)
SECOND = header(hash_of(FIRST), 4, chain.START + 1)
THIRD = header(hash_of(SECOND), 5, chain.START + 2)
RIVAL = header(hash_of(FIRST), 4, chain.START + 1, b"rival")
OPTIONS = development.DevelopmentConfiguration(trusting_period_s=100)
PINNED = development.bootstrap(FIRST, hash_of(FIRST), OPTIONS)
STATE = development.apply(PINNED, development.verify_header(PINNED, SECOND, NOW))
CLAIM = Claim(LANE, Direction.OUTBOX, 4, HEAD, 4, hash_of(SECOND))
EVIDENCE = STORAGE.evidence(SECOND, head_slot(LANE, 0))
FULL = replace(STATE, height=3 + WINDOW, recent=(BlockHash(OTHER),) * WINDOW)


def judge(encoded, state=STATE, now=NOW):
    return lambda: development.verify_header(state, encoded, now)


def claim(state=STATE, evidence=EVIDENCE, proved_head=None, **changes):
    return lambda: development.verify_claim(state, replace(CLAIM, **changes), evidence, chain.PIN, proved_head)


def shown(value):
    return "0x" + value.hex()


CASES = [
    (
        lambda: development.bootstrap(FIRST, BlockHash(OTHER), OPTIONS),
        errors.PinMismatch,
        "The header is not the pinned one.",
        shown(OTHER),
        shown(hash_of(FIRST)),
    ),
    (judge(THIRD, STATE.freeze()), errors.ClientFrozen, "The light client is frozen.", None, 4),
    (
        judge(THIRD, now=chain.START + 101),
        errors.ClientExpired,
        "The trusting period of the light client is over.",
        chain.START + 101,
        chain.START + 101,
    ),
    (
        judge(THIRD, now=chain.START + 999),
        errors.ClientExpired,
        "The trusting period of the light client is over.",
        chain.START + 101,
        chain.START + 999,
    ),
    (judge(header(hash_of(SECOND), 6, NOW)), errors.HeaderGap, "Headers are missing.", 5, 6),
    (judge(header(hash_of(SECOND), 9, NOW)), errors.HeaderGap, "Headers are missing.", 5, 9),
    (judge(SECOND), errors.HeaderBehind, "This height was accepted already.", 5, 4),
    (judge(FIRST), errors.HeaderBehind, "This height was accepted already.", 5, 3),
    (
        judge(header(OTHER, 5, NOW)),
        errors.ParentMismatch,
        "The parent is another one.",
        shown(hash_of(SECOND)),
        shown(OTHER),
    ),
    (
        judge(header(hash_of(SECOND), 5, chain.START)),
        errors.TimestampNotIncreasing,
        "Time must not go back.",
        chain.START + 1,
        chain.START,
    ),
    (claim(STATE.freeze()), errors.ClientFrozen, "The light client is frozen.", None, 4),
    (claim(height=5), errors.HeightNotReached, "The header was not seen yet.", 5, 4),
    (claim(height=9), errors.HeightNotReached, "The header was not seen yet.", 9, 4),
    (claim(height=2), errors.HeightNotRetained, "The height is no longer kept.", 3, 2),
    (claim(FULL, height=3), errors.HeightNotRetained, "The height is no longer kept.", 4, 3),
    (
        claim(block_hash=BlockHash(OTHER)),
        errors.ClaimBlockMismatch,
        "Another block was accepted.",
        shown(hash_of(SECOND)),
        shown(OTHER),
    ),
    (
        claim(evidence=replace(EVIDENCE, header=RIVAL)),
        errors.ClaimBlockMismatch,
        "The header is another.",
        shown(hash_of(SECOND)),
        shown(hash_of(RIVAL)),
    ),
    (
        claim(proved_head=Head(OTHER)),
        errors.HeadMismatch,
        "The gateway holds another head.",
        shown(OTHER),
        shown(HEAD),
    ),
]


@pytest.mark.parametrize(("judge", "error", "message", "expected", "found"), CASES)
def test_a_refusal_tells_what_is_wrong(judge, error, message, expected, found):
    with pytest.raises(error) as caught:
        judge()
    told = caught.value.diagnostics()
    assert told["error"] == error.__name__
    assert (told["message"], told.get("expected"), told.get("found")) == (message, expected, found)


# What is still accepted, right beside a refusal


def test_the_last_second_of_the_trusting_period():
    assert judge(THIRD, now=STATE.expires_at - 1)().height == 5


def test_time_may_stand_still():
    assert judge(header(hash_of(SECOND), 5, chain.START + 1))().timestamp == chain.START + 1


def test_the_newest_and_the_oldest_height_that_is_kept():
    claim()()
    oldest = replace(FULL, recent=(hash_of(SECOND), *FULL.recent[1:]))
    assert oldest.oldest_height == CLAIM.height
    claim(oldest)()


def test_the_head_that_the_slot_shows_may_be_a_later_one():
    claim(head=Head(OTHER), proved_head=HEAD)()


def test_what_a_verified_header_says():
    assert judge(THIRD)() == development.VerifiedDevelopmentHeader(5, hash_of(THIRD), STORAGE.root, chain.START + 2)
    assert judge(THIRD + RIVAL)() == judge(THIRD)()


def test_a_client_frozen_meanwhile_stays_frozen():
    grown = development.apply(STATE.freeze(), judge(THIRD)())
    assert (grown.height, grown.frozen) == (5, True)
    assert not development.apply(STATE, judge(THIRD)()).frozen


def test_a_full_window_loses_its_oldest_block():
    verified = judge(THIRD)()
    grown = development.apply(replace(FULL, recent=(hash_of(SECOND), *FULL.recent[1:])), verified)
    assert grown.recent == (*FULL.recent[1:], hash_of(THIRD))
