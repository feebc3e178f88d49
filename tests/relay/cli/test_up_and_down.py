"""The whole hub by the command line as a user types it: up, send and follow, kill -9, up again, down."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from relay.processes import hold, recorded, release
from tests.support.stack import stack_between

pytestmark = [pytest.mark.live, pytest.mark.stack]
GENEROUS_S = 120.0


@pytest.fixture(scope="module")
def stack():
    chain_ids = {"alpha": 53_001, "βήτα": 53_002}
    with stack_between(chain_ids, ("alpha", "βήτα", "--both"), block_time_s=0.5) as stack:
        yield stack


def eventually(condition, what):
    deadline = time.monotonic() + GENEROUS_S
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(what)


def test_a_message_is_followed_to_its_settlement(stack):
    sent = stack.json("send", "alpha", "βήτα", "--to", "mailbox", "--text", "你好 👋", "--wait")
    assert [message["outcome"]["status"] for message in sent] == ["executed"]
    assert sent[0]["stage"] == "settled"
    traced = stack.json("trace", sent[0]["stages"][0]["reference"])
    assert [message["message_id"] for message in traced] == [sent[0]["message_id"]]


def test_several_at_once(stack):
    sent = stack.json("send", "βήτα", "alpha", "--to", "mailbox", "--call", "f(1)", "--count", "5", "--wait")
    assert [message["outcome"]["status"] for message in sent] == ["executed"] * 5


def test_a_wait_without_patience_says_what_it_waits_for(stack):
    hold(stack.home, "operator-org-1")
    hold(stack.home, "operator-org-2")
    try:
        roles = {"operator-org-1", "operator-org-2"}
        eventually(lambda: not {p.role for p in recorded(stack.home)[1] if p.alive} & roles, "operators are held")
        done = stack.run(
            "send", "alpha", "βήτα", "--to", "mailbox", "--text", "later", "--wait", "--patience", "8", check=False
        )
        assert done.returncode == 2
        last = done.stderr.strip().split("\n")[-1]
        assert last.startswith("NotNow: After 8 s the message is")
    finally:
        release(stack.home, "operator-org-1")
        release(stack.home, "operator-org-2")
    eventually(lambda: all(lane["in_flight"] == 0 for lane in stack.json("status")["lanes"]), "the lane goes on")


def test_status_and_doctor_agree_that_all_is_well(stack):
    status = stack.json("status")
    assert status["ready"]
    assert all(lane["conserved"] and lane["trust"] == "committee" for lane in status["lanes"])
    findings = stack.json("doctor")
    assert all(finding["ok"] for finding in findings), findings


def test_kill_9_leaves_no_orphan_and_up_works_again(stack):
    processes = [process for process in recorded(stack.home)[1] if process.alive]
    supervisor = next(process for process in processes if process.role == "supervisor")
    os.kill(supervisor.pid, signal.SIGKILL)
    eventually(lambda: not any(process.alive for process in processes), "children die with the supervisor")
    stack.json("up")
    sent = stack.json("send", "alpha", "βήτα", "--to", "mailbox", "--hex", "00ff", "--wait")
    assert sent[0]["outcome"]["status"] == "executed"


def test_down_leaves_no_process(stack):
    living = [process for process in recorded(stack.home)[1] if process.alive]
    assert len(living) >= 8
    stack.json("down")
    assert not [process.role for process in living if process.alive]
    assert stack.run("down", check=False).returncode == 2


def test_up_in_the_foreground_ends_with_its_terminal(stack):
    process = subprocess.Popen(
        [sys.executable, "-m", "relay.cli", "up", "--foreground"], env=stack.environment, stderr=subprocess.DEVNULL
    )
    eventually(lambda: recorded(stack.home)[0], "it becomes ready")
    assert json.loads(stack.run("status", "--json").stdout)["running"]
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    assert not recorded(stack.home)[1]
