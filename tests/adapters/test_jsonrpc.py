"""JSON-RPC over HTTP: what each bad endpoint becomes, batches, limits, and credentials that are never shown."""

import json
import logging
import socket
import threading
from contextlib import closing, contextmanager, suppress

import httpcore
import pytest

from adapters.jsonrpc import MAX_BATCH_CALLS, MAX_BODY_BYTES, JsonRpc, RpcError
from adapters.protocol import AnswerTooLarge, BadAnswer, Misconfigured, Unreachable
from adapters.transport import HttpTransport, SocketTransport, endpoint_label, open_transport
from tests.support.fake_rpc import FakeRpc, RpcFault, answers


def opened(url, **limits):
    return closing(JsonRpc(url, **(LIMITS | limits)))


LIMITS = {"timeout_s": 20.0, "max_answer_bytes": 1 << 20}


def echo(request):
    return answers(request, lambda method, params: [method, *params])


def ask(reply, calls=(("a", [1]), ("b", [2])), **limits):
    with FakeRpc(reply) as server, opened(server.url, **limits) as rpc:
        return rpc.batch(list(calls))


def test_a_call_and_a_batch_come_in_the_order_asked():
    assert ask(echo, [("one", [])]) == [["one"]]
    assert ask(lambda request: list(reversed(echo(request)))) == [["a", 1], ["b", 2]]


def test_a_batch_is_cut_by_calls_and_by_bytes():
    with FakeRpc(echo) as server, opened(server.url) as rpc:
        count = 2 * MAX_BATCH_CALLS + 1
        assert rpc.batch([("m", [number]) for number in range(count)]) == [["m", number] for number in range(count)]
        assert [len(json.loads(body)) for body in server.bodies[:2]] == [MAX_BATCH_CALLS] * 2
        server.bodies.clear()
        rpc._transport._limit = 1 << 23
        large = "x" * 400_000
        assert len(rpc.batch([("m", [large])] * 5)) == 5
        assert [len(body) < MAX_BODY_BYTES for body in server.bodies] == [True] * 3


def test_no_calls_ask_nothing():
    with FakeRpc(echo) as server, opened(server.url) as rpc:
        assert rpc.batch([]) == []
        assert server.bodies == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_endpoint_is_unreachable_for_as_long_as_it_asks(status):
    with pytest.raises(Unreachable, match=f"busy .HTTP {status}") as caught:
        ask(lambda _: (status, {"Retry-After": "17"}, b"slow down"))
    assert caught.value.retry_after_s == 17


@pytest.mark.parametrize(
    ("header", "seconds"),
    [({}, 0), ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0), ({"Retry-After": "999999"}, 3600)],
)
def test_retry_after_is_believed_within_reason(header, seconds):
    with pytest.raises(Unreachable) as caught:
        ask(lambda _: (503, header, b""))
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_say_so(status):
    with pytest.raises(Unreachable, match="credentials"):
        ask(lambda _: (status, {}, b'{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"who are you"}}'))


def test_an_error_object_under_another_status_is_still_an_error_object():
    answer = ask(lambda request: (400, {}, json.dumps(answers(request, lambda *_: RpcFault("no"))).encode()))
    assert [error.reason for error in answer] == ["no", "no"]


BAD = {
    "html": (lambda _: b"<html>It works!</html>", "did not answer in JSON"),
    "html_404": (lambda _: (404, {}, b"<html>"), "HTTP 404"),
    "redirect": (lambda _: (307, {"location": "http://127.0.0.1:1/"}, b""), "HTTP 307"),
    "truncated_json": (lambda request: json.dumps(echo(request)).encode()[:-3], "did not answer in JSON"),
    "broken_off": (lambda _: (200, {"content-length": "5000"}, b'[{"jsonrpc"'), "broke off"),
    "object_for_a_batch": (lambda _: {"jsonrpc": "2.0", "id": 1, "result": 1}, "no list"),
    "missing_answer": (lambda request: echo(request)[:1], "1 answers to 2 calls"),
    "more_answers": (lambda request: [*echo(request), echo(request)[0]], "3 answers to 2 calls"),
    "double_answer": (lambda request: [echo(request)[0]] * 2, "answered twice"),
    "foreign_answer": (lambda request: [echo(request)[0], echo(request)[1] | {"id": 1}], "not asked"),
    "id_as_text": (lambda request: [item | {"id": str(item["id"])} for item in echo(request)], "not asked"),
    "no_object": (lambda _: [1, 2], "not asked"),
    "no_result": (
        lambda request: [{"jsonrpc": "2.0", "id": item["id"]} for item in request],
        "neither a result nor an error",
    ),
    "compressed": (lambda _: (200, {"content-encoding": "gzip"}, b"\x1f\x8b"), "compresses"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_refused_by_name(name):
    reply, text = BAD[name]
    with pytest.raises(BadAnswer, match=text):
        ask(reply)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"7", "no JSON-RPC object"),
        (b'{"jsonrpc":"2.0","id":0,"result":1}', "not asked"),
        (b'{"id":0,"error":{"code":1}}', "not asked"),
    ],
)
def test_a_bad_single_answer_is_refused(answer, text):
    with pytest.raises(BadAnswer, match=text):
        ask(lambda _: answer, [("a", [])])


def test_an_answer_larger_than_agreed_is_left():
    with pytest.raises(AnswerTooLarge, match="more than 1000 bytes"):
        ask(lambda request: answers(request, lambda *_: "x" * 600), max_answer_bytes=1_000)


def test_a_slow_endpoint_is_unreachable():
    held = threading.Event()

    def reply(request):
        held.wait(30)
        return echo(request)

    with FakeRpc(reply) as server, opened(server.url, timeout_s=0.2) as rpc:
        with pytest.raises(Unreachable, match=r"did not answer in 0\.2 s"):
            rpc.call("a", [])
        held.set()


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_dead_endpoint_is_unreachable():
    with (
        opened(f"http://127.0.0.1:{closed_port()}") as rpc,
        pytest.raises(Unreachable, match=r"reached \(ConnectError\)"),
    ):
        rpc.call("a", [])


def test_an_error_object_carries_code_and_data():
    fault = RpcFault("execution reverted", 3, "0x01")

    def reply(request):
        return answers(request, lambda *_: fault)

    with FakeRpc(reply) as server, opened(server.url) as rpc, pytest.raises(RpcError) as caught:
        rpc.call("eth_call", [])
    assert (caught.value.rpc_code, caught.value.data, caught.value.reason) == (3, "0x01", "execution reverted")
    assert caught.value.code == "other"


def test_a_missing_method_has_its_own_code():
    assert ask(lambda request: answers(request, lambda *_: RpcFault("no such", -32601)))[0].code == "no_method"


def test_demand_refuses_the_whole_for_one_error():
    def reply(request):
        return answers(request, lambda method, _: RpcFault("no") if method == "b" else 1)

    with FakeRpc(reply) as server, opened(server.url) as rpc, pytest.raises(RpcError, match="no"):
        rpc.demand([("a", []), ("b", [])])


def test_an_error_object_for_a_whole_batch_is_raised():
    with pytest.raises(RpcError, match="batch too large"):
        ask(lambda _: {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}})


def test_an_error_that_is_a_text_is_still_an_error():
    assert ask(lambda request: [{"id": item["id"], "error": "boom"} for item in request])[0].reason == "boom"


SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "label"),
    [
        (f"https://user:{SECRET}@rpc.example/v3/{SECRET}?key={SECRET}#f", "https://rpc.example/v3/…"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("http://[::1]:8545/eth", "http://[::1]:8545/eth"),
        ("/run/geth.ipc", "ipc:/run/geth.ipc"),
        ("ipc:/run/geth.ipc", "ipc:/run/geth.ipc"),
        ("unix:///run/geth.ipc", "ipc:/run/geth.ipc"),
        ("http://host:port/", "(unreadable URL)"),
    ],
)
def test_a_label_shows_no_credentials(url, label):
    assert endpoint_label(url) == label


@pytest.mark.parametrize("reply", [*BAD.values(), (lambda _: (429, {}, b""), ""), (lambda _: (401, {}, b""), "")])
def test_credentials_are_in_no_error_and_no_log(reply, caplog):
    caplog.set_level(logging.DEBUG)
    with FakeRpc(reply[0]) as server:
        url = server.url.replace("//", f"//user:{SECRET}@", 1) + f"/{SECRET}?k={SECRET}"
        rpc = JsonRpc(url)
        with pytest.raises((BadAnswer, Unreachable)) as caught:
            rpc.batch([("a", []), ("b", [])])
        assert server.headers[0]["Authorization"]
        rpc.close()
    error = caught.value
    while error is not None:
        assert SECRET not in str(error) + repr(error)
        error = error.__cause__
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:1", "127.0.0.1:8545", "http://", "ftp://host", "", "http://host:port/"]
)
def test_a_url_of_no_known_kind_is_misconfigured(url):
    with pytest.raises(Misconfigured, match="is no endpoint"):
        open_transport(url, **LIMITS)


class FakeSocket:
    """A local socket that answers each line with what a test gives, and may close after each answer."""

    def __init__(self, path, replies, *, close_each=False):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.replies, self.close_each, self.accepted = list(replies), close_each, 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with suppress(OSError):  # the client or the test is gone
            self._serve()

    def _serve(self):
        while self.replies:
            connection, _ = self.server.accept()
            self.accepted += 1
            with connection:
                while self.replies and connection.recv(1 << 20):
                    for part in self.replies.pop(0):
                        connection.sendall(part)
                    if self.close_each:
                        break

    def close(self):
        self.server.close()


def test_a_local_socket_carries_calls_in_pieces(tmp_path):
    replies = [(b'{"jsonrpc":"2.0",', b'"id":500,"result":', b"7}\n"), (b'{"jsonrpc":"2.0","id":1000,"result":8}',)]
    node = FakeSocket(tmp_path / "node.ipc", replies)
    rpc = JsonRpc(str(tmp_path / "node.ipc"), **LIMITS)
    assert [rpc.call("a", []), rpc.call("a", [])] == [7, 8]
    assert node.accepted == 1
    rpc.close()
    node.close()


def test_a_local_socket_that_was_closed_meanwhile_is_opened_again(tmp_path):
    node = FakeSocket(
        tmp_path / "node.ipc", [(b'{"id":500,"result":1}\n',), (b'{"id":1000,"result":2}\n',)], close_each=True
    )
    rpc = JsonRpc(str(tmp_path / "node.ipc"), **LIMITS)
    assert [rpc.call("a", []), rpc.call("a", [])] == [1, 2]
    assert node.accepted == 2
    rpc.close()
    node.close()


@pytest.mark.parametrize(
    ("replies", "limits", "kind", "text"),
    [
        ([(b'{"id":',)], {}, BadAnswer, "broke off"),
        ([(b'{"id":500,"result":"' + b"x" * 3000,)], {"max_answer_bytes": 1000}, AnswerTooLarge, "more than 1000"),
    ],
)
def test_a_local_socket_answers_badly(tmp_path, replies, limits, kind, text):
    node = FakeSocket(tmp_path / "node.ipc", replies, close_each=True)
    rpc = JsonRpc(str(tmp_path / "node.ipc"), **(LIMITS | limits))
    with pytest.raises(kind, match=text):
        rpc.call("a", [])
    node.close()


def test_a_local_socket_that_is_silent_or_absent_is_unreachable(tmp_path):
    with pytest.raises(Unreachable, match="cannot be reached"):
        JsonRpc(str(tmp_path / "absent.ipc"), **LIMITS).call("a", [])
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(tmp_path / "silent.ipc"))
    silent.listen()
    transport = SocketTransport(str(tmp_path / "silent.ipc"), timeout_s=0.1, max_answer_bytes=1000)
    with pytest.raises(Unreachable, match=r"did not answer in 0\.1 s"):
        transport.exchange(b"{}")
    transport.close()
    silent.close()


def mocked(*outcomes):
    """An HTTP transport whose requests end one after the other as `outcomes` say."""
    waiting = list(outcomes)

    @contextmanager
    def stream(*_, **__):
        outcome = waiting.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        yield httpcore.Response(200, content=outcome)

    transport = HttpTransport("http://127.0.0.1:1", **LIMITS)
    transport._pool.stream = stream
    return closing(transport), waiting


CLOSED = httpcore.RemoteProtocolError("Server disconnected without sending a response.")


def test_a_kept_connection_that_the_server_closed_is_replaced_once():
    opened_transport, waiting = mocked(CLOSED, b"7", CLOSED, httpcore.ReadError("reset"), b"8")
    with opened_transport as transport:
        assert transport.exchange(b"{}").body == b"7"
        with pytest.raises(Unreachable, match=r"cannot be reached \(ReadError\)"):
            transport.exchange(b"{}")
    assert waiting == [b"8"]


def test_a_request_that_times_out_is_not_sent_again():
    opened_transport, waiting = mocked(httpcore.ConnectTimeout("slow"), b"7")
    with opened_transport as transport, pytest.raises(Unreachable, match="did not answer in 20 s"):
        transport.exchange(b"{}")
    assert waiting == [b"7"]


def test_a_local_socket_that_dies_twice_is_unreachable(tmp_path):
    node = FakeSocket(tmp_path / "node.ipc", [(b'{"id":500,"result":1}\n',), (), (b"",)], close_each=True)
    rpc = JsonRpc(str(tmp_path / "node.ipc"), **LIMITS)
    assert rpc.call("a", []) == 1
    with pytest.raises(Unreachable, match=r"cannot be reached"):
        rpc.call("a", [])
    rpc.close()
    node.close()


def test_a_local_socket_that_trickles_is_left_when_its_time_is_over(tmp_path):
    node = FakeSocket(tmp_path / "node.ipc", [(b'{"id":500}}',), ()])
    rpc = JsonRpc(str(tmp_path / "node.ipc"), timeout_s=0.2)
    with pytest.raises(Unreachable, match=r"in 0\.2 s"):
        rpc.call("a", [])
    rpc.close()
    node.close()
