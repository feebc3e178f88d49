"""Message bodies that are larger than a lane carries: the body is a record, and the message has the record's id.

The record belongs to the organisation at the source, and the one at the destination may read it. Where nothing else is said, an
organisation is called as its ledger.
"""

from __future__ import annotations

from pathlib import Path

from relay.errors import BadInput
from relay.evidence.access_rules import AccessRule
from relay.evidence.record_sources import from_file
from relay.evidence.records import Records
from relay.registry.lanes import lane_row, lane_view, refresh
from relay.store import Store
from schemas.payloads import DocumentPayload, encode_payload
from schemas.primitives import Bytes32, LaneId

LARGEST_PAYLOAD = 1 << 20
"""Bytes of a file that may yet be a payload: no block holds more."""


def is_beyond_every_lane(file: str) -> bool:
    """Whether a file is so large that it is not even read as a payload.

    Raises:
        BadInput: it cannot be looked at.
    """
    try:
        return Path(file).stat().st_size > LARGEST_PAYLOAD
    except OSError as error:
        raise BadInput(f"The file {file} cannot be read: {error.strerror}.", "Check --file.") from None


def fitting(
    store: Store,
    records: Records,
    lane: tuple[str, str, str],
    file: str,
    payload: bytes | None,
    owner: str = "",
    readers: str = "",
) -> tuple[bytes, bytes | None]:
    """The payload that a file is sent as: itself where both ends of the lane take it, else the id of a record of it.

    Args:
        store: the hub's database.
        records: where the body is kept.
        lane: source, destination and channel.
        file: what is sent.
        payload: the file as a payload; None where it is beyond every lane.
        owner: the organisation at the source; empty = as its ledger is called.
        readers: who else may read; empty = the organisation that is called as the destination's ledger.

    Returns:
        The payload, and the record's id if one was kept.

    Raises:
        NotFound: there is no such lane.
        BadInput: the file cannot be read, or an organisation cannot be called so.
    """
    source, destination, _ = lane
    row = lane_row(store, *lane)
    state = refresh(store, row) if row.state == "opening" else row.state
    if state != "active":
        return payload or b"", None  # whoever sends it is told why it cannot be
    views = [lane_view(store, end, LaneId(row.lane_id)) for end in (source, destination)]
    if payload is not None and len(payload) <= min(view["caps"]["maxPayload"] for view in views):
        return payload, None
    rule = AccessRule.parse(owner or source, readers or destination)
    ((record,),) = records.put(from_file(file, ""), rule)
    return encode_payload(DocumentPayload(record=Bytes32(record.commitment))), record.commitment
