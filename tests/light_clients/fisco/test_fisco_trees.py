"""The trees of both lines: published proofs, every position of small blocks, other shapes, other lengths."""

from __future__ import annotations

from typing import Any

import pytest

from light_clients import rlp
from light_clients.fisco.block_json import path_2_from_json, receipt_from_json
from light_clients.fisco.errors import InclusionInvalid
from light_clients.fisco.evidence import integer_bytes
from light_clients.fisco.trees import MAXIMUM_COUNT, root_of_line_2, root_of_line_3
from light_clients.fisco.types import (
    FiscoConfiguration,
)
from schemas.suites import keccak256
from tests.support.fisco_chain import FiscoChain, send
from tests.support.shared_vectors import shared_json

PROOFS = [entry["proof"] for entry in shared_json("fisco/v2_merkle_proofs.json")]
BLOCKS = {
    block["hash"]: block
    for block in (shared_json(f"fisco/{name}.json")["block"] for name in ("v2_9_d9e9241b", "v2_35_83eab142"))
}
LINE_2 = FiscoConfiguration(2)


def leaf(number: int) -> bytes:
    return keccak256(b"leaf %d" % number)


@pytest.mark.parametrize("place", range(len(PROOFS)))
def test_published_proofs(place: int) -> None:
    """Roots of blocks whose header is known; the two proofs of a block that is not have the shape of their position."""
    proof = PROOFS[place]
    entry = proof.get("transaction") or proof.get("transactionReceipt") or proof
    index, block = int(entry["transactionIndex"], 16), BLOCKS.get(entry["blockHash"])
    checked = 0
    if "txProof" in proof:
        leaf_hash = bytes.fromhex((entry.get("hash") or entry["transactionHash"])[2:])
        root = root_of_line_2(keccak256, leaf_hash, index, path_2_from_json(proof["txProof"], index))
        assert block is None or root.hex() == block["transactionsRoot"][2:]
        checked += 1
    if "receiptProof" in proof:
        leaf_hash = keccak256(receipt_from_json(entry, LINE_2))
        root = root_of_line_2(keccak256, leaf_hash, index, path_2_from_json(proof["receiptProof"], index))
        assert block is None or root.hex() == block["receiptsRoot"][2:]
        checked += 1
    assert checked


@pytest.mark.parametrize("line", [2, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 16, 17, 33])
def test_every_position(line: int, count: int) -> None:
    chain = FiscoChain(line)
    block = chain.mine(*(send(number) for number in range(1, count + 1)))
    place = 3  # the root of receipts, on both lines
    roots = set()
    for index in range(count):
        execution = block.execution(index)
        if line == 2:
            found = root_of_line_2(keccak256, keccak256(execution.receipt), index, execution.receipt_path)
        else:
            from light_clients.fisco.executions import read_receipt

            digest = read_receipt(execution, chain.configuration).hash
            found = root_of_line_3(keccak256, digest, index, count, execution.receipt_path)
        roots.add(found)
    assert roots == {block.header[place]}


def test_a_tree_of_three_levels_on_line_2() -> None:
    leaves = [rlp.encode(integer_bytes(number)) + leaf(number) for number in range(300)]
    first = [keccak256(b"".join(leaves[start : start + 16])) for start in range(0, 300, 16)]
    second = [keccak256(b"".join(first[start : start + 16])) for start in range(0, len(first), 16)]
    root = keccak256(keccak256(b"".join(second)))
    siblings = leaves[288:299]
    path = (tuple(siblings), tuple(first[16:18]), (second[0],))
    assert root_of_line_2(keccak256, leaf(299), 299, path) == root
    assert [len(item) for item in (leaves[127], leaves[128], leaves[256])] == [33, 34, 35]


def indexed(*numbers: int) -> tuple[bytes, ...]:
    return tuple(rlp.encode(integer_bytes(number)) + leaf(number) for number in numbers)


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (1, ()),
        (16, (indexed(0),)),
        (0, ((),) * 9),
        (2, (indexed(0),)),
        (0, (indexed(*range(1, 17)),)),
        (0, (indexed(2),)),
        (0, ((leaf(1),),)),
        (0, (indexed(1), indexed(1))),
        (0, ((rlp.encode(b"\x01") + bytes(31),),)),
    ],
    ids=[
        "no level",
        "too few levels",
        "too many levels",
        "left ones missing",
        "too many",
        "not the next",
        "a node among leaves",
        "a leaf among nodes",
        "short",
    ],
)
def test_other_shapes_on_line_2(index: int, path: Any) -> None:
    with pytest.raises(InclusionInvalid):
        root_of_line_2(keccak256, leaf(index), index, path)


def test_no_group_of_leaves_is_as_long_as_a_group_of_nodes() -> None:
    """What binds the depth on line 2 without a count; groups never mix leaves of different length."""
    leaves = {size * members for size in (33, 34, 35) for members in range(1, 17)}
    nodes = {32 * members for members in range(1, 17)}
    assert not leaves & nodes
    boundaries = [
        number
        for number in range(1, 2**17)
        if len(rlp.encode(integer_bytes(number))) != len(rlp.encode(integer_bytes(number - 1)))
    ]
    assert [number % 16 for number in boundaries] == [0] * len(boundaries)


@pytest.mark.parametrize(
    ("index", "count", "path"),
    [
        (1, 1, ()),
        (0, 0, ()),
        (0, MAXIMUM_COUNT + 1, ()),
        (0, 2, ()),
        (0, 2, ((),)),
        (2, 3, ((leaf(9),), (leaf(1),))),
        (0, 2, ((leaf(1),), (leaf(2),))),
        (0, 2, ((leaf(1)[:31],),)),
        (0, 2, ((leaf(1), leaf(2)),)),
    ],
    ids=["outside", "empty block", "too many", "missing", "sibling missing", "alone", "left over", "short", "two"],
)
def test_other_shapes_on_line_3(index: int, count: int, path: Any) -> None:
    with pytest.raises(InclusionInvalid):
        root_of_line_3(keccak256, leaf(index), index, count, path)


def test_the_count_fixes_the_levels_on_line_3() -> None:
    """A node is no leaf: with the real count its path is too short, with a smaller count it is a leaf of another tree."""
    leaves = [leaf(number) for number in range(4)]
    nodes = [keccak256(leaves[0] + leaves[1]), keccak256(leaves[2] + leaves[3])]
    root = keccak256(nodes[0] + nodes[1])
    assert root_of_line_3(keccak256, leaves[2], 2, 4, ((leaves[3],), (nodes[0],))) == root
    with pytest.raises(InclusionInvalid):
        root_of_line_3(keccak256, nodes[1], 1, 4, ((nodes[0],),))


def test_a_real_root_of_line_3() -> None:
    """51 transactions of a published block; every position's path, built here, leads to its root."""
    header = shared_json("fisco/v3_9_c403e7f3.json")["header"]
    level = [bytes.fromhex(text[2:]) for text in header["transactions"]]
    levels = [level]
    while len(level) > 1:
        level = [keccak256(b"".join(level[start : start + 2])) for start in range(0, len(level), 2)]
        levels.append(level)
    assert len(levels) == 7
    for index in range(51):
        path, place = [], index
        for nodes in levels[:-1]:
            path.append(tuple(nodes[place ^ 1 : (place ^ 1) + 1]))
            place //= 2
        found = root_of_line_3(keccak256, levels[0][index], index, 51, path)
        assert found.hex() == header["txsRoot"][2:]
