"""The number of the evidence log's last entry: a database that is behind the log must not give its numbers again."""

from __future__ import annotations

import cbor2

from relay.evidence.log import MAXIMUM_PENDING, EvidenceLog
from relay.home import Home

NUMBERS_SKIPPED = MAXIMUM_PENDING
"""Numbers that are left out after the last published entry: entries that wait for their checkpoint have some of them."""


def last_number(home: Home) -> int:
    """The number in the last published entry of a hub's log, or 0 where there is none.

    Raises:
        BadInput: the log is damaged.
    """
    folder = home.folder / "evidence" / "log"
    if not (folder / "checkpoint").exists():
        return 0
    log = EvidenceLog.open(folder, write=False)
    try:
        return int(cbor2.loads(log.record(log.size - 1))[1]) if log.size else 0
    finally:
        log.close()
