"""Throughput and latency of the last hour, by lane and minute, counted from the milestones as they are written.

Each look reads only the milestones written since the last one, in the order of their ids; the first look finds the beginning of
the hour by bisection over the ids (they are in the order of their times). A message's latency goes from the time of the block
that sent it to the time at which the hub saw it delivered or settled in a final block. Of a batch of more than 9 messages, 9 at
equal distances stand for all. Percentiles come from a histogram with steps of 5 %.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relay.store.reader import Reader
from relay.views.since import first_since

HOUR_MIN = 60
MINUTE_S = 60
CHUNK = 500
SAMPLED = 9
STEP = 1.05
LEAST_S = 0.001
COUNTED = ("final", "delivered", "settled")
TIMED = ("delivered", "settled")
PERCENTILES = (50, 95)
EVERY_LANE = b""
"""The key under which all lanes are counted together."""

Histogram = dict[int, float]


@dataclass(slots=True)
class Minute:
    """What happened in a lane in one minute: messages by stage, and weights by step of latency."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    latencies: dict[str, Histogram] = field(default_factory=lambda: {stage: {} for stage in TIMED})


@dataclass(slots=True)
class LaneTally:
    """A lane's minutes, and the sum of them."""

    minutes: dict[int, Minute] = field(default_factory=dict)
    hour: Minute = field(default_factory=Minute)
    figures: dict[str, float | int | None] | None = None

    def count(self, minute: int, stage: str, messages: int) -> None:
        """Note that messages reached a stage."""
        self.figures = None
        for part in (self.minutes.setdefault(minute, Minute()), self.hour):
            part.counts[stage] += messages

    def timed(self, minute: int, stage: str, latency_s: float, weight: float) -> None:
        """Note how long some messages took to a stage."""
        self.figures = None
        step = round(math.log(max(latency_s, LEAST_S), STEP))
        for part in (self.minutes.setdefault(minute, Minute()), self.hour):
            part.latencies[stage][step] = part.latencies[stage].get(step, 0.0) + weight

    def forget_before(self, minute: int) -> bool:
        """Drop what is older; returns whether nothing is left."""
        for old in [number for number in self.minutes if number < minute]:
            gone = self.minutes.pop(old)
            self.figures = None
            for stage in COUNTED:
                self.hour.counts[stage] -= gone.counts[stage]
            for stage in TIMED:
                _subtract(self.hour.latencies[stage], gone.latencies[stage])
        return not self.minutes


class Tally:
    """The counts of the last hour. One thread at a time may use it."""

    def __init__(self) -> None:
        self.complete = False
        self._after: int | None = None
        self._reached: dict[tuple[bytes, str], int] = {}
        self._lanes: dict[bytes, LaneTally] = {}

    def advance(self, reader: Reader, now: float, budget_s: float = 0.1) -> None:
        """Read what was written since the last look, for so long; `complete` says whether that was all.

        Args:
            reader: a snapshot of the database.
            now: Unix seconds.
            budget_s: seconds after which no further chunk is read.
        """
        if self._after is None:
            self._after = first_since(reader, "milestones", "at", now - HOUR_MIN * MINUTE_S) - 1
        end_at, self.complete = time.monotonic() + budget_s, False
        while not self.complete and time.monotonic() < end_at:
            rows = reader.rows(
                "SELECT id, lane_id, stage, nonce, at FROM milestones WHERE id > :after ORDER BY id LIMIT :chunk",
                after=self._after,
                chunk=CHUNK,
            )
            for row in rows:
                if row["stage"] in COUNTED:
                    self._milestone(reader, row, now)
            self._after = rows[-1]["id"] if rows else self._after
            self.complete = len(rows) < CHUNK
        self._forget(now)

    def figures(self, lane_id: bytes = EVERY_LANE) -> dict[str, float | int | None]:
        """Messages delivered in the last hour, and the percentiles of their latencies in seconds."""
        lane = self._lanes.get(lane_id)
        if lane is None:
            return _NOTHING
        if lane.figures is None:
            lane.figures = {"delivered_in_hour": lane.hour.counts["delivered"], **_percentiles(lane.hour)}
        return lane.figures

    def series(self, now: float, lane_id: bytes = EVERY_LANE) -> dict[str, Any]:
        """The minutes of the last hour: their beginnings, counts and percentiles, each a list; null where nothing came."""
        last = int(now // MINUTE_S)
        numbers = range(last - HOUR_MIN + 1, last + 1)
        lane = self._lanes.get(lane_id, LaneTally())
        minutes = [lane.minutes.get(number) for number in numbers]
        told: dict[str, Any] = {"complete": self.complete, "minutes": [number * MINUTE_S for number in numbers]}
        for stage in COUNTED:
            told[stage] = [0 if minute is None else minute.counts[stage] for minute in minutes]
        for name in _NAMES:
            told[name] = [None if minute is None else _percentiles(minute)[name] for minute in minutes]
        return told

    def _milestone(self, reader: Reader, row: Mapping[str, Any], now: float) -> None:
        lane_id, stage, nonce, at = row["lane_id"], row["stage"], row["nonce"], row["at"]
        before = self._before(reader, lane_id, stage, nonce)
        if nonce <= before:
            return
        self._reached[lane_id, stage] = nonce
        minute = int(at // MINUTE_S)
        if not now // MINUTE_S - HOUR_MIN < minute <= now // MINUTE_S + 1:
            return  # written under another clock
        tallies = [self._lanes.setdefault(key, LaneTally()) for key in (lane_id, EVERY_LANE)]
        for tally in tallies:
            tally.count(minute, stage, nonce - before)
        if stage in TIMED:
            sent = _sent_at(reader, lane_id, before + 1, nonce)
            for tally in tallies:
                for sent_at in sent:
                    tally.timed(minute, stage, at - sent_at, (nonce - before) / len(sent))

    def _before(self, reader: Reader, lane_id: bytes, stage: str, nonce: int) -> int:
        """Up to which nonce the lane had reached the stage before."""
        known = self._reached.get((lane_id, stage))
        if known is not None:
            return known
        row = reader.row(
            "SELECT MAX(nonce) AS nonce FROM milestones WHERE lane_id = :lane AND stage = :stage AND nonce < :nonce",
            lane=lane_id,
            stage=stage,
            nonce=nonce,
        )
        return (row and row["nonce"]) or 0

    def _forget(self, now: float) -> None:
        oldest = int(now // MINUTE_S) - HOUR_MIN + 1
        for lane_id in [lane_id for lane_id, lane in self._lanes.items() if lane.forget_before(oldest)]:
            del self._lanes[lane_id]


def _sent_at(reader: Reader, lane_id: bytes, first: int, last: int) -> list[float]:
    """Block times of the messages of a batch, or of 9 of them at equal distances."""
    count = last - first + 1
    if count <= SAMPLED:
        chosen: Sequence[int] = range(first, last + 1)
    else:
        chosen = [first + index * (count - 1) // (SAMPLED - 1) for index in range(SAMPLED)]
    numbers = ",".join(str(int(nonce)) for nonce in chosen)
    rows = reader.rows(
        f"SELECT sent_at FROM messages WHERE lane_id = :lane AND nonce IN ({numbers})",  # noqa: S608 - integers only
        lane=lane_id,
    )
    return [row["sent_at"] for row in rows]


def _percentiles(minute: Minute) -> dict[str, float | None]:
    return {
        f"{stage}_p{share}": _percentile(minute.latencies[stage], share / 100)
        for stage in TIMED
        for share in PERCENTILES
    }


def _percentile(histogram: Histogram, share: float) -> float | None:
    """The latency in seconds below which this share of the weight lies."""
    wanted = sum(histogram.values()) * share
    for step in sorted(histogram):
        wanted -= histogram[step]
        if wanted <= 1e-9:
            return float(f"{STEP**step:.3g}")
    return None


def _subtract(histogram: Histogram, gone: Histogram) -> None:
    for step, weight in gone.items():
        left = histogram[step] - weight
        if left > 1e-6:
            histogram[step] = left
        else:
            del histogram[step]


_NAMES = tuple(_percentiles(Minute()))
_NOTHING: dict[str, float | int | None] = {"delivered_in_hour": 0, **_percentiles(Minute())}
