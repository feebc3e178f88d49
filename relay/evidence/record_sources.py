"""What is put and what is got, as files: one file, a folder, lines of JSON; read and written piece by piece."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from relay.errors import BadInput
from relay.evidence.pack_writer import CHUNK
from relay.evidence.records import NewRecord

SMALL = 64 << 10
"""Bytes of a file that is read at once; a larger one is read piece by piece."""


def from_file(path: str, name: str) -> Iterator[NewRecord]:
    """One file, or standard input where the path is a hyphen; its name is the given one, else the file's.

    Raises:
        BadInput: it cannot be read.
    """
    if path == "-":
        yield NewRecord(sys.stdin.buffer, name)
    else:
        yield from _file(Path(path), name or Path(path).name)


def from_folder(folder: Path) -> Iterator[NewRecord]:
    """Every file below a folder in the order of their paths, each named by its path there; links are not followed.

    Raises:
        BadInput: it is no folder, has no files, or one cannot be read.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder.", "Check --folder.")
    count = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            count += 1
            yield from _file(path, path.relative_to(folder).as_posix())
    if not count:
        raise BadInput(f"There are no files in {folder}.", "Check --folder.")


def from_lines(path: Path) -> Iterator[NewRecord]:
    """A record a line of JSON: `name` (may be missing) and `text` or `base64`; empty lines are passed over.

    Raises:
        BadInput: the file cannot be read, or a line is none; the error says which.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _line(line, number, path)
    except OSError as error:
        raise BadInput(f"The file {path} cannot be read: {error.strerror}.", "Check --lines.") from None


def content_of(path: Path) -> Iterator[bytes]:
    """A file piece by piece.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise BadInput(f"The file {path} cannot be read: {error.strerror}.", "Check --file.") from None


def read_small(path: Path, limit: int) -> bytes:
    """A file of at most `limit` bytes.

    Raises:
        BadInput: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise BadInput(f"The file {path} cannot be read: {error.strerror}.", "Check its name.") from None
    if len(data) > limit:
        raise BadInput(f"The file {path} has more than {limit} bytes.", "Check its name.")
    return data


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file of mode 600 whole or not at all.

    Raises:
        BadInput: it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        fresh.replace(path)
    except OSError as error:
        raise BadInput(f"The file {path} cannot be written: {error.strerror}.", "Check --out.") from None
    finally:
        fresh.unlink(missing_ok=True)


def _file(path: Path, name: str) -> Iterator[NewRecord]:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            small = stat.S_ISREG(status.st_mode) and status.st_size <= SMALL
            yield NewRecord(file.read() if small else file, name)
    except OSError as error:
        raise BadInput(
            f"The file {path} cannot be read: {error.strerror}.", "Check its name and permissions."
        ) from None


def _line(line: bytes, number: int, path: Path) -> NewRecord:
    wrong = BadInput(
        f"Line {number} of {path} is no record.",
        'A line is {"name": "…", "text": "…"} or {"name": "…", "base64": "…"}.',
    )
    try:
        data = json.loads(line)
        name = data.pop("name", "")
        ((form, value),) = data.items()
        content = value.encode() if form == "text" else base64.b64decode(value, validate=True)
    except (ValueError, AttributeError, TypeError):
        raise wrong from None
    if form not in ("text", "base64") or not isinstance(name, str):
        raise wrong
    return NewRecord(content, name)
