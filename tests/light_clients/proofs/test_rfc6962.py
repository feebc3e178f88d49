"""Trees of transparency logs: published proofs with their verdicts, every tree up to some size, and what is not quite a proof."""

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients.errors import LightClientError
from light_clients.proofs.rfc6962 import (
    EMPTY_ROOT,
    MAXIMUM_SIZE,
    TreePlaceInvalid,
    TreeProofLengthInvalid,
    TreeRootMismatch,
    leaf_hash,
    node_hash,
    subtree_proof,
    tree_root,
    verify_consistency,
    verify_inclusion,
    verify_subtree,
    verify_subtree_inclusion,
)
from tests.support.shared_vectors import shared
from tests.vector_table.tlog import items

LEAVES = [leaf_hash(b"entry %d" % number) for number in range(40)]


def test_every_published_vector():
    rows = list(items(shared("tlog")))
    assert [row for row in rows if not row.passed] == []
    assert sum(row.found != "unusable" for row in rows) == 278


def test_hashes_are_those_of_the_rfc():
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert node_hash(b"a", b"b") == hashlib.sha256(b"\x01ab").digest()
    assert hashlib.sha256().digest() == EMPTY_ROOT == tree_root([])
    assert tree_root(LEAVES[:1]) == LEAVES[0]
    three = node_hash(node_hash(LEAVES[0], LEAVES[1]), LEAVES[2])
    assert tree_root(LEAVES[:3]) == three


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_every_small_tree(size):
    leaves = LEAVES[:size]
    root = tree_root(leaves)
    for index in range(size):
        proof = subtree_proof(leaves, index, index + 1)
        assert len(proof) <= size.bit_length()
        verify_inclusion(leaves[index], index, size, root, proof)
        for wrong in range(size):
            if wrong != index:
                with pytest.raises(LightClientError):
                    verify_inclusion(leaves[index], wrong, size, root, proof)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_beginning_of_every_small_tree(size):
    root = tree_root(LEAVES[:size])
    for older in range(1, size + 1):
        proof = subtree_proof(LEAVES[:size], 0, older)
        verify_consistency(tree_root(LEAVES[:older]), older, root, size, proof)
        if older < size:
            with pytest.raises(TreeRootMismatch):
                verify_consistency(tree_root([*LEAVES[: older - 1], bytes(32)]), older, root, size, proof)


def aligned(size):
    return [
        (start, end)
        for start in range(size)
        for end in range(start + 1, size + 1)
        if start % (1 << (end - start - 1).bit_length()) == 0
    ]


@pytest.mark.parametrize("size", [1, 2, 7, 8, 13, 21])
def test_every_subtree(size):
    root = tree_root(LEAVES[:size])
    for start, end in aligned(size):
        part = tree_root(LEAVES[start:end])
        verify_subtree(part, start, end, size, root, subtree_proof(LEAVES[:size], start, end))
        for index in range(start, end):
            inside = subtree_proof(LEAVES[start:end], index - start, index - start + 1)
            verify_subtree_inclusion(LEAVES[index], index, start, end, part, inside)


@given(st.integers(2, 40), st.data())
def test_a_changed_hash_or_root_never_passes(size, data):
    leaves = LEAVES[:size]
    start, end = data.draw(st.sampled_from(aligned(size)))
    proof = subtree_proof(leaves, start, end)
    values = [tree_root(leaves[start:end]), tree_root(leaves), *proof]
    place = data.draw(st.integers(0, len(values) - 1))
    bit = data.draw(st.integers(0, 255))
    changed = bytearray(values[place])
    changed[bit // 8] ^= 1 << bit % 8
    values[place] = bytes(changed)
    with pytest.raises(TreeRootMismatch):
        verify_subtree(values[0], start, end, size, values[1], values[2:])


@given(
    st.integers(-1, 12),
    st.integers(-1, 12),
    st.integers(-1, 12),
    st.lists(st.binary(min_size=30, max_size=33), max_size=6),
)
def test_nothing_else_is_raised(start, end, size, proof):
    for verify in (
        lambda: verify_subtree(LEAVES[0], start, end, size, LEAVES[1], proof),
        lambda: verify_inclusion(LEAVES[0], start, size, LEAVES[1], proof),
        lambda: verify_subtree_inclusion(LEAVES[0], size, start, end, LEAVES[1], proof),
        lambda: verify_consistency(LEAVES[0], start, LEAVES[1], size, proof),
    ):
        with contextlib.suppress(TreePlaceInvalid, TreeProofLengthInvalid, TreeRootMismatch):
            verify()


@pytest.mark.parametrize(
    ("start", "end", "size"),
    [(-1, 1, 2), (1, 0, 2), (0, 3, 2), (1, 3, 4), (2, 5, 8), (0, 1, MAXIMUM_SIZE + 1)],
)
def test_places_that_no_tree_has(start, end, size):
    with pytest.raises(TreePlaceInvalid):
        verify_subtree(LEAVES[0], start, end, size, LEAVES[0], [])


def test_a_leaf_beyond_the_tree():
    for index in (-1, 1):
        with pytest.raises(TreePlaceInvalid):
            verify_inclusion(LEAVES[0], index, 1, LEAVES[0], [])
    with pytest.raises(TreePlaceInvalid):
        verify_subtree_inclusion(LEAVES[0], 1, 2, 4, LEAVES[0], [])


def test_an_empty_tree_is_the_beginning_of_nothing_worth_proving():
    with pytest.raises(TreePlaceInvalid, match="nothing to prove"):
        verify_consistency(EMPTY_ROOT, 0, LEAVES[0], 1, [])
    with pytest.raises(TreePlaceInvalid):
        subtree_proof(LEAVES[:4], 2, 2)


def test_an_empty_subtree_is_the_hash_of_nothing():
    verify_subtree(EMPTY_ROOT, 2, 2, 4, b"whatever", [])
    with pytest.raises(TreeRootMismatch):
        verify_subtree(LEAVES[0], 2, 2, 4, b"whatever", [])
    with pytest.raises(TreeProofLengthInvalid):
        verify_subtree(EMPTY_ROOT, 2, 2, 4, b"whatever", [LEAVES[0]])


@pytest.mark.parametrize(
    "change", [lambda proof: proof[:-1], lambda proof: [*proof, proof[0]], lambda proof: [item[:31] for item in proof]]
)
def test_the_number_and_size_of_hashes_is_fixed(change):
    leaves = LEAVES[:9]
    proof = subtree_proof(leaves, 3, 4)
    with pytest.raises(TreeProofLengthInvalid):
        verify_inclusion(leaves[3], 3, 9, tree_root(leaves), change(proof))


def test_the_largest_tree_has_proofs_of_63_hashes():
    proof = [bytes(32)] * 63
    with pytest.raises(TreeRootMismatch):
        verify_inclusion(LEAVES[0], 0, MAXIMUM_SIZE, LEAVES[1], proof)
