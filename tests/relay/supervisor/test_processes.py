"""Process files: who lives by id and start time, the lock, holding, stopping, bounded logs."""

import os
import signal
import subprocess
import sys
import time

import pytest

from relay.config import HubConfig
from relay.errors import NotNow
from relay.home import Home
from relay.processes import (
    Process,
    end,
    held,
    hold,
    is_running,
    record,
    recorded,
    release,
    start_time,
    stop,
    supervisor_lock,
)
from relay.supervisor import LOG_MAX_BYTES, bound_log, broker_command, children_of, ending

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)",
]


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "hub")
    home.save(HubConfig(name="hub", development=True))
    home.run.mkdir()
    return home


@pytest.fixture
def sleeper():
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_its_id_and_its_start_time(sleeper):
    assert Process("a", sleeper.pid, start_time(sleeper.pid)).alive
    assert not Process("a", sleeper.pid, start_time(sleeper.pid) - 100).alive
    assert not Process("a").alive


def test_one_that_ended_before_its_start_was_read_does_not_live():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    process = Process("a", gone.pid, start_time(gone.pid))
    assert not process.alive
    end([process], 0.1)


def test_an_ended_process_does_not_live(sleeper):
    process = Process("a", sleeper.pid, start_time(sleeper.pid))
    sleeper.kill()
    sleeper.wait()
    assert not process.alive


def test_an_unreaped_process_does_not_live(sleeper):
    process = Process("a", sleeper.pid, start_time(sleeper.pid))
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not process.alive


def test_what_is_recorded_is_read_back(home):
    processes = [Process("watch", 5, 1.5, 2, "held")]
    record(home, processes, ready=True)
    assert recorded(home) == (True, processes)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"ready": true}', '{"ready": true, "processes": [{"x": 1}]}'])
def test_a_damaged_record_is_none(home, content):
    (home.run / "processes.json").write_text(content)
    assert recorded(home) == (False, [])


def test_one_supervisor_at_a_time(home):
    assert not is_running(home)
    with supervisor_lock(home):
        assert is_running(home)
        with pytest.raises(NotNow, match="running already"), supervisor_lock(home):
            raise AssertionError
    assert not is_running(home)


def test_a_hub_without_a_run_folder_does_not_run(tmp_path):
    assert not is_running(Home(tmp_path / "none"))


def test_hold_and_release(home):
    assert held(home) == set()
    hold(home, "operator-org-1")
    assert held(home) == {"operator-org-1"}
    release(home, "operator-org-1")
    release(home, "operator-org-1")
    assert held(home) == set()


def test_stop_ends_what_a_crash_left_behind(home, sleeper):
    record(home, [Process("supervisor", 1, 1.0), Process("watch", sleeper.pid, start_time(sleeper.pid))], ready=True)
    assert stop(home) == ["watch"]
    assert sleeper.wait() == -signal.SIGTERM
    assert recorded(home) == (False, [])


def test_stop_leaves_a_stranger_that_has_the_id_now(home, sleeper):
    record(home, [Process("watch", sleeper.pid, start_time(sleeper.pid) - 1000)], ready=True)
    with pytest.raises(NotNow, match="No hub is running"):
        stop(home)
    assert sleeper.poll() is None


def test_who_does_not_end_is_killed():
    process = subprocess.Popen(STUBBORN, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    end([Process("a", process.pid, start_time(process.pid))], 0.2)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def test_a_log_is_bounded_and_its_past_kept(tmp_path):
    log = tmp_path / "watch.log"
    log.write_bytes(b"x" * (LOG_MAX_BYTES + 1))
    bound_log(log)
    assert log.stat().st_size == 0
    assert (tmp_path / "watch.log.1").stat().st_size == LOG_MAX_BYTES + 1


def test_a_small_log_is_left_alone(tmp_path):
    log = tmp_path / "watch.log"
    log.write_bytes(b"x")
    bound_log(log)
    bound_log(tmp_path / "none.log")
    assert log.read_bytes() == b"x"


def test_endings_in_words():
    assert ending(1) == "exit code 1"
    assert ending(-9) == "signal SIGKILL"


def test_the_broker_keeps_what_it_has_and_speaks_to_nobody_else(home):
    command = " ".join(broker_command(home))
    assert "--port 0" in command
    assert "--unixsocketperm 700" in command
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_what_a_development_hub_runs(home):
    (home.operators / "org-1").mkdir(parents=True)
    (home.operators / "org-1" / "operator.toml").touch()
    roles = [child.role for child in children_of(home, home.load())]
    assert roles == ["broker", "web", "worker-1", "worker-2", "watch", "recorder", "operator-org-1"]


def test_a_production_hub_runs_neither_operators_nor_a_broker_of_its_own(home):
    (home.operators / "org-1").mkdir(parents=True)
    (home.operators / "org-1" / "operator.toml").touch()
    config = HubConfig(name="hub", broker="redis://127.0.0.1/0", workers=1)
    assert [child.role for child in children_of(home, config)] == ["web", "worker-1", "watch", "recorder"]


def test_a_lock_ends_with_its_holder(home):
    code = (
        "import sys, time; from pathlib import Path; from relay.home import Home; "
        "from relay.processes import supervisor_lock\n"
        "with supervisor_lock(Home(Path(sys.argv[1]))):\n    print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(home.folder)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    assert is_running(home)
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while is_running(home) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(home)
