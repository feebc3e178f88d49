"""The signing key behind a small face, so that a remote signer or a hardware module can stand in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from light_clients.crypto.secp256k1 import sign
from relay.keys import Key, read_key


class Signer(Protocol):
    """Signs 32-byte digests with one key."""

    @property
    def address(self) -> bytes:
        """The signer's account as the verifiers know it."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """Sign a digest: 65 bytes, r, s (low) and v = 27 or 28."""
        ...


class FileSigner:
    """A signer whose key lies in a file of mode 600.

    Args:
        key: as `relay.keys.read_key` reads it.
    """

    def __init__(self, key: Key) -> None:
        self._key = key

    @classmethod
    def load(cls, path: Path) -> FileSigner:
        """Read the key.

        Raises:
            NotFound: there is no such file.
            BadInput: it is damaged, unreadable, or readable by others.
        """
        return cls(read_key(path))

    @property
    def address(self) -> bytes:
        """The signer's account, 20 bytes."""
        return self._key.address

    def sign(self, digest: bytes) -> bytes:
        """Sign a digest: 65 bytes, r, s (low) and v = 27 or 28."""
        return sign(self._key.private, digest)
