"""A backup of PostgreSQL is an SQLite file, and becomes either again: every row of every table, and the numbers that were given."""

import pytest
from sqlalchemy import func, insert, select

from relay.backup.restoring import restore
from relay.backup.saving import save
from relay.errors import NotNow
from relay.home import Home
from relay.store import Store
from relay.store.tables import chains, evidence_queue, heartbeats, leases, metadata, waits
from tests.support.memory_hub import RECEIVER

OUT = ("alpha", "beta")


def rows(store):
    with store.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in metadata.sorted_tables
            if table not in (leases, heartbeats)
        }


def next_number(store):
    with store.write() as connection:
        return connection.execute(
            insert(evidence_queue).values(at=1, kind="claim", fields=b"\x80").returning(evidence_queue.c.id)
        ).scalar_one()


@pytest.fixture
def postgresql(make_hub, cluster):
    """A hub on PostgreSQL with messages, odd values, and a queue whose rows are gone."""
    hub = make_hub(database=cluster.database())
    for number in range(5):
        hub.send(*OUT, b"%d" % number, receiver=RECEIVER)
    hub.settle_down()
    hub.send(*OUT, "文字 \u0000".encode(), receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    hub.set_chain("alpha", gateway_pin={"名": [1, None]}, certificates=[])
    with hub.context.store.write() as connection:
        connection.execute(
            insert(waits).values(kind="lane", id="x", code="c", party="p", text="文", since=1, next_at=2)
        )
        connection.execute(evidence_queue.delete())
    return hub


def test_from_postgresql_to_sqlite_and_back(postgresql, cluster, tmp_path):
    hub = postgresql
    store = hub.context.store
    save(hub.home, hub.context.config, store, tmp_path / "a.tar", with_keys=True)
    before, last = rows(store), next_number(store)
    restore(tmp_path / "a.tar", Home(tmp_path / "lite"), database=f"sqlite:///{tmp_path / 'lite.db'}")
    lite = Store(f"sqlite:///{tmp_path / 'lite.db'}")
    assert rows(lite) == before
    assert next_number(lite) == last, "numbers are never given twice"
    save(Home(tmp_path / "lite"), Home(tmp_path / "lite").load(), lite, tmp_path / "b.tar", with_keys=True)
    before = rows(lite)
    other = cluster.database()
    restore(tmp_path / "b.tar", Home(tmp_path / "grown"), database=other)
    grown = Store(other)
    assert rows(grown) == before
    assert next_number(grown) == next_number(lite) == last + 1
    with grown.read() as connection:
        assert connection.execute(select(func.count()).select_from(chains)).scalar_one() == 2
        missing = select(func.count()).select_from(chains).where(chains.c.adapter_options.is_(None))
        assert connection.execute(missing).scalar_one() == 2, "what is not there is no JSON null"
    with pytest.raises(NotNow, match="has 2 ledgers already"):
        restore(tmp_path / "b.tar", Home(tmp_path / "third"), database=other)
    lite.close()
    grown.close()


def test_a_hub_that_moved_to_another_database_goes_on(postgresql, tmp_path):
    hub = postgresql
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "a.tar", with_keys=True)
    restore(tmp_path / "a.tar", Home(tmp_path / "lite"), database=f"sqlite:///{tmp_path / 'lite.db'}")
    hub.set_chain("alpha", gateway_pin=None)
    hub.context.close()
    hub.home = Home(tmp_path / "lite")
    hub.restart()
    hub.set_chain("alpha", gateway_pin=None)
    hub.settle_down(hurry=True)
    assert (hub.journey(*OUT).executed, hub.journey(*OUT).settled) == (6, 6)
