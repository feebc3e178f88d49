"""Files that are there whole or not at all, also after the power has gone.

A file is written under another name, synced (fsync), renamed, and its folder synced: whoever sees the name sees the whole
content, and once the call has returned the name stays. Many files go to the disk side by side: the file system then writes
its own journal once for a lot of them, which makes a file some six times cheaper than alone.
"""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

PUBLIC, PRIVATE = 0o644, 0o600
_SIDE_BY_SIDE = 16
_FEW = 3
_Item = TypeVar("_Item")


class DurableFolder:
    """A folder whose files are written whole.

    Args:
        folder: the folder; the files may lie in folders below it.
        temporary: an existing folder on the same file system for files that are not whole yet.
        mode: permissions of new files; folders get the same with the right to enter.
    """

    def __init__(self, folder: Path, temporary: Path, mode: int = PUBLIC) -> None:
        self.folder = folder
        self._temporary = temporary
        self._mode = mode
        self._folders: set[Path] = {folder}
        self._names = (f"{secrets.token_hex(8)}.{number}" for number in itertools.count())
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="evidence-sync")

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write files by their path below the folder; durable and visible when it returns, each over one of its name.

        Raises:
            OSError: the disk is full or broken; some of the files may be there.
        """
        places = [self.folder / path for path, _ in files]
        touched = {parent for place in places for parent in self._make(place.parent)}
        touched.update(place.parent for place in places)
        temporaries = [self._temporary / next(self._names) for _ in files]
        contents = [content for _, content in files]
        self._each(lambda each: write_synced(*each, self._mode), list(zip(temporaries, contents, strict=True)))
        for temporary, place in zip(temporaries, places, strict=True):
            temporary.replace(place)
        self._each(sync_folder, list(touched))

    def forget(self, path: str) -> None:
        """A folder below this one was removed."""
        self._folders.discard(self.folder / path)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def _make(self, folder: Path) -> Iterable[Path]:
        """Make a folder and those above it; the folders whose own entry is new on the disk."""
        missing = []
        while folder not in self._folders:
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            path.chmod(self._mode | (self._mode >> 2 & 0o111))
            self._folders.add(path)
        return [path.parent for path in missing]

    def _each(self, work: Callable[[_Item], None], items: Sequence[_Item]) -> None:
        if len(items) <= _FEW:
            for item in items:
                work(item)
        else:
            list(self._pool.map(work, items))


def write_synced(path: Path, content: bytes, mode: int) -> None:
    """Write a file under a temporary name and sync it; its permissions do not depend on the process's mask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything, however many calls it takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_synced(path: Path, content: bytes, mode: int) -> None:
    """Write a file in the place of one of its name; durable when it returns. One process at a time may do it."""
    fresh = path.with_name(f".{path.name}.new")
    write_synced(fresh, content, mode)
    fresh.replace(path)
    sync_folder(path.parent)
