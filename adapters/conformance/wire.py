"""A hostile proxy between an adapter and its node: it passes bytes on, or does what bad networks and bad nodes do.

It listens on 127.0.0.1, in threads of this process. What needs the form of requests (a status, a changed answer) is for
plain HTTP; cutting, silence, dripping, garbage and refusal work below any protocol, TLS included.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self

CUT_BYTES = 40
DRIP_S = 0.05
BLOCK_BYTES = 1 << 18
HUGE_BYTES = 256 << 20
PASS, REFUSE, SILENT, CUT, HALVED, DRIP, GARBAGE, HUGE, BUSY, CHANGED = (
    *("pass", "refuse", "silent", "cut", "halved", "drip", "garbage", "huge", "busy", "changed"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1 << 64, 1 << 300, 0.5, "", "0x", "0x" + "f" * 200, "zz", "\x00", [], {}, [[]], {"": None}),
)
_PLACE = re.compile(r"^((?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?)(\[[^\]]+\]|[^:/@\[\]]+):(\d+)(.*)$", re.IGNORECASE)
_LOCAL = ("127.0.0.1", "localhost")


def place_of(url: str) -> tuple[str, int] | None:
    """Host and port of an endpoint, or None for one that is not spoken to over TCP with a port."""
    match = _PLACE.match(url)
    return (match[2].strip("[]"), int(match[3])) if match else None


def moved(url: str, port: int) -> str:
    """The same endpoint behind a local port."""
    match = _PLACE.match(url)
    if match is None:
        raise ValueError(f"{url} has no port")
    host = match[2] if match[2] in _LOCAL else "127.0.0.1"
    return f"{match[1]}{host}:{port}{match[4]}"


class HostileProxy:
    """One listener before one node.

    Attributes:
        port: where it listens, on 127.0.0.1.
        sent: bytes that the adapter took since the mode was chosen last.
        longest: bytes of the longest endless answer of these.
        seen: what the adapter sent since then, a list of pieces.
    """

    def __init__(self, host: str, port: int, *, http: bool, seed: int = 1) -> None:
        """Listen; at first everything passes.

        Args:
            host: of the node.
            port: of the node.
            http: whether plain HTTP is spoken, so that answers can be made.
            seed: of what is changed at random.
        """
        self._target = (host, port)
        self._http = http
        self._random = random.Random(seed)  # noqa: S311 - faults have to come again the same
        self._mode = PASS
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopping = threading.Event()
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.sent = self.longest = 0
        self.seen: list[bytes] = []
        self._serve_in_thread(self._listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.choose(REFUSE)

    def choose(self, mode: str) -> None:
        """Do this from now on; kept connections end."""
        with self._lock:
            self._mode = mode
            self.sent, self.longest, self.seen = 0, 0, []
            dropped, self._open = self._open, set()
        for connection in dropped:
            _end(connection)
        if mode == REFUSE and self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        elif mode != REFUSE and self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._serve_in_thread(self._listener)

    def _serve_in_thread(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), name="hostile proxy", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="hostile proxy", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        ways: dict[str, Callable[[socket.socket], None]] = {
            SILENT: self._be_silent,
            GARBAGE: self._talk_garbage,
            HUGE: self._talk_on,
            BUSY: self._be_busy,
            CHANGED: self._answer if self._http else self._pass_on,
            HALVED: self._answer,
        }
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            ways.get(self._mode, self._pass_on)(connection)
        _end(connection)
        with self._lock:
            self._open.discard(connection)

    def _pass_on(self, connection: socket.socket) -> None:
        """Both ways between adapter and node, as the mode says."""
        with socket.create_connection(self._target, timeout=10) as node:
            node.settimeout(None)
            with self._lock:
                self._open.add(node)
            threading.Thread(target=self._forward, args=(connection, node), name="hostile proxy", daemon=True).start()
            passed = 0
            while part := node.recv(1 << 16):
                if self._mode == CUT:
                    connection.sendall(part[: max(0, CUT_BYTES - passed)])
                    passed += len(part)
                    if passed >= CUT_BYTES:
                        return
                elif self._mode == DRIP:
                    self._drip(connection, part)
                else:
                    connection.sendall(self._flipped(part) if self._mode == CHANGED else part)
                self.sent += len(part)

    def _forward(self, connection: socket.socket, node: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := connection.recv(1 << 16):
                self.seen.append(part)
                node.sendall(part)
        _end(node)

    def _drip(self, connection: socket.socket, part: bytes) -> None:
        for number in part:
            connection.sendall(bytes([number]))
            if self._stopping.wait(DRIP_S) or self._mode != DRIP:
                return

    def _flipped(self, part: bytes) -> bytes:
        place = self._random.randrange(len(part))
        return part[:place] + bytes([part[place] ^ (1 << self._random.randrange(8))]) + part[place + 1 :]

    def _be_silent(self, connection: socket.socket) -> None:
        while connection.recv(1 << 16):
            pass

    def _talk_garbage(self, connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(self._random.randbytes(4_096))

    def _talk_on(self, connection: socket.socket) -> None:
        """An answer without an end, as fast as it is taken."""
        self._request(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % HUGE_BYTES
        )
        block, taken = b" " * BLOCK_BYTES, 0
        while taken < HUGE_BYTES and self._mode == HUGE:
            connection.sendall(block)
            taken += len(block)
            self.longest = max(self.longest, taken)

    def _be_busy(self, connection: socket.socket) -> None:
        while self._request(connection) is not None:
            status = self._random.choice((429, 503))
            connection.sendall(b"HTTP/1.1 %d Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n" % status)

    def _answer(self, connection: socket.socket) -> None:
        """The node's answers with one value of each changed, or the first half of the next one."""
        while (request := self._request(connection)) is not None:
            status, content = self._asked(*request)
            told = self._changed(content) if self._mode == CHANGED else content
            head = b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            half = self._mode == HALVED
            connection.sendall(head % (status, len(told)) + (told[: len(told) // 2] if half else told))
            if half:
                return

    def _asked(self, head: str, body: bytes) -> tuple[int, bytes]:
        """What the node answers to a request: status and body."""
        method, path, *_ = head.split("\r\n", 1)[0].split(" ")
        upstream = http.client.HTTPConnection(*self._target, timeout=10)
        try:
            kept = {name: value for name, value in _fields(head) if name.lower() in ("content-type", "accept")}
            upstream.request(method, path, body or None, kept)
            answer = upstream.getresponse()
            return answer.status, answer.read()
        finally:
            upstream.close()

    def _changed(self, content: bytes) -> bytes:
        try:
            decoded = json.loads(content)
        except ValueError:
            return self._flipped(content) if content else content
        places = [place for place in _places(decoded) if place[1] not in ("id", "jsonrpc")]
        if not places:
            return json.dumps(self._random.choice(ODD_VALUES)).encode()
        holder, where = self._random.choice(places)
        if self._random.random() < 0.2 and isinstance(holder, dict):
            del holder[where]
        else:
            holder[where] = self._random.choice(ODD_VALUES)
        return json.dumps(decoded).encode()

    def _request(self, connection: socket.socket) -> tuple[str, bytes] | None:
        """One HTTP request: its head and its body; None at the end of the connection."""
        got = b""
        while b"\r\n\r\n" not in got:
            part = connection.recv(1 << 16)
            if not part:
                return None
            got += part
        raw, _, body = got.partition(b"\r\n\r\n")
        head = raw.decode("latin-1")
        size = next((int(value) for name, value in _fields(head) if name.lower() == "content-length"), 0)
        while len(body) < size:
            part = connection.recv(1 << 16)
            if not part:
                return None
            body += part
        self.seen.append(got[: len(raw)] + body)
        return head, body


def _fields(head: str) -> list[tuple[str, str]]:
    lines = head.split("\r\n")[1:]
    return [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value that holds something: (the list or object, the index or name)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for name, item in items:
        found += [(value, name), *_places(item)]
    return found


def _end(connection: socket.socket) -> None:
    """End a connection, and wake whoever reads from it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        connection.close()


def within(seconds: float, holds: Callable[[], bool], pause_s: float = 0.05) -> bool:
    """Whether something comes to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True
