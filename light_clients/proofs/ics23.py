"""Proofs of existence and absence by ICS-23 (cosmos/ics23, `CommitmentProof`), for the trees iavl, tendermint and smt.

A proof of existence holds when all of this does:
 1. It can be read, and its leaf and every step have the form of the tree; in an IAVL tree a step is at least as high as its
    place above the leaf.
 2. Its key and value are the expected ones, and not empty.
 3. The steps lead from the leaf to the root.

A proof of absence holds when all of this does:
 1. It is about the key (an smt may name it by its hash), and shows a left or a right neighbour, or both.
 2. Each neighbour exists under the root.
 3. The left one is below the key and the right one above it (in an smt by their hashes).
 4. No leaf is between them: they part at one node and go on along its inner edges; where there is only one, it is the first
    or the last leaf of the tree.

Batches and compressed proofs are refused: no ledger here answers with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from light_clients.errors import ProtobufTruncated
from light_clients.proofs.ics23_ops import (
    ProofKeyMismatch,
    ProofKindUnsupported,
    ProofNeighboursInvalid,
    ProofOperationInvalid,
    ProofRootMismatch,
    ProofTooDeep,
)
from light_clients.proofs.ics23_trees import IAVL, MAXIMUM_HEADER, SMT, SPECIFICATIONS, TENDERMINT, Specification
from light_clients.protobuf import Message, read_varint

__all__ = [
    "IAVL",
    "SMT",
    "SPECIFICATIONS",
    "TENDERMINT",
    "Specification",
    "prove_value",
    "root_of_absence",
    "root_of_existence",
    "verify_absence",
    "verify_chain",
    "verify_existence",
]

EXISTENCE, ABSENCE = 1, 2
"""The kinds of proof, by their field of a CommitmentProof."""

MAXIMUM_PROOF_SIZE = 1024 * 1024
"""Bytes of one proof."""

Step = tuple[bytes, bytes]
"""One node on the way from a leaf to the root: the bytes before its child's hash, and those behind it, which there are only
behind a left child."""


class Existence(NamedTuple):
    """A proof of existence that was read, and whose nodes have the form of the tree.

    Attributes:
        key: Of the entry.
        value: Of the entry.
        steps: From the leaf to the root.
        root: Where they lead.
    """

    key: bytes
    value: bytes
    steps: list[Step]
    root: bytes


def verify_existence(specification: Specification, root: bytes, key: bytes, value: bytes, proof: bytes) -> None:
    """Proves that a tree holds an entry; the list of checks is the module's.

    Args:
        specification: The tree.
        root: Its trusted root, 32 bytes.
        key: At least one byte.
        value: At least one byte.
        proof: Protobuf of a CommitmentProof.

    Raises:
        ProofRefused: It does not hold, by its name.
        ProtobufRefused: It cannot be read.
    """
    found = root_of_existence(specification, key, value, proof)
    if found != root:
        raise ProofRootMismatch("The proof leads to another root.", expected=root, found=found)


def root_of_existence(specification: Specification, key: bytes, value: bytes, proof: bytes) -> bytes:
    """The root under which a tree holds an entry.

    Args:
        specification: The tree.
        key: At least one byte.
        value: At least one byte.
        proof: Protobuf of a CommitmentProof.

    Returns:
        32 bytes, to be compared with a trusted root or proved in a tree above.

    Raises:
        ProofRefused: It does not hold, by its name.
        ProtobufRefused: It cannot be read.
    """
    kind, body = _kind(proof)
    if kind != EXISTENCE:
        raise ProofKindUnsupported("The proof is not one of existence.", expected=EXISTENCE, found=kind)
    shown = _read_existence(specification, body)
    if shown.key != key:
        raise ProofKeyMismatch("The proof is about another key.", expected=key, found=shown.key)
    if shown.value != value:
        raise ProofKeyMismatch("The proof shows another value.", expected=value, found=shown.value)
    return shown.root


def verify_absence(specification: Specification, root: bytes, key: bytes, proof: bytes) -> None:
    """Proves that a tree does not hold a key; the list of checks is the module's.

    Args:
        specification: The tree.
        root: Its trusted root, 32 bytes.
        key: At least one byte.
        proof: Protobuf of a CommitmentProof.

    Raises:
        ProofRefused: It does not hold, by its name.
        ProtobufRefused: It cannot be read.
    """
    found = root_of_absence(specification, key, proof)
    if found != root:
        raise ProofRootMismatch("The proof leads to another root.", expected=root, found=found)


def root_of_absence(specification: Specification, key: bytes, proof: bytes) -> bytes:
    """The root under which a tree does not hold a key.

    Args:
        specification: The tree.
        key: At least one byte.
        proof: Protobuf of a CommitmentProof.

    Returns:
        32 bytes, to be compared with a trusted root or proved in a tree above.

    Raises:
        ProofRefused: It does not hold, by its name.
        ProtobufRefused: It cannot be read.
    """
    kind, body = _kind(proof)
    if kind != ABSENCE:
        raise ProofKindUnsupported("The proof is not one of absence.", expected=ABSENCE, found=kind)
    # 1. The key and its neighbours.
    message = Message.read(body, (1, 2, 3), ordered=True)
    place = _place(specification, key)
    if not key or message.octets(1) not in (key, place):
        raise ProofKeyMismatch("The proof is about another key.", expected=key, found=message.octets(1))
    left, right = (
        _read_existence(specification, message.octets(field)) if message.has(field) else None for field in (2, 3)
    )
    neighbours = [shown for shown in (left, right) if shown is not None]
    if not neighbours:
        raise ProofNeighboursInvalid("The proof shows no neighbour of the absent key.", expected=key)
    # 2. Both exist under one root.
    if neighbours[0].root != neighbours[-1].root:
        raise ProofRootMismatch("The neighbours are under two roots.", found=neighbours[-1].root)
    # 3. The key is between them.
    if left is not None and _place(specification, left.key) >= place:
        raise ProofNeighboursInvalid("The left neighbour is not below the key.", found=left.key)
    if right is not None and _place(specification, right.key) <= place:
        raise ProofNeighboursInvalid("The right neighbour is not above the key.", found=right.key)
    # 4. Nothing else is.
    if not _adjacent(specification, left.steps if left else None, right.steps if right else None):
        raise ProofNeighboursInvalid("There may be other leaves between the neighbours.", found=key)
    return neighbours[0].root


def prove_value(root: bytes, trees: Sequence[tuple[Specification, bytes]], proofs: Sequence[bytes]) -> bytes | None:
    """What a tree holds under a key, where the tree's root is an entry of the tree above, and so on.

    Args:
        root: The trusted root of the last tree, 32 bytes.
        trees: Each with the key in it, the lowest first, such as ``((IAVL, key), (TENDERMINT, store))``; at least one.
        proofs: One for each tree; only the first may be one of absence.

    Returns:
        The value, at least one byte, or ``None`` where the key is proved to be absent.

    Raises:
        ProofRefused: One of them does not hold, by its name.
        ProtobufRefused: One of them cannot be read.
    """
    if len(trees) != len(proofs):
        raise ProofOperationInvalid("Each tree needs its proof.", expected=len(trees), found=len(proofs))
    specification, key = trees[0]
    kind, body = _kind(proofs[0])
    if kind == ABSENCE:
        value, node = None, root_of_absence(specification, key, proofs[0])
    else:
        shown = _read_existence(specification, body)
        if shown.key != key:
            raise ProofKeyMismatch("The proof is about another key.", expected=key, found=shown.key)
        value, node = shown.value, shown.root
    for (above, name), proof in zip(trees[1:], proofs[1:], strict=True):
        node = root_of_existence(above, name, node, proof)
    if node != root:
        raise ProofRootMismatch("The proofs lead to another root.", expected=root, found=node)
    return value


def verify_chain(
    root: bytes, trees: Sequence[tuple[Specification, bytes]], value: bytes | None, proofs: Sequence[bytes]
) -> None:
    """Proves an entry, or its absence, as `prove_value` does, where the value is known.

    Args:
        root: As for `prove_value`.
        trees: As for `prove_value`.
        value: Of the first key; ``None`` to prove that it is absent.
        proofs: As for `prove_value`.

    Raises:
        ProofRefused: One of them does not hold, by its name.
        ProtobufRefused: One of them cannot be read.
    """
    found = prove_value(root, trees, proofs)
    if found != value:
        raise ProofKeyMismatch("The proof shows another value.", expected=value, found=found)


def _kind(proof: bytes) -> tuple[int, bytes]:
    """Which kind of proof it is, and its body."""
    if len(proof) > MAXIMUM_PROOF_SIZE:
        raise ProofTooDeep("The proof is too large.", expected=MAXIMUM_PROOF_SIZE, found=len(proof))
    key, offset = read_varint(proof, 0)
    length, offset = read_varint(proof, offset)
    if key not in (0x0A, 0x12):
        raise ProofKindUnsupported("The proof is neither of existence nor of absence.", found=key >> 3)
    if offset + length != len(proof):
        raise ProtobufTruncated("The proof does not fill its bytes.", expected=length, found=len(proof) - offset)
    return key >> 3, proof[offset:]


def _read_existence(specification: Specification, data: bytes) -> Existence:
    """Reads an ExistenceProof {1 key, 2 value, 3 leaf, 4 path} and hashes from the leaf to the root."""
    key, offset = _field(data, 0, 0x0A)
    value, offset = _field(data, offset, 0x12)
    leaf, offset = _field(data, offset, 0x1A)
    read = specification.leaf_form.fullmatch(leaf)
    if read is None or leaf[7] != len(read[1]):
        raise ProofOperationInvalid(f"The leaf is not one of the tree {specification.name}.", found=leaf[:64])
    node = sha256(read[1] + specification.leaf.content(key, value)).digest()
    steps: list[Step] = []
    left_form, right_form = specification.left_form.match, specification.right_form.match
    height_counts, size, hashed = specification.height_counts, len(data), sha256
    while offset < size:
        length = data[offset + 5] if offset + 5 < size else 0
        read = (left_form if length <= MAXIMUM_HEADER else right_form)(data, offset)
        if read is None:
            raise ProofOperationInvalid(
                f"A step is not one of the tree {specification.name}.", found=data[offset:][:64]
            )
        step: Step = read.groups()  # type: ignore[assignment]  # every form has two groups, and both take part
        prefix, suffix = step
        steps.append(step)
        end = read.end()
        if len(prefix) != length or data[offset + 1] != end - offset - 2:
            raise ProofOperationInvalid("A step has another length than it says.", found=data[offset:end])
        if height_counts and prefix[0] >> 1 < len(steps):
            raise ProofOperationInvalid("A step is below its place.", expected=len(steps), found=prefix[0] >> 1)
        node = hashed(prefix + node + suffix).digest()
        offset = end
    if len(steps) > specification.maximum_depth:
        raise ProofTooDeep("The proof is too deep.", expected=specification.maximum_depth, found=len(steps))
    return Existence(key, value, steps, node)


def _field(data: bytes, offset: int, tag: int) -> tuple[bytes, int]:
    """A field of bytes that must stand here."""
    if offset >= len(data) or data[offset] != tag:
        raise ProofOperationInvalid("A proof of existence has a key, a value and a leaf.", expected=tag >> 3)
    length, start = read_varint(data, offset + 1)
    if start + length > len(data):
        raise ProtobufTruncated("The bytes end inside a field.", expected=length, found=len(data) - start)
    return data[start : start + length], start + length


def _place(specification: Specification, key: bytes) -> bytes:
    return sha256(key).digest() if specification.compares_hashes else key


def _adjacent(specification: Specification, left: list[Step] | None, right: list[Step] | None) -> bool:
    if left is None or right is None:
        edge = right if left is None else left
        return edge is not None and _on_edge(specification, edge, leftmost=left is None)
    from_root = enumerate(zip(reversed(left), reversed(right), strict=False), 1)
    parting = (depth for depth, (one, other) in from_root if one != other)
    return next((_apart(specification, left, right, depth) for depth in parting), False)


def _apart(specification: Specification, left: list[Step], right: list[Step], depth: int) -> bool:
    """Whether two paths that part at a node, counted from the root, go on along its inner edges."""
    return (
        bool(left[-depth][1])
        and not right[-depth][1]
        and _on_edge(specification, left[:-depth], leftmost=False)
        and _on_edge(specification, right[:-depth], leftmost=True)
    )


def _on_edge(specification: Specification, steps: list[Step], *, leftmost: bool) -> bool:
    """Whether a path goes along the first or the last leaves, beside empty siblings at most."""
    for prefix, suffix in steps:
        if bool(suffix) is leftmost:
            continue
        sibling = suffix or prefix[-32:]
        if specification.empty_child is None or sibling != specification.empty_child:
            return False
    return True
