"""Operations of ICS-23 proofs (cosmos/ics23, `proofs.proto`: HashOp, LengthOp, LeafOp, InnerOp) and their refusals.

An operation that is not listed here is refused: KECCAK256 (3) and BLAKE3 (9) of HashOp, the RLP and REQUIRE forms of LengthOp
stand in no specification of a tree that a ledger here uses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from light_clients.errors import ProofRefused
from light_clients.protobuf import varint


class ProofOperationInvalid(ProofRefused):
    """An operation is not one that the specification of the tree allows, or has nothing to work on."""


class ProofKeyMismatch(ProofRefused):
    """A proof speaks of another key or of another value."""


class ProofRootMismatch(ProofRefused):
    """A proof leads to another root."""


class ProofNeighboursInvalid(ProofRefused):
    """A proof of absence shows two entries that are not neighbours, or do not enclose the key."""


class ProofTooDeep(ProofRefused):
    """A proof has more steps than any tree of its kind."""


class ProofKindUnsupported(ProofRefused):
    """A proof is neither of one existing nor of one absent key."""


NO_HASH, SHA256 = 0, 1
"""HashOp: none, and the one that every tree here uses."""

NO_PREFIX, VAR_PROTO = 0, 1
"""LengthOp: no length, and a varint."""


def _library(name: str) -> Callable[[bytes], bytes]:
    return lambda data: hashlib.new(name, data).digest()


def _bitcoin(data: bytes) -> bytes:
    return hashlib.new("ripemd160", hashlib.sha256(data).digest()).digest()


_HASHES: Mapping[int, Callable[[bytes], bytes]] = {
    SHA256: lambda data: hashlib.sha256(data).digest(),
    2: _library("sha512"),
    4: _library("ripemd160"),
    5: _bitcoin,
    6: _library("sha512_256"),
    7: _library("blake2b"),
    8: _library("blake2s"),
}

_LENGTHS: Mapping[int, Callable[[bytes], bytes]] = {
    NO_PREFIX: lambda data: data,
    VAR_PROTO: lambda data: varint(len(data)) + data,
    3: lambda data: len(data).to_bytes(4, "big") + data,
    4: lambda data: len(data).to_bytes(4, "little") + data,
    5: lambda data: len(data).to_bytes(8, "big") + data,
    6: lambda data: len(data).to_bytes(8, "little") + data,
}


def hash_of(operation: int, data: bytes) -> bytes:
    """Hashes by the number of a HashOp.

    Args:
        operation: Such as 1 for SHA-256.
        data: Any bytes.

    Raises:
        ProofOperationInvalid: There is no such hash, or none at all is asked for.
    """
    chosen = _HASHES.get(operation)
    if chosen is None:
        raise ProofOperationInvalid("A proof uses a hash that no tree here has.", found=operation)
    return chosen(data)


class LeafOperation(NamedTuple):
    """How a leaf is hashed.

    Attributes:
        hash: HashOp of the leaf.
        prehash_key: HashOp of the key before it.
        prehash_value: HashOp of the value before it.
        length: LengthOp of both.
        prefix: Bytes in front.
    """

    hash: int = SHA256
    prehash_key: int = NO_HASH
    prehash_value: int = NO_HASH
    length: int = NO_PREFIX
    prefix: bytes = b""

    def apply(self, key: bytes, value: bytes) -> bytes:
        """The hash of a leaf.

        Args:
            key: At least one byte.
            value: At least one byte; no tree can prove an empty one.

        Raises:
            ProofOperationInvalid: One of them is empty, or an operation is unknown.
        """
        return hash_of(self.hash, self.prefix + self.content(key, value))

    def content(self, key: bytes, value: bytes) -> bytes:
        """What is hashed behind the prefix: key and value, prehashed and with their lengths.

        Raises:
            ProofOperationInvalid: One of them is empty, or an operation is unknown.
        """
        if not key or not value:
            raise ProofOperationInvalid("A leaf has a key and a value, and neither is empty.")
        lengthen = _LENGTHS.get(self.length)
        if lengthen is None:
            raise ProofOperationInvalid("A proof writes lengths as no tree here does.", found=self.length)
        if self.prehash_key != NO_HASH:
            key = hash_of(self.prehash_key, key)
        if self.prehash_value != NO_HASH:
            value = hash_of(self.prehash_value, value)
        return lengthen(key) + lengthen(value)


class InnerOperation(NamedTuple):
    """How a node is hashed over one of its children.

    Attributes:
        prefix: Bytes before the child.
        suffix: Bytes behind it.
        hash: HashOp.
    """

    prefix: bytes
    suffix: bytes
    hash: int = SHA256

    def apply(self, child: bytes) -> bytes:
        """The hash of the node.

        Args:
            child: Hash of the child, at least one byte.

        Raises:
            ProofOperationInvalid: There is no child, or the hash is unknown.
        """
        if not child:
            raise ProofOperationInvalid("A node is hashed over a child, and there is none.")
        return hash_of(self.hash, self.prefix + child + self.suffix)
