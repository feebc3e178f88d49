"""A backup's file: one tar whose last member, `manifest.json`, has the size and the SHA-256 of every other.

It holds databases, endpoints with their credentials and perhaps keys, so it is made with mode 600 and appears under its name only when
it is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import time
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from relay.errors import BadInput, Duplicate

MANIFEST = "manifest.json"
FORMAT = 1
MANIFEST_MAXIMUM = 1 << 30
BLOCK = 1 << 20


class Writing:
    """A backup that is being made; a context manager.

    Args:
        path: the file, not there yet.

    Raises:
        Duplicate: there is such a file.
        BadInput: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise Duplicate(f"{path} exists already.", "Choose another name.")
        self.path = path
        self.members: dict[str, dict[str, Any]] = {}
        self._partial = path.with_name(path.name + ".part")
        try:
            descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from None
        self._file = os.fdopen(descriptor, "wb")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if kind is None:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)

    def add(self, name: str, path: Path) -> None:
        """Add a file as it is now; what grows meanwhile is cut at the size it had.

        Raises:
            FileNotFoundError: it is not there any more.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            hashing = _Hashing(file)
            self._tar.addfile(_member(name, size, path.stat().st_mode & 0o777), hashing)
        self.members[name] = {"size": size, "sha256": hashing.digest.hexdigest()}

    def finish(self, said: dict[str, Any]) -> None:
        """Write the manifest."""
        content = {"format": FORMAT, "made_at": round(time.time(), 3), **said, "files": self.members}
        encoded = json.dumps(content, ensure_ascii=False, indent=1).encode()
        self._tar.addfile(_member(MANIFEST, len(encoded), 0o600), io.BytesIO(encoded))


def read_manifest(path: Path) -> dict[str, Any]:
    """What a backup says of itself.

    Raises:
        BadInput: it is no backup, or torn.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            member = tar.getmember(MANIFEST)
            file = tar.extractfile(member) if member.size <= MANIFEST_MAXIMUM else None
            content = json.loads(file.read()) if file is not None else {}
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise BadInput(f"{path} is no whole backup: {error}.", "Take another copy.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or not _are_files(content.get("files")):
        raise BadInput(
            f"{path} is no backup of this version: its manifest is of another form.", "Update the hub first."
        )
    return content


def _are_files(said: object) -> bool:
    return isinstance(said, dict) and all(
        isinstance(item, dict) and isinstance(item.get("sha256"), str) and isinstance(item.get("size"), int)
        for item in said.values()
    )


def extract(path: Path, folder: Path, manifest: dict[str, Any]) -> None:
    """Write every file of a backup below a folder, checking each against the manifest.

    Raises:
        BadInput: a file is missing, too many, was changed, or has a name that leads elsewhere.
    """
    missing = dict(manifest["files"])
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            if member.name == MANIFEST:
                continue
            said = missing.pop(member.name, None)
            source = tar.extractfile(member) if said is not None and member.isreg() else None
            if said is None or source is None or not _is_safe(member.name):
                raise BadInput(
                    f"{path} holds {member.name!r}, of which its manifest says nothing.", "Take another copy."
                )
            target = folder / member.name
            for parent in (*reversed(PurePosixPath(member.name).parents),):
                (folder / parent).mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            hashing = _Hashing(source)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(hashing, file, BLOCK)
            target.chmod(member.mode & 0o777)
            if hashing.digest.hexdigest() != said["sha256"] or member.size != said["size"]:
                raise BadInput(f"{member.name} in {path} was changed.", "Take another copy.")
    if missing:
        raise BadInput(f"{path} lacks {min(missing)} and {len(missing) - 1} more files.", "Take another copy.")


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name)
    return not parts.is_absolute() and ".." not in parts.parts and "\0" not in name


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode, int(time.time())
    return member


class _Hashing(io.RawIOBase):
    """Reads another file and hashes what it read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.digest.update(content)
        return content
