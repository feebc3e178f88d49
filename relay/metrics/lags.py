"""How long each stage takes, as histograms: counted a batch at a time from the milestones that were added since the last look.

A milestone says that a stage was reached up to a nonce. The messages between the milestone before and this one are matched
with the runs in which they reached the stage before; each message counts once. What was on its way when this process began is
not counted for its next stage, since its times were not seen; `relayhub trace` has them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from relay.journey import COUNTERS, Stage
from relay.store.reader import Reader

BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0)
MILESTONES_AT_ONCE = 20_000
TOO_FAR_BEHIND = 50_000
"""So many milestones are not caught up with: the process was not asked for long, and counts from now on."""
MESSAGES_AT_ONCE = 20_000
RUNS_KEPT = 10_000
STAGES = tuple(str(stage) for stage in Stage)
SENT = "sent"
AT_SOURCE = {
    str(stage) for stage in (Stage.FINAL, Stage.CLAIMED, Stage.OUTCOME_ATTESTED, Stage.SETTLE_SUBMITTED, Stage.SETTLED)
}
"""Stages that depend on the source; the others depend on the destination."""


@dataclass(slots=True)
class Histogram:
    """Counts by bucket, the last one above all of them, and the sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float, messages: int) -> None:
        """Count some messages that took so long; clocks that differ make no negative time."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(BUCKETS_S, seconds)] += messages
        self.total_s += seconds * messages

    def cumulative(self) -> list[tuple[str, float]]:
        """Buckets as Prometheus wants them: (upper bound, messages up to it)."""
        found, so_far = [], 0
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self.counts, strict=True):
            so_far += count
            found.append((bound, float(so_far)))
        return found


@dataclass(slots=True)
class Run:
    """Messages first … last that reached a stage together, at `at` (Unix seconds)."""

    first: int
    last: int
    at: float


@dataclass(slots=True)
class LaneLags:
    """What is remembered of a lane: how far each stage has come, and runs that the next stage has not met yet."""

    source: str
    destination: str
    reached: dict[str, int]
    runs: dict[str, deque[Run]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=RUNS_KEPT)))


class Lags:
    """Histograms by (ledger, stage), and from sending to delivery by destination."""

    def __init__(self) -> None:
        self.stages: dict[tuple[str, str], Histogram] = defaultdict(Histogram)
        self.deliveries: dict[str, Histogram] = defaultdict(Histogram)
        self._lanes: dict[bytes, LaneLags] = {}
        self._cursor: int | None = None

    def update(self, reader: Reader, lanes: Iterable[dict[str, Any]]) -> None:
        """Count what was added since the last call; the first one only remembers where it is.

        Args:
            reader: the open database.
            lanes: rows of the lanes, of the same snapshot.
        """
        newest = (reader.row("SELECT MAX(id) AS id FROM milestones") or {"id": 0})["id"] or 0
        first_look = self._cursor is None or newest - self._cursor > TOO_FAR_BEHIND
        if first_look:
            self._cursor = newest
            self._lanes.clear()
        for row in lanes:
            if row["lane_id"] not in self._lanes:
                reached = {str(stage): row[name] if first_look else 0 for stage, name in COUNTERS.items()}
                self._lanes[row["lane_id"]] = LaneLags(row["source"], row["destination"], reached)
        if first_look:
            return
        budget = MESSAGES_AT_ONCE
        for row in reader.rows(
            "SELECT id, lane_id, stage, nonce, at FROM milestones WHERE id > :cursor ORDER BY id LIMIT :most",
            cursor=self._cursor,
            most=MILESTONES_AT_ONCE,
        ):
            self._cursor = row["id"]
            lane = self._lanes.get(row["lane_id"])
            if lane is not None and row["stage"] in lane.reached and row["nonce"] > lane.reached[row["stage"]]:
                budget -= self._reach(reader, lane, row, budget)

    def _reach(self, reader: Reader, lane: LaneLags, row: dict[str, Any], budget: int) -> int:
        """Count one milestone; returns how many messages had to be read."""
        stage, last, at = row["stage"], row["nonce"], row["at"]
        run = Run(lane.reached[stage] + 1, last, at)
        lane.reached[stage] = last
        ledger = lane.source if stage in AT_SOURCE else lane.destination
        histogram, read = self.stages[ledger, stage], 0
        if stage == Stage.FINAL:
            for sent in _sent(reader, row["lane_id"], run, budget):
                lane.runs[SENT].append(sent)
                histogram.add(at - sent.at, sent.last - sent.first + 1)
            read = last - run.first + 1
        else:
            for before, messages in _met(_before(lane, stage, run), run):
                histogram.add(at - before.at, messages)
        if stage == Stage.DELIVERED:
            for before, messages in _met(lane.runs[SENT], run):
                self.deliveries[lane.destination].add(at - before.at, messages)
        if stage != Stage.SETTLED:
            lane.runs[stage].append(run)
        return min(read, budget)


def _before(lane: LaneLags, stage: str, run: Run) -> deque[Run]:
    """Runs of the nearest earlier stage that this lane has and that knows these messages."""
    for earlier in reversed(STAGES[: STAGES.index(stage)]):
        runs = lane.runs[earlier]
        while runs and runs[0].last < run.first:
            runs.popleft()
        if runs and runs[0].first <= run.last:
            return runs
    return deque()


def _met(runs: deque[Run], run: Run) -> Iterator[tuple[Run, int]]:
    """Take from runs what this run met: each earlier run with how many messages of it."""
    while runs and runs[0].first <= run.last:
        earlier = runs[0]
        messages = min(earlier.last, run.last) - max(earlier.first, run.first) + 1
        if messages > 0:
            yield earlier, messages
        if earlier.last > run.last:
            earlier.first = run.last + 1
            return
        runs.popleft()


def _sent(reader: Reader, lane_id: bytes, run: Run, budget: int) -> list[Run]:
    """When these messages were sent, by block; where they are more than may be read, the first stands for all."""
    if run.last - run.first + 1 > budget:
        row = reader.row(
            "SELECT sent_at FROM messages WHERE lane_id = :lane AND nonce = :nonce", lane=lane_id, nonce=run.first
        )
        return [Run(run.first, run.last, row["sent_at"])] if row else []
    rows = reader.rows(
        "SELECT nonce, sent_at FROM messages WHERE lane_id = :lane AND nonce >= :first AND nonce <= :last ORDER BY nonce",
        lane=lane_id,
        first=run.first,
        last=run.last,
    )
    return [
        Run(block[0], block[-1], at)
        for at, found in groupby(rows, itemgetter("sent_at"))
        for block in [[row["nonce"] for row in found]]
    ]
