"""The migrations make the tables that the code has, once, and say so quickly when there is nothing to do."""

import re
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import relay.store.migrations as migrations
from relay.errors import BadInput, NotFound, NotNow
from relay.store import Store
from relay.store.reader import Reader
from relay.store.tables import metadata


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    yield store
    store.close()


def test_the_migrations_make_exactly_the_tables_of_the_code(store):
    store.migrate()
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_indexes_and_unique_keys_are_made_too(store):
    store.migrate()
    with store.read() as connection:
        names = {row.name for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'"))}
    wanted = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    assert wanted <= names


def test_head_is_the_newest_version():
    script = ScriptDirectory(str(next(iter(migrations.__path__))))
    assert script.get_current_head() == migrations.HEAD


def test_a_second_migration_loads_no_alembic(store):
    store.migrate()
    code = (
        "import sys; from relay.store import Store; s = Store(sys.argv[1]); s.migrate(); s.close(); "
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, store.url], check=True)


def test_two_processes_may_migrate_at_once(store):
    code = "import sys; from relay.store import Store; s = Store(sys.argv[1]); s.migrate(); s.close()"
    started = [subprocess.Popen([sys.executable, "-c", code, store.url]) for _ in range(2)]
    assert [process.wait() for process in started] == [0, 0]
    assert store.version() == migrations.HEAD


def test_a_database_without_tables_has_no_version(store):
    assert store.version() == ""


def test_a_database_that_cannot_be_opened(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'none' / 'hub.db'}")
    with pytest.raises(BadInput, match="cannot be opened"):
        store.migrate()
    store.close()


def test_the_reader_reads_what_the_store_wrote(store, tmp_path):
    store.migrate()
    with store.write() as connection:
        connection.execute(text("INSERT INTO settings (name, value) VALUES ('a', 'true')"))
    with Reader(store.url) as reader:
        found = reader.rows("SELECT name, value FROM settings WHERE name = :name", name="a")
        assert found == [{"name": "a", "value": "true"}]
        assert reader.row("SELECT name FROM settings WHERE name = :name", name="b") is None


def test_the_reader_writes_nothing(store):
    store.migrate()
    with Reader(store.url) as reader, pytest.raises(BadInput, match="readonly"):
        reader.rows("INSERT INTO settings (name, value) VALUES ('a', '1')")


def test_the_reader_sees_one_snapshot(store):
    store.migrate()
    with Reader(store.url) as reader:
        assert reader.rows("SELECT name FROM settings") == []
        with store.write() as connection:
            connection.execute(text("INSERT INTO settings (name, value) VALUES ('a', '1')"))
        assert reader.rows("SELECT name FROM settings") == []


@pytest.mark.parametrize(("version", "match"), [("0004", "older version.*relayhub up"), ("9999", "newer version")])
def test_tables_of_another_version_are_not_read(store, version, match):
    store.migrate()
    with store.write() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{version}'"))
    with pytest.raises(NotNow) as refused:
        Reader(store.url)
    assert re.search(match, str(refused.value))


def test_no_database_yet(tmp_path):
    with pytest.raises(NotFound, match="no database"):
        Reader(f"sqlite:///{tmp_path / 'none.db'}")


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"no database at all, only text" * 100)
    with pytest.raises(BadInput), Reader(f"sqlite:///{tmp_path / 'hub.db'}") as reader:
        reader.rows("SELECT * FROM chains")
