"""Leases, waits on a busy database, two processes on one file, and statements for both dialects."""

import multiprocessing
import sqlite3
import threading
import time

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from relay.errors import BadInput, LeaseLost
from relay.store import Lease, Store
from relay.store.engine import LEASE_S, ping
from relay.store.tables import heartbeats, leases, metadata, settings, waits
from relay.store.upsert import insert_new, upsert


@pytest.fixture
def store(tmp_path):
    made = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    metadata.create_all(made.engine)
    yield made
    made.close()


def set_lease(store, **values):
    with store.write() as connection:
        connection.execute(update(leases).values(**values))


class TestLease:
    def test_one_holds_it_and_another_is_told_to_leave(self, store):
        assert Lease.take(store, "lane", "a") is not None
        assert Lease.take(store, "lane", "a") is None
        assert Lease.take(store, "lane", "b") is not None
        assert Lease.take(store, "chain", "a") is not None

    def test_it_ends_by_itself_and_the_token_grows(self, store):
        first = Lease.take(store, "lane", "a")
        set_lease(store, expires_at=time.time() - 1)
        second = Lease.take(store, "lane", "a")
        assert second.token == first.token + 1

    def test_whoever_lost_it_writes_nothing(self, store):
        first = Lease.take(store, "lane", "a")
        set_lease(store, expires_at=0)
        Lease.take(store, "lane", "a")
        with pytest.raises(LeaseLost), first.write() as connection:
            connection.execute(insert(settings).values(name="x", value=1))
        with pytest.raises(LeaseLost):
            first.renew()
        with store.read() as connection:
            assert connection.execute(select(settings)).all() == []

    def test_whoever_lost_it_gives_nothing_back(self, store):
        first = Lease.take(store, "lane", "a")
        set_lease(store, expires_at=0)
        Lease.take(store, "lane", "a")
        assert first.release()
        assert Lease.take(store, "lane", "a") is None

    def test_given_back_it_can_be_taken_at_once(self, store):
        assert Lease.take(store, "lane", "a").release()
        assert Lease.take(store, "lane", "a") is not None

    def test_it_is_not_given_back_while_somebody_wants_another_look(self, store):
        first = Lease.take(store, "lane", "a")
        assert Lease.take(store, "lane", "a") is None
        assert not first.release()
        assert Lease.take(store, "lane", "a") is None
        assert not first.release()
        assert first.release()

    def test_every_write_renews_it(self, store):
        lease = Lease.take(store, "lane", "a")
        set_lease(store, expires_at=time.time() - 1)
        with lease.write():
            pass
        with store.read() as connection:
            assert connection.execute(select(leases.c.expires_at)).scalar_one() > time.time()

    def test_one_from_a_clock_far_in_the_future_counts_as_over(self, store):
        Lease.take(store, "lane", "a")
        set_lease(store, expires_at=time.time() + 3600)
        assert Lease.take(store, "lane", "a") is not None

    def test_one_that_is_fresh_counts(self, store):
        Lease.take(store, "lane", "a")
        set_lease(store, expires_at=time.time() + LEASE_S * 1.5)
        assert Lease.take(store, "lane", "a") is None

    def test_what_fails_inside_a_write_leaves_nothing(self, store):
        lease = Lease.take(store, "lane", "a")

        def fail():
            with lease.write() as connection:
                connection.execute(insert(settings).values(name="x", value=1))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        with store.read() as connection:
            assert connection.execute(select(settings)).all() == []


class TestStore:
    def test_a_locked_database_costs_time_only(self, store, tmp_path):
        other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        released = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        released.start()
        with store.write() as connection:
            connection.execute(insert(settings).values(name="x", value=1))
        released.join()
        other.close()
        with store.read() as connection:
            assert connection.execute(select(settings.c.value)).scalar_one() == 1

    def test_a_reader_sees_one_moment(self, store):
        with store.read() as connection:
            assert connection.execute(select(func.count()).select_from(settings)).scalar_one() == 0
            with store.write() as writer:
                writer.execute(insert(settings).values(name="x", value=1))
            assert connection.execute(select(func.count()).select_from(settings)).scalar_one() == 0

    def test_a_full_disk_is_one_clear_sentence(self, store):
        with store.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

        def fill():
            with store.write() as connection:
                connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
                connection.execute(insert(settings).values(name="x", value="y" * 1_000_000))

        with pytest.raises(BadInput, match="Free some disk space"):
            fill()

    def test_a_folder_that_is_not_there_is_one_clear_sentence(self, tmp_path):
        made = Store(f"sqlite:///{tmp_path / 'no' / 'hub.db'}")
        with pytest.raises(BadInput, match="Check the path"), made.write():
            pass
        with pytest.raises(BadInput, match="Check the path"):
            made.version()

    def test_it_answers(self, store):
        ping(store)
        assert store.version() == ""


def _count_up(path, times):
    store = Store(f"sqlite:///{path}")
    for _ in range(times):
        with store.write() as connection:
            value = connection.execute(select(settings.c.value).where(settings.c.name == "n")).scalar_one()
            connection.execute(update(settings).values(value=value + 1))
    store.close()


def test_two_processes_that_write_lose_nothing(store, tmp_path):
    with store.write() as connection:
        connection.execute(insert(settings).values(name="n", value=0))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_count_up, args=(tmp_path / "hub.db", 100)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
    with store.read() as connection:
        assert connection.execute(select(settings.c.value)).scalar_one() == 200


class TestUpsert:
    def test_a_row_is_made_then_changed(self, store):
        with store.write() as connection:
            for pid in (1, 2):
                upsert(connection, heartbeats, {"process": "watch"}, {"pid": pid, "at": 0.0})
            upsert(connection, heartbeats, {"process": "web"}, {"pid": 3, "at": 0.0})
            rows = connection.execute(select(heartbeats.c.process, heartbeats.c.pid).order_by(heartbeats.c.pid)).all()
        assert [tuple(row) for row in rows] == [("watch", 2), ("web", 3)]

    def test_what_is_there_stays(self, store):
        with store.write() as connection:
            insert_new(connection, heartbeats, [{"process": "a", "pid": 1, "at": 0.0}])
            insert_new(connection, heartbeats, [{"process": name, "pid": 2, "at": 0.0} for name in ("a", "b")])
            insert_new(connection, heartbeats, [])
            rows = connection.execute(
                select(heartbeats.c.process, heartbeats.c.pid).order_by(heartbeats.c.process)
            ).all()
        assert [tuple(row) for row in rows] == [("a", 1), ("b", 2)]

    @pytest.mark.parametrize("dialect", [postgresql, sqlite], ids=["postgresql", "sqlite"])
    def test_both_dialects_compile(self, dialect):
        compiled = []

        class Connection:
            def __init__(self):
                self.dialect = dialect.dialect()

            def execute(self, statement, *_):
                compiled.append(str(statement.compile(dialect=self.dialect)))

        upsert(Connection(), waits, {"kind": "lane", "id": "x"}, {"code": "c"})
        insert_new(Connection(), heartbeats, [{"process": "a", "pid": 1, "at": 0.0}])
        changed, new = compiled
        assert "ON CONFLICT (kind, id) DO UPDATE SET code = " in changed
        assert new.endswith("ON CONFLICT DO NOTHING")
