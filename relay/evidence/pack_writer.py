"""Writes packs, the files in which records lie; what stands in them is said in `relay.evidence.packs`."""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from relay.evidence.disk import sync_folder

SALT_SIZE = 32
NAME_SIZE = 16
CHUNK = 1 << 20
"""Bytes that are read or written at once."""
SIZES = struct.Struct(">IQ")


@dataclass(frozen=True, slots=True)
class Written:
    """A record in a pack.

    Attributes:
        commitment: SHA-256(salt ‖ content), 32 bytes.
        offset: where it begins in the pack, bytes.
        size: bytes of the content.
    """

    commitment: bytes
    offset: int
    size: int


class PackWriter:
    """A pack in the making; `Packs.writing` gives it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"tmp-{secrets.token_hex(8)}"
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", CHUNK)
        self.size = 0
        self.records: list[Written] = []

    def add(self, content: bytes | BinaryIO, label: bytes) -> Written:
        """Append a record with a new salt; a stream is read to its end and never held whole."""
        salt = secrets.token_bytes(SALT_SIZE)
        offset, digest = self.size, hashlib.sha256(salt)
        if isinstance(content, bytes):
            digest.update(content)
            size = len(content)
            self._file.write(b"".join((SIZES.pack(len(label), size), salt, content, label)))
        else:
            self._file.write(SIZES.pack(len(label), 0) + salt)
            size = 0
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                self._file.write(chunk)
                size += len(chunk)
            self._file.write(label)
            self._file.seek(offset)
            self._file.write(SIZES.pack(len(label), size))
            self._file.seek(0, os.SEEK_END)
        self.size = offset + SIZES.size + SALT_SIZE + size + len(label)
        written = Written(digest.digest(), offset, size)
        self.records.append(written)
        return written

    def finish(self) -> bytes:
        """Make the pack durable under its name in `new/`; returns the name, 16 bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        name = self.records[0].commitment[:NAME_SIZE]
        self._path.rename(self._folder / name.hex())
        sync_folder(self._folder)
        return name

    def abandon(self) -> None:
        """Remove what was begun."""
        self._file.close()
        self._path.unlink(missing_ok=True)
