"""Named points at which a test kills the process with SIGKILL, to show that it costs time and nothing else.

RELAYHUB_CRASH="point" or "point:N" kills at the first, or the N-th, time that the point is passed. With
RELAYHUB_CRASH_FILE a file is written first, and while it exists no point kills: each crash happens once.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

POINTS = (
    "worker.look.before_commit",
    "worker.look.after_commit",
    "worker.claim.before_commit",
    "worker.claim.after_commit",
    "worker.carry.before_commit",
    "worker.carry.after_commit",
    "worker.submit.before_sign_commit",
    "worker.submit.before_broadcast",
    "worker.submit.after_broadcast",
    "worker.submit.after_commit",
    "operator.before_sign_commit",
    "operator.before_post",
    "operator.after_post",
    "web.attestation.before_commit",
    "web.attestation.after_commit",
    "watch.before_wake",
    "watch.after_wake",
)

_target, _, _count = os.environ.get("RELAYHUB_CRASH", "").partition(":")
_left = int(_count or 1)


def crash_point(name: str) -> None:
    """Kill this process here if the environment says so."""
    global _left  # noqa: PLW0603 - a countdown of the whole process
    if name != _target:
        return
    _left -= 1
    if _left > 0:
        return
    marker = os.environ.get("RELAYHUB_CRASH_FILE")
    if marker:
        if Path(marker).exists():
            return
        Path(marker).write_text(f"{name} pid {os.getpid()}\n")
    os.kill(os.getpid(), signal.SIGKILL)
