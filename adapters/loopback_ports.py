"""Ports for what listens on this machine's loopback only: development networks and the hub's own interface."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

FIRST, LAST = 20_000, 31_999
"""Below the range from which systems take the ports of outgoing connections (32,768 and up on Linux, RFC 6335's dynamic
ports elsewhere), so that no connection of a busy machine takes the port between the choice and its use."""
_TRIES = 200


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now.

    This user's processes take turns, so that a port chosen by one and not yet listened on is not chosen by another.

    Raises:
        OSError: None of many was free.
    """
    for _ in range(_TRIES):
        port = FIRST + _turn() % (LAST - FIRST + 1)
        if is_free(port):
            return port
    raise OSError(f"None of {_TRIES} ports of 127.0.0.1 tried from {FIRST} to {LAST} is free.")


def is_free(port: int) -> bool:
    """Whether nobody listens on a TCP port of 127.0.0.1 now."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _turn() -> int:
    """The next number of a row that all processes of this user share; a random one where no file can be shared."""
    path = Path(tempfile.gettempdir()) / f"relayhub-ports-{os.getuid()}"
    number = secrets.randbelow(LAST - FIRST + 1)
    with suppress(OSError):
        shared = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(shared, fcntl.LOCK_EX)
            last = os.pread(shared, 20, 0)
            number = int(last) + 1 if last.isdigit() else number
            os.ftruncate(shared, 0)
            os.pwrite(shared, str(number).encode(), 0)
        finally:
            os.close(shared)
    return number
