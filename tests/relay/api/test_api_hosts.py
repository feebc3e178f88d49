"""Who asks a hub on loopback by a name of elsewhere (DNS rebinding) gets no answer."""

import http.client
import subprocess
import sys
import time

import orjson
import pytest

from relay.web.application import create_app
from relay.web.hosts import host_name, is_of_loopback
from tests.support.api_world import ApiWorld, Bridge, problem
from tests.support.filled_hub import FilledHub

PATIENCE_S = 120.0
PATHS = ("/", "/healthz", "/metrics", "/v1/status", "/v1/claims", "/v1/openapi.json")
OURS = ["127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "localhost.", "127.1.2.3:80", "[::1]", "[::1]:8080"]
FOREIGN = ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"]
NONE = ["", " ", "::1", "127.0.0.1:x", "127.0.0.1@evil.example", "127.0.0.1/", "2130706433", "0x7f000001", "\xe9"]


@pytest.fixture
def world(tmp_path):
    world = ApiWorld(tmp_path)
    yield world
    world.close()


def listening(world, **settings):
    world.app = create_app(world.hub.store, "hub", development=True, home=world.hub.home, **settings)
    world.bridge.close()
    world.bridge = Bridge(world.app)


def ask(world, host, path="/v1/claims"):
    return world.ask("GET", path, headers={"host": host.encode("latin-1")})


def test_on_loopback_the_hub_is_asked_by_its_own_names(world):
    listening(world, loopback=True, names=["Relay.Example"])
    for host in (*OURS, "relay.example", "RELAY.example:443"):
        assert ask(world, host).status_code == 200, host
    for host in (*FOREIGN, *NONE):
        assert problem(ask(world, host), 421) == "HostUnknown", host
    for path in PATHS:
        assert problem(ask(world, "evil.example", path), 421) == "HostUnknown", path


def test_nothing_is_changed_by_a_foreign_name(world):
    listening(world, loopback=True)
    answer = world.ask("POST", "/v1/chains/alpha/retire", world.owner(), headers={"host": "evil.example"})
    assert problem(answer, 421) == "HostUnknown"


def test_beyond_loopback_names_count_where_there_are_any(world):
    listening(world, loopback=False)
    assert ask(world, "anything.example").status_code == 200
    listening(world, loopback=False, names=["relay.example"])
    assert ask(world, "relay.example").status_code == 200
    assert problem(ask(world, "anything.example"), 421) == "HostUnknown"
    assert problem(ask(world, "127.0.0.1"), 421) == "HostUnknown"


def test_a_host_is_read_as_the_specification_has_it():
    assert host_name("Hub.Example:8080") == "hub.example"
    assert host_name("[::1]:8080") == "::1"
    assert [host_name(text) for text in ("", "a:b", "[::1", "a b", "a/b")] == [""] * 5
    assert not is_of_loopback("")


def test_a_hub_that_runs_refuses_it(tmp_path):
    hub = FilledHub(tmp_path)
    hub.home.run.mkdir(parents=True, exist_ok=True)
    hub.store.close()
    process = subprocess.Popen([sys.executable, "-m", "relay.web", "--home", str(hub.home.folder)])
    try:
        deadline = time.monotonic() + PATIENCE_S
        told = hub.home.run / "web.json"
        while not told.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        port = orjson.loads(told.read_bytes())["port"]
        statuses = {}
        for host in (f"127.0.0.1:{port}", f"evil.example:{port}"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.request("GET", "/v1/claims", headers={"host": host})
            answer = connection.getresponse()
            statuses[host.partition(":")[0]] = (answer.status, answer.headers["content-type"])
            connection.close()
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
    assert statuses["127.0.0.1"][0] == 200
    assert statuses["evil.example"] == (421, "application/problem+json")
