"""One moment by which a whole HTTP exchange must be over, held at each read and write of its connection.

A time-out of each read alone is none: an endpoint that sends a byte of its headers every few seconds would hold a worker for
days. Source: the network backends of httpcore, which are made to be wrapped.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

WRITE_CHUNK = 1 << 16
"""Bytes that are written under one time-out."""


class Deadline(threading.local):
    """When the exchange of this thread must be over, monotonic seconds."""

    ends: float = float("inf")

    def begin(self, seconds: float) -> None:
        """Give the exchange that begins now so many seconds."""
        self.ends = time.monotonic() + seconds

    def left(self, error: type[httpcore.TimeoutException]) -> float:
        """Seconds that are left.

        Raises:
            httpcore.TimeoutException: none are; of the given kind.
        """
        seconds = self.ends - time.monotonic()
        if seconds <= 0:
            raise error("the time of the whole exchange is over")
        return seconds


class TimedStream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the exchange that it serves."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, at most so many bytes."""
        del timeout
        return self._stream.read(max_bytes, self._deadline.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        del timeout
        for start in range(0, len(buffer), WRITE_CHUNK):
            self._stream.write(buffer[start : start + WRITE_CHUNK], self._deadline.left(httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on under TLS."""
        del timeout
        left = self._deadline.left(httpcore.ConnectTimeout)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Whatever the connection below knows of itself."""
        return self._stream.get_extra_info(info)


class TimedBackend(httpcore.NetworkBackend):
    """Opens connections that know the deadline of their thread's exchange."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host."""
        del timeout
        left = self._deadline.left(httpcore.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        return TimedStream(stream, self._deadline)
