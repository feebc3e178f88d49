"""The right edge of a growing log: what full tiles do not hold yet, and the files that more records make of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from light_clients.proofs.rfc6962 import EMPTY_ROOT, HASH_SIZE
from relay.evidence.tiles import (
    HEIGHT,
    TILE_SIZE,
    WIDTH,
    bundle_path,
    encode_bundle,
    leaf_hashes,
    perfect_root,
    tile_path,
)

File = tuple[str, bytes]
"""A path under the log's prefix and the file's content."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The partial tiles of a log.

    Attributes:
        size: leaves.
        rows: for each level from the leaves upwards the hashes of its partial tile, 0 to 255 of 32 bytes.
        records: the records of the partial bundle.
    """

    size: int = 0
    rows: tuple[bytes, ...] = ()
    records: tuple[bytes, ...] = ()

    def grow(self, records: Sequence[bytes]) -> tuple[Edge, list[File]]:
        """Append records.

        Args:
            records: at least one.

        Returns:
            The edge behind them, and every tile and bundle that is new or wider: the full ones and one partial one a level.
        """
        files: list[File] = []
        rows: list[bytes] = []
        added = b"".join(leaf_hashes(records))
        level = 0
        while added:
            row = (self.rows[level] if level < len(self.rows) else b"") + added
            number = self.size >> (HEIGHT * (level + 1))
            full = [row[at : at + TILE_SIZE] for at in range(0, len(row) - TILE_SIZE + 1, TILE_SIZE)]
            files.extend((tile_path(level, number + place), tile) for place, tile in enumerate(full))
            rest = row[len(full) * TILE_SIZE :]
            if rest:
                files.append((tile_path(level, number + len(full), len(rest) // HASH_SIZE), rest))
            rows.append(rest)
            added = b"".join(perfect_root(tile) for tile in full)
            level += 1
        rows.extend(self.rows[level:])
        kept, bundles = self._bundles(records)
        return Edge(self.size + len(records), tuple(rows), kept), files + bundles

    def root(self) -> bytes:
        """The root of the tree, 32 bytes."""
        root = b""
        for row in self.rows:
            end = len(row)
            for height in range(HEIGHT):
                size = HASH_SIZE << height
                if len(row) & size:
                    part = perfect_root(row[end - size : end])
                    root = hashlib.sha256(b"\x01" + part + root).digest() if root else part
                    end -= size
        return root or EMPTY_ROOT

    def _bundles(self, records: Sequence[bytes]) -> tuple[tuple[bytes, ...], list[File]]:
        whole = [*self.records, *records]
        number = self.size // WIDTH
        full = len(whole) // WIDTH
        files = [
            (bundle_path(number + place), encode_bundle(whole[place * WIDTH : (place + 1) * WIDTH]))
            for place in range(full)
        ]
        rest = whole[full * WIDTH :]
        if rest:
            files.append((bundle_path(number + full, len(rest)), encode_bundle(rest)))
        return tuple(rest), files
