"""Rows of records: which record an id names, and which ones somebody may read, in 10 million as in ten.

A commitment is random, so an index over whole ones would be large and touched everywhere; the index has its first 8 bytes only.
Rules are few and rows name them by number: a list takes the newest rows of each rule that lets the reader in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from relay.errors import BadInput, NotFound
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.pack_writer import Written
from relay.store.tables import record_rules, records
from relay.store.upsert import insert_new

PREFIX_DIGITS = 8
"""The fewest digits that name a record."""
ID_DIGITS = 64
_INDEX_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the database has it.

    Attributes:
        number: in the order in which records were put.
        commitment: SHA-256(salt ‖ content), 32 bytes: its id.
        rule: who may read.
        name: for people; empty if none was given or once it is erased.
        size: bytes of the content.
        at: when it was put, Unix seconds.
        erased_at: when it was erased, Unix seconds; None = it is not.
    """

    number: int
    commitment: bytes
    rule: AccessRule
    name: str
    size: int
    at: float
    erased_at: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """A record and where it lies.

    Attributes:
        record: the record.
        pack: name of its pack, 16 bytes; empty once it is erased.
        offset: where it begins there.
    """

    record: Record
    pack: bytes
    offset: int


def find(connection: Connection, identifier: str) -> Found:
    """Find a record by its id or 8 digits and more of it.

    Raises:
        BadInput: it is no id, or several begin so.
        NotFound: there is none.
    """
    digits = identifier.lower().removeprefix("0x")
    if not PREFIX_DIGITS <= len(digits) <= ID_DIGITS or digits.strip("0123456789abcdef"):
        raise BadInput(
            f"{identifier[:80]!r} is no record's id.", f"Give 0x and {PREFIX_DIGITS} to {ID_DIGITS} hexadecimal digits."
        )
    first, last = (int(digits[:_INDEX_DIGITS].ljust(_INDEX_DIGITS, fill), 16) for fill in "0f")
    where = (records.c.prefix >= first, records.c.prefix <= last)
    rows = [
        row
        for row in connection.execute(select(records).where(*where))
        if bytes(row.commitment).hex().startswith(digits)
    ]
    if not rows:
        raise NotFound(f"There is no record {identifier[:80]}.", "See: relayhub evidence list.")
    if len(rows) > 1:
        raise BadInput(f"Several records' ids begin with {identifier}.", "Give more digits.")
    rule = _rule(connection.execute(select(record_rules).where(record_rules.c.id == rows[0].rule)).one())
    return Found(_record(rows[0], rule), bytes(rows[0].pack), rows[0].offset)


def readable(connection: Connection, caller: Caller, *, before: int, limit: int, owner: str) -> list[Record]:
    """Records that the caller may read, newest first; see `relay.evidence.records.Records.listed`."""
    found: list[Record] = []
    for rule_row in connection.execute(select(record_rules)).all():
        rule = _rule(rule_row)
        if (owner and rule.owner != owner) or not rule.decide(caller).allowed:
            continue
        query = select(records).where(records.c.rule == rule_row.id)
        if before:
            query = query.where(records.c.id < before)
        found += [_record(row, rule) for row in connection.execute(query.order_by(records.c.id.desc()).limit(limit))]
    return sorted(found, key=lambda record: -record.number)[:limit]


def is_known(connection: Connection, beginning: bytes) -> bool:
    """Whether a record's commitment begins so: with all its 32 bytes, or the 16 of the pack that it is the first of."""
    rows = connection.execute(select(records.c.commitment).where(records.c.prefix == _prefix(beginning)))
    return any(bytes(row.commitment).startswith(beginning) for row in rows)


def rule_id_of(connection: Connection, rule: AccessRule) -> int:
    """The number of a rule; a new one is written down."""
    key = {"owner": rule.owner, "readers": json.dumps(rule.readers, ensure_ascii=False)}
    insert_new(connection, record_rules, [key])
    where = (record_rules.c.owner == key["owner"], record_rules.c.readers == key["readers"])
    return int(connection.execute(select(record_rules.c.id).where(*where)).scalar_one())


def row_of(rule_id: int, written: Written, pack: bytes, name: str, at: float) -> dict[str, Any]:
    """The row of a record in a pack."""
    return {
        "prefix": _prefix(written.commitment),
        "commitment": written.commitment,
        "rule": rule_id,
        "name": name,
        "size": written.size,
        "pack": pack,
        "offset": written.offset,
        "at": at,
    }


def _rule(row: Row[Any]) -> AccessRule:
    return AccessRule(row.owner, tuple(json.loads(row.readers)))


def _record(row: Row[Any], rule: AccessRule) -> Record:
    return Record(row.id, bytes(row.commitment), rule, row.name, row.size, row.at, row.erased_at)


def _prefix(commitment: bytes) -> int:
    """What the index finds a commitment, or a pack named by one, by."""
    return int.from_bytes(commitment[:8], "big")
