"""The one door to the database: SQLite in WAL mode with one writer at a time, or PostgreSQL.

Every write happens in `Store.write()`, a short transaction that begins with a write lock (BEGIN IMMEDIATE on SQLite, an
advisory lock on PostgreSQL), so that a reader never becomes a writer half-way, what a writer reads stays true until it
commits, and serial ids appear in the order of their numbers. A lease (kind, id) fences work: see `Lease`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text, update
from sqlalchemy.exc import OperationalError

from relay.errors import BadInput, LeaseLost
from relay.store.tables import leases

LEASE_S = 3.0
BUSY_TIMEOUT_MS = 30_000
WRITE_LOCK = 0x72656C6179687562  # "relayhub": the hub has a PostgreSQL database of its own


class Store:
    """A database of the hub, shared by its processes.

    Args:
        url: SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        arguments: dict[str, Any] = (
            {"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000} if self.is_sqlite else {}
        )
        self.engine: Engine = create_engine(
            url,
            connect_args=arguments,
            pool_pre_ping=not self.is_sqlite,
            hide_parameters=True,  # errors are logged and shown; rows hold endpoints with their credentials
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_deferred)
        else:
            event.listen(self.engine, "begin", _lock_writers)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a write transaction; commits at the end, rolls back on any error.

        Raises:
            BadInput: the disk is full or the file cannot be written.
        """
        try:
            with self.engine.connect().execution_options(relayhub_write=True) as connection, connection.begin():
                yield connection
        except OperationalError as error:
            raise _storage_error(error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction on one consistent snapshot."""
        snapshot: dict[str, Any] = (
            {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with self.engine.connect().execution_options(**snapshot) as connection, connection.begin():
            yield connection

    def migrate(self) -> None:
        """Bring the tables to this version (Alembic); harmless when they are."""
        from relay.store.migrations import HEAD

        if self.version() == HEAD:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["store"] = self
        try:
            command.upgrade(config, "head")
        except OperationalError as error:
            raise _storage_error(error) from error

    def version(self) -> str:
        """The version of the tables as Alembic recorded it; empty where there are none.

        Raises:
            BadInput: the database cannot be opened.
        """
        try:
            with self.read() as connection:
                if not inspect(connection).has_table("alembic_version"):
                    return ""
                return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
        except OperationalError as error:
            raise _storage_error(error) from error

    def close(self) -> None:
        """Release every connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "cache_size=-32000",
        "temp_store=MEMORY",
        "wal_autocheckpoint=4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_deferred(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("relayhub_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _lock_writers(connection: Connection) -> None:
    if connection.get_execution_options().get("relayhub_write", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def _storage_error(error: OperationalError) -> Exception:
    reason = str(error.orig)
    if "full" in reason or "No space" in reason:
        return BadInput(f"The database cannot be written: {reason}.", "Free some disk space; nothing was lost.")
    if "readonly" in reason or "unable to open" in reason:
        return BadInput(f"The database cannot be opened: {reason}.", "Check the path and its permissions.")
    if "connection failed" in reason or "connection timeout" in reason:
        return BadInput(f"The database cannot be opened: {reason.splitlines()[0]}.", "Check `database` in hub.toml.")
    return error


@dataclass(slots=True)
class Lease:
    """The right to work on one (kind, id): lasts 3 s, renewed by every write, fenced by a token that only grows.

    A write of the holder goes through `Lease.write()`, which checks the token and renews in the same transaction: a
    worker that was stopped for longer than the lease finds itself replaced and writes nothing.
    """

    store: Store
    kind: str
    id: str
    token: int
    wanted: int
    released: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def take(cls, store: Store, kind: str, identifier: str) -> Lease | None:
        """Take the lease, or note that somebody wants it and return None if another holds it."""
        now = time.time()
        where = (leases.c.kind == kind, leases.c.id == identifier)
        with store.write() as connection:
            row = connection.execute(select(leases).where(*where)).one_or_none()
            if row is None:
                connection.execute(
                    insert(leases).values(kind=kind, id=identifier, token=1, expires_at=now + LEASE_S, wanted=0)
                )
                return cls(store, kind, identifier, 1, 0)
            # A lease far in the future was written under another clock: it counts as expired.
            if now < row.expires_at <= now + 2 * LEASE_S:
                connection.execute(update(leases).where(*where).values(wanted=row.wanted + 1))
                return None
            token = row.token + 1
            connection.execute(update(leases).where(*where).values(token=token, expires_at=now + LEASE_S))
            return cls(store, kind, identifier, token, row.wanted)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a write transaction that checks and renews the lease first.

        Raises:
            LeaseLost: another worker holds the lease.
        """
        with self.store.write() as connection:
            self._set_expiry(connection, time.time() + LEASE_S)
            yield connection

    def renew(self) -> None:
        """Renew the lease between two long steps; a lease that was given back stays given back."""
        with self._lock:
            if not self.released:
                with self.write():
                    pass

    def release(self) -> bool:
        """Give the lease back; False if somebody wanted it meanwhile, so that the holder looks once more."""
        with self._lock, self.store.write() as connection:
            row = connection.execute(
                select(leases.c.wanted).where(
                    leases.c.kind == self.kind, leases.c.id == self.id, leases.c.token == self.token
                )
            ).one_or_none()
            if row is None:
                return True
            if row.wanted != self.wanted:
                self.wanted = row.wanted
                self._set_expiry(connection, time.time() + LEASE_S)
                return False
            self._set_expiry(connection, 0.0)
            self.released = True
            return True

    def _set_expiry(self, connection: Connection, expires_at: float) -> None:
        changed = connection.execute(
            update(leases)
            .where(leases.c.kind == self.kind, leases.c.id == self.id, leases.c.token == self.token)
            .values(expires_at=expires_at)
        )
        if changed.rowcount != 1:
            raise LeaseLost(f"The lease on {self.kind} {self.id} was taken over.")


def ping(store: Store) -> None:
    """Ask the database for an answer."""
    with store.read() as connection:
        connection.execute(text("SELECT 1"))
