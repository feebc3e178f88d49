"""The supervisor with small children: starts again, waits longer each time, holds, and takes everybody along when it dies."""

import os
import signal
import subprocess
import sys
import time

import pytest

from relay.config import HubConfig
from relay.home import Home
from relay.processes import hold, recorded, release, stop
from relay.supervisor import FIRST_DELAY_S, LAST_DELAY_S, Child, Supervisor, accepts, web_answers

SCRIPT = """
import sys
from pathlib import Path
from relay.home import Home
from relay.processes import supervisor_lock
from relay.supervisor import Child, Supervisor
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
