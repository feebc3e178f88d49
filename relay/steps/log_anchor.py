"""Beside the steps, for one ledger: note at its gateway how long the hub's evidence log is, and its root, on a schedule.

A log that is noted on a ledger can be given no other past afterwards without everybody seeing it. What is noted is the newest
published checkpoint; the transaction goes the way of every other one (`relay.submitter`), behind those that carry messages, and
no message ever waits for it. All that is remembered are the transactions themselves, and the ledger is asked what stands
there before another one is written down, so a hub that lost its database goes on where the ledger is.

Source: docs/protocol.md, section Evidence; docs/adr/0015-an-evidence-log-is-anchored-in-the-gateway.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import cbor2
import structlog
from sqlalchemy import Connection, Row, delete, insert, select

from adapters.protocol import AdapterError, Ledger
from light_clients.proofs.notes import Checkpoint, NoteMalformed, read_checkpoint, split_note
from relay.context import Context
from relay.errors import HubError, NotNow
from relay.evidence.decisions import note_incident
from relay.evidence.leaves import canonical
from relay.evidence.log import EvidenceLog
from relay.registry.gateways import Contract
from relay.store import Lease
from relay.store.tables import incidents, transactions

log = structlog.get_logger()

PURPOSE = "log"
CONTRADICTION = "log_contradicts_anchor"
"""Name of the incident (relay/reasons.toml)."""
NO_LANE = b""
GAS = 150_000
LOOK_S = 5.0
"""Seconds between two looks at one ledger's schedule."""
KEPT_S = 86_400.0
"""Seconds for which transactions stay written down after a later one was mined."""
ON_ITS_WAY = ("queued", "sent")


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest transactions of this purpose on a ledger: the last one written down, and the last one mined."""

    written: Row[Any] | None
    mined: Row[Any] | None


def anchor_log(context: Context, lease: Lease, row: Row[Any], ledger: Ledger) -> None:
    """Queue a note of the newest checkpoint at a ledger's gateway, where its time has come and it says something new.

    Args:
        context: this process's view of the hub.
        lease: the ledger's.
        row: the ledger.
        ledger: the same, opened.
    """
    interval_s = context.config.anchor_interval_s
    if not interval_s or time.monotonic() < context.log_looks.get(row.name, 0.0):
        return
    context.log_looks[row.name] = time.monotonic() + min(LOOK_S, interval_s)
    checkpoint = _published(context)
    if checkpoint is None or not checkpoint.size:
        return
    with context.store.read() as connection:
        newest = _newest(connection, row.name)
    if not _is_due(newest, checkpoint, interval_s):
        return
    try:
        size, root = Contract(ledger, "Gateway", bytes(row.gateway)).ask("loggedAnchor", row.account)
    except (AdapterError, NotNow, ValueError) as error:  # also a gateway that was deployed before there were notes
        context.log_looks[row.name] = time.monotonic() + interval_s
        log.info("log_not_anchored", chain=row.name, error=str(error)[:200])
        return
    if _contradicts(context, checkpoint, size, bytes(root)):
        context.log_looks[row.name] = time.monotonic() + interval_s
        _accuse(lease, row, checkpoint, size, bytes(root))
    elif size < checkpoint.size:
        _queue(lease, row, ledger, checkpoint)


def _contradicts(context: Context, checkpoint: Checkpoint, size: int, root: bytes) -> bool:
    """Whether a note is not of this log: of more leaves than it has, or of as many with another root."""
    if size >= checkpoint.size:
        return size > checkpoint.size or root != checkpoint.root
    if not size:
        return False
    try:
        return EvidenceLog.open(context.home.evidence / "log", write=False).root(size) != root
    except HubError as error:
        log.warning("log_unreadable", error=str(error)[:200])
        return False


def _accuse(lease: Lease, row: Row[Any], checkpoint: Checkpoint, size: int, root: bytes) -> None:
    """A ledger's note and the log contradict each other: an incident, once for each note, with what both say."""
    text = (
        f"The evidence log has {checkpoint.size} leaves, and its root there is 0x{checkpoint.root.hex()}; on {row.name} the hub's "
        f"account noted {size} leaves with root 0x{root.hex()}. One of the two is not this log, or the log was put back."
    )
    mine = (incidents.c.name == CONTRADICTION, incidents.c.subject == f"chain {row.name}")
    evidence = canonical([checkpoint.origin, checkpoint.size, checkpoint.root, bytes(row.chain_word), size, root])
    with lease.write() as connection:
        told = connection.execute(select(incidents.c.evidence).where(*mine)).scalars()
        if any(cbor2.loads(item)[-2:] == [size, root] for item in told):
            return
        connection.execute(
            insert(incidents).values(
                at=time.time(), name=CONTRADICTION, subject=f"chain {row.name}", text=text, evidence=evidence
            )
        )
        note_incident(connection, CONTRADICTION, f"chain {row.name}", text, evidence)
    log.error(CONTRADICTION, chain=row.name, size=checkpoint.size, anchored_size=size)


def _published(context: Context) -> Checkpoint | None:
    """The newest checkpoint that the hub published; None where there is none that can be read."""
    try:
        text, _ = split_note((context.home.evidence / "log" / "checkpoint").read_bytes())
        return read_checkpoint(text)
    except FileNotFoundError:
        return None
    except (OSError, NoteMalformed) as error:
        log.warning("checkpoint_unreadable", error=str(error)[:200])
        return None


def _newest(connection: Connection, chain: str) -> _Newest:
    mine = (transactions.c.lane_id == NO_LANE, transactions.c.purpose == PURPOSE, transactions.c.chain == chain)
    newest = select(transactions).where(*mine).order_by(transactions.c.id.desc()).limit(1)
    return _Newest(
        connection.execute(newest).one_or_none(),
        connection.execute(newest.where(transactions.c.state == "mined")).one_or_none(),
    )


def _is_due(newest: _Newest, checkpoint: Checkpoint, interval_s: float) -> bool:
    """Whether nothing is on its way, the interval is over (or the clock went back), and the log has grown."""
    if newest.written is not None:
        rests = 0 <= time.time() - newest.written.created_at < interval_s
        if rests or newest.written.state in ON_ITS_WAY:
            return False
    return newest.mined is None or newest.mined.last < checkpoint.size


def _queue(lease: Lease, row: Row[Any], ledger: Ledger, checkpoint: Checkpoint) -> None:
    """Write a note down, and forget the notes of before yesterday that later ones follow."""
    gateway = Contract(ledger, "Gateway", bytes(row.gateway))
    mine = (transactions.c.lane_id == NO_LANE, transactions.c.purpose == PURPOSE, transactions.c.chain == row.name)
    with lease.write() as connection:
        newest = _newest(connection, row.name)
        if newest.mined is not None:
            old = transactions.c.created_at < time.time() - KEPT_S
            past = transactions.c.state.not_in(ON_ITS_WAY)
            connection.execute(delete(transactions).where(*mine, past, old, transactions.c.id < newest.mined.id))
        connection.execute(
            insert(transactions).values(
                chain=row.name,
                purpose=PURPOSE,
                lane_id=NO_LANE,
                first=0,
                last=checkpoint.size,
                target=gateway.address,
                data=gateway.interface.encode("anchorLog", checkpoint.size, checkpoint.root),
                gas=GAS,
                state="queued",
                earlier=[],
                created_at=time.time(),
            )
        )
    log.info("anchoring_log", chain=row.name, size=checkpoint.size)
