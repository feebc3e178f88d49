"""Programs of development networks and tests that Go builds once, into a cache outside the repository.

The cache is `RELAYHUB_TEST_CACHE`, or `relayhub-tests` in the user's cache folder (XDG base directory specification).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROGRESS_S = 15.0

Tell = Callable[[str], object]
"""Takes one line of progress."""


def silent(line: str) -> None:
    """Progress that nobody reads."""
    del line


class BuildFailed(RuntimeError):
    """Go could not build it; the text ends with what Go said."""


def cache_folder() -> Path:
    """The folder of what the tests build once."""
    named = os.environ.get("RELAYHUB_TEST_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relayhub-tests"


@dataclass(frozen=True)
class Program:
    """A program of one version.

    Attributes:
        name: of the binary.
        version: pinned.
        words: the command that leaves the binary in the folder where it is run, which is `GOBIN` too.
        module: what is built, for messages.
        minutes: how long that takes, in words.
        sources: files that are copied into the folder first.
    """

    name: str
    version: str
    words: tuple[str, ...]
    module: str
    minutes: str
    sources: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return cache_folder() / f"{self.name}-{self.version}"

    def cached(self) -> Path | None:
        """The binary that was built before, or None."""
        path = self.folder / self.name
        return path if path.exists() else None

    def can_be_had(self) -> bool:
        """Whether there is a binary, or a Go that can build one."""
        return self.cached() is not None or shutil.which("go") is not None

    def get(self, tell: Tell = silent) -> Path:
        """The binary, built where it is missing. Who comes second waits for the first.

        Raises:
            BuildFailed: there is no Go, or it could not build it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            if not self.can_be_had():
                raise BuildFailed(f"go is missing; install Go 1.23 or newer, with which {self.title} is built once.")
            if self.cached() is None:
                tell(f"{self.title}: building into the cache, once ({self.minutes})")
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self.cached() or self._build(tell)

    def _build(self, tell: Tell) -> Path:
        """Build beside the place and move there in one step: a build that was cut off leaves nothing that looks like one."""
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            half = stack.enter_context(tempfile.TemporaryDirectory(dir=self.folder, prefix="half-"))
            log = stack.enter_context((self.folder / "build.log").open("w+"))
            for source in self.sources:
                shutil.copy(source, half)
            environment = {**os.environ, "GOBIN": half, "GOFLAGS": "", "GOTOOLCHAIN": "local"}
            go = subprocess.Popen(self.words, env=environment, cwd=half, stdout=log, stderr=log)
            stack.callback(_end, go)
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    go.wait(PROGRESS_S)
                    break
                tell(f"{self.title}: still building, {time.monotonic() - began:.0f} s")
            built = Path(half) / self.name
            if go.returncode != 0 or not built.exists():
                log.seek(0)
                raise BuildFailed(f"Go could not build {self.module}:\n{log.read()[-4000:]}")
            built.rename(self.folder / self.name)
        tell(f"{self.title}: built in {time.monotonic() - began:.0f} s")
        return self.folder / self.name


def prepare(program: Program, get: Callable[[Tell], Path]) -> int:
    """Build a program, with progress; without Go there is nothing to do, and the tests that need it say so. Returns an exit code."""
    if not program.can_be_had():
        _say(f"{program.title}: no Go on this machine; the tests that need it are not run")
        return 0
    try:
        _say(str(get(_say)))
    except BuildFailed as failure:
        _say(str(failure))
        return 1
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
