"""What a hostile endpoint does to a connection: it drips, stalls, cuts, floods and says that it is busy.

Each costs its own turn only: the time of one request and the memory of one answer, and then another endpoint is asked.
"""

import threading
import time
import tracemalloc

import pytest

from adapters.deadline import Deadline, TimedStream
from adapters.evm import ADAPTER
from adapters.guard import GuardedLedger
from adapters.jsonrpc import JsonRpc
from adapters.protocol import AdapterError, AdapterOptions, BadAnswer, Endpoint, Unreachable
from tests.support.fake_rpc import FakeRpc, answers
from tests.support.raw_http import (
    RawHttp,
    busy,
    cut,
    deaf,
    dripped_body,
    dripped_chunks,
    dripped_head,
    endless,
    endless_headers,
    silence,
)

TIMEOUT_S = 0.3
GENEROUS_S = 60.0
LARGEST = 4 << 20
FIRST_BLOCK = "0x" + "11" * 32
HOSTILE = {
    "drips its headers": dripped_head,
    "drips its body": dripped_body,
    "drips chunks": dripped_chunks,
    "answers nothing": silence,
    "sends 1 GB": endless,
    "sends 1 GB of headers": endless_headers,
    "cuts its answer": cut,
    "says 429": busy(429, "7"),
    "says 503": busy(503, "7"),
}


def honest(method, _params):
    return {
        "eth_chainId": "0x7",
        "eth_getBlockByNumber": {"hash": FIRST_BLOCK},
        "web3_clientVersion": "honest",
        "eth_blockNumber": "0x2a",
    }[method]


def ended(work):
    """What became of work in a thread; a test never hangs with it."""
    outcome = []

    def body():
        try:
            outcome.append(work())
        except AdapterError as error:
            outcome.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(GENEROUS_S)
    assert not thread.is_alive(), "the request has no end"
    return outcome[0]


@pytest.mark.parametrize("script", [dripped_head, dripped_body, dripped_chunks, silence])
def test_a_request_ends_with_its_time_however_its_bytes_come(script):
    with RawHttp(script) as server:
        rpc = JsonRpc(server.url, timeout_s=TIMEOUT_S)
        error = ended(lambda: rpc.call("a", []))
        rpc.close()
    assert isinstance(error, Unreachable)
    assert str(error).endswith("did not answer in 0.3 s.")
    assert server.connections == 1  # what timed out is not sent again


def test_a_request_that_nobody_reads_ends_with_its_time():
    with RawHttp(deaf) as server:
        rpc = JsonRpc(server.url, timeout_s=TIMEOUT_S)
        error = ended(lambda: rpc.call("a", ["x" * 800_000] * 20))
        rpc.close()
    assert isinstance(error, Unreachable)


@pytest.mark.parametrize("step", ["read", "write", "start_tls"])
def test_every_step_of_a_connection_has_what_time_is_left_and_none_when_it_is_over(step):
    asked = []

    class Stream:
        def read(self, _size, timeout):
            asked.append(timeout)

        def write(self, _data, timeout):
            asked.append(timeout)

        def start_tls(self, _context, _name, timeout):
            asked.append(timeout)

    deadline = Deadline()
    stream = TimedStream(Stream(), deadline)
    arguments = {"read": (1,), "write": (b"x" * 200_000,), "start_tls": (None,)}[step]
    deadline.begin(GENEROUS_S)
    getattr(stream, step)(*arguments)
    assert asked
    assert all(0 < seconds <= GENEROUS_S for seconds in asked)
    assert asked == sorted(asked, reverse=True)
    deadline.begin(0.0)
    with pytest.raises(Exception, match="the whole exchange"):
        getattr(stream, step)(*arguments)


def test_of_an_answer_of_1_gb_no_more_is_read_than_was_agreed():
    with RawHttp(endless) as server:
        rpc = JsonRpc(server.url, timeout_s=GENEROUS_S, max_answer_bytes=LARGEST)
        tracemalloc.start()
        error = ended(lambda: rpc.call("a", []))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        rpc.close()
    assert isinstance(error, BadAnswer)
    assert f"more than {LARGEST} bytes" in str(error)
    assert peak < 3 * LARGEST
    assert server.sent < LARGEST + (32 << 20)  # what the sockets of both sides hold besides


def test_of_headers_of_1_gb_little_is_read():
    with RawHttp(endless_headers) as server:
        rpc = JsonRpc(server.url, timeout_s=GENEROUS_S)
        assert isinstance(ended(lambda: rpc.call("a", [])), Unreachable)
        rpc.close()
    assert server.sent < 64 << 20


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "rests_s"), [("77", 77), ("", 5), ("86400", 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", 5)]
)
def test_a_busy_endpoint_is_left_alone_for_as_long_as_it_asks(status, said, rests_s):
    with RawHttp(busy(status, said)) as server, FakeRpc(lambda request: answers(request, honest)) as other:
        guard = ledger(server.url, other.url)
        assert guard.tip() == 42
        first, second = guard.status()
        assert rests_s - 2 <= first.rests_s <= rests_s
        asked = server.connections
        assert guard.tip() == 42
        assert server.connections == asked
        guard.close()
    assert f"busy (HTTP {status})" in first.last_error
    assert second.rests_s == 0


def ledger(*urls, **limits):
    options = AdapterOptions(tuple(Endpoint(url) for url in urls), **{"timeout_s": TIMEOUT_S * 10, **limits})
    return GuardedLedger(ADAPTER, options)


@pytest.mark.parametrize("liars", [1, 2])
@pytest.mark.parametrize("fault", HOSTILE)
def test_f_of_2f_plus_1_endpoints_cost_their_own_turns_and_are_named(fault, liars):
    with RawHttp(HOSTILE[fault]) as server, FakeRpc(lambda request: answers(request, honest)) as other:
        urls = [f"{server.url}/{number}" for number in range(liars)]
        urls += [f"{other.url}/{number}" for number in range(liars + 1)]
        guard = ledger(*urls, timeout_s=TIMEOUT_S, max_answer_bytes=LARGEST)
        assert ended(guard.tip) == 42
        for status in guard.status()[:liars]:
            assert status.rests_s > 0
            assert status.label in urls
            assert status.last_error
        assert [status.rests_s for status in guard.status()[liars:]] == [0] * (liars + 1)
        began = guard.status()[0].calls
        assert ended(guard.tip) == 42
        assert guard.status()[0].calls == began  # nobody waits for it again
        guard.close()


def test_the_deadline_of_one_thread_is_not_anothers():
    deadline = Deadline()
    deadline.begin(0.0)
    seen = []
    thread = threading.Thread(target=lambda: (deadline.begin(GENEROUS_S), seen.append(deadline.left(TimeoutError))))
    thread.start()
    thread.join()
    assert seen[0] > 1
    with pytest.raises(TimeoutError):
        deadline.left(TimeoutError)
    assert deadline.ends <= time.monotonic()
