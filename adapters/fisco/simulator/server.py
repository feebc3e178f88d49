"""One simulated node's JSON-RPC over HTTP on 127.0.0.1, with the failures that it was told to have."""

from __future__ import annotations

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import orjson

from adapters.fisco.simulator.faults import Faults, tell_lies
from adapters.fisco.simulator.methods import MethodError

SLOW_S = 2.0
FLOOD_BYTES = 1_000_000_000
_FLOOD_PART = b"[" * (1 << 16)
MAXIMUM_BODY = 64 * 1024 * 1024


class Answers(Protocol):
    """What answers methods."""

    def answer(self, method: str, params: list[Any]) -> Any:
        """Answer a method.

        Raises:
            MethodError: it is refused.
        """
        ...


class NodeServer:
    """A listener that can be stopped and started again on its port."""

    def __init__(
        self, port: int, methods: Answers, faults: Faults, *, batches: bool, tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = port
        self._tls = tls
        self._methods = methods
        self._faults = faults
        self._batches = batches
        self._server: ThreadingHTTPServer | None = None

    @property
    def is_up(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def start(self) -> None:
        """Listen."""
        if self._server is not None:
            return
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                """Answer a body."""
                node.handle(self)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *args: Any) -> None:
                """A client that is gone is no error of ours."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        if self._tls is not None:  # the handshake is made by the thread that answers
            listening = self._server.socket
            self._server.socket = self._tls.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the listener; whoever waits for an answer gets none."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one HTTP request."""
        size = int(request.headers.get("Content-Length", "0"))
        if self._server is None or size > MAXIMUM_BODY:
            request.close_connection = True
            return
        body = request.rfile.read(size)
        faults = set() if b'"simulator_' in body else self._faults.names
        if faults & {"busy", "throttled"}:
            self._write(request, 503 if "busy" in faults else 429, b"busy", more={"Retry-After": "1"})
            return
        if "slow" in faults:
            time.sleep(SLOW_S)
        answer = b"<html>not JSON</html>" if "garbage" in faults else self.answer(body, faults)
        if "flood" in faults:
            self._flood(request)
        elif "cut" in faults:
            self._write(request, 200, answer, cut=True)
        else:
            self._write(request, 200, answer)

    def answer(self, body: bytes, faults: set[str]) -> bytes:
        """Answer a JSON-RPC body."""
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _error(0, -32700, "Invalid JSON was received by the server.")
        if isinstance(parsed, list) and self._batches:
            return b"[" + b",".join(self._one(item, faults) for item in parsed) + b"]"
        return self._one(parsed, faults)

    def _one(self, parsed: Any, faults: set[str]) -> bytes:
        if not isinstance(parsed, dict) or not isinstance(parsed.get("params"), list):
            return _error(0, -32600, "The JSON sent is not a valid Request object.")
        identity, method = parsed.get("id", 0), str(parsed.get("method"))
        if "errors" in faults:
            return _error(identity, -32603, "this node was told to fail")
        try:
            result = self._methods.answer(method, parsed["params"])
        except MethodError as error:
            return _error(identity, error.code, str(error), error.data)
        return orjson.dumps({"jsonrpc": "2.0", "id": identity, "result": tell_lies(method, result, faults)})

    def _write(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, *, cut: bool = False, more: Any = None
    ) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        for name, value in (more or {}).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body[: len(body) // 2] if cut else body)
        request.close_connection = request.close_connection or cut

    def _flood(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(FLOOD_BYTES))
        request.end_headers()
        for _ in range(FLOOD_BYTES // len(_FLOOD_PART)):
            request.wfile.write(_FLOOD_PART)
        request.close_connection = True


def _error(identity: Any, code: int, message: str, data: Any = None) -> bytes:
    told = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return orjson.dumps({"jsonrpc": "2.0", "id": identity, "error": told})
