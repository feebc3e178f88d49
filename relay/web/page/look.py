"""One look at the hub for the page: the overview of its database, the tally, wallets' runways, evidence and processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from relay.home import Home
from relay.processes import is_running, recorded
from relay.store.reader import Reader
from relay.views.overview import Section, overview
from relay.views.times import DAY_S, HOUR_S
from relay.web.page.evidence import evidence_of
from relay.web.page.tally import Tally

SPENDING_EVERY_S = 60.0


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
            self.tally.advance(reader, now)
            self._read_spending(reader, now)
            for lane_id, lane in state["lanes"].items():
                lane.update(self.tally.figures(bytes.fromhex(lane_id)))
            for name, chain in state["chains"].items():
                spent = self._spent.get(name, 0.0)
                chain["runway_s"] = round(int(chain["balance"]) / spent * DAY_S, -3) if spent else None
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
        """What each wallet spends in a day, as `relay.views.status.spent_per_day` has it; read once a minute."""
        if 0 <= now - self._spent_at < SPENDING_EVERY_S:
            return
        rows = reader.rows(
            "SELECT chain, SUM(COALESCE(gas_used, gas) * CAST(fee AS DOUBLE PRECISION)) AS total, MIN(sent_at) AS since "
            "FROM transactions WHERE id >= :first AND state = 'mined' AND sent_at > :since GROUP BY chain",
            first=_first_created(reader, now - DAY_S),
            since=now - DAY_S,
        )
        self._spent = {
            row["chain"]: float(row["total"]) * DAY_S / max(now - float(row["since"]), HOUR_S)
            for row in rows
            if row["total"]
        }
        self._spent_at = now

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
            }
            for process in processes
        }
        if shown:
            running = is_running(self._home)
            shown["supervisor"] = {**shown.get("supervisor", {}), "ready": ready and running}
        return shown


def _first_created(reader: Reader, at: float) -> int:
    """The smallest id of a transaction written down at a time or later, by bisection over the ids."""
    ends = reader.row("SELECT MIN(id) AS low, MAX(id) AS high FROM transactions")
    if ends is None or ends["low"] is None:
        return 0
    low, high = ends["low"], ends["high"] + 1
    while low < high:
        middle = (low + high) // 2
        row = reader.row("SELECT id, created_at FROM transactions WHERE id >= :id ORDER BY id LIMIT 1", id=middle)
        if row is None or row["created_at"] >= at:
            high = middle
        else:
            low = row["id"] + 1
    return int(low)
