"""What a process of the hub works with: the home folder, configuration, database, opened ledgers, keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Self

import structlog
from sqlalchemy import Row, select

from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint
from adapters.registry import open_ledger
from relay.clients import adapter_options
from relay.errors import LeaseLost, NotFound
from relay.home import Home
from relay.keys import KeyStore
from relay.store import Lease, Store
from relay.store.tables import chains

REQUEST_TIMEOUT_S = 5.0
"""Seconds that a worker waits for one answer of a ledger: what it waits for here, other ledgers wait for as well."""

log = structlog.get_logger()


class Context:
    """One process's view of the hub.

    Args:
        home: the hub's folder.
        clock: Unix seconds; light clients hold headers against it.
    """

    def __init__(self, home: Home, clock: Callable[[], float] = time.time) -> None:
        self.home = home
        self.clock = clock
        self.config = home.load()
        self.store = Store(home.database_url(self.config))
        self.keys = KeyStore(home.keys)
        self._ledgers: dict[str, tuple[str, GuardedLedger]] = {}
        self.log_looks: dict[str, float] = {}  # by ledger: when the evidence log is looked after there (monotonic)
        self._renewer = Renewer()

    def chain(self, name: str) -> Row[Any]:
        """Return a chain's row.

        Raises:
            NotFound: there is no such chain.
        """
        with self.store.read() as connection:
            row = connection.execute(select(chains).where(chains.c.name == name)).one_or_none()
        if row is None:
            raise NotFound(f"There is no chain named {name!r}.", "`relayhub chain list` shows them.")
        return row

    def ledger(self, row: Row[Any]) -> GuardedLedger:
        """Return the opened ledger of a chain's row, opening it again when its endpoints or its consensus were changed."""
        told = adapter_options(row, self.config)
        signature = f"{row.adapter} {row.endpoints!r} {told}"
        known = self._ledgers.get(row.name)
        if known is not None and known[0] == signature:
            return known[1]
        if known is not None:
            known[1].close()
        options = AdapterOptions(
            endpoints=tuple(Endpoint(item["url"], item.get("operator", "")) for item in row.endpoints),
            expected_chain=row.chain_id,
            expected_first_block=row.first_block,
            timeout_s=REQUEST_TIMEOUT_S,
            extra=told,
        )
        ledger = open_ledger(row.adapter, options)
        self._ledgers[row.name] = (signature, ledger)
        return ledger

    def holding(self, lease: Lease) -> Renewer:
        """Renew a lease each second while the `with` block runs."""
        return self._renewer.hold(lease)

    def close(self) -> None:
        """Release the database, the ledgers' connections and the renewing thread."""
        self._renewer.end()
        for _, ledger in self._ledgers.values():
            ledger.close()
        self._ledgers.clear()
        self.store.close()


class Renewer:
    """A thread that renews the lease in hand once a second, so that one slow answer of a ledger does not lose it."""

    def __init__(self) -> None:
        self._lease: Lease | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def hold(self, lease: Lease) -> Renewer:
        """Name the lease that the coming `with` block holds."""
        with self._lock:
            self._lease = lease
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="lease-renewer")
                self._thread.start()
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._lease = None

    def end(self) -> None:
        """Let the thread end."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            with self._lock:
                lease = self._lease
            if lease is None:
                continue
            try:
                lease.renew()
            except LeaseLost:
                continue
            except Exception as error:  # noqa: BLE001 - a failed renewal costs the lease, never the worker
                log.warning("lease_renewal_failed", kind=lease.kind, id=lease.id, error=type(error).__name__)


@lru_cache(maxsize=1)
def process_context() -> Context:
    """The context of this process, from RELAYHUB_HOME."""
    return Context(Home.locate())
