"""The signing keys behind a small face, so that a remote signer or a hardware module can stand in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from light_clients.crypto import sm2
from light_clients.crypto.secp256k1 import sign
from relay.errors import BadInput
from relay.keys import SECP256K1, SM2, Key, read_key


class Signer(Protocol):
    """Signs 32-byte digests, by each scheme with one key."""

    @property
    def address(self) -> bytes:
        """The account of the secp256k1 key, by which the hub knows the operator."""
        ...

    def schemes(self) -> frozenset[str]:
        """The schemes for which there is a key."""
        ...

    def sign(self, digest: bytes, scheme: str = SECP256K1) -> bytes:
        """Sign a digest.

        Args:
            digest: 32 bytes.
            scheme: `secp256k1`: 65 bytes, r, s (low) and v = 27 or 28; or `sm2`: 64 bytes, r and s over the digest as the message.
        """
        ...


class FileSigner:
    """A signer whose keys lie in files of mode 600.

    Args:
        key: the secp256k1 key, as `relay.keys.read_key` reads it.
        sm2_key: the SM2 key, if there is one.
    """

    def __init__(self, key: Key, sm2_key: Key | None = None) -> None:
        self._key = key
        self._sm2_key = sm2_key

    @classmethod
    def load(cls, path: Path, sm2_path: Path | None = None) -> FileSigner:
        """Read the keys.

        Raises:
            NotFound: there is no such file.
            BadInput: it is damaged, unreadable, readable by others, or of another kind.
        """
        return cls(_key_of(path, SECP256K1), None if sm2_path is None else _key_of(sm2_path, SM2))

    @property
    def address(self) -> bytes:
        """The account of the secp256k1 key, 20 bytes."""
        return self._key.address

    def schemes(self) -> frozenset[str]:
        """The schemes for which there is a key."""
        return frozenset({SECP256K1} if self._sm2_key is None else {SECP256K1, SM2})

    def sign(self, digest: bytes, scheme: str = SECP256K1) -> bytes:
        """Sign a digest with the key of a scheme.

        Raises:
            BadInput: there is none.
        """
        if scheme == SECP256K1:
            return sign(self._key.private, digest)
        if self._sm2_key is None:
            raise BadInput(f"There is no {scheme} key.", "Name its file in operator.toml: sm2_key_file.")
        return sm2.sign(self._sm2_key.private, digest)


def _key_of(path: Path, kind: str) -> Key:
    key = read_key(path)
    if key.kind != kind:
        raise BadInput(f"The key file {path} holds a key of the kind {key.kind}.", f"Give a {kind} key.")
    return key
