"""Reads for `relayhub status` and `trace`: the same database without SQLAlchemy, whose import alone takes half a second.

Plain SQL that SQLite and PostgreSQL both understand, with named parameters written `:name`. Read-only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from relay.errors import BadInput, NotFound, NotNow
from relay.store.migrations import HEAD

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Reader:
    """A read-only view of the hub's database on one snapshot; a context manager.

    Args:
        url: the SQLAlchemy URL of the database: `sqlite:///path` or `postgresql+psycopg://…`.

    Raises:
        NotFound: there is no database yet.
        NotNow: its tables are of another version of the hub.
        BadInput: the database cannot be opened; the error says why.
    """

    def __init__(self, url: str) -> None:
        self._postgresql = not url.startswith("sqlite")
        self._connection: Any = _open_postgresql(url) if self._postgresql else _open_sqlite(url)
        self._error: type[Exception] = _postgresql_error() if self._postgresql else sqlite3.DatabaseError
        try:
            self._check_version()
        except BaseException:
            self._connection.close()
            raise

    def rows(self, query: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Run a query; each row is a mapping of column to value (bytes are `bytes`)."""
        if self._postgresql:
            query = _PARAMETER.sub(r"%(\1)s", query.replace("%", "%%"))
        try:
            cursor = self._connection.execute(query, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, map(_value, row), strict=True)) for row in cursor.fetchall()]
        except self._error as error:
            reason = str(error).splitlines()[0]
            raise BadInput(f"The database cannot be read: {reason}.", "Run `relayhub doctor`.") from error

    def row(self, query: str, /, **parameters: Any) -> dict[str, Any] | None:
        """Run a query; its first row, if any."""
        found = self.rows(query, **parameters)
        return found[0] if found else None

    def _check_version(self) -> None:
        """Whoever reads tables of another version would miss columns, or misunderstand them."""
        (found,) = self.rows("SELECT version_num FROM alembic_version")
        if found["version_num"] < HEAD:
            raise NotNow(
                f"The database is of an older version of the hub (tables {found['version_num']}, wanted {HEAD}).",
                "Run `relayhub up`, which brings it to this version.",
            )
        if found["version_num"] > HEAD:
            raise NotNow(
                f"The database is of a newer version of the hub (tables {found['version_num']}, known up to {HEAD}).",
                "Use that version of the hub.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()


def _value(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _open_sqlite(url: str) -> sqlite3.Connection:
    path = Path(url.removeprefix("sqlite:///"))
    if not path.exists():
        raise NotFound(f"There is no database at {path}.", "Run `relayhub up` to make one.")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=5, isolation_level=None)
        connection.execute("PRAGMA query_only=1")  # mode=ro could not make the files that WAL needs beside the database
        connection.execute("BEGIN")
    except sqlite3.Error as error:
        raise BadInput(f"The database {path} cannot be opened: {error}.", "Check its permissions.") from error
    return connection


def _open_postgresql(url: str) -> Any:
    import psycopg

    address = re.sub(r"^postgresql\+\w+:", "postgresql:", url)
    try:
        connection = psycopg.connect(address, connect_timeout=5)
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"The database cannot be opened: {reason}.", "Check `database` in hub.toml.") from error
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    return connection


def _postgresql_error() -> type[Exception]:
    import psycopg

    return psycopg.Error


def text_of(value: Mapping[str, Any], name: str) -> str:
    """Write a column of bytes as hexadecimal with `0x`."""
    data: bytes = value[name]
    return "0x" + data.hex()
