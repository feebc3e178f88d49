"""What carries a request to an endpoint and brings the answer: HTTP with kept connections, or a local socket.

Both hold an answer to its size while it comes in and a request to its time as a whole: handshake, headers and body, whichever
of them comes a byte at a time. So neither a slow nor an endless endpoint can hold a worker. Compressed answers are not asked
for: a small one could unpack to a huge one.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpcore
import httpx
import orjson

from adapters.deadline import Deadline, TimedBackend
from adapters.protocol import AnswerTooLarge, BadAnswer, Misconfigured, Unreachable

BUSY_STATUSES = frozenset({429, 502, 503, 504})
MOST_CONNECTIONS = 72
"""To one endpoint; FISCO BCOS keeps one busy for each transaction that waits for its block."""
_TOKEN = re.compile(r"[^/]{21,}")
_SOCKET_CHUNK = 1 << 16
_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status (200 on a socket) and the body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class TlsAccess:
    """How an endpoint is met where the authorities of the system do not know it.

    Attributes:
        context: the authorities that are believed, and our own certificate.
        server_name: the name that the endpoint's certificate has, where it is not the URL's.
    """

    context: ssl.SSLContext
    server_name: str = ""


class Transport(Protocol):
    """Carries one request body and returns the answer."""

    def exchange(self, body: bytes) -> Answer:
        """Send a body and read the answer.

        Raises:
            Unreachable: no answer in time, or the endpoint is busy.
            BadAnswer: the answer breaks off or is too large.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def socket_path(url: str) -> str | None:
    """Return the path of a local socket that a URL names (`/…`, `ipc:/…`, `unix:/…`), or None for another kind of URL."""
    if url.startswith("/"):
        return url
    parts = urlsplit(url)
    if parts.scheme in ("ipc", "unix"):
        return parts.netloc + parts.path
    return None


def endpoint_label(url: str) -> str:
    """Name an endpoint without credentials: no user, password, query or fragment, and no path token above 20 characters."""
    path = socket_path(url)
    if path is not None:
        return f"ipc:{path}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(unreadable URL)"
    host = f"[{host}]" if ":" in host else host
    label = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return label + _TOKEN.sub("…", parts.path.rstrip("/"))


def open_transport(url: str, *, timeout_s: float, max_answer_bytes: int) -> Transport:
    """Choose the transport for a URL; nothing is sent yet.

    Raises:
        Misconfigured: the URL is neither http(s) nor a local socket.
    """
    path = socket_path(url)
    if path is not None:
        return SocketTransport(path, timeout_s=timeout_s, max_answer_bytes=max_answer_bytes)
    if (
        not url.startswith(("http://", "https://"))
        or endpoint_label(url) == "(unreadable URL)"
        or not urlsplit(url).hostname
    ):
        raise Misconfigured(
            f"{endpoint_label(url)!r} is no endpoint; give http://HOST:PORT, https://… or the path of a local socket."
        )
    return HttpTransport(url, timeout_s=timeout_s, max_answer_bytes=max_answer_bytes)


class HttpTransport:
    """HTTP POST with kept connections; environment proxies are not followed, nor redirects."""

    def __init__(self, url: str, *, timeout_s: float, max_answer_bytes: int, tls: TlsAccess | None = None) -> None:
        parsed = httpx.URL(url)
        host, target = parsed.raw_host, parsed.raw_path
        self._url = httpcore.URL(scheme=parsed.raw_scheme, host=host, port=parsed.port, target=target)
        self._headers = [
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
            (b"Content-Type", b"application/json"),
            (b"User-Agent", b"relayhub"),
        ]
        if parsed.userinfo:
            credentials = b64encode(unquote(parsed.userinfo.decode()).encode())
            self._headers.append((b"Authorization", b"Basic " + credentials))
        self._label = endpoint_label(url)
        self._timeout_s = timeout_s
        self._limit = max_answer_bytes
        self._named = {"sni_hostname": tls.server_name} if tls is not None and tls.server_name else {}
        self._deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            # Loading the authorities costs 20 ms, and plain HTTP has no use for them.
            ssl_context=_context(tls) if url.startswith("https:") else None,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=8,
            keepalive_expiry=30.0,
            network_backend=TimedBackend(self._deadline),
        )

    def exchange(self, body: bytes) -> Answer:
        """Post a body; a kept connection that the server had closed meanwhile is replaced once."""
        return self._ask("POST", self._url, body)

    def fetch(self, path: str) -> Answer:
        """Get what stands under a path below the URL, in JSON.

        Raises:
            Unreachable: no answer in time, or the endpoint is busy.
            BadAnswer: the answer breaks off or is too large.
        """
        ours, (own, _, query) = self._url, self._url.target.partition(b"?")
        more = (b"&" if "?" in path else b"?") + query if query else b""
        target = own.rstrip(b"/") + path.encode() + more
        return self._ask("GET", httpcore.URL(scheme=ours.scheme, host=ours.host, port=ours.port, target=target), None)

    def _ask(self, method: str, url: httpcore.URL, body: bytes | None) -> Answer:
        self._deadline.begin(self._timeout_s)
        try:
            return self._send(method, url, body)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            pass
        except _FAILURES as error:
            raise self._unreachable(error) from error
        try:
            return self._send(method, url, body)
        except _FAILURES as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _send(self, method: str, url: httpcore.URL, body: bytes | None) -> Answer:
        limits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s), **self._named}
        with self._pool.stream(method, url, headers=self._headers, content=body, extensions=limits) as response:
            headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in BUSY_STATUSES:
                raise Unreachable(
                    f"{self._label} is busy (HTTP {response.status}); try again later.",
                    endpoint=self._label,
                    retry_after_s=_retry_after(headers.get(b"retry-after", "")),
                )
            if headers.get(b"content-encoding", "identity") != "identity":
                raise BadAnswer(
                    f"{self._label} compresses its answer though it was not asked to; switch that off.",
                    endpoint=self._label,
                )
            try:
                return Answer(response.status, self._read(response))
            except (httpcore.RemoteProtocolError, httpcore.ReadError) as error:
                raise BadAnswer(
                    f"{self._label} broke off in the middle of its answer.", endpoint=self._label
                ) from error

    def _read(self, response: httpcore.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_stream():
            size += len(part)
            if size > self._limit:
                raise AnswerTooLarge(
                    f"{self._label} answered more than {self._limit} bytes; ask for less at once.", endpoint=self._label
                )
            parts.append(part)
        return b"".join(parts)

    def _unreachable(self, error: Exception) -> Unreachable:
        if isinstance(error, httpcore.TimeoutException):
            return Unreachable(f"{self._label} did not answer in {self._timeout_s:g} s.", endpoint=self._label)
        if (why := _tls_failure(error)) is not None:
            return Unreachable(f"{self._label} fails the TLS handshake: {why}.", endpoint=self._label)
        return Unreachable(
            f"{self._label} cannot be reached ({type(error).__name__}); check that it runs and the URL.",
            endpoint=self._label,
        )


def _context(tls: TlsAccess | None) -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False) if tls is None else tls.context


def _tls_failure(error: BaseException | None) -> str | None:
    """What OpenSSL says of a handshake that failed, or None where it was none."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not believed ({error.verify_message})"
        if isinstance(error, ssl.SSLError):
            return (error.reason or "it broke off").lower().replace("_", " ")
        error = error.__cause__ or error.__context__
    return None


def _retry_after(text: str) -> float:
    """Seconds that a Retry-After header asks for; a date counts as not given, and nothing above an hour is believed."""
    return min(float(text), 3600.0) if re.fullmatch(r"[0-9]{1,9}", text) else 0.0


class SocketTransport:
    """JSON-RPC over a local stream socket (geth, Besu and anvil call it IPC): one request at a time, one JSON value each way."""

    def __init__(self, path: str, *, timeout_s: float, max_answer_bytes: int) -> None:
        self._path = path
        self._label = f"ipc:{path}"
        self._timeout_s = timeout_s
        self._limit = max_answer_bytes
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def exchange(self, body: bytes) -> Answer:
        """Send a body and read one JSON value; a socket that failed is closed, so that no late answer is read for another."""
        with self._lock:
            deadline = time.monotonic() + self._timeout_s
            kept = self._socket is not None
            try:
                try:
                    return self._converse(body, deadline)
                except (BrokenPipeError, ConnectionResetError, EOFError):
                    if not kept:
                        raise
                    self._drop()
                    return self._converse(body, deadline)
            except (BadAnswer, Unreachable):
                self._drop()
                raise
            except (OSError, EOFError) as error:
                self._drop()
                raise self._unreachable(error) from error

    def close(self) -> None:
        """Close the socket."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _converse(self, body: bytes, deadline: float) -> Answer:
        if self._socket is None:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket = connection
            connection.settimeout(self._timeout_s)
            connection.connect(self._path)
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(body + b"\n")
        return Answer(200, self._read(self._socket, deadline))

    def _read(self, connection: socket.socket, deadline: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unreachable(f"{self._label} did not finish in {self._timeout_s:g} s.", endpoint=self._label)
            connection.settimeout(left)
            part = connection.recv(_SOCKET_CHUNK)
            if not part:
                if parts:
                    raise BadAnswer(f"{self._label} broke off in the middle of its answer.", endpoint=self._label)
                raise EOFError
            parts.append(part)
            size += len(part)
            if size > self._limit:
                raise AnswerTooLarge(
                    f"{self._label} answered more than {self._limit} bytes; ask for less at once.", endpoint=self._label
                )
            if part.rstrip()[-1:] in (b"}", b"]", b"") and _is_whole(b"".join(parts)):
                return b"".join(parts)

    def _unreachable(self, error: Exception) -> Unreachable:
        if isinstance(error, TimeoutError):
            return Unreachable(f"{self._label} did not answer in {self._timeout_s:g} s.", endpoint=self._label)
        return Unreachable(
            f"{self._label} cannot be reached ({type(error).__name__}); check that the node runs and the path.",
            endpoint=self._label,
        )


def _is_whole(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True
