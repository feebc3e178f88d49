"""Tiles of a transparency log and proofs from them (C2SP tlog-tiles, sections Merkle Tree and Log entries; RFC 6962, section 2.1).

A tile of level L and number N has the hashes of the subtrees over 256**L leaves each, from number 256·N on: 256 of them, or
fewer in the last tile of a level (a partial tile, at ``….p/WIDTH``). Beside level 0 lies a bundle with the records themselves,
each behind its length of two bytes. Every number in a path has groups of three digits, all but the last behind an ``x``.

A hash once written never changes, so that the tiles of the newest checkpoint prove everything about an older one too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from light_clients.proofs.rfc6962 import EMPTY_ROOT, HASH_SIZE
from relay.errors import BadInput

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILE_SIZE = WIDTH * HASH_SIZE
"""Bytes of a full tile."""
MAXIMUM_RECORD_SIZE = 1024
"""Bytes of the largest record of our logs; the layout would allow 65,535."""
MAXIMUM_BUNDLE_SIZE = WIDTH * (2 + MAXIMUM_RECORD_SIZE)
"""Bytes of the largest bundle."""


class BundleMalformed(ValueError):
    """A bundle ends inside a record, or has another number of records."""


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """Where a tile lies under the log's prefix; `width` below 256 names a partial one."""
    return f"tile/{level}/{_place(number, width)}"


def bundle_path(number: int, width: int = WIDTH) -> str:
    """Where a bundle of records lies under the log's prefix."""
    return f"tile/entries/{_place(number, width)}"


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Every tile of a log of `size` leaves: level, number and width, level by level from the leaves upwards."""
    level, nodes = 0, size
    while nodes:
        full, rest = divmod(nodes, WIDTH)
        yield from ((level, number, WIDTH) for number in range(full))
        if rest:
            yield level, full, rest
        level, nodes = level + 1, full


def width_of(level: int, number: int, size: int) -> int:
    """Hashes in a tile of a log of `size` leaves; 0 where there is no such tile."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH))


def encode_bundle(records: Sequence[bytes]) -> bytes:
    """The bytes of a bundle."""
    return b"".join(part for record in records for part in (len(record).to_bytes(2, "big"), record))


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The records of a bundle.

    Args:
        data: the bundle.
        width: how many records it must have; what stands behind them is ignored if the bundle is a wider one.

    Raises:
        BundleMalformed: it ends too early, or (for a full one) too late.
    """
    records: list[bytes] = []
    at = 0
    for _ in range(width):
        size = int.from_bytes(data[at : at + 2], "big")
        end = at + 2 + size
        if at + 2 > len(data) or end > len(data):
            raise BundleMalformed(f"the bundle ends inside record {len(records)} of {width}")
        records.append(data[at + 2 : end])
        at = end
    if at != len(data):
        raise BundleMalformed(f"{len(data) - at} bytes stand behind the last of {width} records")
    return records


def leaf_hashes(records: Sequence[bytes]) -> list[bytes]:
    """Hashes of records as leaves, 32 bytes each."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + record).digest() for record in records]


def perfect_root(hashes: bytes) -> bytes:
    """The root over 1, 2, 4 … 256 hashes that lie one behind another."""
    sha256 = hashlib.sha256
    while len(hashes) > HASH_SIZE:
        pairs = range(0, len(hashes), 2 * HASH_SIZE)
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 2 * HASH_SIZE]).digest() for at in pairs])
    return hashes


class TileTree:
    """The tree of a log as its tiles have it: roots and proofs of any size up to that of the newest checkpoint.

    Args:
        read: gives the hashes of a tile, 32 bytes each, for a level and a number; raises what it likes.
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves, 32 bytes."""
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that a leaf stands in the tree of `size` leaves, from the leaf upwards.

        Raises:
            BadInput: that tree has no such leaf.
        """
        if not 0 <= index < size:
            raise BadInput(f"A log of {size} leaves has no leaf {index}.", "Ask for an index below the size.")
        return self._path(0, size, index, index + 1, whole=True)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `old` leaves are the beginning of the first `new` ones; empty for none and for all of them.

        Raises:
            BadInput: the old size is not one up to the new one.
        """
        if not 0 <= old <= new:
            raise BadInput(f"{old} leaves are not the beginning of {new}.", "Give the smaller size first.")
        return self._path(0, new, 0, old, whole=True) if old else []

    def _path(self, low: int, high: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        if (start, end) == (low, high):
            return [] if whole else [self._range(low, high)]
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        if end <= middle:
            return [*self._path(low, middle, start, end, whole=whole), self._range(middle, high)]
        if start >= middle:
            return [*self._path(middle, high, start, end, whole=whole), self._range(low, middle)]
        return [*self._path(middle, high, middle, end, whole=False), self._range(low, middle)]

    def _range(self, low: int, high: int) -> bytes:
        """The hash over leaves from `low` up to `high`; `low` is a multiple of the least power of two that reaches so far."""
        count = high - low
        if count & (count - 1) == 0:
            return self._perfect(low, count)
        middle = low + (1 << (count.bit_length() - 1))
        return hashlib.sha256(b"\x01" + self._range(low, middle) + self._range(middle, high)).digest()

    def _perfect(self, low: int, count: int) -> bytes:
        level = (count.bit_length() - 1) // HEIGHT
        nodes = count >> (HEIGHT * level)
        number, first = divmod(low >> (HEIGHT * level), WIDTH)
        hashes = self._read(level, number)[first * HASH_SIZE : (first + nodes) * HASH_SIZE]
        return perfect_root(hashes)


def _place(number: int, width: int) -> str:
    digits = f"{number:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == WIDTH else f"{path}.p/{width}"
