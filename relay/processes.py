"""What runs for a hub: who is who by process id *and* start time, since ids are used again after a crash.

`run/processes.json` is written by the supervisor (relay.supervisor) alone; the lock `run/supervisor.lock` says whether
it lives: the kernel drops the lock with its holder, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from relay.errors import NotNow
from relay.home import Home

START_TOLERANCE_S = 0.5
PRIVATE = 0o077
"""The umask of whatever belongs to a hub: databases hold the endpoints' credentials, logs what was said to whom."""


@dataclass(slots=True)
class Process:
    """One process of the hub.

    Attributes:
        role: its name: supervisor, broker, worker-1, watch, web, operator-NAME.
        pid: process id, 0 while it is down.
        started: when the kernel started it, Unix seconds.
        restarts: how often it was started again after it died.
        note: why it is down, if it is; why it ended the last time, while it is failing.
        failing: whether it ended soon after its start again and again, and has not run for long since.
    """

    role: str
    pid: int = 0
    started: float = 0.0
    restarts: int = 0
    note: str = ""
    failing: bool = False

    @property
    def alive(self) -> bool:
        """Whether that very process lives (not another one that got its id)."""
        return self.pid > 0 and self.started > 0 and abs(start_time(self.pid) - self.started) < START_TOLERANCE_S


def start_time(pid: int) -> float:
    """When a process was started, Unix seconds; 0 if there is none (or only its unreaped remains)."""
    import psutil

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return 0.0


def record(home: Home, processes: list[Process], *, ready: bool) -> None:
    """Write `run/processes.json` in one step."""
    temporary = home.run / "processes.new"
    temporary.write_text(json.dumps({"ready": ready, "processes": [asdict(process) for process in processes]}))
    temporary.replace(home.run / "processes.json")


def recorded(home: Home) -> tuple[bool, list[Process]]:
    """Read `run/processes.json`: whether the hub was ready, and its processes; (False, []) if there is none."""
    try:
        content: dict[str, Any] = json.loads((home.run / "processes.json").read_bytes())
        return bool(content["ready"]), [Process(**item) for item in content["processes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return False, []


@contextmanager
def supervisor_lock(home: Home) -> Iterator[None]:
    """Hold the supervisor's lock.

    Raises:
        NotNow: another supervisor holds it.
    """
    descriptor = os.open(home.run / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotNow(f"The hub at {home.folder} is running already.", "See: relayhub status.") from None
        yield
    finally:
        os.close(descriptor)


def is_running(home: Home) -> bool:
    """Whether a supervisor holds the lock."""
    if not home.run.is_dir():
        return False
    try:
        with supervisor_lock(home):
            return False
    except NotNow:
        return True


def hold(home: Home, role: str) -> None:
    """Ask the supervisor to stop a process and to leave it stopped until `release`."""
    (home.run / "hold").mkdir(parents=True, exist_ok=True)
    (home.run / "hold" / role).touch()


def release(home: Home, role: str) -> None:
    """Let the supervisor start a held process again."""
    (home.run / "hold" / role).unlink(missing_ok=True)


def held(home: Home) -> set[str]:
    """Roles that are held."""
    folder = home.run / "hold"
    return {file.name for file in folder.iterdir()} if folder.is_dir() else set()


def stop(home: Home, patience_s: float = 20.0) -> list[str]:
    """Stop the supervisor and everything it started; returns the roles that were stopped.

    Raises:
        NotNow: nothing runs.
    """
    _, processes = recorded(home)
    living = [process for process in processes if process.alive]
    if not living and not is_running(home):
        raise NotNow(f"No hub is running at {home.folder}.", "Start it: relayhub up.")
    supervisor = [process for process in living if process.role == "supervisor"]
    end(supervisor, patience_s)  # it ends its children in order
    end([process for process in living if process.role != "supervisor"], 3.0)  # whatever a crash left behind
    (home.run / "processes.json").unlink(missing_ok=True)
    return [process.role for process in living]


def end(processes: list[Process], patience_s: float) -> None:
    """Ask processes to end (SIGTERM), wait, then kill those that stay."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while any(process.alive for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in processes:
        _signal(process, signal.SIGKILL)
    while any(process.alive for process in processes):
        time.sleep(0.02)


def die_with_parent() -> None:
    """In a new child before it becomes another program: be killed when the parent dies (Linux prctl, PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def _signal(process: Process, number: signal.Signals) -> None:
    if process.alive:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return
