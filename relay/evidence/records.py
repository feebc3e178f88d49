"""The organisations' own records: put, read under their access rule, erased by their owner (protocol, section Evidence).

1. A record's commitment is SHA-256(32-byte random salt ‖ content); it is the record's id and all that the log's leaf holds, so
   that nobody guesses a content from the public hash. The same content put twice is two records.
2. Contents and salts are files (`relay.evidence.packs`), durable before the database has their rows; the row and what is to
   become a leaf are written in one transaction.
3. Whoever asks for a content or a salt is judged by the record's rule (`relay.evidence.access_rules`); that he asked is written
   down to become a leaf before anything is given, whether he may or not.
4. What is given is compared with the commitment.
5. An erased record has lost content, salt and name; its leaf stays, and so do proofs of its place.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cbor2
from sqlalchemy import delete, insert, select, update

from relay.errors import BadInput, NotAllowed, NotFound
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.outbox import Note, note, note_all
from relay.evidence.packs import Label, Packs, Stored
from relay.evidence.record_rows import Found, Record, find, is_known, readable, row_of, rule_id_of
from relay.store import Store
from relay.store.tables import record_erasures, records

RECORD, ACCESS, ERASURE = "record", "access", "erasure"
"""Kinds of leaves: [commitment], [commitment, who, purpose, decision], [commitment, who]."""
NAME_MAXIMUM = 512
"""Bytes of a record's name in UTF-8."""
BATCH_BYTES = 8 << 20
BATCH_RECORDS = 10_000
"""A pack of small records is closed at either."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What is put: a content (bytes, or a stream that is read to its end) and its name for people."""

    content: bytes | BinaryIO
    name: str = ""


class Records:
    """The records of a hub.

    Args:
        store: its database.
        folder: its evidence folder; contents lie in `private` under it.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._packs = Packs(folder / "private")

    def put(self, contents: Iterable[NewRecord], rule: AccessRule) -> Iterator[list[Record]]:
        """Keep records; yields them pack by pack once they are durable, with number 0, so that a later failure takes none back.

        Raises:
            BadInput: a name is too long or no text.
        """
        with self._packs.writing(self._known):
            self._finish_erasures()
            items = iter(contents)
            batch = list[Record]()
            while (batch := self._put_pack(items, rule)) != []:
                yield batch

    def find(self, identifier: str) -> Record:
        """Find a record by its id or 8 digits and more of it.

        Raises:
            BadInput: it is no id, or several begin so.
            NotFound: there is none.
        """
        return self._found(identifier).record

    @contextmanager
    def open(self, identifier: str, caller: Caller, *, purpose: str = "read") -> Iterator[tuple[Record, Stored]]:
        """Open a record for somebody; that he asked becomes a leaf. The content is compared with its commitment before it is given.

        Args:
            identifier: as in `find`.
            caller: who asks.
            purpose: `read`, or `prove` where only the salt is asked for.

        Raises:
            NotAllowed: the rule refuses the caller.
            NotFound: there is no such record, or it was erased.
            RecordDamaged: what is on the disk was changed.
        """
        found = self._found(identifier)
        record = found.record
        decision = record.rule.decide(caller)
        gone = decision.allowed and record.erased_at is not None
        self._note_access(record, caller, purpose, "erased" if gone else str(decision))
        if not decision.allowed:
            raise NotAllowed(
                f"{str(caller) or 'A stranger'} may not read the record 0x{record.commitment.hex()[:12]}.",
                "Its owner says who may; that it was asked for is in the log.",
            )
        if gone:
            raise NotFound(
                f"The record 0x{record.commitment.hex()[:12]} was erased by its owner.",
                "Its leaf and proofs of it remain.",
            )
        with self._packs.open(found.pack, found.offset, record.size, record.commitment) as stored:
            stored.check()
            yield record, stored

    def erase(self, identifier: str, caller: Caller) -> Record:
        """Erase content, salt and name of a record, for good; its leaf and the erasure's stay. Harmless when it is erased.

        Raises:
            NotAllowed: the caller is not of the owner's organisation.
            NotFound: there is no such record.
        """
        found = self._found(identifier)
        record = found.record
        if not record.rule.may_erase(caller):
            self._note_access(record, caller, "erase", "refused")
            raise NotAllowed(
                f"Only {record.rule.owner} may erase the record 0x{record.commitment.hex()[:12]}.", "Ask its owner."
            )
        now = time.time()
        with self._store.write() as connection:
            changed = connection.execute(
                update(records)
                .where(records.c.id == record.number, records.c.erased_at.is_(None))
                .values(erased_at=now, name="", pack=b"")
            )
            if changed.rowcount:
                place = {"record": record.number, "pack": found.pack, "offset": found.offset, "size": record.size}
                connection.execute(insert(record_erasures).values(**place))
                note(connection, ERASURE, (record.commitment, str(caller)))
        self._finish_erasures()
        return self._found(record.commitment.hex()).record

    def listed(self, caller: Caller, *, before: int = 0, limit: int = 50, owner: str = "") -> list[Record]:
        """Records that the caller may read, newest first.

        Args:
            caller: who asks.
            before: only those with a smaller number; 0 = from the newest.
            limit: at most so many.
            owner: only those of that organisation; empty = of every one.
        """
        with self._store.read() as connection:
            return readable(connection, caller, before=before, limit=limit, owner=owner)

    def restore_rows(self) -> int:
        """Make rows anew for records in packs that the database does not have; returns how many came back.

        For a database that was lost: records that were erased stay erased, and so does what a dying process left unfinished
        come back, because nothing tells it from the rest.

        Raises:
            RecordDamaged: a pack ends in the middle of a record.
        """
        count = 0
        with self._packs.writing(lambda _: True):
            for name in self._packs.names():
                with self._store.write() as connection:
                    for written, label in self._packs.walk(name):
                        if is_known(connection, written.commitment):
                            continue
                        owner, readers, title, at = cbor2.loads(label)
                        rule_id = rule_id_of(connection, AccessRule.of(owner, readers))
                        connection.execute(insert(records).values(row_of(rule_id, written, name, title, at)))
                        count += 1
        return count

    def _put_pack(self, items: Iterator[NewRecord], rule: AccessRule) -> list[Record]:
        writer, now = self._packs.writer(), time.time()
        label = Label(rule.owner, rule.readers, now)
        names: list[str] = []
        try:
            for item in items:
                name = record_name(item.name)
                writer.add(item.content, label.named(name))
                names.append(name)
                if len(names) >= BATCH_RECORDS or writer.size >= BATCH_BYTES:
                    break
            if not names:
                return []
            pack = writer.finish()
        finally:
            writer.abandon()
        written = writer.records
        with self._store.write() as connection:
            rule_id = rule_id_of(connection, rule)
            connection.execute(
                insert(records),
                [row_of(rule_id, item, pack, name, now) for item, name in zip(written, names, strict=True)],
            )
            note_all(connection, (Note(RECORD, (item.commitment,)) for item in written))
        self._packs.keep(pack)
        return [
            Record(0, item.commitment, rule, name, item.size, now, None)
            for item, name in zip(written, names, strict=True)
        ]

    def _finish_erasures(self) -> None:
        """Erase from the disk what was erased from the database; again after a crash between."""
        with self._store.read() as connection:
            pending = connection.execute(select(record_erasures)).all()
        for row in pending:
            self._packs.erase(bytes(row.pack), row.offset, row.size)
            with self._store.write() as connection:
                connection.execute(delete(record_erasures).where(record_erasures.c.record == row.record))

    def _note_access(self, record: Record, caller: Caller, purpose: str, decision: str) -> None:
        with self._store.write() as connection:
            note(connection, ACCESS, (record.commitment, str(caller), purpose, decision))

    def _known(self, pack: bytes) -> bool:
        with self._store.read() as connection:
            return is_known(connection, pack)

    def _found(self, identifier: str) -> Found:
        with self._store.read() as connection:
            return find(connection, identifier)


def record_name(name: str) -> str:
    """Return `name` if a record may have it: any text of at most 512 bytes in UTF-8 without control characters; it may be empty.

    Raises:
        BadInput: it is none.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise BadInput(f"The record's name {name!r} is no valid text.", "Give another with --name.") from None
    if size > NAME_MAXIMUM:
        raise BadInput(
            f"The record's name has {size} bytes; at most {NAME_MAXIMUM}.", "Give a shorter one with --name."
        )
    if any(character < " " or character == "\x7f" for character in name):
        raise BadInput(f"The record's name {name!r} has control characters.", "Leave them out.")
    return name
