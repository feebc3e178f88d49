"""The trees of transactions and receipts of a block.

Line 2 (FISCO-BCOS 2.x, `ParallelMerkleProof`): a leaf is RLP(index) ‖ hash; while more than one node is left, each sixteen are
hashed together; the last one is hashed once more. The leaf names its position. A leaf has 33 to 35 bytes and an inner node 32,
and no sixteen or fewer of the one are as long as sixteen or fewer of the other (33 m, 34 m or 35 m = 32 k has no solution up to
16), so what is hashed of leaves can never be taken for what is hashed of nodes: the depth is bound without a count.

Line 3 (FISCO-BCOS 3.x, `bcos-crypto/merkle/Merkle.h`, width 2): a leaf is the hash itself, a parent is the hash of one or two
children, and one leaf alone is the root. Leaves and nodes look alike and no header has a count, so the count comes with the
proof: it fixes the number of levels and which groups are single, and the position fixes the side in each. One count holds for
both trees of a block. A false count would need bytes of an honest transaction *and* of its receipt, at one position, that are
two hashes one behind the other; a receipt begins with its version and gas and ends with its block's number, so its hash would
have to be met in bytes that nobody can choose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from light_clients import rlp
from light_clients.fisco.errors import InclusionInvalid
from light_clients.fisco.evidence import integer_bytes

Path = Sequence[Sequence[bytes]]
"""Siblings of each level from the leaf up, in order, without the own node."""

WIDTH = 16
MAXIMUM_LEVELS_2 = 8
MAXIMUM_COUNT = 2**24
"""Transactions in a block that a client can imagine."""


def root_of_line_2(hash_bytes: Callable[[bytes], bytes], leaf_hash: bytes, index: int, path: Path) -> bytes:
    """The root that a path of line 2 leads to.

    Args:
        hash_bytes: The suite's hash.
        leaf_hash: Hash of the transaction or receipt.
        index: Its position in the block.
        path: Siblings; those of the first level are leaves with their positions.

    Raises:
        InclusionInvalid: The path does not have the shape that the position asks for.
    """
    if len(path) > MAXIMUM_LEVELS_2 or index >= WIDTH ** len(path):
        raise InclusionInvalid("The path has too few or too many levels for its position.", found=len(path))
    node = rlp.encode(integer_bytes(index)) + leaf_hash
    place = index
    for level, siblings in enumerate(path):
        place, position = divmod(place, WIDTH)
        if not position <= len(siblings) < WIDTH:
            raise InclusionInvalid("A group of the path has a wrong number of nodes.", found=len(siblings))
        group = [*siblings[:position], node, *siblings[position:]]
        for offset, member in enumerate(group):
            _check_member(member, None if level else WIDTH * place + offset)
        node = hash_bytes(b"".join(group))
    return hash_bytes(node)


def _check_member(member: bytes, index: int | None) -> None:
    prefix = b"" if index is None else rlp.encode(integer_bytes(index))
    if len(member) != len(prefix) + 32 or not member.startswith(prefix):
        raise InclusionInvalid("A node of the path is not of its level or position.", found=member)


def root_of_line_3(hash_bytes: Callable[[bytes], bytes], leaf: bytes, index: int, count: int, path: Path) -> bytes:
    """The root that a path of line 3 leads to.

    Args:
        hash_bytes: The suite's hash.
        leaf: Hash of the transaction or receipt.
        index: Its position in the block.
        count: Transactions in the block.
        path: Siblings: one a level, none where the own node stands alone.

    Raises:
        InclusionInvalid: The path does not have the shape that the position and the count ask for.
    """
    if not index < count <= MAXIMUM_COUNT:
        raise InclusionInvalid("The position is outside of the block.", expected=count, found=index)
    node, used = leaf, 0
    while count > 1:
        alone = index ^ 1 >= count
        if used == len(path) or len(path[used]) != (0 if alone else 1):
            raise InclusionInvalid("A level of the path is missing or of another width.", found=used)
        group = [*path[used], node] if index & 1 else [node, *path[used]]
        if any(len(member) != 32 for member in group):
            raise InclusionInvalid("A node of a path has 32 bytes.", expected=32)
        node = hash_bytes(b"".join(group))
        index, count, used = index // 2, (count + 1) // 2, used + 1
    if used != len(path):
        raise InclusionInvalid("Levels of the path are left over.", expected=used, found=len(path))
    return node
