"""What the nodes of the trees look like whose proofs are judged here (cosmos/ics23, `IavlSpec`, `TendermintSpec`, `SmtSpec`).

The protobuf is read by a pattern of each tree, because a tree's node has one form only: what the pattern does not match is no
node of such a tree, or not written canonically. The patterns are stricter than the reference: a step must have exactly one
sibling, an IAVL node its height, size and version without superfluous bytes (cosmos/iavl, `Node.writeHashBytes`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from light_clients.proofs.ics23_ops import NO_HASH, NO_PREFIX, SHA256, VAR_PROTO, LeafOperation

MAXIMUM_DEPTH = 128
"""Steps of a proof in a tree that does not say otherwise."""

MAXIMUM_HEADER = 12
"""Bytes before a left child; before a right one there are at least 32 more."""

_EVEN = b"[" + b"".join(re.escape(bytes([byte])) for byte in range(0, 128, 2)) + b"]"
_EVEN_MORE = b"[" + b"".join(re.escape(bytes([byte])) for byte in range(128, 256, 2)) + b"]"
_NUMBER = b"(?:" + _EVEN + b"|" + _EVEN_MORE + b"[\x80-\xff]{0,8}[\x01-\x7f])"
"""A number that is not negative, as a signed varint of the only length that it needs."""

_IAVL_NODE = rb"(" + _EVEN + _NUMBER + _NUMBER + rb"\x20"


@dataclass(frozen=True, slots=True)
class Specification:
    """What the nodes of a tree look like.

    Attributes:
        name: The tree.
        leaf: How a leaf is hashed, without the prefix, which the proof brings.
        leaf_form: Protobuf of a LeafOp; its group is the prefix.
        left_form: A field of the path: an InnerOp over a left child; its groups are prefix and suffix.
        right_form: The same over a right child; the suffix is empty.
        height_counts: Whether the first byte of a prefix is twice the height of the node.
        empty_child: The sibling that stands for nothing; ``None`` where the tree has none.
        maximum_depth: Steps of a proof.
        compares_hashes: Whether the leaves are in the order of the hashes of their keys.
    """

    name: str
    leaf: LeafOperation
    leaf_form: re.Pattern[bytes]
    left_form: re.Pattern[bytes]
    right_form: re.Pattern[bytes]
    height_counts: bool = False
    empty_child: bytes | None = None
    maximum_depth: int = MAXIMUM_DEPTH
    compares_hashes: bool = False


IAVL = Specification(
    "iavl",
    LeafOperation(SHA256, NO_HASH, SHA256, VAR_PROTO),
    re.compile(rb"\x08\x01\x18\x01\x20\x01\x2a.(\x00\x02" + _NUMBER + rb")", re.DOTALL),
    re.compile(rb"\x22.\x08\x01\x12." + _IAVL_NODE + rb")\x1a\x21(\x20.{32})", re.DOTALL),
    re.compile(rb"\x22.\x08\x01\x12." + _IAVL_NODE + rb".{32}\x20)()", re.DOTALL),
    height_counts=True,
)
"""The tree of an application's store (cosmos/iavl)."""

_BINARY_FORMS = (
    re.compile(rb"\x22.\x08\x01\x12\x01(\x01)\x1a\x20(.{32})", re.DOTALL),
    re.compile(rb"\x22.\x08\x01\x12\x21(\x01.{32})()", re.DOTALL),
)

TENDERMINT = Specification(
    "tendermint",
    LeafOperation(SHA256, NO_HASH, SHA256, VAR_PROTO),
    re.compile(rb"\x08\x01\x18\x01\x20\x01\x2a.(\x00)", re.DOTALL),
    *_BINARY_FORMS,
)
"""The tree over an application's stores (CometBFT crypto/merkle)."""

SMT = Specification(
    "smt",
    LeafOperation(SHA256, SHA256, SHA256, NO_PREFIX),
    re.compile(rb"\x08\x01\x10\x01\x18\x01\x2a.(\x00)", re.DOTALL),
    *_BINARY_FORMS,
    empty_child=bytes(32),
    maximum_depth=256,
    compares_hashes=True,
)
"""A sparse Merkle tree (celestiaorg/smt)."""

SPECIFICATIONS = {specification.name: specification for specification in (IAVL, TENDERMINT, SMT)}
