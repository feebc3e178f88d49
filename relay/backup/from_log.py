"""What a database that is gone had of the evidence folder: where each leaf is, incidents, and the organisations' records.

The log is published first, so that entries which the recorder had appended stand under a checkpoint that contradicts none before it.
Everything here may be done again: a rebuild that was interrupted begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert

from relay.backup.database import skip_numbers
from relay.config import HubConfig
from relay.errors import HubError, NotFound
from relay.evidence import queue
from relay.evidence.access_rules import Caller
from relay.evidence.checkpoints import LOG_KEY
from relay.evidence.leaves import INCIDENT, Entry, decode
from relay.evidence.log import EvidenceLog
from relay.evidence.log_files import CHECKPOINT
from relay.evidence.objects import Objects
from relay.evidence.recorder import open_log
from relay.evidence.records import ERASURE, Records
from relay.home import Home
from relay.keys import KeyStore
from relay.store import Store
from relay.store.tables import evidence_leaves, incidents

LEAVES_AT_ONCE = 2_048
"""Leaves of one transaction: eight bundles of the log."""
LEAVES_TOLD = 50
"""Transactions from one line of progress to the next."""
MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class FromLog:
    """What came out of the evidence folder.

    Attributes:
        found: whether there is a log.
        leaves: how many leaves can be found again.
        last: the number of the last one; the database gives numbers above it.
        incidents, records: how many are known again.
        lost: objects of incidents that are not in the folder, as sentences.
    """

    found: bool
    leaves: int = 0
    last: int = 0
    incidents: int = 0
    records: int = 0
    lost: tuple[str, ...] = ()


def check_log(home: Home) -> None:
    """Refuse a log whose key is not there: a new key would sign what nobody trusts.

    Raises:
        NotFound: the key is missing.
    """
    if _exists(home) and not KeyStore(home.keys).exists(LOG_KEY):
        raise NotFound(
            f"The key {LOG_KEY} of the evidence log is not in {home.keys}.",
            "Put it back from a backup; whoever keeps checkpoints knows the log by it.",
        )


def learn_from_log(home: Home, config: HubConfig, store: Store, tell: Callable[[str], None]) -> FromLog:
    """Fill the tables that follow from the evidence folder.

    Args:
        home: the hub's folder.
        config: its configuration; its name is in the log's.
        store: a database in which nothing is registered.
        tell: called with one line about each step.

    Raises:
        BadInput: the log or a record's file is damaged.
        NotNow: another process writes the log.
    """
    records = Records(store, home.evidence)
    known_again = records.restore_rows() if (home.evidence / "private").is_dir() else 0
    if not _exists(home):
        return FromLog(found=False, records=known_again)
    log = open_log(home, config.name)
    try:
        log.publish(time.time())
        with store.write() as connection:
            connection.execute(delete(evidence_leaves))
            connection.execute(delete(incidents))
        read = _read(log, Objects(home.evidence / "objects"), store, tell)
        size = log.size
    finally:
        log.close()
    skip_numbers(store, read.last)
    erased = sum(_erase(records, commitment) for commitment in read.erasures)
    return FromLog(True, size, read.last, read.incidents, known_again - erased, tuple(read.lost))


@dataclass(slots=True)
class _Read:
    """What the leaves said."""

    incidents: int = 0
    last: int = 0
    erasures: list[bytes] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def _exists(home: Home) -> bool:
    return (home.evidence / "log" / CHECKPOINT).exists()


def _read(log: EvidenceLog, objects: Objects, store: Store, tell: Callable[[str], None]) -> _Read:
    """Write down where every leaf is, and the incidents among them."""
    read, size = _Read(), log.size
    for first in range(0, size, LEAVES_AT_ONCE):
        beyond = min(size, first + LEAVES_AT_ONCE)
        entries = [(index, decode(log.record(index))) for index in range(first, beyond)]
        found = [_incident(entry, objects, read.lost) for _, entry in entries if entry.kind == INCIDENT]
        with store.write() as connection:
            queue.place(connection, entries)
            if found:
                connection.execute(insert(incidents), found)
        read.incidents += len(found)
        read.last = entries[-1][1].number
        read.erasures += [entry.fields[0] for _, entry in entries if entry.kind == ERASURE]
        if beyond == size or (beyond // LEAVES_AT_ONCE) % LEAVES_TOLD == 0:
            tell(f"evidence log: {beyond} of {size} leaves")
    return read


def _erase(records: Records, commitment: bytes) -> bool:
    """Erase again what its owner had erased and a crash had left on the disk; returns whether there was such a thing."""
    try:
        record = records.find(commitment.hex())
    except NotFound:
        return False
    if record.erased_at is not None:
        return False
    records.erase(commitment.hex(), Caller(record.rule.owner))
    return True


def _incident(entry: Entry, objects: Objects, lost: list[str]) -> dict[str, Any]:
    said = entry.named()
    try:
        evidence = objects.get(said["evidence"])
    except HubError as error:
        evidence = b""
        lost.append(f"The evidence of the incident {said['name']} ({said['subject']}) is lost: {error.message}")
    return {
        "at": entry.at / MILLISECONDS,
        "name": said["name"],
        "subject": said["subject"],
        "text": said["text"],
        "evidence": evidence,
    }
