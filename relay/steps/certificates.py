"""Keep what a worker sees of the certificates of a ledger, for the status and its alarms 30 days ahead."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Row, update

from adapters.protocol import Ledger
from relay.certificate_watch import CertificateWatch
from relay.store import Lease
from relay.store.tables import chains

_WATCH = CertificateWatch("relay.certificates")
"""Of this process."""


def note_certificates(lease: Lease, row: Row[Any], ledger: Ledger, watch: CertificateWatch = _WATCH) -> None:
    """Look at a ledger's certificates when it is time, and write down what changed.

    Args:
        lease: the ledger's.
        row: the ledger.
        ledger: the same, opened.
        watch: who looks.
    """
    found = watch.look(row.name, ledger, time.time())
    if found is None or found == (row.certificates or []):
        return
    with lease.write() as connection:
        connection.execute(update(chains).where(chains.c.name == row.name).values(certificates=found))
