"""What the development networks that are real nodes do alike as a command: a folder of their own, one line when ready, an orderly end."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

from adapters.built_programs import BuildFailed


class FolderInUse(RuntimeError):
    """A development network begins anew and removes its folder at the end: one that holds something is not taken."""


def fresh_folder(wanted: Path | None, prefix: str) -> Path:
    """The folder of a network that begins anew, for its owner alone.

    Args:
        wanted: a new or empty one; a temporary one if None.
        prefix: of a temporary one's name.

    Raises:
        FolderInUse: there is something in it.
    """
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix=prefix))
    wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(wanted.iterdir()):
        raise FolderInUse(f"{wanted} is not empty; a development network begins anew: give another folder.")
    return wanted.resolve()


def write_key(path: Path, private_key: bytes) -> None:
    """Write a private key in hexadecimal into a new file that its owner alone may read (mode 600)."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(private_key.hex() + "\n")


def run(
    network: AbstractContextManager[object],
    ready: Callable[[], dict[str, Any]],
    failures: tuple[type[Exception], ...],
    *,
    watch_input: bool,
) -> int:
    """Run a network until SIGTERM, SIGINT, or with `watch_input` the end of standard input.

    Args:
        network: started by entering it, ended by leaving it.
        ready: says, when it is started, how it is spoken to; that is one line of JSON on standard output.
        failures: what it raises where it cannot start or go on, beside this module's.
        watch_input: whether the end of standard input ends it.

    Returns:
        The exit status: 0 after a stop, 2 when it could not start; standard error says why.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    known: tuple[type[Exception], ...] = (BuildFailed, FolderInUse, OSError, *failures)
    try:
        with network:
            sys.stdout.write(json.dumps(ready()) + "\n")
            sys.stdout.flush()
            if watch_input:
                sys.stdin.read()
            else:
                threading.Event().wait()
    except known as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)
