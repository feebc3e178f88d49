"""Two signed headers that contradict each other, and pairs that do not."""

from dataclasses import replace

import pytest

from light_clients import cometbft
from light_clients.cometbft.errors import NotEnoughTrust, PowerTooLittle
from light_clients.cometbft.types import CometbftConfiguration
from light_clients.errors import HeightNotRetained, Misbehaviour
from tests.support.cometbft_chain import ABSENT, FOR_BLOCK, START, Chain, members

NOW = START + 1000


@pytest.fixture
def chain():
    chain = Chain()
    chain.grow(9)
    return chain


@pytest.fixture
def state(chain):
    state = chain.bootstrap()
    return cometbft.follow(cometbft.follow(state, 3, chain.provider, NOW), 6, chain.provider, NOW)


def forked(block):
    return replace(block, app_hash=b"\x66" * 32)


@pytest.mark.parametrize("height", [2, 3, 5, 6, 7, 9])
def test_two_signed_blocks_of_one_height_accuse(chain, state, height):
    first, second = chain.at(height).bundle(), forked(chain.at(height)).bundle()
    found = cometbft.find_misbehaviour(state, first, second)
    assert isinstance(found, Misbehaviour)
    assert (found.height, found.evidence) == (height, (first, second))
    assert "height" in found.message


def test_a_higher_block_that_is_not_later_accuses(chain, state):
    lower = chain.at(7)
    for time_ns in (lower.time_ns, lower.time_ns - 1):
        higher = replace(chain.at(8), time_ns=time_ns)
        for pair in ((lower.bundle(), higher.bundle()), (higher.bundle(), lower.bundle())):
            found = cometbft.find_misbehaviour(state, *pair)
            assert found is not None
            assert (found.height, found.evidence) == (7, pair)
            assert "not later" in found.message


def test_blocks_that_can_both_be_accuse_nobody(chain, state):
    assert cometbft.find_misbehaviour(state, chain.at(7).bundle(), chain.at(8).bundle()) is None
    assert cometbft.find_misbehaviour(state, chain.at(7).bundle(), chain.at(7).bundle()) is None
    other_votes = replace(chain.at(7), flags=(FOR_BLOCK, FOR_BLOCK, FOR_BLOCK, ABSENT))
    assert cometbft.find_misbehaviour(state, chain.at(7).bundle(), other_votes.bundle()) is None


def test_a_block_that_is_not_signed_accuses_nobody(chain, state):
    weak = replace(forked(chain.at(7)), flags=(FOR_BLOCK, FOR_BLOCK, ABSENT, ABSENT))
    for pair in ((chain.at(7).bundle(), weak.bundle()), (weak.bundle(), chain.at(7).bundle())):
        with pytest.raises(PowerTooLittle):
            cometbft.find_misbehaviour(state, *pair)


def test_trust_reaches_as_far_as_it_does_for_a_header(chain, state):
    strangers = members(["x", "y", "z"])
    false = replace(chain.at(9), validators=strangers, trusted=chain.validators)
    with pytest.raises(NotEnoughTrust):
        cometbft.find_misbehaviour(state, chain.at(9).bundle(), false.bundle())


def test_the_bundle_may_name_an_older_trusted_height():
    old, new = members(["ada", "bob", "cid"]), members(["ada", "bob", "eve"])
    chain = Chain(old)
    chain.grow(2)
    chain.grow(next_validators=new)
    chain.grow(6)
    state = cometbft.follow(cometbft.follow(chain.bootstrap(), 4, chain.provider, NOW), 5, chain.provider, NOW)
    block = replace(chain.at(8), trusted=old, trusted_height=2)
    # Height 2 was skipped, so what was accepted just below is used, whose next set needs no trusted one beside it.
    assert cometbft.find_misbehaviour(state, block.bundle(), forked(block).bundle()) is not None
    block = replace(chain.at(8), trusted=old, trusted_height=1)
    assert cometbft.find_misbehaviour(state, block.bundle(), forked(block).bundle()) is not None


def test_nothing_below_means_no_judgement(chain, state):
    with pytest.raises(HeightNotRetained):
        cometbft.find_misbehaviour(state, chain.at(1).bundle(), forked(chain.at(1)).bundle())


def test_an_accepted_header_that_is_too_old_accuses_nobody(chain):
    configuration = CometbftConfiguration(100, 200)
    state = chain.bootstrap(configuration)
    late = replace(chain.at(6), time_ns=chain.at(1).time_ns + 99 * 10**9)
    state = cometbft.apply(state, cometbft.verify_header(state, late.bundle(), START + 99))
    pair = chain.at(3).bundle(), forked(chain.at(3)).bundle()
    assert cometbft.find_misbehaviour(state, *pair) is not None
    later = replace(chain.at(7), time_ns=chain.at(1).time_ns + 100 * 10**9)
    state = cometbft.apply(state, cometbft.verify_header(state, later.bundle(), START + 100))
    with pytest.raises(HeightNotRetained):
        cometbft.find_misbehaviour(state, *pair)
