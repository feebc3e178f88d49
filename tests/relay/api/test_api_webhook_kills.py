"""`kill -9` of the HTTP process between sending a delivery and recording it: it is told again under the same id, and none is lost."""

import http.server
import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import select, update

from relay import webhooks
from relay.store.tables import lanes, webhook_deliveries
from tests.support.filled_hub import LANE, FilledHub

PATIENCE_S = 120.0


class Stalling:
    """An application's server on loopback that takes every delivery, and while `holding` answers nothing."""

    def __init__(self):
        self.got, self.holding = [], threading.Event()
        self.let_go = threading.Event()
        stalling = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                stalling.got.append(self.headers["webhook-id"])
                if stalling.holding.is_set():
                    stalling.let_go.wait(PATIENCE_S)
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver():
    receiver = Stalling()
    yield receiver
    receiver.close()


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane(final=3)
    for nonce in (1, 2, 3):
        hub.message(nonce, sent_at=time.time())
    yield hub
    hub.store.close()


def web(hub):
    return subprocess.Popen([sys.executable, "-m", "relay.web", "--home", str(hub.home.folder)])


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def states(hub):
    with hub.store.read() as connection:
        return [row.state for row in connection.execute(select(webhook_deliveries.c.state))]


def test_what_was_sent_and_not_recorded_comes_again_under_its_id(hub, receiver):
    with hub.store.write() as connection:
        webhooks.create(connection, "owner", receiver.url, None, None, time.time())
        connection.execute(update(lanes).where(lanes.c.lane_id == LANE).values(delivered=3, settled=3))
    receiver.holding.set()
    first = web(hub)
    try:
        until(
            lambda: len(receiver.got) == 6
        )  # delivered and settled of three messages are on their way, none is answered
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE_S)
    told = set(receiver.got)
    assert len(told) == 6
    assert states(hub) == ["waiting"] * 6
    receiver.let_go.set()
    receiver.holding.clear()

    second = web(hub)
    try:
        until(lambda: states(hub) == ["done"] * 6)
    finally:
        second.terminate()
        second.wait(PATIENCE_S)
    assert sorted(receiver.got) == sorted([*told, *told])  # each once more, and no other
