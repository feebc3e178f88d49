"""The recorder: every note becomes a leaf once, in order, whatever kills it, and whatever became of the database meanwhile."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, func, insert, select

from relay.config import HubConfig
from relay.errors import BadInput
from relay.evidence.leaves import digest_of
from relay.evidence.objects import Objects
from relay.evidence.outbox import note
from relay.evidence.recorder import open_recorder
from relay.home import Home
from relay.store import Store
from relay.store.tables import evidence_leaves, evidence_queue
from tests.support.hub_evidence import leaves_of

POINTS = ("recorder.before_append", "recorder.after_append", "recorder.after_publish", "recorder.after_forget")
PATIENCE_S = 60


class Hub:
    """A home with a database and nothing else."""

    def __init__(self, folder):
        self.home = Home(folder)
        self.home.save(HubConfig(name="诚信 hub", development=True))
        self.store = Store(self.home.database_url(self.home.load()))
        self.store.migrate()

    def note(self, text, objects=()):
        with self.store.write() as connection:
            note(connection, "test", [text, *(digest_of(content) for content in objects)], objects)

    @contextmanager
    def recorder(self):
        recorder = open_recorder(self.home, self.home.load(), self.store)
        try:
            yield recorder
        finally:
            recorder.close()

    def entries(self):
        return leaves_of(self.home)

    def texts(self):
        return [entry.fields[0] for entry in self.entries()]

    def count(self, table):
        with self.store.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path / "hub")
    yield hub
    hub.store.close()


def test_notes_become_leaves_in_order_with_their_objects(hub):
    hub.note("first", (b"proof",))
    hub.note("second 第二", ())
    with hub.recorder() as recorder:
        assert recorder.drain() == 2
        assert recorder.drain() == 0
    assert hub.texts() == ["first", "second 第二"]
    assert Objects(hub.home.evidence / "objects").get(digest_of(b"proof")) == b"proof"
    assert hub.count(evidence_queue) == 0
    assert hub.count(evidence_leaves) == 2


def test_a_transaction_that_fails_leaves_no_leaf(hub):
    with hub.store.engine.connect() as connection:
        note(connection, "test", ["never"])
        connection.rollback()
    hub.note("then")
    with hub.recorder() as recorder:
        recorder.drain()
    assert hub.texts() == ["then"]


def test_a_leaf_that_is_too_large_is_refused_where_it_is_written(hub):
    with pytest.raises(BadInput, match="at most 1024"), hub.store.write() as connection:
        note(connection, "test", ["x" * 1024])
    assert hub.count(evidence_queue) == 0


def test_numbers_are_not_given_twice_when_the_queue_was_empty(hub):
    for text in ("a", "b"):
        hub.note(text)
        with hub.recorder() as recorder:
            recorder.drain()
    assert [entry.number for entry in hub.entries()] == [1, 2]


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def process_of(hub, point=""):
    """A recorder's process, armed with a point at which it is killed; empty for none."""
    drill = hub.home.folder / "drill"
    drill.write_text(point)
    environment = os.environ | {"RELAYHUB_DRILL": str(drill), "RELAYHUB_HOME": str(hub.home.folder)}
    process = subprocess.Popen([sys.executable, "-m", "relay.evidence.recorder"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_nothing_is_lost_or_doubled(hub, point):
    hub.note("one", (b"proof one",))
    hub.note("two")
    with process_of(hub, point) as process:
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    hub.note("three")
    with hub.recorder() as recorder:
        recorder.drain()
    assert hub.texts() == ["one", "two", "three"]
    assert hub.count(evidence_queue) == 0
    assert hub.count(evidence_leaves) == 3


def test_killed_at_any_moment_nothing_is_lost_or_doubled(hub):
    moments, written = random.Random(7), 0
    for _ in range(3):
        with process_of(hub):
            end = time.monotonic() + moments.uniform(1.5, 3)
            while time.monotonic() < end:
                hub.note(str(written), (str(written).encode(),))
                written += 1
                time.sleep(moments.uniform(0, 0.02))
    with hub.recorder() as recorder:
        recorder.drain()
    assert hub.texts() == [str(number) for number in range(written)]
    assert hub.count(evidence_queue) == 0
    assert hub.count(evidence_leaves) == written


def test_it_waits_for_what_it_lacks_and_publishes_before_it_ends(hub):
    """A folder that cannot be made, then another recorder: no message waits for either."""
    hub.home.evidence.write_bytes(b"a file where the folder should be")
    hub.note("patient")
    with process_of(hub) as process:
        time.sleep(1)
        assert process.poll() is None
        hub.home.evidence.unlink()
        wait_until(lambda: (hub.home.evidence / "log" / "checkpoint").exists() and hub.texts() == ["patient"])
        hub.note("last words")
        wait_until(lambda: len(hub.texts()) == 2)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def test_a_second_recorder_waits(hub):
    with process_of(hub) as process:
        with hub.recorder():
            hub.note("mine or yours")
            time.sleep(1)
            assert process.poll() is None
            assert hub.count(evidence_queue) == 1
        wait_until(lambda: hub.texts() == ["mine or yours"])


def test_a_database_from_a_backup_does_not_hide_new_leaves(hub):
    hub.note("old 1")
    hub.note("old 2")
    with hub.store.read() as connection:
        backup = [dict(row._mapping) for row in connection.execute(select(evidence_queue))]
    with hub.recorder() as recorder:
        recorder.drain()
    with hub.store.write() as connection:
        connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'evidence_queue'")
        connection.execute(insert(evidence_queue).values(backup[0]))
    hub.note("new")  # under the number of "old 2"
    with hub.recorder() as recorder:
        recorder.drain()
        hub.note("newer")
        recorder.drain()
    assert hub.texts() == ["old 1", "old 2", "new", "newer"]
    numbers = [entry.number for entry in hub.entries()]
    assert numbers == sorted(set(numbers))
    assert hub.count(evidence_queue) == 0


def test_a_database_made_anew_goes_on_behind_the_log(hub):
    for text in ("a", "b", "c"):
        hub.note(text)
    with hub.recorder() as recorder:
        recorder.drain()
    with hub.store.write() as connection:
        connection.execute(delete(evidence_leaves))
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'evidence_queue'")
    hub.note("d")
    with hub.recorder() as recorder:
        recorder.drain()
    assert hub.texts() == ["a", "b", "c", "d"]
    assert hub.count(evidence_leaves) == 4, "leaves that the database did not know are found again"
