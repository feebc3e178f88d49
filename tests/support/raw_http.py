"""A local HTTP server whose bytes, pauses and ends a test decides one by one."""

import contextlib
import socket
import threading
import time
from typing import Self

DRIP_S = 0.02


class RawHttp:
    """Runs `script(connection)` for each connection, after the head of its request was read; keeps how many bytes were taken.

    Attributes:
        url: where it listens.
        sent: bytes that clients took.
        connections: how many came.
    """

    def __init__(self, script) -> None:
        self._script = script
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.sent = 0
        self.connections = 0
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._script(self, connection)

    def head(self, connection) -> bytes:
        """Read a request up to its empty line; what came behind it is dropped."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(65_536)
        return got

    def send(self, connection, data: bytes) -> None:
        """Send bytes and count them."""
        connection.sendall(data)
        self.sent += len(data)

    def drip(self, connection, data: bytes) -> None:
        """Send the same bytes one by one, for as long as the client listens."""
        while not self._stopping.is_set():
            for byte in data:
                self.send(connection, bytes([byte]))
                time.sleep(DRIP_S)


OK = b"HTTP/1.1 200 OK\r\n"


def dripped_head(server, connection):
    """Headers without an end, a byte at a time."""
    server.head(connection)
    server.send(connection, OK + b"x-slow: ")
    server.drip(connection, b"a")


def dripped_body(server, connection):
    """A body a byte at a time."""
    server.head(connection)
    server.send(connection, OK + b"content-length: 100000000\r\n\r\n")
    server.drip(connection, b" ")


def dripped_chunks(server, connection):
    """A body in chunks of one byte."""
    server.head(connection)
    server.send(connection, OK + b"transfer-encoding: chunked\r\n\r\n")
    server.drip(connection, b"1\r\n \r\n")


def silence(server, connection):
    """The request is read and never answered."""
    server.head(connection)
    server._stopping.wait()


def deaf(server, connection):
    """Not even the request is read."""
    server._stopping.wait()


def endless(server, connection):
    """A body of 1 GB, as fast as it is taken."""
    server.head(connection)
    server.send(connection, OK + b"content-length: 1000000000\r\n\r\n")
    block = b"[" * (1 << 20)
    for _ in range(1_000):
        server.send(connection, block)


def endless_headers(server, connection):
    """Headers of 1 GB, as fast as they are taken."""
    server.head(connection)
    server.send(connection, OK)
    block = b"x-a: " + b"a" * 60_000 + b"\r\n"
    for _ in range(16_000):
        server.send(connection, block)


def cut(server, connection):
    """The connection ends in the middle of the body."""
    server.head(connection)
    server.send(connection, OK + b'content-length: 1000\r\n\r\n{"jsonrpc":"2.0","id":')


def busy(status: int, seconds: str = ""):
    """An endpoint that says it is busy."""

    def script(server, connection):
        server.head(connection)
        told = f"retry-after: {seconds}\r\n" if seconds else ""
        server.send(connection, f"HTTP/1.1 {status} Busy\r\n{told}content-length: 0\r\n\r\n".encode())

    return script
