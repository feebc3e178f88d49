"""Turns with the workers of a running hub: what they alone write or send otherwise is left to one command for a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from relay.context import Renewer
from relay.errors import NotNow
from relay.store import Lease, Store

PATIENCE_S = 30.0
PAUSE_S = 0.1


@contextmanager
def turn_of_chain(store: Store, name: str) -> Iterator[Lease]:
    """Hold the right to work on a ledger: no worker writes its row or sends from its relayer's key meanwhile.

    Raises:
        NotNow: the ledger's worker does not pause.
    """
    lease = _take(store, name)
    renewer = Renewer()
    try:
        with renewer.hold(lease):
            yield lease
    finally:
        renewer.end()
        while not lease.release():
            pass  # a worker asked for it meanwhile, which is not told; it asks again


def _take(store: Store, name: str) -> Lease:
    until = time.monotonic() + PATIENCE_S
    while (lease := Lease.take(store, "chain", name)) is None:
        if time.monotonic() > until:
            raise NotNow(f"The worker of {name} does not pause.", "Try again, or stop the hub: relayhub down.")
        time.sleep(PAUSE_S)
    return lease
