"""Simple Serialize: strict reading, writing and the hash tree root (Ethereum consensus specifications, ssz/simple-serialize.md).

A type is an object with three functions, so that one description of a container serves all of them. Values are plain: an
``int``, ``bytes``, or a ``tuple`` of values in the order of the container or vector. Reading is strict, because two encodings
of one value would be two bundles for one header:
1. A value fills its bytes; nothing is missing and nothing follows.
2. The first offset is the end of the fixed part, offsets never go back, and no part is out of bounds.
3. A list is within its limit, a boolean 0 or 1, and the unused bits of a bit vector are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any, Protocol

from light_clients.errors import Refused

Value = Any
"""``int``, ``bytes``, or a tuple of values."""

ZERO_CHUNK = bytes(32)
_OFFSET = 4


class SszRefused(Refused):
    """Bytes that are not the one encoding of a value of the type."""


class SszType(Protocol):
    """What every type can do."""

    @property
    def fixed_size(self) -> int | None:
        """Bytes of every value, or ``None`` where values differ in size."""

    def decode(self, data: bytes) -> Value:
        """Reads a value that fills ``data``.

        Raises:
            SszRefused: It is not the encoding of a value.
        """

    def encode(self, value: Value) -> bytes:
        """Writes a value."""

    def root(self, value: Value) -> bytes:
        """The hash tree root of a value, 32 bytes."""


@dataclass(frozen=True)
class Uint:
    """An unsigned integer, little-endian; ``size`` bytes."""

    size: int

    @property
    def fixed_size(self) -> int:
        """See `SszType`."""
        return self.size

    def decode(self, data: bytes) -> int:
        """See `SszType`."""
        return int.from_bytes(_sized(data, self.size), "little")

    def encode(self, value: int) -> bytes:
        """See `SszType`."""
        return value.to_bytes(self.size, "little")

    def root(self, value: int) -> bytes:
        """See `SszType`."""
        return value.to_bytes(32, "little")


@dataclass(frozen=True)
class ByteVector:
    """So many bytes."""

    size: int

    @property
    def fixed_size(self) -> int:
        """See `SszType`."""
        return self.size

    def decode(self, data: bytes) -> bytes:
        """See `SszType`."""
        return _sized(data, self.size)

    def encode(self, value: bytes) -> bytes:
        """See `SszType`."""
        return value

    def root(self, value: bytes) -> bytes:
        """See `SszType`."""
        return value if self.size == 32 else merkle_root(_chunks(value))


@dataclass(frozen=True)
class Bitvector:
    """So many bits, kept as bytes; the lowest bit of the first byte is the first."""

    length: int

    @property
    def fixed_size(self) -> int:
        """See `SszType`."""
        return (self.length + 7) // 8

    def decode(self, data: bytes) -> bytes:
        """See `SszType`."""
        if int.from_bytes(_sized(data, self.fixed_size), "little") >> self.length:
            raise SszRefused("Unused bits of a bit vector are set.", found=data)
        return data

    def encode(self, value: bytes) -> bytes:
        """See `SszType`."""
        return value

    def root(self, value: bytes) -> bytes:
        """See `SszType`."""
        return merkle_root(_chunks(value))


@dataclass(frozen=True)
class ByteList:
    """At most ``limit`` bytes."""

    limit: int

    @property
    def fixed_size(self) -> None:
        """See `SszType`."""
        return

    def decode(self, data: bytes) -> bytes:
        """See `SszType`."""
        if len(data) > self.limit:
            raise SszRefused("A list of bytes is longer than its limit.", expected=self.limit, found=len(data))
        return data

    def encode(self, value: bytes) -> bytes:
        """See `SszType`."""
        return value

    def root(self, value: bytes) -> bytes:
        """See `SszType`."""
        return _with_length(merkle_root(_chunks(value), (self.limit + 31) // 32), len(value))


@dataclass(frozen=True)
class Vector:
    """So many elements of a fixed size that is no basic type: roots, keys, containers."""

    element: SszType
    length: int

    @cached_property
    def fixed_size(self) -> int:
        """See `SszType`."""
        return _element_size(self.element) * self.length

    def decode(self, data: bytes) -> tuple[Value, ...]:
        """See `SszType`."""
        return _elements(self.element, _sized(data, self.fixed_size))

    def encode(self, value: Sequence[Value]) -> bytes:
        """See `SszType`."""
        return b"".join(map(self.element.encode, value))

    def root(self, value: Sequence[Value]) -> bytes:
        """See `SszType`."""
        return merkle_root([self.element.root(element) for element in value])


@dataclass(frozen=True)
class ListOf:
    """At most ``limit`` elements of a fixed size that is no basic type."""

    element: SszType
    limit: int

    @property
    def fixed_size(self) -> None:
        """See `SszType`."""
        return

    def decode(self, data: bytes) -> tuple[Value, ...]:
        """See `SszType`."""
        size = _element_size(self.element)
        if len(data) % size or len(data) > size * self.limit:
            raise SszRefused("A list is cut off or longer than its limit.", expected=size * self.limit, found=len(data))
        return _elements(self.element, data)

    def encode(self, value: Sequence[Value]) -> bytes:
        """See `SszType`."""
        return b"".join(map(self.element.encode, value))

    def root(self, value: Sequence[Value]) -> bytes:
        """See `SszType`."""
        return _with_length(merkle_root([self.element.root(element) for element in value], self.limit), len(value))


@dataclass(frozen=True)
class Container:
    """Named fields in order; a value is the tuple of the values of the fields."""

    fields: tuple[tuple[str, SszType], ...]

    @cached_property
    def types(self) -> tuple[SszType, ...]:
        """The types of the fields."""
        return tuple(field for _, field in self.fields)

    @cached_property
    def fixed_size(self) -> int | None:
        """See `SszType`."""
        sizes = [field.fixed_size for field in self.types]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @cached_property
    def _fixed_part(self) -> int:
        return sum(_OFFSET if field.fixed_size is None else field.fixed_size for field in self.types)

    def decode(self, data: bytes) -> tuple[Value, ...]:
        """See `SszType`."""
        if self.fixed_size is not None:
            _sized(data, self.fixed_size)
        elif len(data) < self._fixed_part:
            raise SszRefused("A container is cut off.", expected=self._fixed_part, found=len(data))
        parts: list[bytes] = []
        offsets: list[int] = []
        position = 0
        for field in self.types:
            size = _OFFSET if field.fixed_size is None else field.fixed_size
            part = data[position : position + size]
            parts.append(part)
            position += size
            if field.fixed_size is None:
                offsets.append(int.from_bytes(part, "little"))
        if offsets:
            self._check_offsets(offsets, len(data))
        bounds = pairwise([*offsets, len(data)])
        return tuple(
            field.decode(data[slice(*next(bounds))] if field.fixed_size is None else part)
            for field, part in zip(self.types, parts, strict=True)
        )

    def encode(self, value: Sequence[Value]) -> bytes:
        """See `SszType`."""
        fixed: list[bytes] = []
        variable: list[bytes] = []
        offset = self._fixed_part
        for field, item in zip(self.types, value, strict=True):
            encoded = field.encode(item)
            if field.fixed_size is None:
                fixed.append(offset.to_bytes(_OFFSET, "little"))
                variable.append(encoded)
                offset += len(encoded)
            else:
                fixed.append(encoded)
        return b"".join((*fixed, *variable))

    def root(self, value: Sequence[Value]) -> bytes:
        """See `SszType`."""
        return merkle_root([field.root(item) for field, item in zip(self.types, value, strict=True)])

    def _check_offsets(self, offsets: list[int], size: int) -> None:
        if offsets[0] != self._fixed_part:
            raise SszRefused("The first offset is not the end of the fixed part.", found=offsets[0])
        if any(first > second for first, second in pairwise([*offsets, size])):
            raise SszRefused("An offset goes back or out of bounds.", expected=size, found=offsets[-1])


def merkle_root(chunks: Sequence[bytes], limit: int | None = None) -> bytes:
    """The root of a binary tree over chunks of 32 bytes, filled up with zeros to a power of two.

    Args:
        chunks: 32 bytes each.
        limit: The chunks that a list may have, where it is more than there are.

    Returns:
        32 bytes.
    """
    depth = max((limit if limit is not None else len(chunks)) - 1, 0).bit_length()
    layer = list(chunks) or [ZERO_CHUNK]
    for level in range(depth):
        if len(layer) % 2:
            layer.append(_ZEROS[level])
        layer = [sha256(left + right).digest() for left, right in zip(layer[::2], layer[1::2], strict=True)]
    return layer[0]


def branch_root(leaf: bytes, branch: Sequence[bytes], generalized_index: int) -> bytes:
    """The root that a branch leads to (ssz/merkle-proofs.md, single proofs).

    Args:
        leaf: 32 bytes.
        branch: The sister nodes from the leaf upwards, 32 bytes each; as many as the index is deep.
        generalized_index: The place of the leaf.

    Returns:
        32 bytes.
    """
    node, place = leaf, generalized_index
    for sister in branch:
        node = sha256(sister + node if place & 1 else node + sister).digest()
        place >>= 1
    return node


def _zeros() -> tuple[bytes, ...]:
    nodes = [ZERO_CHUNK]
    for _ in range(64):
        nodes.append(sha256(nodes[-1] * 2).digest())
    return tuple(nodes)


_ZEROS = _zeros()
"""Roots of trees of zeros, by depth."""


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise SszRefused("A value is not of the size of its type.", expected=size, found=len(data))
    return data


def _chunks(data: bytes) -> list[bytes]:
    return [data[place : place + 32].ljust(32, b"\x00") for place in range(0, len(data), 32)]


def _with_length(root: bytes, length: int) -> bytes:
    return sha256(root + length.to_bytes(32, "little")).digest()


def _element_size(element: SszType) -> int:
    size = element.fixed_size
    assert size is not None, "elements of vectors and lists have a fixed size here"
    return size


def _elements(element: SszType, data: bytes) -> tuple[Value, ...]:
    size = _element_size(element)
    return tuple(element.decode(data[place : place + size]) for place in range(0, len(data), size))
