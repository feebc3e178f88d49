"""Ports for what listens on this machine's loopback only: development networks and the hub's own interface."""

from __future__ import annotations

import secrets
import socket

FIRST, LAST = 20_000, 31_999
"""Below the range from which systems take the ports of outgoing connections (32,768 and up on Linux, RFC 6335's dynamic
ports elsewhere), so that no connection of a busy machine takes the port between the choice and its use."""
_TRIES = 200


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now, chosen at random.

    Raises:
        OSError: None of many was free.
    """
    for _ in range(_TRIES):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        if is_free(port):
            return port
    raise OSError(f"None of {_TRIES} ports of 127.0.0.1 tried at random from {FIRST} to {LAST} is free.")


def is_free(port: int) -> bool:
    """Whether nobody listens on a TCP port of 127.0.0.1 now."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
