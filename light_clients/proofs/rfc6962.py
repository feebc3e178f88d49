"""Merkle trees of transparency logs (RFC 6962, section 2.1; RFC 9162, section 2.1).

A leaf is hashed as SHA-256(0x00 ‖ entry), a node as SHA-256(0x01 ‖ left ‖ right); a tree of n leaves splits at the largest
power of two below n. A subtree [start, end) is one whose start is a multiple of the least power of two not below its size
(draft-ietf-plants-merkle-tree-certs, section 4). Every proof here is one of these: a subtree stands in a tree.

- inclusion: the subtree is one leaf;
- consistency: the subtree begins at 0, and is the older tree;
- inclusion in a subtree: the tree is the subtree.

Checks of a proof:
1. The place is possible: sizes are below 2**63, the subtree lies within the tree and is aligned.
2. Every hash of the proof has 32 bytes, and there are exactly as many as the place asks for.
3. The subtree's root, put together again where the proof splits it, is the one that was given.
4. The tree's root, put together from the subtree and the rest, is the one that was given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from light_clients.errors import ProofRefused

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves, 32 bytes."""

MAXIMUM_SIZE = 2**63 - 1
"""Leaves of the largest tree; a proof has two hashes a level at most, and no tree more than 63 levels."""


class TreePlaceInvalid(ProofRefused):
    """No tree has such a leaf, or such a subtree."""


class TreeProofLengthInvalid(ProofRefused):
    """A proof has more or fewer hashes than its place asks for, or one is not of 32 bytes."""


class TreeRootMismatch(ProofRefused):
    """The proof leads to another root."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf, 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two, 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree.

    Args:
        leaves: Hashes of its leaves, 32 bytes each.

    Returns:
        32 bytes.
    """
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return node_hash(tree_root(leaves[:middle]), tree_root(leaves[middle:]))


def subtree_proof(leaves: Sequence[bytes], start: int, end: int) -> list[bytes]:
    """Makes a proof that a subtree stands in a tree; with start 0 a consistency proof, with one leaf an inclusion proof.

    Args:
        leaves: Hashes of the tree's leaves, 32 bytes each.
        start: First leaf of the subtree.
        end: The leaf behind its last one.

    Returns:
        Hashes of 32 bytes, from the leaves upwards.

    Raises:
        TreePlaceInvalid: There is no such subtree, or it is empty.
    """
    _check_place(start, end, len(leaves))
    if start == end:
        raise TreePlaceInvalid("An empty subtree has no proof.", found=start)
    return _proof(leaves, start, end, whole=True)


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Verifies that a tree has a leaf at a place.

    Args:
        leaf: Hash of the leaf.
        index: Its place, from 0.
        size: Leaves of the tree.
        root: The tree's root.
        proof: Hashes from the leaf upwards.

    Raises:
        ProofRefused: The proof does not hold, by its name.
    """
    if not 0 <= index < size:
        raise TreePlaceInvalid("The tree has no such leaf.", expected=size, found=index)
    verify_subtree(leaf, index, index + 1, size, root, proof)


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Verifies that a subtree has a leaf at a place of the whole tree.

    Args:
        leaf: Hash of the leaf.
        index: Its place in the whole tree, from 0.
        start: First leaf of the subtree.
        end: The leaf behind its last one.
        root: The subtree's root.
        proof: Hashes from the leaf upwards.

    Raises:
        ProofRefused: The proof does not hold, by its name.
    """
    _check_place(start, end, end)
    verify_inclusion(leaf, index - start, end - start, root, proof)


def verify_consistency(older: bytes, older_size: int, newer: bytes, newer_size: int, proof: Sequence[bytes]) -> None:
    """Verifies that a tree is the beginning of a later one.

    Args:
        older: Root of the earlier tree.
        older_size: Its leaves; a tree without leaves is the beginning of every tree and proves nothing, so it is refused.
        newer: Root of the later tree.
        newer_size: Its leaves.
        proof: Hashes from the leaves upwards.

    Raises:
        ProofRefused: The proof does not hold, by its name.
    """
    if older_size == 0:
        raise TreePlaceInvalid("An empty tree is the beginning of every tree: there is nothing to prove.")
    verify_subtree(older, 0, older_size, newer_size, newer, proof)


def verify_subtree(subtree: bytes, start: int, end: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Verifies that a subtree stands in a tree; the list of checks is the module's.

    Args:
        subtree: Root of the subtree; of an empty one the hash of nothing, and then the tree's root is not looked at.
        start: First leaf of the subtree.
        end: The leaf behind its last one.
        size: Leaves of the tree.
        root: The tree's root.
        proof: Hashes from the leaves upwards.

    Raises:
        ProofRefused: The proof does not hold, by its name.
    """
    # 1. The place.
    _check_place(start, end, size)
    if start == end:
        _check_hashes(proof, 0)
        if subtree != EMPTY_ROOT:
            raise TreeRootMismatch("The root of no leaves is the hash of nothing.", expected=EMPTY_ROOT, found=subtree)
        return
    # 2. The hashes.
    below, split = _way_down(start, end, size)
    _check_hashes(proof, len(below) + split)
    # 3. and 4. The roots.
    tree_found = subtree_found = proof[0] if split else subtree
    for sibling, (is_left, in_both) in zip(proof[split:], reversed(below), strict=True):
        tree_found = node_hash(sibling, tree_found) if is_left else node_hash(tree_found, sibling)
        subtree_found = node_hash(sibling, subtree_found) if in_both else subtree_found
    if subtree_found != subtree:
        raise TreeRootMismatch("The proof leads to another subtree.", expected=subtree, found=subtree_found)
    if tree_found != root:
        raise TreeRootMismatch("The proof leads to another root.", expected=root, found=tree_found)


def _check_hashes(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected or any(len(item) != HASH_SIZE for item in proof):
        raise TreeProofLengthInvalid(
            "The proof has another number of hashes, or one is not of 32 bytes.", expected=expected, found=len(proof)
        )


def _check_place(start: int, end: int, size: int) -> None:
    if not 0 <= start <= end <= size <= MAXIMUM_SIZE:
        raise TreePlaceInvalid("The subtree does not lie within the tree.", expected=size, found=f"{start} to {end}")
    if start != end and start % (1 << (end - start - 1).bit_length()):
        raise TreePlaceInvalid("The subtree is not aligned to its size.", found=f"{start} to {end}")


def _way_down(start: int, end: int, size: int) -> tuple[list[tuple[bool, bool]], bool]:
    """From the root to the subtree: at each step whether the sibling is on the left, and whether it is in both trees.

    The second item says that the way ends inside the subtree, so that the proof begins with that node.
    """
    steps: list[tuple[bool, bool]] = []
    split = False
    while (start, end) != (0, size):
        middle = _split(size)
        if end <= middle:
            steps.append((False, False))
            size = middle
        elif start >= middle:
            steps.append((True, False))
            start, end, size = start - middle, end - middle, size - middle
        else:  # aligned subtrees that lie on both sides begin at 0
            steps.append((True, True))
            split = True
            end, size = end - middle, size - middle
    return steps, split


def _proof(leaves: Sequence[bytes], start: int, end: int, *, whole: bool) -> list[bytes]:
    if (start, end) == (0, len(leaves)):
        return [] if whole else [tree_root(leaves)]
    middle = _split(len(leaves))
    if end <= middle:
        return [*_proof(leaves[:middle], start, end, whole=whole), tree_root(leaves[middle:])]
    if start >= middle:
        return [*_proof(leaves[middle:], start - middle, end - middle, whole=whole), tree_root(leaves[:middle])]
    return [*_proof(leaves[middle:], 0, end - middle, whole=False), tree_root(leaves[:middle])]


def _split(size: int) -> int:
    """The largest power of two below a size of two at least."""
    return 1 << ((size - 1).bit_length() - 1)
