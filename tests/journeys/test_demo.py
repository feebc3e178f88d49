"""`relayhub demo` as a newcomer runs it: what it shows holds, what is not so ends it by name, and nothing is left behind."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import relay.demo.world as world_module
from relay.demo import run
from relay.demo.checks import Record
from relay.demo.world import World

pytestmark = [pytest.mark.live, pytest.mark.stack]

RELAYHUB = str(Path(sys.executable).parent / "relayhub")
GENEROUS_S = 600
DIRECT = ("beta", "alpha")
"""The lane by light clients."""
LANES = {("alpha", "beta"), ("beta", "alpha"), ("beta", "gamma"), ("gamma", "beta")}


def alive(processes):
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def of_home(home):
    """Processes that work in a folder, by their environment or command line."""
    found = []
    for process in psutil.process_iter():
        try:
            words, environment = process.cmdline(), process.environ()
        except psutil.Error:
            continue
        if environment.get("RELAYHUB_HOME") == home or any(word.startswith(home) for word in words):
            found.append(process)
    return alive(found)


def wait_until(condition, what):
    deadline = time.monotonic() + GENEROUS_S
    while not condition():
        assert time.monotonic() < deadline, f"not so in {GENEROUS_S} s: {what}"
        time.sleep(0.05)


def checks_of(shown):
    return {check["name"]: check for act in shown["acts"] for check in act["checks"]}


def alter(monkeypatch, name):
    """Let one check of the demo expect something else."""
    expect = Record.expect

    def altered(self, asked, expected, found, *, ok=None):
        expect(self, asked, "something else" if asked == name else expected, found, ok=False if asked == name else ok)

    monkeypatch.setattr(Record, "expect", altered)


def play(capsys, **options):
    """Run a demo that fails, in this process; returns exit code, what it printed, and processes of it that still live."""
    before = set(psutil.Process().children(recursive=True))
    code = run("", keep=False, as_json=True, **options)
    left = alive(set(psutil.Process().children(recursive=True)) - before)
    shown = json.loads(capsys.readouterr().out)
    assert Path(shown["home"], "run", "supervisor.log").exists(), "the logs of a failed demo are kept"
    shutil.rmtree(shown["home"])
    return code, shown, left


def test_everything_shown_is_so_and_the_commands_printed_work(tmp_path):
    home = str(tmp_path / "hub")
    try:
        done = subprocess.run(
            [RELAYHUB, "demo", "--keep", "--json", "--home", home],
            check=False,
            capture_output=True,
            text=True,
            timeout=GENEROUS_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shown = json.loads(done.stdout)
        assert (shown["ok"], shown["failed"], shown["home"]) == (True, None, home)
        assert "development networks" in shown["notice"]
        check_story(checks_of(shown))
        check_lanes(shown["lanes"])
        assert {process.name() for process in of_home(home)} >= {"anvil"}
        for line in shown["next"]:
            tried = subprocess.run(shlex.split(line), check=False, capture_output=True, text=True, timeout=GENEROUS_S)
            assert tried.returncode == 0, f"{line}\n{tried.stdout}{tried.stderr}"
        wait_until(lambda: not of_home(home), "hub and networks have ended")
    finally:
        for process in of_home(home):
            process.kill()


def check_story(checks):
    assert all(check["ok"] for check in checks.values())
    for name, found in {
        "the hub refuses a claim with an altered head": "ClaimMismatch",
        "the hub refuses a claim signed in an operator's name": "SignerMismatch",
        "the hub refuses a claim signed by a stranger": "SignerUnknown",
        "the ledger refuses the forged claim": "SignatureOfAnother",
        "the forged delivery, mined": "reverted",
        "the hub refuses a signature made for another lane": "SignerMismatch",
        "the ledger refuses a claim of another lane": "ClaimForAnotherLane",
        "the ledger refuses it relabelled": "SignatureOfAnother",
        "the replayed claim as it is, mined": "reverted",
        "signers meanwhile": "org-2, org-3",
        "lanes open both ways": "alpha → beta (active, trust committee), beta → alpha (active, trust light-client), "
        "beta → gamma (active, trust both), gamma → beta (active, trust committee)",
        "lanes say for whom they wait": "operators_silent, for operators org-1, org-2",
    }.items():
        assert checks[name]["found"] == found


def check_lanes(lanes):
    assert {(lane["source"], lane["destination"]) for lane in lanes} == LANES
    for lane in lanes:
        endings = {name: lane[name] for name in ("executed", "failed", "expired", "refused", "in_flight")}
        assert lane["conserved"] is True
        assert lane["sent"] == sum(endings.values())
        signed = (lane["source"], lane["destination"]) != DIRECT  # nothing waits there, and so nothing expires
        assert all(endings[name] > 0 for name in ("executed", "failed", "refused", *(["expired"] if signed else [])))
    assert sum(lane["sent"] for lane in lanes) >= 300


def test_an_expectation_that_does_not_hold_ends_it_by_name(monkeypatch, capsys):
    alter(monkeypatch, "validators of beta")
    code, shown, left = play(capsys)
    assert (code, shown["ok"], left) == (1, False, [])
    assert shown["failed"] == {
        "name": "validators of beta",
        "expected": "something else",
        "found": "4 validators",
        "ok": False,
    }
    assert checks_of(shown)["everything is stopped"]["ok"]


def test_operators_that_never_come_back_fail_the_backlog(monkeypatch, capsys):
    def forget(self, name):
        monkeypatch.setattr(world_module, "PATIENCE_S", 3.0)

    monkeypatch.setattr(World, "bring_back", forget)
    code, shown, left = play(capsys)
    assert (code, left) == (1, [])
    assert shown["failed"]["name"] == "backlog drained"
    assert "operators_silent, for operators org-1, org-2" in shown["failed"]["found"]


def heed_interrupts():
    """A shell starts its background jobs deaf to SIGINT, and a process hands that on: as a person's shell does it here."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_behind(number, tmp_path):
    home = str(tmp_path / "hub")
    with subprocess.Popen(
        [RELAYHUB, "demo", "--home", home],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 (this test has one thread)
    ) as demo:
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "validators of gamma" in line:
                break
        family = psutil.Process(demo.pid).children(recursive=True)
        assert "anvil" in {process.name() for process in family}, f"{demo.poll()} {family}\n" + "".join(lines)
        os.kill(demo.pid, number)
        lines += demo.stdout.readlines()
        assert demo.wait(GENEROUS_S) == 130, "".join(lines)
    assert "Interrupted" in lines[-1]
    wait_until(lambda: not alive(family) and not of_home(home), "its processes have ended")
