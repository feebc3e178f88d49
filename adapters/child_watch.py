"""Ends the processes of a development network, and removes its folder, when the program that started them is gone however it ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PATIENCE_S = 120.0
_WATCH = """
import os, shutil, signal, sys
for pid in [int(line) for line in sys.stdin]:
    try:
        if os.readlink(f"/proc/{pid}/exe") == sys.argv[2]:
            os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


class ChildWatch:
    """A process that waits for ours to end, in a session of its own: what a terminal tells its programs to end does not end it.

    Args:
        folder: what is removed then.
        binary: the program of the processes that are ended; another one that has got their number is left alone.
    """

    def __init__(self, folder: Path, binary: Path) -> None:
        words = [sys.executable, "-c", _WATCH, str(folder), str(binary)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def add(self, pid: int) -> None:
        """Watch a process too."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{pid}\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End them now, and remove the folder."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(PATIENCE_S)
