"""Programs of Debian packages that tests need: found, or installed once by apt-get where this machine may do so.

python -m tests.support.debian chromium prometheus     installs what is missing, before tests begin
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAMS = {
    "chromium": "/usr/bin/chromium",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "postgresql": "/usr/lib/postgresql",
    "prometheus": "/usr/bin/promtool",
    "rabbitmq-server": "/usr/sbin/rabbitmq-server",
    "redis-server": "/usr/bin/redis-server",
}
"""For each package the file that shows that it is there."""
KEEP_STOPPED = "/usr/sbin/policy-rc.d"


def needs(package):
    """The path of what a package brings, installed first where it is missing.

    Raises:
        RuntimeError: it is not there and cannot be installed; the text says how.
    """
    place = Path(PROGRAMS[package])
    if not place.exists():
        install([package])
    if not place.exists():
        raise RuntimeError(f"There is no {place}; install it: apt-get install {package}.")
    return place


def install(packages):
    """Install packages; the services that they bring are not started.

    Raises:
        RuntimeError: apt-get is not there, fails, or this is not root.
    """
    missing = [package for package in packages if not Path(PROGRAMS[package]).exists()]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(f"Install what the tests need: apt-get install {' '.join(missing)}.")
    with (Path(tempfile.gettempdir()) / "relayhub-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        policy = Path(KEEP_STOPPED)
        ours = not policy.exists()
        if ours:
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        try:
            _apt("update", "-qq")
            _apt("install", "-qq", "--yes", "--no-install-recommends", *missing)
        finally:
            if ours:
                policy.unlink(missing_ok=True)


def _apt(*words):
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", *words], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"apt-get {' '.join(words)} failed: {done.stderr.strip()[-300:]}")


if __name__ == "__main__":
    try:
        install(sys.argv[1:])
    except (RuntimeError, KeyError) as error:
        sys.exit(f"{error}")
