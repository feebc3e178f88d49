"""Paths, widths and bundles as C2SP tlog-tiles gives them by example, and proofs from tiles against the plain recursion."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients.proofs import rfc6962
from light_clients.proofs.rfc6962 import leaf_hash, tree_root, verify_consistency, verify_inclusion
from relay.errors import BadInput
from relay.evidence.edge import Edge
from relay.evidence.tiles import (
    BundleMalformed,
    TileTree,
    bundle_path,
    decode_bundle,
    encode_bundle,
    perfect_root,
    tile_path,
    tiles_of,
    width_of,
)

HASHES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(70_000)]


@pytest.mark.parametrize(
    ("number", "place"),
    [
        (0, "000"),
        (7, "007"),
        (999, "999"),
        (1_000, "x001/000"),
        (1_234_067, "x001/x234/067"),
        (10**9, "x001/x000/x000/000"),
    ],
)
def test_numbers_in_paths(number, place):
    assert tile_path(0, number) == f"tile/0/{place}"
    assert tile_path(63, number, 1) == f"tile/63/{place}.p/1"
    assert bundle_path(number, 255) == f"tile/entries/{place}.p/255"


def test_the_tiles_of_the_specification_s_examples():
    tiles = list(tiles_of(70_000))
    assert tiles[:273] == [(0, number, 256) for number in range(273)]
    assert tiles[273:] == [(0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)]
    assert list(tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles_of(1)) == [(0, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 300_000))
def test_widths_agree_with_the_list_of_tiles(size):
    assert all(width_of(level, number, size) == width for level, number, width in tiles_of(size))
    assert width_of(0, size // 256 + 1, size) == 0


@given(st.lists(st.binary(max_size=40), max_size=256))
def test_a_bundle_is_read_as_it_was_written(records):
    assert decode_bundle(encode_bundle(records), len(records)) == records


@pytest.mark.parametrize("cut", [1, 2, 3, 6, 7])
def test_a_bundle_that_ends_too_early(cut):
    with pytest.raises(BundleMalformed, match="ends inside record"):
        decode_bundle(encode_bundle([b"", b"1", b"22"])[:-cut], 3)


def test_a_bundle_that_ends_too_late():
    with pytest.raises(BundleMalformed, match="1 bytes stand behind the last of 2"):
        decode_bundle(encode_bundle([b"", b"1"]) + b"\0", 2)


@pytest.mark.parametrize("height", range(9))
def test_the_root_over_a_tile(height):
    hashes = HASHES[: 1 << height]
    assert perfect_root(b"".join(hashes)) == tree_root(hashes)


def tree_of(records, *batches):
    """Tiles of records appended in batches, and the tree that reads the ones of the last size."""
    edge, files = Edge(), {}
    for batch in batches:
        edge, made = edge.grow(records[edge.size : edge.size + batch])
        files |= dict(made)
    return edge, TileTree(lambda level, number: files[tile_path(level, number, width_of(level, number, edge.size))])


@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.data())
def test_proofs_of_random_sizes_verify(batches, data):
    records = [number.to_bytes(2, "big") for number in range(sum(batches))]
    edge, tree = tree_of(records, *batches)
    leaves = [leaf_hash(record) for record in records]
    size = data.draw(st.integers(1, len(leaves)))
    index, older = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root = tree_root(leaves[:size])
    assert (edge.root(), tree.root(size)) == (tree_root(leaves), root)
    inclusion, consistency = tree.inclusion(index, size), tree.consistency(older, size)
    assert inclusion == rfc6962.subtree_proof(leaves[:size], index, index + 1)
    assert consistency == rfc6962.subtree_proof(leaves[:size], 0, older)
    verify_inclusion(leaves[index], index, size, root, inclusion)
    verify_consistency(tree_root(leaves[:older]), older, root, size, consistency)


def test_three_levels_of_tiles():
    records = [bytes(2)] * 65_000 + [b"other"] * 5_000
    edge, tree = tree_of(records, 65_536, 4_463, 1)
    leaves = [leaf_hash(record) for record in records]
    assert [len(row) // 32 for row in edge.rows] == [112, 17, 1]
    assert edge.root() == tree_root(leaves) == tree.root(70_000)
    verify_inclusion(leaves[69_999], 69_999, 70_000, edge.root(), tree.inclusion(69_999, 70_000))
    verify_consistency(tree.root(65_537), 65_537, edge.root(), 70_000, tree.consistency(65_537, 70_000))


def test_how_records_are_cut_into_batches_changes_nothing():
    records = [number.to_bytes(2, "big") for number in range(1_000)]
    once, thrice = tree_of(records, 1_000)[0], tree_of(records, 255, 1, 744)[0]
    assert once == thrice


def test_what_has_no_proof():
    tree = TileTree(lambda *_: pytest.fail("nothing is read"))
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(BadInput):
            tree.inclusion(index, size)
    for old, new in ((2, 1), (-1, 1)):
        with pytest.raises(BadInput):
            tree.consistency(old, new)
    assert tree.consistency(0, 5) == tree.consistency(5, 5) == tree.consistency(0, 0) == []
    assert tree.root(0) == hashlib.sha256(b"").digest()
