"""Objects beside the log: headers, proofs and whatever else is too large for a leaf, found by the hash that stands in one.

An object lies at ``AB/CDEF…`` below its folder, by the hexadecimal SHA-256 of its content: any static web server can serve
it, and whoever reads it checks it by its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from relay.errors import BadInput, NotFound
from relay.evidence.disk import PRIVATE, PUBLIC, DurableFolder, sync_folder

DIGEST_SIZE = 32
MAXIMUM_OBJECT_SIZE = 64 * 1024 * 1024
"""Bytes of the largest object."""
_NEW = ".new"


class Objects:
    """A folder of objects. Several processes may put at once: the same content makes the same file.

    Args:
        folder: made if there is none, with the folders above it.
        private: readable by the owner only (for contents that have an access rule).
    """

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        self.folder = folder
        (folder / _NEW).mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700 if private else 0o755)
        self._files = DurableFolder(folder, folder / _NEW, PRIVATE if private else PUBLIC)

    def put(self, content: bytes) -> bytes:
        """Keep an object; durable when it returns.

        Returns:
            Its SHA-256, 32 bytes.

        Raises:
            BadInput: it is larger than 64 MiB.
        """
        return self.put_all([content])[0]

    def put_all(self, contents: Sequence[bytes]) -> list[bytes]:
        """Keep many objects, which is cheaper than one by one; durable when it returns.

        Raises:
            BadInput: one is larger than 64 MiB; none is kept.
        """
        if any(len(content) > MAXIMUM_OBJECT_SIZE for content in contents):
            raise BadInput("An object has at most 64 MiB.", "Split it, or keep its hash only.")
        digests = [hashlib.sha256(content).digest() for content in contents]
        wanted = dict(zip(digests, contents, strict=True))
        there = {digest for digest in wanted if self.has(digest)}
        self._files.write([(_path(digest), content) for digest, content in wanted.items() if digest not in there])
        for folder in {self._place(digest).parent for digest in there}:
            sync_folder(folder)  # another process may have written it a moment ago and not synced yet
        return digests

    def get(self, digest: bytes) -> bytes:
        """Read an object and check it.

        Raises:
            NotFound: there is none of this hash.
            BadInput: what lies there has another hash: the disk or someone changed it.
        """
        try:
            content = self._place(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no object 0x{digest.hex()}.", "Ask whoever keeps the log for a backup.") from None
        if hashlib.sha256(content).digest() != digest:
            raise BadInput(f"The object 0x{digest.hex()} was changed on the disk.", "Restore it from a backup.")
        return content

    def has(self, digest: bytes) -> bool:
        """Whether there is an object of this hash."""
        return self._place(digest).is_file()

    def close(self) -> None:
        """Let the threads go."""
        self._files.close()

    def _place(self, digest: bytes) -> Path:
        if len(digest) != DIGEST_SIZE:
            raise BadInput(f"The hash of an object has 32 bytes, not {len(digest)}.", "Give the whole SHA-256.")
        return self.folder / _path(digest)


def _path(digest: bytes) -> str:
    name = digest.hex()
    return f"{name[:2]}/{name[2:]}"
