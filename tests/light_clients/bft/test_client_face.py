"""What a client of the BFT families says of headers without judging them, and how it words an accusation."""

import pytest

from light_clients import ibft, ibft2, qbft
from light_clients.bft.types import (
    BftState,
    SelectionMode,
    ValidatorOverride,
    ValidatorSelection,
    ValidatorSet,
    VerifiedBftHeader,
)
from light_clients.errors import ConfigurationInvalid, HeaderFieldInvalid, PinMismatch, RlpRefused
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


def test_the_words_of_a_pin_that_is_refused():
    spec = bft_chain.first_of(qbft_chain.Spec, number=5)
    pinned, other = BlockHash(spec.hash()), BlockHash(b"\x01" * 32)
    with pytest.raises(ConfigurationInvalid) as caught:
        QBFT.bootstrap(spec.sealed(), pinned, ibft2.Ibft2Configuration())
    assert caught.value.message == "The configuration is of another family of light clients."
    with pytest.raises(PinMismatch) as caught:
        QBFT.bootstrap(spec.sealed(), other, qbft.QbftConfiguration())
    assert caught.value.message == "The header is not the pinned one."
    assert (caught.value.expected, caught.value.found) == (other, pinned)
    empty = bft_chain.first_of(qbft_chain.Spec, listed=())
    with pytest.raises(ConfigurationInvalid) as caught:
        QBFT.bootstrap(empty.sealed(), BlockHash(empty.hash()), qbft.QbftConfiguration())
    assert caught.value.message == (
        "The pinned header lists no set of validators; where a contract selects them, the configuration says which."
    )


@pytest.mark.parametrize(("height", "place"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_the_set_that_officers_placed_last_sealed_the_pinned_header(height, place):
    labels = [("a", "b", "c"), ("a", "b", "c", "d")]
    overrides = tuple(
        ValidatorOverride(number, tuple(qbft_chain.addresses(names))) for number, names in enumerate(labels, start=1)
    )
    selection = ValidatorSelection(0, SelectionMode.PINNED)
    configuration = qbft.QbftConfiguration(overrides=overrides, selections=(selection,))
    spec = bft_chain.first_of(qbft_chain.Spec, labels[place], number=height, listed=())
    state = QBFT.bootstrap(spec.sealed(), BlockHash(spec.hash()), configuration)
    assert state.sets[0] == ValidatorSet(height, overrides[place].validators)


@FAMILIES
def test_a_bundle_is_no_header_where_no_contract_selects(client, kind, configuration):
    first = bft_chain.first_of(kind)
    state = client.bootstrap(first.sealed(), BlockHash(first.hash()), configuration())
    one, other = bft_chain.next_of(first), bft_chain.next_of(first, state_root=keccak256(b"another"))
    bundled = bft_chain.ValidatorState("abcd").bundled(one.sealed())
    for judge in (
        lambda: client.verify_header(state, bundled, one.timestamp),
        lambda: client.find_misbehaviour(state, bundled, other.sealed()),
        lambda: client.bootstrap(bundled, BlockHash(one.hash()), configuration()),
    ):
        with pytest.raises(HeaderFieldInvalid):
            judge()
