"""Following over skipped heights, and comparing with a witness."""

from dataclasses import replace

import pytest

from light_clients import cometbft
from light_clients.cometbft.errors import CommitMismatch, NotEnoughTrust, PowerTooLittle
from light_clients.cometbft.verify import pivot_between
from light_clients.errors import HeaderBehind, Misbehaviour
from tests.support.cometbft_chain import ABSENT, START, Chain, members

NOW = START + 1000
LABELS = ["ada", "bob", "cid", "dot", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "leo"]


def moving_chain(height):
    """A chain whose four validators are replaced one by one."""
    chain = Chain(members(LABELS[:4]))
    for step in range(1, height):
        first = step * (len(LABELS) - 4) // height
        chain.grow(next_validators=members(LABELS[first : first + 4]))
    return chain


def test_trust_that_reaches_asks_for_one_header():
    chain, asked = Chain(), []
    chain.grow(99)

    def provider(height, trusted_height):
        asked.append((height, trusted_height))
        return chain.provider(height, trusted_height)

    assert cometbft.follow(chain.bootstrap(), 100, provider, NOW).height == 100
    assert asked == [(100, 1)]


def test_trust_that_does_not_reach_asks_in_between():
    chain, asked = moving_chain(64), []

    def provider(height, trusted_height):
        asked.append(height)
        return chain.provider(height, trusted_height)

    state = cometbft.follow(chain.bootstrap(), 64, provider, NOW)
    assert state.block_hash == chain.at(64).block_hash
    assert 3 < len(asked) < 30
    assert asked[:2] == [64, 32]


@pytest.mark.parametrize("wanted", range(3, 40))
def test_a_pivot_is_strictly_between(wanted):
    assert 1 < pivot_between(1, wanted) < wanted


def test_the_pivot_is_named_by_the_pure_function():
    chain = moving_chain(64)
    with pytest.raises(NotEnoughTrust) as caught:
        cometbft.verify_header(chain.bootstrap(), chain.provider(64, 1), NOW)
    assert caught.value.pivot_height == 32


def test_a_height_that_was_accepted_is_behind():
    chain = Chain()
    with pytest.raises(HeaderBehind):
        cometbft.follow(chain.bootstrap(), 1, chain.provider, NOW)


def test_a_provider_that_answers_with_another_height_is_refused():
    chain = Chain()
    chain.grow(5)
    with pytest.raises(CommitMismatch):
        cometbft.follow(chain.bootstrap(), 5, lambda _, trusted: chain.provider(4, trusted), NOW)


def test_a_false_header_ends_it():
    chain = Chain()
    block = replace(chain.grow(4), flags=(2, 2, ABSENT, ABSENT))
    with pytest.raises(PowerTooLittle):
        cometbft.follow(chain.bootstrap(), 5, lambda *_: block.bundle(), NOW)


def test_a_witness_that_agrees_is_silent():
    chain = moving_chain(16)
    assert cometbft.compare_with_witness(chain.bootstrap(), 16, chain.provider, chain.provider, NOW) is None


def test_a_witness_with_another_signed_chain_is_misbehaviour():
    chain = moving_chain(16)

    def witness(height, trusted_height):
        block = replace(chain.at(height), trusted=chain.at(trusted_height).next_validators)
        return (replace(block, app_hash=b"\x66" * 32) if height > 6 else block).bundle()

    with pytest.raises(Misbehaviour) as caught:
        cometbft.compare_with_witness(chain.bootstrap(), 16, chain.provider, witness, NOW)
    state = cometbft.follow(chain.bootstrap(), 16, chain.provider, NOW)
    heights = [anchor.height for anchor in state.anchors if anchor.height > 6]
    assert caught.value.height == heights[0]
    assert caught.value.evidence[0] != caught.value.evidence[1]


def test_a_witness_that_cannot_show_its_chain_is_refused_by_name():
    chain = Chain()
    chain.grow(4)
    weak = replace(chain.at(5), app_hash=b"\x66" * 32, flags=(2, 2, ABSENT, ABSENT))
    with pytest.raises(PowerTooLittle):
        cometbft.compare_with_witness(chain.bootstrap(), 5, chain.provider, lambda *_: weak.bundle(), NOW)
