"""A development network as the process that a person or the demo starts, and what is true of every one of them."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from adapters.ethereum.faucet import COINS
from adapters.protocol import AdapterOptions, Endpoint
from adapters.registry import open_ledger
from tests.support.stack import GENEROUS_S

ROOT = Path(__file__).parents[2]
KEYS = [bytes([number]) * 32 for number in (1, 2, 3, 4, 5)]


@contextmanager
def running(module, folder, *words):
    """The process and what its first line says."""
    command = [sys.executable, "-m", module, "--folder", str(folder), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def check(module, folder, *words):
    """It says how it is spoken to, its bank pays, and it ends as a whole; returns what it said."""
    with running(module, folder, *words) as (process, said):
        bank = Path(said["options"]["faucet_key_file"])
        assert stat.S_IMODE(bank.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        options = AdapterOptions(tuple(Endpoint(url) for url in said["endpoints"]), extra=said["options"])
        ledger = open_ledger(said["adapter"], options)
        try:
            assert ledger.identity().development
            assert ledger.endow(KEYS[:3])
            assert ledger.endow(KEYS)
            assert [ledger.wallet(ledger.account(key)).balance for key in KEYS] == [COINS] * len(KEYS)
        finally:
            ledger.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(GENEROUS_S) == 0
    wait_gone(folder)
    return said


def check_killed(module, folder, *words):
    """What it leaves when it is killed: nothing, a moment later."""
    with running(module, folder, *words) as (process, _):
        os.kill(process.pid, signal.SIGKILL)
    wait_gone(folder)


def check_refusals(module, folder, *words):
    """One clear line, and nothing of what it found is touched."""
    kept = folder / "kept.txt"
    kept.write_text("mine")
    done = refused(module, folder, words, os.environ)
    assert done.returncode == 2
    assert done.stderr == f"error: {folder} is not empty; a development network begins anew: give another folder.\n"
    assert kept.read_text() == "mine"
    without_go = {**os.environ, "PATH": str(folder), "RELAYHUB_TEST_CACHE": str(folder)}
    done = refused(module, folder / "new", words, without_go)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: go is missing; install Go")


def refused(module, folder, words, environment):
    command = [sys.executable, "-m", module, "--folder", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


def wait_gone(folder):
    deadline = time.monotonic() + GENEROUS_S
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
