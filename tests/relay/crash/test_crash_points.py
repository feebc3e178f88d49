"""Crash points: armed by a file, taken by one process, and nothing at all without the variable."""

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = "from relay.crash import crash_point\ncrash_point('watch.before_wake')\nprint('went on')"


def run(drill):
    environment = {name: value for name, value in os.environ.items() if name != "RELAYHUB_DRILL"}
    if drill is not None:
        environment["RELAYHUB_DRILL"] = str(drill)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate(timeout=60)
    return process, output


def test_the_armed_point_kills_once(tmp_path):
    file = tmp_path / "crash"
    file.write_text("watch.before_wake\n")
    process, output = run(file)
    assert (process.returncode, output) == (-signal.SIGKILL, "")
    assert not file.exists()
    assert (tmp_path / f"crash.{process.pid}").exists()
    assert run(file)[0].returncode == 0


def test_a_signal_may_be_named(tmp_path):
    file = tmp_path / "crash"
    file.write_text("watch.before_wake SIGTERM")
    assert run(file)[0].returncode == -signal.SIGTERM


@pytest.mark.parametrize("armed", ["watch.after_wake", "", None])
def test_no_other_point_kills(tmp_path, armed):
    file = tmp_path / "crash"
    if armed is not None:
        file.write_text(armed)
    process, output = run(file)
    assert (process.returncode, output) == (0, "went on\n")
    assert file.exists() == (armed is not None)


def test_without_the_variable_the_file_means_nothing(tmp_path):
    (tmp_path / "crash").write_text("watch.before_wake")
    assert run(None)[1] == "went on\n"
    assert (tmp_path / "crash").exists()
