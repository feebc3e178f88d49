"""Notes for the evidence log, written in the same transaction as what they tell of; `relay.evidence.recorder` makes them leaves.

A note costs its transaction one row for a batch of whatever was decided, however many messages it covers. It stands in the queue
until its leaf is in a published checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert

from relay.evidence.leaves import ENTRY_MAX_BYTES, KIND_MAX, canonical, encode
from relay.store.tables import evidence_queue

LARGEST = (1 << 63) - 1
SURELY_SMALL = ENTRY_MAX_BYTES - 128
"""Bytes of fields that make no entry too large: kind, number and time have 90 at most."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to become a leaf.

    Attributes:
        kind: of the leaf, at most 16 characters.
        fields: the kind's own; numbers, bytes, texts.
        objects: contents whose SHA-256 the fields name; they are kept beside the log.
    """

    kind: str
    fields: Sequence[Any]
    objects: Sequence[bytes] = ()


def note(connection: Connection, kind: str, fields: Sequence[Any], objects: Sequence[bytes] = ()) -> None:
    """Have something become a leaf of the evidence log if, and only if, this transaction commits.

    Args:
        connection: an open write transaction of `relay.store`.
        kind: of the leaf, at most 16 characters.
        fields: numbers, bytes and texts; with kind, number and time they have at most 1,024 bytes as CBOR.
        objects: contents whose SHA-256 the fields name.

    Raises:
        BadInput: the leaf would be too large.
    """
    note_all(connection, [Note(kind, fields, objects)])


def note_all(connection: Connection, notes: Iterable[Note]) -> None:
    """Have several things become leaves, in this order; see `note`.

    Raises:
        BadInput: a leaf would be too large.
    """
    now = time.time()
    rows = [_row(item, now) for item in notes]
    if rows:
        connection.execute(insert(evidence_queue), rows)


def _row(item: Note, now: float) -> dict[str, Any]:
    fields = canonical(list(item.fields))
    if len(fields) > SURELY_SMALL or not 0 < len(item.kind) <= KIND_MAX:
        encode(item.kind, LARGEST, LARGEST, item.fields)  # so that the recorder never meets one that is too large
    return {
        "at": now,
        "kind": item.kind,
        "fields": fields,
        "objects": canonical([bytes(content) for content in item.objects]) if item.objects else None,
    }
