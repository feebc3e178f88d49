"""What a container's health check asks: the watch's heartbeat, the queue of the log, the interface, an operator's database."""

import sqlite3
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy import insert

from relay import health, prepare
from relay.home import Home
from relay.store import Store
from relay.store.migrations import HEAD
from relay.store.tables import evidence_queue, heartbeats


@pytest.fixture
def store(hub):
    return hub.context.store


def check(hub, role, *words):
    return health.main([role, "--home", str(hub.home.folder), *words])


@pytest.mark.parametrize(("age_s", "code"), [(0, 0), (health.YOUNG_S + 5, 1), (-health.YOUNG_S - 5, 1), (None, 1)])
def test_a_watch_is_healthy_while_its_heartbeat_is_young(hub, store, capsys, age_s, code):
    if age_s is not None:
        with store.write() as connection:
            connection.execute(insert(heartbeats).values(process="watch", pid=1, at=time.time() - age_s))
            connection.execute(insert(heartbeats).values(process="another", pid=2, at=time.time()))
    assert check(hub, "watch") == code
    captured = capsys.readouterr()
    assert (captured.out if code == 0 else captured.err).startswith("watch: ")


@pytest.mark.parametrize(("age_s", "code"), [(None, 0), (5, 0), (health.RECORDED_WITHIN_S + 10, 1)])
def test_a_recorder_is_healthy_while_nothing_waits_long(hub, store, age_s, code):
    with store.write() as connection:
        connection.execute(evidence_queue.delete())
        for at in [] if age_s is None else [time.time() - age_s, time.time()]:
            connection.execute(insert(evidence_queue).values(at=at, kind="claim", fields=b"\x80"))
    assert check(hub, "recorder") == code


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def test_an_interface_is_healthy_while_it_answers(hub):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    hub.home.save(hub.home.load().model_copy(update={"web_port": server.server_address[1]}))
    assert check(hub, "web") == 0
    server.shutdown()
    server.server_close()
    assert check(hub, "web") == 1


def test_an_operator_is_healthy_while_its_database_can_be_read(tmp_path):
    config = tmp_path / "operator.toml"
    config.write_text('database = "operator.db"\n')
    assert health.main(["operator", "--config", str(config)]) == 1
    assert not (tmp_path / "operator.db").exists()
    sqlite3.connect(tmp_path / "operator.db").close()
    assert health.main(["operator", "--config", str(config)]) == 0
    config.write_text("name = 'x'\n")
    assert health.main(["operator", "--config", str(config)]) == 1


@pytest.mark.parametrize("role", ["watch", "recorder", "web"])
def test_no_hub_is_one_line(tmp_path, capsys, role):
    assert health.main([role, "--home", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_prepare_brings_the_tables_and_leaves(hub, tmp_path, capsys):
    home = Home(tmp_path / "new")
    assert prepare.main(["--home", str(home.folder)]) == 2
    assert "There is no hub" in capsys.readouterr().err
    home.save(hub.home.load())
    for _ in range(2):
        assert prepare.main(["--home", str(home.folder)]) == 0
        assert capsys.readouterr().out == f"tables of version {HEAD}\n"
    store = Store(home.database_url(home.load()))
    assert store.version() == HEAD
    store.close()
