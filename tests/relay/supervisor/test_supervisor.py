"""The supervisor with small children: starts again, waits longer each time, holds, and takes everybody along when it dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from relay.config import HubConfig
from relay.home import Home
from relay.processes import hold, recorded, release, stop
from relay.supervisor import (
    FAILING_AFTER,
    FIRST_DELAY_S,
    LAST_DELAY_S,
    SETTLED_S,
    WEB_FIRST_S,
    Child,
    Supervisor,
    accepts,
    last_line,
    web_answers,
)

SCRIPT = """
import sys
from pathlib import Path
from relay.home import Home
from relay.processes import supervisor_lock
from relay.supervisor import (
    FAILING_AFTER,
    FIRST_DELAY_S,
    LAST_DELAY_S,
    SETTLED_S,
    WEB_FIRST_S,
    Child,
    Supervisor,
    accepts,
    last_line,
    web_answers,
)
home = Home(Path(sys.argv[1]))
with supervisor_lock(home):
    supervisor = Supervisor(home, home.load())
    supervisor.children = [Child(role, [sys.executable, "-c", "import time; time.sleep(600)"]) for role in ("one", "two")]
    supervisor.run()
"""
GENEROUS_S = 60.0


def eventually(condition, what):
    deadline = time.monotonic() + GENEROUS_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(what)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "hub")
    home.save(HubConfig(name="hub", broker="redis://127.0.0.1:1/0"))
    home.run.mkdir()
    return home


@pytest.fixture
def supervisor(home):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(home.folder)])
    eventually(lambda: len(living(home)) == 3, "the children start")
    yield process
    process.terminate()
    process.wait()


def living(home):
    return {process.role: process for process in recorded(home)[1] if process.alive}


def test_what_dies_is_started_again_and_counted(home, supervisor):
    first = living(home)["one"]
    os.kill(first.pid, signal.SIGKILL)
    again = eventually(lambda: (p := living(home).get("one")) and p.pid != first.pid and p, "it is started again")
    assert again.restarts == 1
    assert living(home)["two"].restarts == 0


def test_children_die_with_a_killed_supervisor(home, supervisor):
    children = [process for role, process in living(home).items() if role != "supervisor"]
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not any(child.alive for child in children), "children die")


def test_stop_ends_everybody(home, supervisor):
    children = list(living(home).values())
    assert sorted(stop(home)) == ["one", "supervisor", "two"]
    assert supervisor.wait() == 0
    assert not any(child.alive for child in children)


def test_a_held_process_stays_away_until_it_is_released(home, supervisor):
    hold(home, "two")
    eventually(lambda: "two" not in living(home), "it is stopped")
    eventually(
        lambda: [process.note for process in recorded(home)[1] if process.role == "two"] == ["held"], "it says why"
    )
    assert "one" in living(home)
    release(home, "two")
    assert eventually(lambda: living(home).get("two"), "it is started").restarts == 0


def test_a_hold_that_was_forgotten_does_not_outlive_the_supervisor(home):
    hold(home, "two")
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(home.folder)])
    eventually(lambda: len(living(home)) == 3, "all children start")
    process.terminate()
    process.wait()


class Ended:
    """A child that has ended."""

    returncode = 1

    def poll(self):
        return self.returncode


def test_the_delay_doubles_up_to_its_limit_and_begins_again(home):
    supervisor = Supervisor(home, home.load())
    child = Child("one", ["true"])
    delays = []
    for _ in range(7):
        child.popen, child.process.started = Ended(), time.time()
        assert supervisor._reap(child, now=100.0)
        delays.append(child.retry_at - 100.0)
    assert delays[0] == pytest.approx(FIRST_DELAY_S)
    assert delays[1] == pytest.approx(2 * FIRST_DELAY_S)
    assert delays[-1] == LAST_DELAY_S
    child.popen, child.process.started = Ended(), time.time() - 60
    supervisor._reap(child, now=100.0)
    assert child.retry_at == pytest.approx(100.0 + FIRST_DELAY_S)
    assert "exit code 1" in child.process.note
    assert not supervisor._reap(child, now=100.0)


def test_nobody_starts_before_the_broker_listens(home):
    home.save(HubConfig(name="hub"))
    supervisor = Supervisor(home, home.load())
    assert supervisor._may_start(Child("broker", []))
    assert not supervisor._may_start(Child("worker-1", []))


def test_a_socket_that_nobody_listens_on(tmp_path):
    assert not accepts(tmp_path / "none.sock")


@pytest.mark.parametrize("content", ["{", "{}", '{"port": 1}', '{"port": "x"}'])
def test_a_web_interface_that_does_not_answer(home, content):
    assert not web_answers(home)
    (home.run / "web.json").write_text(content)
    assert not web_answers(home)


FAILING = SCRIPT.replace(
    '"import time; time.sleep(600)"]) for role in ("one", "two")',
    '"import sys; print(1); sys.exit(\'Port 8123 is taken. 端口\\\\n\')"]) for role in ("one",)',
)


def test_a_process_that_keeps_failing_is_named_with_the_last_line_it_said(home):
    with subprocess.Popen([sys.executable, "-c", FAILING, str(home.folder)]) as process:
        try:
            one = eventually(
                lambda: next((p for p in recorded(home)[1] if p.role == "one" and p.failing), None), "it keeps failing"
            )
        finally:
            process.terminate()
    assert one.note.startswith("ended with exit code 1, saying: Port 8123 is taken. 端口, ")
    assert one.note.endswith("times in a row; see run/one.log")


def test_what_kept_failing_is_well_again_once_it_lived_for_long(home):
    supervisor = Supervisor(home, home.load())
    child = Child("one", [sys.executable, "-c", "import time; time.sleep(600)"])
    supervisor.children = [child]
    for _ in range(FAILING_AFTER):
        assert not child.process.failing
        child.popen, child.process.started, child.retry_at = Ended(), time.time(), 0.0
        supervisor._reap(child, now=0.0)
    assert child.process.failing
    try:
        child.retry_at = 0.0
        supervisor._look()
        assert child.process.failing, "it was only started again"
        assert "exit code 1" in child.process.note
        child.process.started -= SETTLED_S + 1
        supervisor._look()
        assert (child.process.failing, child.process.note, child.process.restarts) == (False, "", FAILING_AFTER)
    finally:
        child.popen.kill()
        child.popen.wait()


def test_the_last_line_of_a_log(tmp_path):
    log = tmp_path / "one.log"
    assert last_line(log) == ""
    log.write_bytes(b"old\n")
    assert last_line(log, 4) == ""
    log.write_bytes(b"old\n" + b"x" * 9_000 + b"\n \x1b[31m\xffred\n\n")
    assert last_line(log, 4) == "[31m\N{REPLACEMENT CHARACTER}red"
    log.write_bytes(b"y" * 9_000)
    assert last_line(log) == "y" * 300


def test_the_page_comes_before_what_nobody_looks_at(home):
    supervisor = Supervisor(home, home.load())
    web, watch = Child("web", []), Child("watch", [])
    supervisor.children = [web, watch]
    assert supervisor._may_start(web)
    assert not supervisor._may_start(watch)
    supervisor._began -= WEB_FIRST_S + 1
    assert supervisor._may_start(watch), "web had its time"
    supervisor = Supervisor(home, home.load())
    supervisor.children = [web, watch]
    with socket.create_server(("127.0.0.1", 0)) as server:
        (home.run / "web.json").write_text(json.dumps({"port": server.getsockname()[1]}))
        assert supervisor._may_start(watch), "web answers"
    assert supervisor._may_start(watch), "and it stays so when web dies"


@pytest.mark.parametrize("note", ["", "held"])
def test_nobody_waits_for_a_page_that_is_not_to_come(home, note):
    supervisor = Supervisor(home, home.load())
    watch, web = Child("watch", []), Child("web", [])
    web.process.note = note
    supervisor.children = [web, watch] if note else [watch]
    assert supervisor._may_start(watch)
