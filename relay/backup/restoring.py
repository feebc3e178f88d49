"""`relayhub restore`: a hub's folder and database as a backup has them.

What happened since the copy is on the ledgers and is read again from there. The evidence log is not: a log that is put back and grown
again contradicts the checkpoints that were published after the copy. Where the folder `evidence` outlived the database it is taken
instead, and the queue's numbers go on behind its last entry.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.backup.archive import extract, read_manifest
from relay.backup.database import check_version, copy_from_file, skip_numbers
from relay.backup.newer import Newer, newer_on_ledgers
from relay.backup.numbers import NUMBERS_SKIPPED, last_number
from relay.backup.saving import DATABASE, EVIDENCE
from relay.config import HubConfig
from relay.errors import BadInput, NotNow
from relay.home import Home
from relay.store import Store

SERVED = ("log", "objects")
"""Folders of the evidence that a web server may serve to everybody."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came out of it.

    Attributes:
        home: the hub's folder.
        manifest: what the backup says of itself.
        newer: what the ledgers have that the copy does not.
        silent: ledgers that did not answer.
        evidence: `copy` (the backup's log), `given` (the one that outlived the database) or `none`.
    """

    home: Path
    manifest: dict[str, Any]
    newer: list[Newer]
    silent: list[str]
    evidence: str


def restore(path: Path, home: Home, *, database: str = "", evidence: Path | None = None) -> Restored:
    """Make a hub's folder and database from a backup.

    Args:
        path: the backup.
        home: a folder that is not there, or empty.
        database: URL of an empty database, in place of the one that hub.toml names.
        evidence: the folder `evidence` that outlived the database, in place of the copy's.

    Raises:
        NotNow: the folder or the database is not empty.
        BadInput: the backup is torn, changed or of a newer version; nothing is left behind.
    """
    if home.folder.exists() and (not home.folder.is_dir() or any(home.folder.iterdir())):
        raise NotNow(f"{home.folder} is not empty.", "Name a folder that is not there yet: --home FOLDER.")
    if evidence is not None and not (evidence / "log" / "checkpoint").is_file():
        raise BadInput(f"There is no evidence log in {evidence}.", "Name the folder that holds `log`.")
    manifest = read_manifest(path)
    home.folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Home(home.folder.with_name(f".{home.folder.name}.restoring"))
    shutil.rmtree(staging.folder, ignore_errors=True)
    staging.folder.mkdir(mode=0o700)
    try:
        extract(path, staging.folder, manifest)
        config = _configured(staging, database)
        kind = _take_evidence(staging, evidence)
        _fill_database(staging, home, config, kind)
        if home.folder.exists():
            home.folder.rmdir()
        staging.folder.rename(home.folder)
    except BaseException:
        shutil.rmtree(staging.folder, ignore_errors=True)
        raise
    store = Store(home.database_url(config))
    try:
        newer, silent = newer_on_ledgers(store)
    finally:
        store.close()
    return Restored(home.folder, manifest, newer, silent, kind)


def _configured(staging: Home, database: str) -> HubConfig:
    config = staging.load()
    if database:
        config = config.model_copy(update={"database": database})
        staging.save(config)
    return config


def _take_evidence(staging: Home, evidence: Path | None) -> str:
    own = staging.folder / EVIDENCE
    if evidence is not None:
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(evidence, own)
        return "given"
    for name in SERVED:
        for folder in (own, own / name, *(own / name).rglob("*")):
            if folder.is_dir():
                folder.chmod(0o755)
    return "copy" if (own / "log" / "checkpoint").exists() else "none"


def _fill_database(staging: Home, home: Home, config: HubConfig, evidence: str) -> None:
    copy = staging.folder / DATABASE
    if not copy.is_file():
        raise BadInput("The backup has no database.", "Take another copy.")
    own = copy
    if not config.database:
        own = copy.rename(staging.folder / Path(home.database_url(config).removeprefix("sqlite:///")).name)
    store = Store(config.database or f"sqlite:///{own}")
    try:
        if config.database:
            copy_from_file(copy, store)
            copy.unlink()
        else:
            check_version(store)
            store.migrate()
        if evidence == "given":
            skip_numbers(store, last_number(staging) + NUMBERS_SKIPPED)
    finally:
        store.close()
