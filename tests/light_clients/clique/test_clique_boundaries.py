"""The last value that is accepted and the first that is not, for the limits of Clique's verifier."""

from dataclasses import replace

import pytest

from light_clients import clique
from light_clients.errors import HeadMismatch, HeightNotReached, SealTooSoon, TimestampAhead
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head
from tests.support import clique_chain as chain
from tests.support.beacon_chain import HEAD, LANE, PIN, GatewayWorld

WORLD = GatewayWorld()
GENESIS = chain.first_spec()
CHAIN = chain.chain_of(GENESIS, 6, state_root=WORLD.state_root)
STATE = chain.followed(chain.begun(GENESIS), CHAIN)
NEWEST = CHAIN[STATE.height - 1]


def claim_at(spec, **changes):
    claim = Claim(LANE, Direction.OUTBOX, 1, HEAD, spec.number, BlockHash(spec.hash()))
    return replace(claim, **changes), WORLD.evidence(spec.sealed()), PIN


def test_a_header_as_far_ahead_of_our_clock_as_the_drift_allows():
    state, unit = chain.begun(GENESIS, maximum_drift_s=5), chain.run(*CHAIN[:3])
    latest = CHAIN[2].timestamp
    assert clique.verify_header(state, unit, latest - 5).height == 1
    with pytest.raises(TimestampAhead):
        clique.verify_header(state, unit, latest - 6)


def test_a_claim_at_the_newest_final_block():
    clique.verify_claim(STATE, *claim_at(NEWEST))
    with pytest.raises(HeightNotReached):
        clique.verify_claim(STATE, *claim_at(CHAIN[STATE.height]))


def test_a_claim_that_is_a_prefix_of_the_proved_head():
    longer = claim_at(NEWEST, nonce=2, head=Head(b"\x05" * 32))
    clique.verify_claim(STATE, *longer, proved_head=HEAD)
    with pytest.raises(HeadMismatch):
        clique.verify_claim(STATE, *longer)


def test_of_four_signers_each_waits_for_two_blocks():
    first = chain.first_spec("abcd")
    before = chain.chain_of(first, 2, "abcd")
    again = chain.next_spec(before[1], "abcd", sealer=before[0].sealer)
    with pytest.raises(SealTooSoon) as caught:
        clique.bootstrap(chain.run(first, *before, again), BlockHash(again.hash()), clique.CliqueConfiguration())
    assert (caught.value.expected, caught.value.found) == (2, chain.address(before[0].sealer))
    third = chain.next_spec(before[1], "abcd")
    later = chain.next_spec(third, "abcd", sealer=before[0].sealer)
    pinned = clique.bootstrap(
        chain.run(first, *before, third, later), BlockHash(later.hash()), clique.CliqueConfiguration()
    )
    assert pinned.height == 4
