"""The hub's database on PostgreSQL: migrations, leases that two connections race for, inserting by key, snapshots, a reader."""

import subprocess
import sys
import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from relay.errors import BadInput, LeaseLost
from relay.store import Lease, Store, waits
from relay.store.migrations import HEAD
from relay.store.reader import Reader
from relay.store.tables import claims, heartbeats, messages, metadata, settings
from relay.store.upsert import insert_new, upsert
from relay.store.waits import Reason

MIGRATE = "import sys; from relay.store import Store; s = Store(sys.argv[1]); s.migrate(); s.close()"
PATIENCE_S = 60.0


@pytest.fixture
def empty(cluster):
    store = Store(cluster.database())
    yield store
    store.close()


@pytest.fixture
def store(empty):
    empty.migrate()
    return empty


@pytest.fixture
def other(store):
    """The same database through connections of its own, as another process has it."""
    other = Store(store.url)
    yield other
    other.close()


def names(connection):
    return list(connection.execute(select(heartbeats.c.process).order_by(heartbeats.c.process)).scalars())


def beat(connection, process):
    connection.execute(insert(heartbeats).values(process=process, pid=1, at=0))


def claim(digest):
    words = {name: bytes(32) for name in ("lane_id", "head", "block_hash")}
    counters = dict.fromkeys(("direction", "first", "nonce", "height", "epoch", "created_at"), 1)
    return {**words, **counters, "digest": digest, "state": "open"}


def test_the_migrations_make_exactly_the_tables_of_the_code(empty):
    empty.migrate()
    with empty.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_without_tables_has_no_version(empty):
    assert empty.version() == ""


def test_three_processes_may_migrate_at_once(empty):
    started = [subprocess.Popen([sys.executable, "-c", MIGRATE, empty.url]) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert empty.version() == HEAD


def test_of_two_connections_that_race_for_a_new_lease_one_gets_it(store, other):
    for number in range(20):
        start, found = threading.Barrier(2), []

        def take(which, number=number, start=start, found=found):
            start.wait()
            found.append(Lease.take(which, "lane", str(number)))

        racers = [threading.Thread(target=take, args=(which,)) for which in (store, other)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        (winner,) = [lease for lease in found if lease is not None]
        assert winner.release() is False, "the one that came too late is remembered"
        assert winner.release() is True


def test_a_lease_that_was_taken_over_writes_nothing(store, other):
    first = Lease.take(store, "chain", "alpha")
    with store.write() as connection:
        connection.execute(text("UPDATE leases SET expires_at = 0"))
    second = Lease.take(other, "chain", "alpha")
    assert second.token == first.token + 1
    with pytest.raises(LeaseLost), first.write() as connection:
        beat(connection, "late")
    with second.write() as connection:
        beat(connection, "in time")
    with store.read() as connection:
        assert names(connection) == ["in time"]


def test_a_writer_waits_for_the_writer_before_it(store, other):
    """What a writer has read stays true until it commits: two that count and then write do not overwrite each other."""

    def count_up(which):
        for _ in range(25):
            with which.write() as connection:
                value = connection.execute(select(settings.c.value).where(settings.c.name == "count")).scalar() or 0
                upsert(connection, settings, {"name": "count"}, {"value": value + 1})

    counters = [threading.Thread(target=count_up, args=(which,)) for which in (store, other)]
    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()
    with store.read() as connection:
        assert connection.execute(select(settings.c.value)).scalar_one() == 50


def test_serial_ids_appear_in_the_order_of_their_numbers(store, other):
    """An operator asks for claims after the last id that it saw: a smaller id that appears later would be lost to it."""
    entered = threading.Event()

    def second():
        entered.set()
        with other.write() as connection:
            connection.execute(insert(claims).values(claim(b"\x02" * 32)))

    with store.write() as connection:
        connection.execute(insert(claims).values(claim(b"\x01" * 32)))
        thread = threading.Thread(target=second)
        thread.start()
        assert entered.wait(PATIENCE_S)
        time.sleep(0.2)  # long enough for a second writer that does not wait to be seen
        with other.read() as looking:
            assert looking.execute(select(claims.c.id)).all() == []
    thread.join()
    with store.read() as connection:
        found = connection.execute(select(claims.c.digest).order_by(claims.c.id)).scalars().all()
    assert found == [b"\x01" * 32, b"\x02" * 32]


def test_upsert_inserts_and_then_updates(store):
    with store.write() as connection:
        upsert(connection, heartbeats, {"process": "watch"}, {"pid": 1, "at": 1.0})
        upsert(connection, heartbeats, {"process": "watch"}, {"pid": 2, "at": 2.0})
        beat(connection, "web")
    with store.read() as connection:
        rows = connection.execute(select(heartbeats.c.process, heartbeats.c.pid).order_by(heartbeats.c.process)).all()
    assert [tuple(row) for row in rows] == [("watch", 2), ("web", 1)]


def test_insert_new_leaves_out_what_is_there(store):
    rows = [{"process": name, "pid": 7, "at": 0.0} for name in ("one", "two")]
    with store.write() as connection:
        beat(connection, "one")
        insert_new(connection, heartbeats, rows)
        insert_new(connection, heartbeats, [])
    with store.read() as connection:
        assert dict(connection.execute(select(heartbeats.c.process, heartbeats.c.pid)).all()) == {"one": 1, "two": 7}


def test_unsigned_64_bit_numbers_come_back_as_they_went(store):
    row = {
        name: bytes(32) for name in ("lane_id", "message_id", "head", "sender", "receiver", "payload", "transaction")
    }
    row |= {
        "nonce": 1,
        "expires_at": 2**64 - 1,
        "gas_limit": 2**63,
        "callback_gas": 0,
        "height": 1,
        "sent_at": 0,
        "seen_at": 0,
    }
    with store.write() as connection:
        connection.execute(insert(messages).values(row))
    with store.read() as connection:
        found = connection.execute(select(messages)).one()
    assert (found.expires_at, found.gas_limit, found.callback_gas) == (2**64 - 1, 2**63, 0)


def test_a_wait_counts_its_attempts(store):
    with store.write() as connection:
        for _ in range(3):
            waits.wait(connection, "chain", "alpha", Reason.CHAIN_STALLED, party="chain alpha", text="no block")
        assert waits.find(connection, "chain", "alpha").attempts == 2
        assert waits.clear_if(connection, "chain", "alpha", [Reason.CHAIN_STALLED])


def test_a_strangers_words_are_kept_without_what_no_text_column_takes(store):
    with store.write() as connection:
        waits.wait(
            connection, "chain", "alpha", Reason.ENDPOINT_BAD_ANSWER, party="chain alpha", text="no\0 \ud800 中文 👋"
        )
    with store.read() as connection:
        assert waits.find(connection, "chain", "alpha").text == "no\ufffd \ufffd 中文 👋"


def test_a_read_sees_one_snapshot_and_writes_nothing(store):
    with store.read() as connection:
        assert names(connection) == []
        with store.write() as writing:
            beat(writing, "watch")
        assert names(connection) == []
    with pytest.raises(Exception, match="read-only"), store.read() as connection:
        beat(connection, "web")


def test_a_failed_write_leaves_nothing(store):
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(heartbeats), [{"process": "watch", "pid": 1, "at": 0}] * 2)
    with store.read() as connection:
        assert names(connection) == []


def test_the_light_reader_reads_what_the_store_wrote(store):
    with store.write() as connection:
        beat(connection, "100% watch")
        connection.execute(insert(claims).values(claim(b"\x01" * 32)))
    with Reader(store.url) as reader:
        query = "SELECT process FROM heartbeats WHERE process = :name AND process LIKE '%watch'"
        assert reader.rows(query, name="100% watch") == [{"process": "100% watch"}]
        found = reader.row("SELECT digest FROM claims WHERE digest >= :low", low=b"\x01" * 32)
        assert found == {"digest": b"\x01" * 32}
        beat_later = "INSERT INTO heartbeats (process, pid, at) VALUES ('web', 1, 0)"
        with pytest.raises(BadInput, match="read-only"):
            reader.rows(beat_later)


def test_the_light_reader_sees_one_snapshot(store):
    with Reader(store.url) as reader:
        assert reader.rows("SELECT process FROM heartbeats") == []
        with store.write() as connection:
            beat(connection, "watch")
        assert reader.rows("SELECT process FROM heartbeats") == []


def test_a_server_that_is_not_there(cluster):
    with pytest.raises(BadInput, match="cannot be opened"):
        Reader(f"postgresql+psycopg://relayhub@/none?host={cluster.folder}")
    store = Store(f"postgresql+psycopg://relayhub@/none?host={cluster.folder}")
    with pytest.raises(BadInput, match="cannot be opened"):
        store.migrate()
    store.close()
