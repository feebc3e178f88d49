"""Private keys on disk: a folder of mode 700, one file of mode 600 a key, `NAME.json` with {kind, address, private}.

The kind is `secp256k1`, `sm2` for the second key of an operator, or `ed25519` for the key of the evidence log.

A private key is never logged, printed or shown by repr; errors name the file only.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from relay.errors import BadInput, Duplicate, NotFound
from schemas.primitives import SchemaError, bytes_from_hex, name_text
from schemas.suites import keccak256

SECP256K1, SM2, ED25519 = "secp256k1", "sm2", "ed25519"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an account or a signer.

    Attributes:
        name: its name in the store.
        address: the account that Keccak-256 makes of its public key, 20 bytes.
        private: 32 bytes; hidden from repr.
        kind: `secp256k1`, `sm2` or `ed25519`.
    """

    name: str
    address: bytes
    private: bytes = field(repr=False)
    kind: str = SECP256K1

    @property
    def public_key(self) -> bytes:
        """X and Y, 64 bytes; of Ed25519 32 bytes."""
        return _public_key(self.kind, self.private)


def key_name(name: str) -> str:
    """Return `name` if a key may have it: a name of the protocol in any script that is one safe file name.

    Raises:
        BadInput: it is no such name.
    """
    try:
        name_text(name, "key name")
    except SchemaError as error:
        raise BadInput(f"{error}.", "Choose another name.") from None
    if "/" in name or "\\" in name or name.startswith((".", "-")):
        raise BadInput(
            f"The key name {name!r} cannot be a file name.", "Leave out slashes and a leading dot or hyphen."
        )
    return name


class KeyStore:
    """The keys of a hub, an operator or an officer.

    Args:
        folder: where the files lie; made with mode 700 when the first key is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """The file of a key."""
        return self.folder / f"{key_name(name)}.json"

    def exists(self, name: str) -> bool:
        """Whether there is a key of that name."""
        return self.path(name).exists()

    def new(self, name: str, private: bytes | None = None, *, kind: str = SECP256K1) -> Key:
        """Make a key, or keep the given one, in a file of its own.

        Args:
            name: a name that is not taken.
            private: 32 bytes, else random ones.
            kind: `secp256k1`, `sm2` or `ed25519`.

        Raises:
            Duplicate: the name is taken; a key is never overwritten.
            BadInput: the name or the folder cannot be used.
        """
        path = self.path(name)
        if path.exists():
            raise Duplicate(
                f"The key {name} exists already at {path}.", "Choose another name; keys are never replaced."
            )
        key = _derive(name, private or secrets.token_bytes(32), path, kind)
        content = json.dumps({"kind": kind, "address": "0x" + key.address.hex(), "private": "0x" + key.private.hex()})
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
            _write_whole(path, content.encode() + b"\n")
        except OSError as error:
            raise BadInput(
                f"The key {name} cannot be written to {path}: {error.strerror}.", "Check the disk and permissions."
            ) from None
        return key

    def load(self, name: str) -> Key:
        """Read a key.

        Raises:
            NotFound: there is none of that name.
            BadInput: the file is damaged, unreadable, or readable by others.
        """
        try:
            return read_key(self.path(name), name)
        except NotFound:
            known = ", ".join(self.names()) or "none yet"
            raise NotFound(
                f"There is no key {name} in {self.folder} (known: {known}).", "Make one: relayhub key new NAME."
            ) from None

    def load_or_new(self, name: str, *, kind: str = SECP256K1) -> Key:
        """Read a key, or make it of a kind."""
        return self.load(name) if self.exists(name) else self.new(name, kind=kind)

    def names(self) -> list[str]:
        """Names of all keys, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.json")) if self.folder.is_dir() else []


def read_key(path: Path, name: str = "") -> Key:
    """Read a key file wherever it lies.

    Args:
        path: the file, mode 600 or less.
        name: the key's name, else the file's.

    Raises:
        NotFound: there is no such file.
        BadInput: the file is damaged, unreadable, or readable by others.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise BadInput(f"The key file {path} may be read by others (mode {mode:o}).", f"Run: chmod 600 {path}.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no key file {path}.", "Make one: relayhub key new NAME.") from None
    except OSError as error:
        raise BadInput(f"The key file {path} cannot be read: {error.strerror}.", "Check its owner and mode.") from None
    damaged = BadInput(f"The key file {path} is damaged.", "Restore it from your backup, or make a new key.")
    try:
        fields = json.loads(content)
        private, address = bytes_from_hex(fields["private"]), bytes_from_hex(fields["address"])
        kind = fields["kind"]
        if kind not in (SECP256K1, SM2, ED25519):
            raise damaged
    except (ValueError, KeyError, TypeError):
        raise damaged from None
    key = _derive(name or path.stem, private, path, kind)
    if key.address != address:
        raise damaged
    return key


def _derive(name: str, private: bytes, path: Path, kind: str) -> Key:
    from light_clients.errors import LightClientError

    try:
        return Key(name, keccak256(_public_key(kind, private))[12:], private, kind)
    except LightClientError:
        raise BadInput(
            f"The key for {path} is no {kind} key.", "Give 32 bytes, not zero, below the group order."
        ) from None


def _public_key(kind: str, private: bytes) -> bytes:
    from light_clients.crypto import secp256k1, sm2
    from light_clients.errors import SignatureLength

    if kind == ED25519:
        from nacl.signing import SigningKey

        if len(private) != 32:
            raise SignatureLength("A private key has 32 bytes.", expected=32, found=len(private))
        return bytes(SigningKey(private).verify_key)
    return sm2.public_key_of(private) if kind == SM2 else secp256k1.public_key_of(private)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a new file of mode 600 that is there whole or not at all; never over another."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink()
