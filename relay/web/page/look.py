"""One look at the hub for the page: the overview of its database, the tally, wallets' runways, evidence and processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from relay.home import Home
from relay.processes import is_running, recorded
from relay.store.reader import Reader
from relay.views.alarms import hub_alarms, runway
from relay.views.overview import Section, overview
from relay.views.spending import spent_per_day
from relay.web.page.evidence import evidence_of
from relay.web.page.tally import Tally

SPENDING_EVERY_S = 60.0
TALLY_S = 0.05
"""Seconds of each look in which what is left of the last hour is read."""


class Look:
    """Reads the page's state; keeps the tally and what need not be read every second. Thread-safe.

    Args:
        url: of the hub's database.
        hub: the hub's name.
        home: the hub's folder, if there is one.
        development: whether this is a development hub.
        clock: Unix seconds.
    """

    def __init__(
        self, url: str, hub: str, home: Home | None, *, development: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self.tally = Tally()
        self._url, self._hub, self._home, self._development, self._clock = url, hub, home, development, clock
        self._spent: dict[str, float] = {}
        self._spent_at = 0.0
        self._lock = threading.Lock()

    def state(self) -> dict[str, Section]:
        """The state, in sections of items (relay.web.page.deltas)."""
        now = self._clock()
        with self._lock, Reader(self._url) as reader:
            state = overview(reader, now)
            self.tally.advance(reader, now, TALLY_S)
            self._read_spending(reader, now)
            for lane_id, lane in state["lanes"].items():
                lane.update(self.tally.figures(bytes.fromhex(lane_id)))
            for name, chain in state["chains"].items():
                lasts_s = runway(int(chain["balance"]), self._spent.get(name, 0.0))
                chain["runway_s"] = None if lasts_s is None else round(lasts_s, -3)
            alarms = hub_alarms(reader, self._home, now, self._spent)
            state["alarms"] = {alarm.key: alarm.for_page() for alarm in alarms}
            state["evidence"] = {"log": evidence_of(reader, self._home, state["chains"])}
            every = self.tally.figures() | {"complete": self.tally.complete}
        state["hub"] = {"hub": {"name": self._hub, "development": self._development, **every}}
        state["processes"] = self._processes()
        return state

    def series(self, lane_id: bytes) -> dict[str, Any]:
        """The minutes of the last hour of a lane, or of all lanes together (an empty id)."""
        now = self._clock()
        with self._lock, Reader(self._url) as reader:
            self.tally.advance(reader, now)
            return self.tally.series(now, lane_id)

    def _read_spending(self, reader: Reader, now: float) -> None:
        """What each wallet spends in a day; read once a minute, and at once where the clock went back."""
        if not 0 <= now - self._spent_at < SPENDING_EVERY_S:
            self._spent, self._spent_at = spent_per_day(reader, now), now

    def _processes(self) -> Section:
        if self._home is None:
            return {}
        ready, processes = recorded(self._home)
        shown: Section = {
            process.role: {
                "role": process.role,
                "alive": process.alive,
                "restarts": process.restarts,
                "started": process.started,
                "note": process.note,
                "failing": process.failing,
            }
            for process in processes
        }
        if shown:
            running = is_running(self._home)
            shown["supervisor"] = {**shown.get("supervisor", {}), "ready": ready and running}
        return shown
