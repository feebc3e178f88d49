"""geth 1.13.15, the last one that seals Clique blocks: built once by Go into a cache outside the repository.

`python -m tests.support.geth_build` builds it if it is not there. The cache is `RELAYHUB_TEST_CACHE`, or `relayhub-tests` in the
user's cache folder (XDG base directory specification).
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VERSION = "1.13.15"
MODULE = f"github.com/ethereum/go-ethereum/cmd/geth@v{VERSION}"
LINK = "-ldflags=-checklinkname=0"
"""Linkers of Go 1.23 and later refuse the runtime's private names, which a library of this version uses."""
PROGRESS_S = 15.0


class BuildFailed(AssertionError):
    """Go could not build it; the text ends with what Go said."""


def cache_folder():
    """The folder of what the tests build once."""
    named = os.environ.get("RELAYHUB_TEST_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relayhub-tests"


def cached_geth():
    """The binary that was built before, or None."""
    path = cache_folder() / f"geth-{VERSION}" / "geth"
    return path if path.exists() else None


def can_have_geth():
    """Whether there is a binary, or a Go that can build one."""
    return cached_geth() is not None or shutil.which("go") is not None


def geth(tell=lambda _: None):
    """The binary; built where it is missing, which takes two minutes. Who comes second waits for the first.

    Raises:
        BuildFailed: Go could not build it, or what is there is another version.
    """
    folder = cache_folder() / f"geth-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        if cached_geth() is None:
            tell(f"geth {VERSION}: building into the cache, once (about two minutes)")
        fcntl.flock(lock, fcntl.LOCK_EX)
        binary = cached_geth() or _build(folder, tell)
    said = subprocess.run([binary, "version"], capture_output=True, text=True, check=False).stdout
    if f"Version: {VERSION}-stable" not in said:
        raise BuildFailed(f"{binary} is no geth {VERSION}; remove it.\n{said}")
    return binary


def _build(folder, tell):
    """Build beside the place and move there in one step: a build that was cut off leaves nothing that looks like one."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        half = stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="half-"))
        log = stack.enter_context((folder / "build.log").open("w+"))
        environment = {**os.environ, "GOBIN": half, "GOFLAGS": "", "GOTOOLCHAIN": "local"}
        go = subprocess.Popen(["go", "install", LINK, MODULE], env=environment, cwd=half, stdout=log, stderr=log)
        stack.callback(_end, go)
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                go.wait(PROGRESS_S)
                break
            tell(f"geth {VERSION}: still building, {time.monotonic() - began:.0f} s")
        built = Path(half) / "geth"
        if go.returncode != 0 or not built.exists():
            log.seek(0)
            raise BuildFailed(f"Go could not build {MODULE}:\n{log.read()[-4000:]}")
        built.rename(folder / "geth")
    tell(f"geth {VERSION}: built in {time.monotonic() - began:.0f} s")
    return folder / "geth"


def _end(process):
    if process.poll() is None:
        process.kill()
        process.wait()


def main():
    """Build it, with progress; without Go there is nothing to do, and the tests that need it say so."""
    if not can_have_geth():
        print(f"geth {VERSION}: no Go on this machine; the tests that need it are not run")
        return 0
    try:
        print(geth(lambda line: print(line, flush=True)))
    except BuildFailed as failure:
        print(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
