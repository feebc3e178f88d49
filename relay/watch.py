"""The watch: a thread for each ledger wakes its task when a block appears; a sweep every 2 s wakes what was forgotten.

The watch judges nothing and writes only its heartbeat. Lost tasks, a broker that forgot everything, and a worker killed in the
middle are all found by the sweep, because what is left to do follows from the database.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import structlog
from sqlalchemy import Row, or_, select

from adapters.protocol import AdapterError
from relay.backup.registered import keep_registry
from relay.context import Context, process_context
from relay.crash import crash_point
from relay.errors import HubError
from relay.logs import configure_logs
from relay.store import waits
from relay.store.lanes import WORKING
from relay.store.tables import chains, heartbeats, lanes, transactions
from relay.store.upsert import upsert
from relay.tasks import queue_depth, wake

log = structlog.get_logger()

SWEEP_S = 2.0
STALLED_LOOK_S = 5.0
QUEUE_LIMIT = 2_000
REGISTRY_S = 30.0
"""Officers change the registry by any wallet: so often the file that names it is compared."""


class ChainWatch(threading.Thread):
    """Polls one ledger's tip and wakes its task at every new block."""

    def __init__(self, row: Row[Any], interval_s: float) -> None:
        super().__init__(daemon=True, name=f"watch-{row.name}")
        self.row = row
        self.interval_s = interval_s
        self.stopped = threading.Event()

    def run(self) -> None:
        """Poll until stopped; an endpoint that does not answer is asked again, a little slower."""
        ledger = Context(process_context().home).ledger(self.row)
        seen, pause_s = -1, self.interval_s
        while not self.stopped.wait(pause_s):
            try:
                tip = ledger.tip()
            except AdapterError:
                pause_s = min(2.0, pause_s * 1.5)
                continue
            pause_s = self.interval_s
            if tip != seen:
                seen = tip
                crash_point("watch.before_wake")
                wake("chain", self.row.name)
                crash_point("watch.after_wake")
        ledger.close()


def sweep(context: Context) -> int:
    """Wake every chain and lane that has something to do; return how many."""
    now = time.time()
    with context.store.read() as connection:
        active = chains.c.state == "active"
        busy = select(transactions.c.chain).where(transactions.c.state.in_(("queued", "sent")))
        behind = or_(chains.c.client_height < chains.c.tip, chains.c.observed_height < chains.c.client_height)
        quiet = chains.c.tip_at < now - STALLED_LOOK_S
        names = [
            row.name
            for row in connection.execute(
                select(chains.c.name).where(active, or_(behind, quiet, chains.c.name.in_(busy)))
            )
        ]
        working = lanes.c.state.in_(WORKING)
        unfinished = or_(
            lanes.c.claimed < lanes.c.final,
            lanes.c.submitted < lanes.c.final,
            lanes.c.outcome_claimed < lanes.c.delivered,
            lanes.c.settle_submitted < lanes.c.delivered,
            lanes.c.settled < lanes.c.delivered,
            lanes.c.delivered < lanes.c.final,
        )
        ids = [row.lane_id.hex() for row in connection.execute(select(lanes.c.lane_id).where(working, unfinished))]
        for row in waits.due(connection, now):
            chain = str(row.id).partition("@")[2] if row.kind == "client" else str(row.id)
            (names if row.kind in ("chain", "client") else ids).append(chain)
    for name in dict.fromkeys(names):
        wake("chain", name)
    for lane in dict.fromkeys(ids):
        wake("lane", lane)
    return len(names) + len(ids)


def main() -> None:
    """Watch until SIGTERM."""
    configure_logs()
    context = process_context()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    threads: dict[tuple[str, str], ChainWatch] = {}
    kept_at = float("-inf")
    while True:
        with context.store.read() as connection:
            rows = connection.execute(select(chains).where(chains.c.state == "active")).all()
        wanted = {(row.name, repr(row.endpoints)): row for row in rows}
        for key in set(threads) - set(wanted):
            threads.pop(key).stopped.set()
        for key in set(wanted) - set(threads):
            threads[key] = ChainWatch(wanted[key], context.config.poll_interval_s)
            threads[key].start()
        if (
            queue_depth() < QUEUE_LIMIT
        ):  # without workers the queue must not grow for ever; the database forgets nothing
            sweep(context)
        with context.store.write() as connection:
            upsert(connection, heartbeats, {"process": "watch"}, {"pid": os.getpid(), "at": time.time()})
        if time.monotonic() - kept_at > REGISTRY_S:
            kept_at = time.monotonic()
            _keep_registry(context)
        if stopped.wait(SWEEP_S):
            return


def _keep_registry(context: Context) -> None:
    """Write registry.toml where it is no more what the database says; a full disk must stop no watch."""
    try:
        if keep_registry(context.home, context.store):
            log.info("registry_kept")
    except (OSError, HubError) as error:
        log.warning("registry_not_kept", error=str(error)[:300])


if __name__ == "__main__":
    main()
