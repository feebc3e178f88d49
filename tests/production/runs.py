"""A hub on Debian's servers: its processes by hand, messages both ways, the death of the broker, a lost database, every crash."""

import random
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.production.by_hand import Processes
from tests.support.crash_table import CELLS, crash, shown
from tests.support.drill import Drill
from tests.support.stack import stack_between

BLOCK_TIME_S = 0.5
OURS = [(point, kind) for point, kind in CELLS if kind != "broker"]
"""The broker is no child of the hub here: its death is a step of its own."""
ENDED = {0, -15}
"""Exit codes of a process that was told to stop."""


class Telling:
    """Prints what was done, with the seconds since the beginning."""

    def __init__(self, name):
        self.name, self.began = name, time.monotonic()

    def __call__(self, what):
        sys.stdout.write(f"[{self.name} {time.monotonic() - self.began:6.1f} s] {what}\n")
        sys.stdout.flush()


@contextmanager
def joined(broker, cluster):
    """A hub with two ledgers and a lane each way, on PostgreSQL and the broker; gives its drill."""
    with tempfile.TemporaryDirectory(prefix="rhprod-") as folder:
        file = Path(folder) / "crash"
        made = {
            "environment": {"RELAYHUB_DRILL": str(file)},
            "settings": {"database": cluster.database(), "broker": broker.url},
        }
        chain_ids = {"alpha": 45001, "beta": 45002}
        with stack_between(chain_ids, ("alpha", "beta", "--both"), block_time_s=BLOCK_TIME_S, **made) as stack:
            drill = Drill(stack, file)
            try:
                yield drill
            finally:
                drill.store.close()


def messages(drill, count):
    """So many each way, all settled, each once."""
    drill.send("alpha", "beta", count)
    drill.send("beta", "alpha", count)
    drill.wait_settled()
    drill.check()


def by_hand(drill, tell, count):
    """Stop the supervisor's processes and run those of the compose files in their place."""
    drill.stack.run("down")
    with Processes(drill.stack.home) as processes:
        tell(f"by hand: {', '.join(processes.running)}; all healthy after {processes.healthy():.1f} s")
        messages(drill, count)
        codes = processes.stop()
    assert set(codes.values()) <= ENDED, codes
    tell(f"by hand: {2 * count} messages both ways, all settled, each once; every process stopped when told to")
    drill.stack.up()


def broker_dies(drill, broker, tell):
    """Messages are on their way when the broker dies; what it forgets the sweep finds."""
    drill.send("alpha", "beta", 5)
    broker.kill()
    drill.send("beta", "alpha", 5)
    broker.start()
    drill.wait_settled()
    drill.check()
    tell(f"{broker.name} was killed and came back; all settled, each once")


def database_is_lost(drill, tell):
    """The database is emptied while messages are on their way; it is made anew, and they settle."""
    drill.send("alpha", "beta", 10)
    drill.stack.kill("supervisor")
    drill.wait_all_gone()
    url = drill.stack.home.load().database.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    made = drill.stack.json("rebuild")
    assert (made["chains"], made["lanes"], made["unread"]) == (2, 2, {})
    assert made["evidence"]["found"]
    drill.stack.up()
    messages(drill, 5)
    tell(
        f"the database was lost; rebuilt with {made['messages']} messages, {made['evidence']['leaves']} leaves; settled"
    )


def crashes(drill, tell, cells):
    """Every crash of the table that has a process of ours in it."""
    chance, table = random.Random(7), {}
    for point, kind in cells:
        start = time.monotonic()
        crash(drill, point, kind, chance)
        drill.wait_settled()
        drill.check()
        table[point, kind] = time.monotonic() - start
        tell(f"{kind} killed, {point}: settled after {table[point, kind]:.1f} s")
    if table:
        sys.stdout.write(shown(table) + "\n")


def run(broker, cluster, *, cells, count=40):
    """Everything over one broker and the database.

    Raises:
        AssertionError: something is lost, takes effect twice, or never ends.
    """
    tell = Telling(broker.name)
    with joined(broker, cluster) as drill:
        tell(f"up: {', '.join(item['role'] for item in drill.stack.recorded())}")
        messages(drill, count)
        tell(f"{2 * count} messages both ways, all settled, each once")
        by_hand(drill, tell, count)
        broker_dies(drill, broker, tell)
        database_is_lost(drill, tell)
        crashes(drill, tell, OURS[:cells])
    tell("done")
