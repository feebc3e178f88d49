"""`relayhub backup`: everything of a hub that cannot be had again, in one file, while the hub goes on.

The order matters. The database comes first, the evidence log after it: a decision's row leaves the queue only once its leaf is in a
published checkpoint, so each is in one of the two copies at least, and its number says where it is in both. Of the log its checkpoint
comes first and its tiles after it: tiles only grow.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from relay.backup.archive import Writing
from relay.backup.database import copy_to_file
from relay.backup.registered import keep_registry, registry_file
from relay.config import HubConfig
from relay.errors import BadInput
from relay.home import Home
from relay.store import Store

DATABASE = "database.sqlite"
EVIDENCE = "evidence"
KEYS = ("keys", "operators")
"""Folders of private keys; an operator's database is not copied, since it starts from what the ledgers show."""
WRITER = ".writer"
"""What the log's writer keeps for itself; the queue in the database has it too."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved: where, how many files and bytes, and whether keys are among it."""

    path: Path
    files: int
    size: int
    keys: bool


def save(home: Home, config: HubConfig, store: Store, path: Path, *, with_keys: bool) -> Saved:
    """Write a backup; the hub may run meanwhile.

    Args:
        home: the hub's folder.
        config: its configuration.
        store: its database.
        path: the file to make, mode 600.
        with_keys: whether private keys are among it.

    Raises:
        Duplicate: there is such a file.
        BadInput: it cannot be written, or the database is not of this version.
    """
    if not path.parent.is_dir():
        raise BadInput(f"There is no folder {path.parent}.", "Make it first.")
    keep_registry(home, store)
    with Writing(path) as archive, _scratch(path.parent) as scratch:
        copy_to_file(store, scratch / DATABASE)
        archive.add(DATABASE, scratch / DATABASE)
        (scratch / DATABASE).unlink()
        for file in (home.config_file, registry_file(home)):
            if file.exists():
                archive.add(file.name, file)
        _add_folder(archive, home.folder, "certificates")
        _add_evidence(archive, home.folder)
        for name in KEYS if with_keys else ():
            _add_folder(archive, home.folder, name)
        archive.finish(
            {
                "hub": config.name,
                "version": metadata.version("relayhub"),
                "tables": store.version(),
                "keys": with_keys,
            }
        )
    return Saved(path, len(archive.members), path.stat().st_size, with_keys)


class _scratch:  # noqa: N801 - reads as a function
    """A private folder that is gone afterwards."""

    def __init__(self, beside: Path) -> None:
        self._beside = beside

    def __enter__(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix=".relayhub-backup-", dir=self._beside))
        return self._folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _add_folder(archive: Writing, root: Path, name: str) -> None:
    for path in _files(root / name):
        if ".db" not in path.name:
            archive.add(str(path.relative_to(root)), path)


def _add_evidence(archive: Writing, root: Path) -> None:
    checkpoint = root / EVIDENCE / "log" / "checkpoint"
    if checkpoint.exists():
        archive.add(str(checkpoint.relative_to(root)), checkpoint)
    for path in _files(root / EVIDENCE):
        name = str(path.relative_to(root))
        if WRITER in path.parts or name in archive.members:
            continue
        try:
            archive.add(name, path)
        except FileNotFoundError:  # a partial tile is removed when it is full, a record's file when it is erased
            whole = path.parent.with_suffix("")
            if path.parent.suffix == ".p" and str(whole.relative_to(root)) not in archive.members:
                archive.add(str(whole.relative_to(root)), whole)


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
