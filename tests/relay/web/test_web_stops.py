"""The process `web` ends at once and quietly while viewers and operators wait on it; a taken port is told before anything starts."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import orjson
import pytest
from sqlalchemy import select

from relay.config import HubConfig
from relay.errors import NotNow
from relay.home import Home
from relay.processes import is_running
from relay.store.tables import operators
from relay.web.ports import check_port, listen
from tests.support.filled_hub import FilledHub

GENEROUS_S = 90.0


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane()
    hub.operator("org-1", 3)
    yield hub
    hub.store.close()


def eventually(condition, what):
    deadline = time.monotonic() + GENEROUS_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(what)


@contextmanager
def web(hub, log):
    """The process over a hub's folder; gives it and its address once it listens."""
    environment = {**os.environ, "RELAYHUB_HOME": str(hub.home.folder)}
    with (
        log.open("wb") as out,
        subprocess.Popen([sys.executable, "-m", "relay.web"], env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            told = hub.home.run / "web.json"
            eventually(told.exists, "it listens")
            yield process, orjson.loads(told.read_bytes())["url"]
        finally:
            process.kill()


def test_it_stops_without_a_word_while_viewers_and_operators_wait(hub, tmp_path):
    log, seen, answers = tmp_path / "web.log", [], []

    def look(url):
        with httpx.stream("GET", f"{url}/page/events", timeout=GENEROUS_S) as stream:
            seen.append("open")
            text = "".join(stream.iter_text())  # raises where the stream is cut instead of ended
            seen.append(text)

    def wait_for_claims(url):
        answers.append(httpx.get(f"{url}/v1/claims?wait=25&signer=0x{'03' * 20}", timeout=GENEROUS_S))

    def asked():
        with hub.store.read() as connection:
            return connection.execute(select(operators.c.seen_at)).scalar_one() > 0

    with web(hub, log) as (process, url):
        httpx.get(f"{url}/healthz", timeout=GENEROUS_S).raise_for_status()
        threads = [threading.Thread(target=look, args=(url,)) for _ in range(3)]
        threads += [threading.Thread(target=wait_for_claims, args=(url,))]
        for thread in threads:
            thread.start()
        eventually(lambda: seen.count("open") == 3, "three viewers watch")
        eventually(asked, "an operator waits")
        process.send_signal(signal.SIGTERM)
        code = process.wait(GENEROUS_S)
        for thread in threads:
            thread.join(GENEROUS_S)
    assert code in (0, -signal.SIGTERM)  # uvicorn ends by the signal that it was sent
    assert log.read_text() == ""
    assert len(seen) == 6, "each stream came to its end"
    assert [answer.json() for answer in answers] == [{"claims": []}]


def test_up_says_that_the_port_is_taken_and_starts_nothing(tmp_path):
    home = Home(tmp_path / "bare")
    with listen("127.0.0.1", 0) as busy:
        port = busy.getsockname()[1]
        config = HubConfig(name="bare", development=True, web_port=port)
        home.save(config)
        with pytest.raises(NotNow, match=f"Port {port} on 127"):
            check_port(config)
        done = subprocess.run(
            [sys.executable, "-m", "relay.cli", "up", "--home", str(home.folder)],
            capture_output=True, text=True, timeout=GENEROUS_S, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert f"NotNow: Port {port} on 127.0.0.1 cannot be listened on" in done.stderr
        assert not is_running(home)
    check_port(config)
