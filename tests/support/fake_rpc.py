"""A local HTTP server whose every answer a test writes, byte for byte."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from adapters.transport import Answer

Reply = tuple[int, dict[str, str], bytes]


class FakeRpc:
    """Answers each POST with what `reply(requests, body)` returns; keeps every body that came."""

    def __init__(self, reply: Callable[[Any], Reply | bytes | Any]) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.bodies.append(body)
                outer.headers.append(dict(self.headers))
                answer = reply(json.loads(body))
                if not isinstance(answer, tuple):
                    answer = (200, {}, answer if isinstance(answer, bytes) else json.dumps(answer).encode())
                status, headers, content = answer
                self.send_response(status)
                for name, value in {"content-length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                if int(headers.get("content-length", len(content))) != len(content):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answers(request: Any, results: Callable[[str, list[Any]], Any]) -> Any:
    """A well-formed answer to a request or a batch; a result that is an `RpcFault` becomes an error object."""

    def one(call: dict[str, Any]) -> dict[str, Any]:
        result = results(call["method"], call["params"])
        if isinstance(result, RpcFault):
            return {"jsonrpc": "2.0", "id": call["id"], "error": result.error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    return [one(call) for call in request] if isinstance(request, list) else one(request)


class RpcFault:
    """An error object in place of a result."""

    def __init__(self, message: str, code: int = -32000, data: Any = None) -> None:
        self.error = {"code": code, "message": message} | ({} if data is None else {"data": data})


class FakeTransport:
    """Carries requests to a function instead of a network: `results(method, params)`; keeps every call."""

    def __init__(self, results: Callable[[str, list[Any]], Any]) -> None:
        self.results = results
        self.calls: list[tuple[str, list[Any]]] = []

    def exchange(self, body: bytes) -> Answer:
        return Answer(200, json.dumps(answers(json.loads(body), self._result)).encode())

    def close(self) -> None:
        return

    def _result(self, method: str, params: list[Any]) -> Any:
        self.calls.append((method, params))
        return self.results(method, params)
