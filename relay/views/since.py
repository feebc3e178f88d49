"""Where in a table that only grows the rows of a time begin, without an index over times."""

from __future__ import annotations

from relay.store.reader import Reader


def first_since(reader: Reader, table: str, column: str, at: float) -> int:
    """The smallest id of a row written at a time or later, by bisection over the ids; one above the last where there is none.

    Ids grow with the times of writing. Where a clock was set back, some row near the place is found.

    Args:
        reader: a snapshot of the database.
        table: one of the hub's tables, with a column `id`.
        column: its column of times, Unix seconds.
        at: Unix seconds.
    """
    ends = reader.row(f"SELECT MIN(id) AS low, MAX(id) AS high FROM {table}")  # noqa: S608 - our own name
    if ends is None or ends["low"] is None:
        return 1
    low, high = int(ends["low"]), int(ends["high"]) + 1
    nearest = f"SELECT id, {column} AS at FROM {table} WHERE id >= :id ORDER BY id LIMIT 1"  # noqa: S608 - the same
    while low < high:
        middle = (low + high) // 2
        row = reader.row(nearest, id=middle)
        if row is None or row["at"] >= at:
            high = middle
        else:
            low = int(row["id"]) + 1
    return low
