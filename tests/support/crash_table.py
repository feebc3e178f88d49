"""The crash table: at every named point, and at any moment, every kind of process is killed with SIGKILL while messages travel.

The points of the hub's own programs kill the process that passes them. The broker, the HTTP interface and a ledger's front
are also killed while another process stands still at a point.
"""

import os
import signal
import time

from relay.crash import POINTS

PROCESSES = ("worker", "operator", "watch", "web", "broker", "supervisor", "ledger front")
ANY_MOMENT = "at any moment"
BESIDE = (
    ("watch.before_wake", "broker"),  # the task is not published yet
    ("watch.after_wake", "broker"),  # it is published and perhaps forgotten
    ("worker.carry.after_commit", "broker"),  # in the middle of a task, before the ledger's task is woken
    ("web.attestation.after_commit", "broker"),  # the quorum is stored, the lane not woken
    ("operator.before_post", "web"),  # signed and not posted
    ("worker.submit.after_broadcast", "ledger front"),  # sent, and perhaps in no block
)
"""Killed while another process stands still at the point."""
OF_A_WALK = "worker.anchor.before_commit"
"""Passed only where a long backlog is walked back by anchors: `test_crashes.py` kills there."""
BESIDE_THE_RELAY = ("recorder.", "witness.")
"""No message waits for the recorder or a witness: `test_recorder.py` and `test_witness_kills.py` kill at their points."""
CELLS = (
    *(
        (point, point.partition(".")[0])
        for point in POINTS
        if point != OF_A_WALK and not point.startswith(BESIDE_THE_RELAY)
    ),
    *BESIDE,
    *((ANY_MOMENT, kind) for kind in PROCESSES),
)
"""Every (point, process) where a crash is reachable."""


def kind_of(role):
    return role.partition("-")[0]


def messages_both_ways(drill):
    drill.send("alpha", "beta", 2)
    drill.send("beta", "alpha", 1)
    drill.send("beta", "alpha", 1, starved=True)


def crash_at(drill, point):
    """Arm a point, send, see the process die there and another take its place; returns the kind of process that died."""
    drill.arm(point)
    messages_both_ways(drill)
    pid, role = drill.wait_hit(point)
    drill.wait_back(role, pid)
    return kind_of(role)


def crash_beside(drill, point, kind):
    """Stop a process at the point, kill one of another kind, let the first go on."""
    drill.arm(point, "SIGSTOP")
    drill.send("alpha", "beta", 2)
    pid, _ = drill.wait_hit(point)
    back = kill(drill, kind)
    os.kill(pid, signal.SIGCONT)
    back()
    messages_both_ways(drill)


def crash_any_moment(drill, kind, chance):
    """Kill a process of a kind somewhere on the messages' way."""
    messages_both_ways(drill)
    time.sleep(chance.uniform(0.0, 1.0))
    kill(drill, kind)()


def kill(drill, kind):
    """Kill the first process of a kind; returns what is called to see it back."""
    if kind == "ledger front":
        drill.stack.networks["beta"].kill()
        return drill.stack.networks["beta"].restart
    drill.wait_all_run()
    role, pid = next((role, pid) for role, (pid, _) in drill.roles().items() if kind_of(role) == kind)
    os.kill(pid, signal.SIGKILL)
    if kind == "supervisor":
        return lambda: (drill.wait_all_gone(), drill.stack.up())
    return lambda: drill.wait_back(role, pid)


def crash(drill, point, kind, chance):
    """Do what one cell of the table says."""
    if point == ANY_MOMENT:
        crash_any_moment(drill, kind, chance)
    elif (point, kind) in BESIDE:
        crash_beside(drill, point, kind)
    else:
        died = crash_at(drill, point)
        assert died == kind, f"{point} was passed by a {died}"


def shown(table):
    """The table as text: rows are points, columns processes, a cell is the seconds until all was settled again."""
    lines = [f"{'killed':<34}" + "".join(f"{name:>14}" for name in PROCESSES)]
    for row in (*POINTS, ANY_MOMENT):
        cells = [table.get((row, name)) for name in PROCESSES]
        lines.append(f"{row:<34}" + "".join(f"{'·' if cell is None else f'{cell:.1f} s':>14}" for cell in cells))
    return "\n".join(lines)
