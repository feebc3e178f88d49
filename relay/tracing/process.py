"""The process `python -m relay.tracing`: tells a collector of messages that were settled, and remembers how far it came.

The place is kept in the table `settings`, written after the collector took a portion. A kill between the two tells that portion
again, with the same ids; nothing is left out. While the collector is away the place stays, and nothing grows but the time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from sqlalchemy import select

from relay.errors import HubError
from relay.home import Home
from relay.logs import configure_logs
from relay.store import Store
from relay.store.reader import Reader
from relay.store.tables import settings
from relay.store.upsert import upsert
from relay.tracing.journeys import Place, Span, newest, portion

log = structlog.get_logger()

LOOK_S = 2.0
LONGEST_PAUSE_S = 60.0
PLACE = "tracing_place"


class Teller(Protocol):
    """Who takes spans."""

    def tell(self, spans: list[Span]) -> bool:
        """Send them; whether they were taken."""
        ...


class Tracer:
    """Tells what was settled, from the place that the database remembers.

    Args:
        store: the hub's database.
        teller: who takes the spans.
        ratio: the share of messages that are told.
    """

    def __init__(self, store: Store, teller: Teller, ratio: float) -> None:
        self._store = store
        self._teller = teller
        self._ratio = ratio

    def turn(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Tell what there is now, portion by portion; False where the collector did not take one.

        Args:
            stopped: whether to leave after the portion at hand.
        """
        while not stopped():
            with Reader(self._store.url) as reader:  # closed before the collector is asked: it may be slow
                place = self._place()
                if place is None:
                    self._remember(newest(reader))
                    return True
                found = portion(reader, place, self._ratio)
            if found is None:
                return True
            spans, next_place = found
            if not self._teller.tell(spans):
                return False
            self._remember(next_place)
        return True

    def _place(self) -> Place | None:
        with self._store.read() as connection:
            value: Any = connection.execute(
                select(settings.c.value).where(settings.c.name == PLACE)
            ).scalar_one_or_none()
        return None if value is None else Place(int(value["milestone"]), int(value["nonce"]))

    def _remember(self, place: Place) -> None:
        value = {"milestone": place.milestone, "nonce": place.nonce}
        with self._store.write() as connection:
            upsert(connection, settings, {"name": PLACE}, {"value": value})


def run(home: Home) -> None:
    """Tell until SIGTERM.

    Raises:
        BadInput: the configuration cannot be used.
        NotFound: there is no hub in the folder.
    """
    from relay.tracing.exporter import Exporter

    config = home.load()
    exporter = Exporter(config.tracing.endpoint, config.name)
    store = Store(home.database_url(config))
    tracer = Tracer(store, exporter, config.tracing.ratio)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    pause_s = LOOK_S
    log.info("tracing", ratio=config.tracing.ratio, pid=os.getpid())
    while not stopped.wait(pause_s):
        begun = time.monotonic()
        try:
            taken = tracer.turn(stopped.is_set)
        except HubError as error:
            log.warning("tracing_waits", error=str(error))
            taken = False
        if not taken:
            log.warning("collector_waits", seconds=round(time.monotonic() - begun, 1))
        pause_s = LOOK_S if taken else min(pause_s * 2, LONGEST_PAUSE_S)
    exporter.close()
    store.close()


def main() -> int:
    """Run the process; returns its exit code."""
    import sys

    configure_logs()
    try:
        run(Home.locate())
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
