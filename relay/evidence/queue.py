"""The queue between the database and the log, as the recorder sees it: rows in order, what is recorded already, where leaves are.

Every entry holds its row's number, and the database never gives a number twice. So the last entry of the log says what is recorded.
After a database was put back from a backup, or made anew, numbers may come again: rows that the log has are known by their bytes,
others get new numbers behind the log's last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cbor2
from sqlalchemy import Connection, Row, delete, func, insert, select, text

from relay.evidence.leaves import Entry, decode, encode, subject_of
from relay.store.tables import evidence_leaves, evidence_queue
from relay.store.upsert import insert_new

MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Queued:
    """A row of the queue as it goes into the log: its number, its entry, what that says, its objects."""

    number: int
    entry: bytes
    said: Entry
    objects: tuple[bytes, ...]


def read(row: Row[Any]) -> Queued:
    """What a row becomes; the same bytes whenever it is read."""
    objects = cbor2.loads(row.objects) if row.objects is not None else ()
    said = Entry(row.kind, row.id, int(row.at * MILLISECONDS), tuple(cbor2.loads(row.fields)))
    return Queued(row.id, encode(said.kind, said.number, said.at, said.fields), said, tuple(objects))


def after(connection: Connection, number: int, most: int) -> list[Queued]:
    """The next rows behind a number, in order."""
    rows = connection.execute(
        select(evidence_queue).where(evidence_queue.c.id > number).order_by(evidence_queue.c.id).limit(most)
    )
    return [read(row) for row in rows]


def forget(connection: Connection, recorded: Sequence[tuple[int, Entry]]) -> None:
    """Delete rows whose leaves are published, and write down where the leaves are.

    Args:
        connection: an open write transaction.
        recorded: index in the log and entry, in order.
    """
    if not recorded:
        return
    first, last = recorded[0][1].number, recorded[-1][1].number
    connection.execute(delete(evidence_queue).where(evidence_queue.c.id >= first, evidence_queue.c.id <= last))
    place(connection, recorded)


def find_again(connection: Connection, size: int, record: Callable[[int], bytes], most: int) -> int:
    """Write down where leaves are that the database does not know: those that a copy of it is older than, at most so many.

    Args:
        connection: an open write transaction.
        size: published entries in the log.
        record: reads one by its index.
        most: how many at once.

    Returns:
        How many were written down; 0 where none is missing behind the last one that is known.
    """
    newest = connection.execute(select(func.max(evidence_leaves.c.leaf))).scalar()
    known = 0 if newest is None else int(newest) + 1
    beyond = min(size, known + most)
    place(connection, [(index, decode(record(index))) for index in range(known, beyond)])
    return max(0, beyond - known)


def place(connection: Connection, entries: Sequence[tuple[int, Entry]]) -> None:
    """Write down where leaves are: index in the log and entry of each."""
    insert_new(connection, evidence_leaves, [_place(index, entry) for index, entry in entries])


def adopt(connection: Connection, size: int, record: Callable[[int], bytes]) -> list[tuple[int, Entry]]:
    """Compare the queue with the log after a start: what of it is recorded, and new numbers for what only looks so.

    Args:
        connection: an open write transaction.
        size: entries in the log.
        record: reads one by its index.

    Returns:
        Index and entry of rows that the log has and that are still in the queue, in order.
    """
    last = decode(record(size - 1)).number if size else 0
    _raise_numbers(connection, last)
    rows = connection.execute(
        select(evidence_queue).where(evidence_queue.c.id <= last).order_by(evidence_queue.c.id.desc())
    ).all()
    found: list[tuple[int, Entry]] = []
    strays: list[Row[Any]] = []
    index = size
    for row in rows:
        queued, found_at = read(row), None
        while index > 0:
            entry = record(index - 1)
            number = decode(entry).number
            if number < queued.number:
                break
            index -= 1
            if entry == queued.entry:
                found_at = index
                break
        if found_at is None:
            strays.append(row)
        else:
            found.append((found_at, queued.said))
    _renumber(connection, strays[::-1])
    return found[::-1]


def _renumber(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    if not rows:
        return
    connection.execute(delete(evidence_queue).where(evidence_queue.c.id.in_([row.id for row in rows])))
    again = [{"at": row.at, "kind": row.kind, "fields": row.fields, "objects": row.objects} for row in rows]
    connection.execute(insert(evidence_queue), again)


def _raise_numbers(connection: Connection, last: int) -> None:
    """Have the database give numbers above `last` from now on."""
    if connection.dialect.name == "postgresql":
        sequence = "pg_get_serial_sequence('evidence_queue', 'id')"
        connection.execute(text(f"SELECT setval({sequence}, GREATEST(:last, nextval({sequence})))"), {"last": last})
        return
    known = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'evidence_queue'")).scalar()
    if known is None:
        values = {"name": "evidence_queue", "last": last}
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)
    elif known < last:
        connection.execute(text("UPDATE sqlite_sequence SET seq = :last WHERE name = 'evidence_queue'"), {"last": last})


def _place(index: int, entry: Entry) -> dict[str, Any]:
    subject = subject_of(entry)
    return {
        "leaf": index,
        "kind": entry.kind,
        "subject": subject.subject,
        "direction": subject.direction,
        "nonce": subject.nonce,
        "height": subject.height,
    }
