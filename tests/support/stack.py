"""A whole hub for a test or the bench: development networks, `relayhub up`, and the command line as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from adapters.evm.devnet import DevelopmentNetwork
from relay.home import Home
from relay.store import Store

GENEROUS_S = 240.0


class CommandFailed(AssertionError):
    """A command ended otherwise than it was expected to."""


class Stack:
    """A development hub in a temporary folder, with its ledgers.

    Args:
        networks: chain names and how each network is made.
        environment: further variables of the hub's processes, such as RELAYHUB_DRILL.
        settings: further lines of hub.toml, by name.
    """

    def __init__(
        self,
        networks: Mapping[str, DevelopmentNetwork],
        *,
        environment: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.networks = dict(networks)
        self._folder = tempfile.TemporaryDirectory(prefix="rh-")
        self.home = Home(Path(self._folder.name) / "hub")
        self.environment = {**os.environ, "RELAYHUB_HOME": str(self.home.folder), **(environment or {})}
        self.settings = dict(settings or {})

    def __enter__(self) -> Self:
        for network in self.networks.values():
            network.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                self.show_logs()
            self.run("down", check=False)
        finally:
            for network in self.networks.values():
                network.stop()
            self._folder.cleanup()

    def run(
        self, *words: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the CLI as a process, without --json."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "relayhub"), *words],
            capture_output=True,
            text=True,
            env={**self.environment, **(environment or {})},
            timeout=GENEROUS_S,
            check=False,
        )
        if check and done.returncode != 0:
            raise CommandFailed(f"relayhub {' '.join(words)} → {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *words: str, environment: Mapping[str, str] | None = None) -> Any:
        """Run one command with --json and return what it printed."""
        return json.loads(self.run(*words, "--json", environment=environment).stdout)

    def up(self) -> None:
        """Make the hub where there is none, with the further settings, and start it."""
        self.json("up")
        if self.settings:
            self.run("down")
            config = self.home.load().model_copy(update=self.settings)
            self.home.save(config)
            self.settings = {}
            self.json("up")

    def join(self) -> None:
        """Register every network under its name."""
        for name, network in self.networks.items():
            self.json("chain", "add", name, "--rpc", network.url)

    def store(self) -> Store:
        """Open the hub's database beside it."""
        return Store(self.home.database_url(self.home.load()))

    def recorded(self) -> list[dict[str, Any]]:
        """The hub's processes as the supervisor writes them down: role, pid, restarts, …; empty while there are none."""
        try:
            return list(json.loads((self.home.run / "processes.json").read_text())["processes"])
        except FileNotFoundError:
            return []

    def processes(self, role: str = "") -> list[psutil.Process]:
        """The hub's processes whose role begins so."""
        living = [item for item in self.recorded() if item["role"].startswith(role) and item.get("pid")]
        return [psutil.Process(item["pid"]) for item in living if psutil.pid_exists(item["pid"])]

    def kill(self, role: str) -> int:
        """Kill the processes of a role with SIGKILL; return how many."""
        found = self.processes(role)
        for process in found:
            process.send_signal(signal.SIGKILL)
        return len(found)

    def lane(self, source: str, destination: str, channel: str = "default") -> dict[str, Any]:
        """One lane as `relayhub lane list` shows it."""
        for item in self.json("lane", "list"):
            if (item["source"], item["destination"], item["channel"]) == (source, destination, channel):
                return dict(item)
        raise CommandFailed(f"no lane {source} → {destination} #{channel}")

    def wait_until(self, what: str, condition: Callable[[], bool], within_s: float = GENEROUS_S) -> None:
        """Wait, with a generous ceiling, until something is so."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.1)
        self.show_logs()
        raise CommandFailed(f"not within {within_s:.0f} s: {what}")

    def show_logs(self, lines: int = 40) -> None:
        """Print the end of each log: what a failing test leaves behind."""
        for path in sorted(self.home.run.glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-lines:]
            print(f"--- {path.name}", *tail, sep="\n")


@contextmanager
def stack_between(
    chain_ids: Mapping[str, int], *lanes: Sequence[str], block_time_s: float = 1.0, **options: Mapping[str, Any]
) -> Iterator[Stack]:
    """A hub at work between development networks, its lanes open.

    Args:
        chain_ids: a network for each name.
        lanes: of each what `relayhub lane open` is told.
        block_time_s: of every network.
        options: further ones of `Stack`.
    """
    networks = {
        name: DevelopmentNetwork(chain_id=number, block_time_s=block_time_s) for name, number in chain_ids.items()
    }
    with Stack(networks, **options) as stack:
        stack.up()
        stack.join()
        for words in lanes:
            stack.json("lane", "open", *words)
        yield stack
