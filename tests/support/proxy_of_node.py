"""A small HTTP proxy before a node: it passes everything on, and lies or fails as a test tells it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class NodeProxy:
    """Passes JSON-RPC on to a node.

    Args:
        target: the node's URL.

    Attributes:
        change: called with (method, result) of each answer; what it returns is answered instead.
        status: an HTTP status that is answered to everything, 0 for none.
        cut: whether answers break off in the middle.
    """

    def __init__(self, target):
        self.change, self.status, self.cut = _as_it_is, 0, False
        client = httpx.Client(timeout=30.0, trust_env=False, headers={"content-type": "application/json"})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status, content = outer.status, b""
                if not status:
                    status, content = 200, outer._answer(body, client.post(target, content=body).content)
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if outer.cut else content)
                self.close_connection = self.close_connection or outer.cut

            def log_message(self, *_):
                return

        self._client = client
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _answer(self, asked, answered):
        calls, answers = json.loads(asked), json.loads(answered)
        single = isinstance(calls, dict)
        methods = {call["id"]: call["method"] for call in ([calls] if single else calls)}
        for item in [answers] if single else answers:
            if "result" in item:
                item["result"] = self.change(methods[item["id"]], item["result"])
        return json.dumps(answers).encode()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._client.close()


def _as_it_is(method, result):
    del method
    return result
