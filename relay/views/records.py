"""A record ready for JSON, the same for `relayhub evidence` and for the HTTP interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relay.views.tables import table
from relay.views.times import clock

if TYPE_CHECKING:
    from relay.evidence.record_rows import Record


def as_data(record: Record) -> dict[str, Any]:
    """What a reader is told of a record beside its content."""
    return {
        "id": "0x" + record.commitment.hex(),
        "number": record.number,
        "organisation": record.rule.owner,
        "readers": list(record.rule.readers),
        "name": record.name,
        "size": record.size,
        "at": record.at,
        "erased_at": record.erased_at,
    }


def record_rows(records: list[dict[str, Any]]) -> str:
    """The same as a table."""
    rows = [
        [
            str(item["number"]),
            item["id"][:14],
            item["organisation"],
            str(item["size"]),
            clock(item["at"]),
            "(erased)" if item["erased_at"] else item["name"],
        ]
        for item in records
    ]
    return table(["NUMBER", "RECORD", "ORGANISATION", "BYTES", "PUT", "NAME"], rows)
