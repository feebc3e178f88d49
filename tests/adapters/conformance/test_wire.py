"""The hostile proxy: where it stands, and that what it does to a plain HTTP node is what it says."""

import socket
import threading
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.conformance import wire
from adapters.conformance.wire import HostileProxy, moved, place_of


@pytest.mark.parametrize(
    ("url", "place", "behind"),
    [
        ("http://127.0.0.1:8545", ("127.0.0.1", 8545), "http://127.0.0.1:9"),
        ("https://user:word@localhost:8545/path?x=1", ("localhost", 8545), "https://user:word@localhost:9/path?x=1"),
        ("grpcs://node.example:12301", ("node.example", 12301), "grpcs://127.0.0.1:9"),
        ("127.0.0.1:20200", ("127.0.0.1", 20200), "127.0.0.1:9"),
        ("http://[::1]:8545", ("::1", 8545), "http://127.0.0.1:9"),
    ],
)
def test_an_endpoint_with_a_port_moves_behind_the_proxy(url, place, behind):
    assert place_of(url) == place
    assert moved(url, 9) == behind


@pytest.mark.parametrize("url", ["memory://alpha", "/run/node.ipc", "ipc:/run/node.ipc", "http://node.example"])
def test_what_has_no_port_has_no_proxy(url):
    assert place_of(url) is None
    with pytest.raises(ValueError, match="has no port"):
        moved(url, 9)


class Node(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["content-length"]))
        body = b'{"id": 1, "result": "' + asked + b'", "more": [1, 2, 3]}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def node():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Node)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def ask(proxy, timeout=10.0):
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    try:
        connection.request("POST", "/", b"hello")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


TRUE = (200, b'{"id": 1, "result": "hello", "more": [1, 2, 3]}')


def test_at_first_everything_passes_and_is_seen(node):
    with HostileProxy("127.0.0.1", node, http=True) as proxy:
        assert ask(proxy) == TRUE
        assert b"".join(proxy.seen).count(b"hello") == 1
        assert proxy.sent > len(TRUE[1])


@pytest.mark.parametrize("mode", [wire.REFUSE, wire.SILENT, wire.HALVED, wire.GARBAGE])
def test_no_answer_comes_through_and_afterwards_it_does(node, mode):
    with HostileProxy("127.0.0.1", node, http=True) as proxy:
        proxy.choose(mode)
        with pytest.raises((OSError, HTTPException)):
            ask(proxy, timeout=0.5)
        proxy.choose(wire.PASS)
        assert ask(proxy) == TRUE


def test_a_cut_answer_is_another_one_or_none(node):
    with HostileProxy("127.0.0.1", node, http=True) as proxy:
        proxy.choose(wire.CUT)
        connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
        with connection:
            connection.sendall(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello")
            got = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert 0 < len(got) <= wire.CUT_BYTES


def test_a_busy_node_says_so(node):
    with HostileProxy("127.0.0.1", node, http=True) as proxy:
        proxy.choose(wire.BUSY)
        assert {ask(proxy)[0] for _ in range(20)} == {429, 503}


def test_changed_answers_are_whole_and_not_the_true_ones(node):
    with HostileProxy("127.0.0.1", node, http=True) as proxy:
        proxy.choose(wire.CHANGED)
        found = {ask(proxy)[1] for _ in range(20)}
        assert len(found) > 10
        assert TRUE[1] not in found


def test_below_http_one_bit_is_flipped(node):
    with HostileProxy("127.0.0.1", node, http=False) as proxy:
        proxy.choose(wire.CHANGED)
        connection = HTTPConnection("127.0.0.1", node)
        connection.request("POST", "/", b"hello")
        expected = connection.getresponse().read()
        connection.close()
        assert expected == TRUE[1]
        outcomes = []
        for _ in range(10):
            try:
                outcomes.append(ask(proxy, timeout=2.0))
            except (OSError, HTTPException, ValueError) as error:
                outcomes.append(type(error))
        assert outcomes != [TRUE] * 10
