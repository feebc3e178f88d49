"""Where contents and salts of records lie: files of mode 600 in a folder of mode 700, named by the hash that the log knows.

A *pack* is a file with one record or a batch of small ones. Its name is the first 16 bytes of its first record's commitment.
A record in it is

    4 bytes  size of the label, big-endian
    8 bytes  size of the content, big-endian
    salt     32 bytes
    content
    label    canonical CBOR of [owner, [reader, …], name, Unix seconds]

and its commitment is SHA-256(salt ‖ content). Erasing writes zeros over salt, content and label; the sizes stay, so that the
records behind it are found, and a pack whose only record is erased is removed.

A pack is written in `new/`, made durable, then the database learns of it, then it moves to its place. Whatever dies between
leaves a pack in `new/` that the next writer moves (the database knows it) or removes (it does not): see `Packs.writing`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import cbor2

from relay.errors import HubError
from relay.evidence.pack_writer import CHUNK, SALT_SIZE, SIZES, PackWriter, Written

_LABEL_MAXIMUM = 1 << 20


class RecordDamaged(HubError):
    """What is on the disk is not what the log has the hash of."""


class Label:
    """The labels of a pack's records, which differ by the name alone: canonical CBOR of [owner, [reader, …], name, Unix seconds]."""

    def __init__(self, owner: str, readers: Sequence[str], at: float) -> None:
        whole = cbor2.dumps([owner, list(readers)], canonical=True)
        self._before = b"\x84" + whole[1:]  # an array of four in place of one of two
        self._after = cbor2.dumps(at, canonical=True)

    def named(self, name: str) -> bytes:
        """The label of a record of that name."""
        return self._before + cbor2.dumps(name) + self._after


class Stored:
    """A record's bytes on the disk, opened."""

    def __init__(self, file: BinaryIO, start: int, size: int, salt: bytes, commitment: bytes) -> None:
        self._file, self._start, self._commitment = file, start, commitment
        self.salt, self.size = salt, size

    def chunks(self) -> Iterator[bytes]:
        """The content piece by piece.

        Raises:
            RecordDamaged: after the last piece, if all of it is not what the log has the hash of.
        """
        digest, left = hashlib.sha256(self.salt), self.size
        self._file.seek(self._start)
        while left:
            chunk = self._file.read(min(left, CHUNK))
            if not chunk:
                break
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
        if digest.digest() != self._commitment:
            raise damaged(self._commitment, "its content or salt was changed")

    def check(self) -> None:
        """Read the content once to compare its hash.

        Raises:
            RecordDamaged: it is not what the log has the hash of.
        """
        for _ in self.chunks():
            pass


class Packs:
    """The folder of packs.

    Args:
        folder: made with mode 700 when the first pack is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._new = folder / "new"

    @contextmanager
    def writing(self, known: Callable[[bytes], bool]) -> Iterator[None]:
        """The time in which a process writes packs; whoever is alone first clears up what others left unfinished.

        Args:
            known: whether the database has the pack of that name.
        """
        if not self._new.is_dir():
            self._new.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.folder, self._new):
                folder.chmod(0o700)
        lock = os.open(self._new / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._clear_up(known)
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield
        finally:
            os.close(lock)

    def writer(self) -> PackWriter:
        """Begin a pack; only while `writing`."""
        return PackWriter(self._new)

    def keep(self, name: bytes) -> None:
        """Move a pack that the database knows to its place."""
        place = self._place(name)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        (self._new / name.hex()).rename(place)

    def discard(self, name: bytes) -> None:
        """Remove a pack that the database does not know."""
        (self._new / name.hex()).unlink(missing_ok=True)

    def names(self) -> Iterator[bytes]:
        """The packs that are in their places."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            yield bytes.fromhex(path.name)

    def walk(self, name: bytes) -> Iterator[tuple[Written, bytes]]:
        """A pack's records with their labels, in order; erased ones are left out.

        Raises:
            RecordDamaged: the pack ends in the middle of a record.
        """
        with self._open(name, name) as file:
            end, offset = file.seek(0, os.SEEK_END), 0
            while offset < end:
                label_size, size, salt = _read_head(file, offset, name)
                digest, left = hashlib.sha256(salt), size
                while left and (chunk := file.read(min(left, CHUNK))):
                    digest.update(chunk)
                    left -= len(chunk)
                label = file.read(label_size)
                if left or len(label) != label_size:
                    raise damaged(name, "its file ends too early")
                if label.strip(b"\0"):
                    yield Written(digest.digest(), offset, size), label
                offset += SIZES.size + SALT_SIZE + size + label_size

    @contextmanager
    def open(self, name: bytes, offset: int, size: int, commitment: bytes) -> Iterator[Stored]:
        """Open a record.

        Args:
            name: its pack, 16 bytes.
            offset: where it begins there.
            size: bytes of the content.
            commitment: what the log has, 32 bytes.

        Raises:
            RecordDamaged: the file is missing, ends too early, or says another size.
        """
        with self._open(name, commitment) as file:
            _, found, salt = _read_head(file, offset, commitment)
            if found != size:
                raise damaged(commitment, f"its size was changed from {size} to {found} bytes")
            yield Stored(file, offset + SIZES.size + SALT_SIZE, size, salt, commitment)

    def erase(self, name: bytes, offset: int, size: int) -> None:
        """Write zeros over a record, or remove a pack that holds no other; what is gone already stays gone."""
        try:
            file = self._find(name, "r+b")
        except FileNotFoundError:
            return
        with file:
            start, end = offset + SIZES.size, offset + SIZES.size + SALT_SIZE + size
            end += _label_size(file, offset, size, end)
            length = file.seek(0, os.SEEK_END)
            place = file.seek(start)
            while place < min(end, length):
                place += file.write(bytes(min(min(end, length) - place, CHUNK)))
            file.flush()
            os.fsync(file.fileno())
        if offset == 0 and end >= length:
            for path in (self._place(name), self._new / name.hex()):
                path.unlink(missing_ok=True)

    def _clear_up(self, known: Callable[[bytes], bool]) -> None:
        for path in self._new.iterdir():
            if path.name.startswith("tmp-"):
                path.unlink()
            elif path.name != "lock":
                name = bytes.fromhex(path.name)
                self.keep(name) if known(name) else self.discard(name)

    def _place(self, name: bytes) -> Path:
        return self.folder / name[:1].hex() / name.hex()

    def _find(self, name: bytes, mode: str) -> BinaryIO:
        for path in (self._place(name), self._new / name.hex(), self._place(name)):  # it may move while we look
            try:
                return open(path, mode, buffering=0)  # type: ignore[return-value]  # noqa: PTH123
            except FileNotFoundError:
                continue
        raise FileNotFoundError(name.hex())

    @contextmanager
    def _open(self, name: bytes, commitment: bytes) -> Iterator[BinaryIO]:
        try:
            file = self._find(name, "rb")
        except FileNotFoundError:
            raise damaged(commitment, "its file is missing") from None
        with file:
            yield file


def damaged(commitment: bytes, how: str) -> RecordDamaged:
    """The error of a record whose bytes are not what was put."""
    return RecordDamaged(
        f"The record 0x{commitment.hex()} is damaged: {how}.",
        "Put its file back from a backup; the log's proof of it stands.",
    )


def _read_head(file: BinaryIO, offset: int, commitment: bytes) -> tuple[int, int, bytes]:
    """Sizes of label and content, and the salt; the file then stands at the content."""
    file.seek(offset)
    head = file.read(SIZES.size + SALT_SIZE)
    if len(head) != SIZES.size + SALT_SIZE:
        raise damaged(commitment, "its file ends too early")
    label_size, size = SIZES.unpack_from(head)
    if label_size > _LABEL_MAXIMUM:
        raise damaged(commitment, "its sizes were changed")
    return label_size, size, head[SIZES.size :]


def _label_size(file: BinaryIO, offset: int, size: int, place: int) -> int:
    """Bytes of a record's label, 0 where what the file says of it was changed: no neighbour is erased by a false size."""
    try:
        label_size, found, _ = _read_head(file, offset, b"")
    except RecordDamaged:
        return 0
    file.seek(place)
    label = file.read(label_size)
    try:
        whole = found == size and cbor2.dumps(cbor2.loads(label), canonical=True) == label
    except Exception:  # noqa: BLE001 - whatever the decoder makes of bytes that were changed
        whole = False
    return label_size if whole or not label.strip(b"\0") else 0
