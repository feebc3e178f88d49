"""A whole hub with two witnesses, each a process of its own: receipts carry what both cosigned, and without one of them none holds."""

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.receipt_stack import ReceiptStack
from tests.support.stack import stack_between

pytestmark = [pytest.mark.live, pytest.mark.stack]

NAMES = ("witness.bank-b.example", "见证.example")


class RunningWitness:
    """A witness as its organisation runs it."""

    def __init__(self, stack, folder, name, log):
        self.config = str(folder / "witness.toml")
        self.made = stack.json("witness", "init", "--folder", str(folder), "--name", name, "--log", log)
        self.process = None

    def start(self):
        words = [str(Path(sys.executable).parent / "relayhub"), "witness", "run", "--config", self.config]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def stack():
    with stack_between({"alpha": 53301, "beta": 53302}, ("alpha", "beta")) as stack:
        yield stack


@pytest.fixture(scope="module")
def witnesses(stack, tmp_path_factory):
    """Two witnesses, written into hub.toml; the hub asks for both."""
    (log,) = tomllib.loads(stack.run("anchors").stdout)["log"]["keys"]
    folder = tmp_path_factory.mktemp("witnesses")
    found = [RunningWitness(stack, folder / str(place), name, log) for place, name in enumerate(NAMES)]
    roll = {name: {"key": each.made["key"], "url": each.made["url"]} for name, each in zip(NAMES, found, strict=True)}
    stack.run("down")
    with (stack.home.folder / "hub.toml").open("a", encoding="utf-8") as file:
        for name, entry in roll.items():
            file.write(f'\n[witnesses."{name}"]\nkey = "{entry["key"]}"\nurl = "{entry["url"]}"\n')
    config = stack.home.load()
    stack.home.save(config.model_copy(update={"witness_threshold": 2}))
    for each in found:
        each.start()
    stack.up()
    yield found
    for each in found:
        each.kill()


@pytest.fixture(scope="module")
def receipts(stack, witnesses, tmp_path_factory):
    return ReceiptStack(stack, tmp_path_factory.mktemp("receipts"))


def settled(stack):
    """A message that is settled; its id."""
    (told,) = stack.json("send", "alpha", "beta", "--to", "mailbox", "--text", "见证", "--wait")
    return told["message_id"]


def failing(receipts, identifier, anchors):
    """The checks that fail by both verifiers, which agree."""
    (failed, _), (other_failed, _) = receipts.verdicts(receipts.receipt(identifier), anchors)
    assert failed == other_failed
    return failed


def test_receipts_hold_by_both_witnesses_and_not_by_one(stack, witnesses, receipts):
    anchors = receipts.anchors()
    first = settled(stack)
    stack.wait_until("both cosigned the first receipt", lambda: failing(receipts, first, anchors) == [])

    witnesses[1].kill()
    second = settled(stack)
    assert failing(receipts, second, anchors) == ["checkpoint"]
    assert failing(receipts, first, anchors) == [], "what both cosigned stays cosigned"

    witnesses[1].start()
    stack.wait_until("both cosigned the second one", lambda: failing(receipts, second, anchors) == [])
    told = stack.json("status")["evidence"]["witnesses"]
    assert told["threshold"] == 2
    assert {each["name"] for each in told["witnesses"]} == set(NAMES)


def test_an_audit_from_outside_finds_both_lines(stack, witnesses):
    place = str(stack.home.evidence / "log")
    keys = [word for each in witnesses for word in ("--witness", each.made["key"])]
    (log,) = tomllib.loads(stack.run("anchors").stdout)["log"]["keys"]
    told = stack.json("audit", place, "--key", log, *keys)
    assert told["findings"] == []
