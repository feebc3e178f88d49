"""What a client of the BFT families says of headers without judging them, and how it words an accusation."""

import pytest

from light_clients import ibft, ibft2, qbft
from light_clients.bft.types import BftState, ValidatorSet, VerifiedBftHeader
from light_clients.errors import RlpRefused
from light_clients.ibft.verify import CLIENT as IBFT
from light_clients.ibft2.verify import CLIENT as IBFT2
from light_clients.qbft.verify import CLIENT as QBFT
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256
from tests.support import bft_chain, qbft_chain

FAMILIES = pytest.mark.parametrize(
    ("client", "kind", "configuration"),
    [
        (QBFT, qbft_chain.Spec, qbft.QbftConfiguration),
        (IBFT2, bft_chain.Ibft2Spec, ibft2.Ibft2Configuration),
        (IBFT, bft_chain.IbftSpec, ibft.IbftConfiguration),
    ],
    ids=["qbft", "ibft2", "ibft"],
)


@FAMILIES
def test_the_hash_of_a_header_alone_and_in_its_bundle(client, kind, configuration):
    spec = bft_chain.first_of(kind, number=5)
    assert configuration().dialect in configuration.dialects
    assert client.block_hash(spec.sealed()) == spec.hash()
    assert client.block_hash(bft_chain.ValidatorState("abcd").bundled(spec.sealed())) == spec.hash()
    with pytest.raises(RlpRefused):
        client.block_hash(b"")


@FAMILIES
def test_an_accusation_names_the_height_and_keeps_both_headers(client, kind, configuration):
    first = bft_chain.first_of(kind)
    state = client.bootstrap(first.sealed(), BlockHash(first.hash()), configuration())
    one, other = bft_chain.next_of(first), bft_chain.next_of(first, state_root=keccak256(b"another"))
    found = client.find_misbehaviour(state, one.sealed(), other.sealed())
    assert found.message == "Two blocks of height 1 are sealed."
    assert found.height == 1
    assert found.evidence == (one.sealed(), other.sealed())


@pytest.mark.parametrize(
    ("first_heights", "kept"),
    [
        ((0, 45, 100, 200), (45, 100, 200)),
        ((0, 44, 46, 200), (44, 46, 200)),
        ((0, 30, 45, 200), (45, 200)),
        ((0, 30, 40, 45), (45,)),
        ((0, 46, 100, 200), (0, 46, 100, 200)),
        ((0, 45), (45,)),
    ],
)
def test_sets_before_the_window_are_forgotten_and_no_others(first_heights, kept):
    members = [tuple(qbft_chain.addresses(labels)) for labels in ("ab", "abc")]
    sets = tuple(ValidatorSet(height, members[place % 2]) for place, height in enumerate(first_heights))
    recent = tuple(BlockHash(height.to_bytes(32, "big")) for height in range(44, 300))
    state = BftState(qbft.QbftConfiguration(), 299, 1_000, recent, sets, ())
    verified = VerifiedBftHeader(
        300, BlockHash(b"\x01" * 32), Bytes32(bytes(32)), 1_001, (), state.validators, state.votes
    )
    after = QBFT.apply(state, verified)
    assert (after.height, after.oldest_height) == (300, 45)
    assert tuple(known.first_height for known in after.sets) == kept
