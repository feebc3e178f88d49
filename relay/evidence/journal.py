"""The journal of a log's writer: records that are appended and durable, and not yet under a published checkpoint.

One batch is one frame: a mark of 4 bytes, the index of its first record (8), how many records (4), how many bytes (4), the
records as in a bundle of tiles, and the SHA-256 of all this. A frame whose end is missing or whose hash is another was being
written when the power went: its `append` never returned, so it is cut off with whatever stands behind it.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from relay.evidence.disk import sync_folder, write_all, write_synced
from relay.evidence.tiles import decode_bundle, encode_bundle

_MARK = b"RHJ1"
_HEAD = struct.Struct(">4sQII")
_HASH_SIZE = 32


class Journal:
    """An open journal.

    Args:
        path: the file; made if there is none.
        size: leaves that are under the published checkpoint: what the journal has of them is not needed any more.

    Attributes:
        first: index of the first record that was found in it, or `size`.
        records: what was found in it from leaf `size` on, in order.
    """

    def __init__(self, path: Path, size: int) -> None:
        content = path.read_bytes() if path.exists() else b""
        self.first = size
        self.records: list[bytes] = []
        for first, found in _frames(content):
            self.first = min(self.first, first)
            start = size + len(self.records) - first
            if start < 0:
                break  # a frame of records that no frame before it leads to
            self.records.extend(found[start:])
        # Written anew: what was read may still be on its way to the disk, and a torn frame must not stay before good ones.
        fresh = path.with_suffix(".new")
        self._end = _frame(size, self.records) if self.records else b""
        write_synced(fresh, self._end, 0o600)
        fresh.replace(path)
        sync_folder(path.parent)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._length = len(self._end)

    def append(self, first: int, records: Sequence[bytes]) -> None:
        """Write a batch; durable when it returns.

        Args:
            first: index of its first record.
            records: each of at most 65,535 bytes.

        Raises:
            OSError: the disk is full or broken; nothing of the batch stays, as far as the disk lets us see to it.
        """
        frame = _frame(first, records)
        try:
            write_all(self._descriptor, frame)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._length)
            raise
        self._length += len(frame)

    def clear(self) -> None:
        """Forget everything: it is under a checkpoint now. Not synced: what comes back is known by its indices."""
        os.ftruncate(self._descriptor, 0)
        self._length = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _frame(first: int, records: Sequence[bytes]) -> bytes:
    body = encode_bundle(records)
    frame = _HEAD.pack(_MARK, first, len(records), len(body)) + body
    return frame + hashlib.sha256(frame).digest()


def _frames(content: bytes) -> Iterator[tuple[int, list[bytes]]]:
    at = 0
    while len(content) - at >= _HEAD.size + _HASH_SIZE:
        mark, first, count, length = _HEAD.unpack_from(content, at)
        end = at + _HEAD.size + length
        if mark != _MARK or content[end : end + _HASH_SIZE] != hashlib.sha256(content[at:end]).digest():
            return
        yield first, decode_bundle(content[at + _HEAD.size : end], count)
        at = end + _HASH_SIZE
