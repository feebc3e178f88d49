"""The Merkle tree of transactions and of read-write sets (ChainMaker `common/crypto/hash`, GetMerkleRoot).

Leaves are padded with nothing to the next power of two; a parent is H(left ‖ right), of a left one without a right one
H(left ‖ left), of nothing nothing; the root of one leaf is that leaf. Leaves and nodes are hashed alike, so what fixes the
depth is the number of leaves, which the header says and the quorum signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from light_clients.chainmaker.errors import MerklePathInvalid
from schemas.suites import sm3

Hash = Callable[[bytes], bytes]


def sha256(data: bytes) -> bytes:
    """Hashes with SHA-256; 32 bytes."""
    return hashlib.sha256(data).digest()


HASHES: dict[str, Hash] = {"SHA256": sha256, "SM3": sm3}
"""By the name that the chain configuration has for them."""


def merkle_root(digest: Hash, leaves: Sequence[bytes]) -> bytes:
    """The root of a tree.

    Args:
        digest: The chain's hash.
        leaves: 32 bytes each.

    Returns:
        32 bytes; nothing for no leaves.
    """
    level = list(leaves)
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [digest(level[place] + level[place + 1]) for place in range(0, len(level), 2)]
    return level[0] if level else b""


def merkle_path(digest: Hash, leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes beside the way from a leaf to the root; a level on which the leaf has no neighbour has none.

    Args:
        digest: The chain's hash.
        leaves: 32 bytes each.
        index: Place of the leaf.
    """
    level, path = list(leaves), []
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        if len(level) % 2:
            level.append(level[-1])
        level = [digest(level[place] + level[place + 1]) for place in range(0, len(level), 2)]
        index //= 2
    return tuple(path)


def root_of_path(digest: Hash, leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """The root that a path leads to.

    Args:
        digest: The chain's hash.
        leaf: 32 bytes.
        index: Place of the leaf.
        count: Number of leaves; from the signed header, never from the proof.
        path: As `merkle_path` makes it.

    Raises:
        MerklePathInvalid: The place is outside of the tree, or the path has not the length that place and count give it.
    """
    if not 0 <= index < count:
        raise MerklePathInvalid("The place is not one of the block.", expected=count, found=index)
    remaining = list(reversed(path))
    node = leaf
    while count > 1:
        if index % 2 == 0 and index + 1 == count:
            node = digest(node + node)
        else:
            if not remaining or len(remaining[-1]) != 32:
                raise MerklePathInvalid("A hash of the path is missing or has not 32 bytes.", found=len(path))
            sibling = remaining.pop()
            node = digest(sibling + node) if index % 2 else digest(node + sibling)
        index, count = index // 2, (count + 1) // 2
    if remaining:
        raise MerklePathInvalid("The path is longer than the tree is deep.", found=len(path))
    return node
