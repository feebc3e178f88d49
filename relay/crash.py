"""Named points at which a drill ends this process with SIGKILL, to show that it costs time and nothing else.

RELAYHUB_DRILL names a file that need not exist. While it holds the name of a point, the first process that passes the
point takes the file away by renaming it to FILE.PID and sends itself SIGKILL, or the signal whose name stands after the
point's: so a hub that runs is armed by writing a file, and each crash happens once. Without RELAYHUB_DRILL a point
costs one comparison.
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
    "worker.anchor.before_commit",
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
    "recorder.before_append",
    "recorder.after_append",
    "recorder.after_publish",
    "recorder.after_forget",
    "witness.before_keep",
    "witness.after_keep",
    "witness.before_answer",
    "watch.before_wake",
    "watch.after_wake",
)

_drill = os.environ.get("RELAYHUB_DRILL")


def crash_point(name: str) -> None:
    """Pass a point; a drill may end or stop the process here."""
    if _drill is None:
        return
    file = Path(_drill)
    try:
        point, _, number = file.read_text().strip().partition(" ")
        if point != name:
            return
        file.rename(f"{_drill}.{os.getpid()}")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.Signals[number or "SIGKILL"])
