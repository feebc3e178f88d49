"""The thread of the HTTP process that tells webhooks: one in the hub, by a lease."""

from __future__ import annotations

import threading
import time

import structlog

from relay import webhooks
from relay.context import Renewer
from relay.errors import LeaseLost
from relay.store import Lease, Store

log = structlog.get_logger("relay.web")

LOOK_S = 1.0


class Telling:
    """Tells webhooks until it is ended.

    Args:
        store: the hub's database.
        development: whether webhooks may be on loopback.
    """

    def __init__(self, store: Store, *, development: bool) -> None:
        self._store = store
        self._development = development
        self._ended = threading.Event()
        self._renewer = Renewer()
        self._thread = threading.Thread(target=self._run, daemon=True, name="webhooks")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End after the round in hand; whatever is not written down is told again."""
        self._ended.set()
        self._renewer.end()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            try:
                self._round()
            except LeaseLost:
                continue
            except Exception as error:  # noqa: BLE001 - the next round tries again; nothing is lost
                log.warning("webhooks_failed", error=type(error).__name__, text=str(error)[:300])

    def _round(self) -> None:
        """Take the lease and work while there is something to do; another process that has it works instead."""
        if not webhooks.any_active(self._store):
            return
        lease = Lease.take(self._store, "webhooks", "all")
        if lease is None:
            return
        try:
            with self._renewer.hold(lease):
                while not self._ended.is_set() and webhooks.once(
                    self._store, time.time(), development=self._development
                ):
                    lease.renew()
        finally:
            lease.release()
