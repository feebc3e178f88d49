"""The crash table: at every named point, and at any moment, every kind of process is killed with SIGKILL while messages travel.

After each crash the hub goes on by itself (only the supervisor is started again, as a machine's service manager would), every
message is delivered and settled, and the ledgers' own logs and heads show each effect once.
"""

import os
import random
import signal
import time

import pytest

from relay.crash import POINTS

pytestmark = [pytest.mark.live, pytest.mark.stack]

PROCESSES = ("worker", "operator", "watch", "web", "broker", "supervisor", "ledger front")
ANY_MOMENT = "at any moment"


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


def crash_any_moment(drill, kind, chance):
    """Kill a process of a kind somewhere on the messages' way."""
    messages_both_ways(drill)
    time.sleep(chance.uniform(0.0, 1.0))
    if kind == "ledger front":
        drill.stack.networks["beta"].kill()
        drill.stack.networks["beta"].restart()
        return
    role = chance.choice([role for role in drill.roles() if kind_of(role) == kind])
    pid, _ = drill.roles()[role]
    os.kill(pid, signal.SIGKILL)
    if kind == "supervisor":
        drill.wait_all_gone()
        drill.stack.up()
    else:
        drill.wait_back(role, pid)


def printed(table, capsys):
    """Show the table: rows are points, columns processes, a cell is the seconds until all was settled again."""
    with capsys.disabled():
        print(f"\n{'killed':<34}" + "".join(f"{name:>14}" for name in PROCESSES))
        for row in (*POINTS, ANY_MOMENT):
            cells = [table.get((row, name)) for name in PROCESSES]
            print(f"{row:<34}" + "".join(f"{'·' if cell is None else f'{cell:.1f} s':>14}" for cell in cells))


def test_every_point_in_every_process(drill, capsys):
    chance = random.Random(3)
    table = {}
    for point in POINTS:
        began = time.monotonic()
        kind = crash_at(drill, point)
        assert kind == point.partition(".")[0], f"{point} was passed by a {kind}"
        drill.wait_settled()
        table[point, kind] = time.monotonic() - began
        drill.check()
    for kind in PROCESSES:
        began = time.monotonic()
        crash_any_moment(drill, kind, chance)
        drill.wait_settled()
        table[ANY_MOMENT, kind] = time.monotonic() - began
        drill.check()
    printed(table, capsys)
    reachable = {(point, point.partition(".")[0]) for point in POINTS} | {(ANY_MOMENT, kind) for kind in PROCESSES}
    assert set(table) == reachable
