"""One consistent copy of the hub's database as an SQLite file, whatever it is, and the way back into either kind.

SQLite is copied by its online backup interface in one step, PostgreSQL row by row from one snapshot, so that the hub goes on
meanwhile. Leases and heartbeats belong to processes that live; they are not copied into PostgreSQL and mean nothing elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Table, func, insert, inspect, select, text

from relay.errors import BadInput, NotNow
from relay.store import Store
from relay.store.migrations import HEAD
from relay.store.tables import chains, evidence_queue, heartbeats, leases, metadata

BATCH = 500
OF_PROCESSES = (leases, heartbeats)


def copy_to_file(store: Store, path: Path) -> None:
    """Copy a database into a new SQLite file, as it stood at one moment.

    Args:
        store: the hub's.
        path: a file that is not there yet; readable by its owner only.
    """
    path.touch(mode=0o600, exist_ok=False)
    if not store.is_sqlite:
        copy = Store(f"sqlite:///{path}")
        try:
            copy.migrate()
            _copy_rows(store, copy)
        finally:
            copy.close()
        _one_file(path)
        return
    source = store.engine.raw_connection()
    try:
        target = sqlite3.connect(path)
        try:
            source.driver_connection.backup(target)  # type: ignore[union-attr]
        finally:
            target.close()
    finally:
        source.close()
    _one_file(path)


def copy_from_file(path: Path, store: Store) -> None:
    """Copy an SQLite file of `copy_to_file` into an empty database, in one transaction.

    Args:
        path: the file; brought to this version's tables first.
        store: an empty database.

    Raises:
        NotNow: the database is not empty.
        BadInput: the file was made by a newer version.
    """
    check_empty(store)
    source = Store(f"sqlite:///{path}")
    try:
        check_version(source)
        source.migrate()
        store.migrate()
        _copy_rows(source, store)
    finally:
        source.close()


def check_empty(store: Store) -> None:
    """Refuse a database in which something is registered already.

    Raises:
        NotNow: there is.
    """
    with store.read() as connection:
        if not inspect(connection).has_table(chains.name):
            return
        found = connection.execute(select(func.count()).select_from(chains)).scalar_one()
    if found:
        name = store.engine.url.render_as_string(hide_password=True)
        raise NotNow(f"The database {name} has {found} ledgers already.", "Name an empty one; nothing was changed.")


def check_version(store: Store) -> None:
    """Refuse a copy whose tables this version does not know.

    Raises:
        BadInput: it was made by a newer version, or is no database of a hub.
    """
    version = store.version()
    if not version or version > HEAD:
        raise BadInput(
            f"The copy has tables of version {version or 'nothing'}, this hub knows {HEAD}.", "Update it first."
        )


def skip_numbers(store: Store, beyond: int) -> None:
    """Have the evidence queue give numbers above this one: those of the log must never be given twice."""
    with store.write() as connection:
        _set_number(connection, evidence_queue, max(beyond, _number(connection, evidence_queue)))


def _copy_rows(source: Store, target: Store) -> None:
    with source.read() as reading, target.write() as writing:
        for table in metadata.sorted_tables:
            if table in OF_PROCESSES:
                continue
            writing.execute(table.delete())
            for rows in _batches(reading, table):
                for same in _of_same_nulls(table, rows):
                    writing.execute(insert(table), same)
            numbers = table.primary_key.columns
            if len(numbers) == 1 and "id" in numbers and numbers["id"].type.python_type is int:
                _set_number(writing, table, _number(reading, table))


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    found = connection.execution_options(yield_per=BATCH).execute(select(table))
    for part in found.mappings().partitions(BATCH):
        yield [dict(row) for row in part]


def _of_same_nulls(table: Table, rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows by which of their JSON columns are empty: None would be written as the JSON value null."""
    documents = [column.name for column in table.columns if isinstance(column.type, JSON)]
    if not documents:
        return [list(rows)]
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        empty = tuple(name for name in documents if row[name] is None)
        groups.setdefault(empty, []).append({name: value for name, value in row.items() if name not in empty})
    return list(groups.values())


def _number(connection: Connection, table: Table) -> int:
    """The last number that a table gave to a row, also to one that is deleted; 0 for none."""
    highest = int(connection.execute(select(func.max(table.c.id))).scalar() or 0)
    if connection.dialect.name == "sqlite":
        if not inspect(connection).has_table("sqlite_sequence"):
            return highest
        asked = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return max(highest, int(connection.execute(asked, {"name": table.name}).scalar() or 0))
    name = connection.execute(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name}).scalar()
    if name is None:
        return highest
    last, called = connection.execute(text(f"SELECT last_value, is_called FROM {name}")).one()  # noqa: S608 - its own name
    return max(highest, int(last) if called else 0)


def _set_number(connection: Connection, table: Table, last: int) -> None:
    """Have a table give numbers above `last`."""
    if connection.dialect.name == "sqlite":
        if table.dialect_options["sqlite"]["autoincrement"]:
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"),
                {"name": table.name, "last": last},
            )
        return
    name = connection.execute(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name}).scalar()
    if name is not None and last > 0:
        connection.execute(text("SELECT setval(:name, :last)"), {"name": name, "last": last})


def _one_file(path: Path) -> None:
    """Leave WAL mode, so that the file is whole by itself."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
