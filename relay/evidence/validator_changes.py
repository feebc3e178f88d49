"""Headers with which new sets of validators begin: noted in the evidence log when they are accepted, and found there again.

Each becomes a leaf `registry` of `validators`, whose object holds the header and the set before it. Receipts carry those headers, so
that anchors of before a change lead to a header of after it; and newer anchors list the sets of all times. Source: docs/evidence.md,
section When validators change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cbor2
from sqlalchemy import Connection, Row

from light_clients.families import client_named
from relay.evidence.decisions import note_registry
from relay.evidence.leaves import REGISTRY, decode
from relay.evidence.log import EvidenceLog
from relay.evidence.objects import Objects
from relay.evidence.verify_headers import SEALED
from relay.home import Home
from relay.store.reader import Reader
from schemas.receipt import MOST_CHANGES

WHAT = "validators"


def note_validators(connection: Connection, row: Row[Any], state: Any, headers: Sequence[bytes]) -> None:
    """Note the headers of a look that list other validators than the header before them.

    Args:
        connection: of the transaction that keeps the look.
        row: the ledger as it was before.
        state: the light client's state after it.
        headers: that were accepted, in order.
    """
    if row.consensus not in SEALED or not any(
        row.client_height < item.first_height <= state.height for item in state.sets
    ):
        return
    before: Any = client_named(row.consensus).state_from_bytes(row.client_state)
    if before.configuration.selections:  # a contract selects them, or officers: no header lists anybody
        return
    members = before.set_at(row.client_height) or before.validators
    for encoded in headers:
        header = SEALED[row.consensus](encoded)
        if header.extra.validators and header.extra.validators != members:
            content = {"chain": bytes(row.chain_word), "height": header.height, "header": encoded}
            note_registry(connection, WHAT, row.name, content | {"before": [bytes(member) for member in members]})
            members = header.extra.validators


def changes_of(reader: Reader, home: Home, chain: bytes) -> list[dict[str, Any]]:
    """Every change that the log has of a ledger: height, header, and the members before it; ascending.

    Args:
        reader: a snapshot of the database.
        home: the hub's folder.
        chain: chain word.
    """
    rows = reader.rows(
        "SELECT leaf FROM evidence_leaves WHERE subject = :subject AND kind = :kind ORDER BY leaf",
        subject=WHAT.encode(),
        kind=REGISTRY,
    )
    if not rows:
        return []
    log, objects = EvidenceLog.open(home.evidence / "log", write=False), Objects(home.evidence / "objects")
    found = [
        cbor2.loads(objects.get(decode(log.record(row["leaf"])).named()["content"]))
        for row in rows
        if row["leaf"] < log.size
    ]
    mine = {item["height"]: item for item in found if item["chain"] == chain}
    return [mine[height] for height in sorted(mine)]


def changes_until(reader: Reader, home: Home, chain: bytes, height: int) -> tuple[bytes, ...]:
    """Headers of a ledger with which new sets began, up to a height; the newest where there are too many."""
    headers = [item["header"] for item in changes_of(reader, home, chain) if item["height"] <= height]
    return tuple(headers[-MOST_CHANGES:])
