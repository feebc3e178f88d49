"""The collector: one snapshot of the database and what the home folder says, as Prometheus reads it.

An answer is kept for a second, so that many askers cost as much as one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from relay.home import Home
from relay.metrics import families
from relay.metrics.families import Sample
from relay.metrics.lags import Lags
from relay.metrics.names import COUNTER, GAUGE, METRICS
from relay.metrics.snapshot import Snapshot, take
from relay.metrics.tallies import KNOWN_REFUSALS, Named, Transactions
from relay.processes import recorded
from relay.store.reader import Reader

KEPT_S = 1.0


class Exposition:
    """What `GET /metrics` answers, for one hub.

    Args:
        database: SQLAlchemy URL of the hub's database.
        hub: the hub's name.
        development: whether it is a development hub.
        home: the hub's folder, for its processes and its evidence log; None where this process has none.
        clock: Unix seconds.
    """

    def __init__(
        self,
        database: str,
        hub: str,
        *,
        development: bool,
        home: Home | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._home = home
        self._clock = clock
        self._build = (hub, version("relayhub"), "sqlite" if database.startswith("sqlite") else "postgresql")
        self._mode = "development" if development else "production"
        self._lags = Lags()
        self._refusals = Named("refusals", KNOWN_REFUSALS)
        self._incidents = Named("incidents", from_beginning=True)
        self._transactions = Transactions()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Collected(self))
        self._lock = threading.Lock()
        self._made_at = float("-inf")
        self._text = b""

    def text(self) -> bytes:
        """The metrics in Prometheus' text format, at most a second old.

        Raises:
            NotFound: there is no database yet.
            BadInput: the database cannot be read.
        """
        with self._lock:
            if time.monotonic() - self._made_at >= KEPT_S:
                self._text = generate_latest(self._registry)
                self._made_at = time.monotonic()
            return self._text

    def collect(self) -> Iterator[Metric]:
        """Read everything and make the metric families, in the order of relay.metrics.names."""
        begun = time.perf_counter()
        with Reader(self._database) as reader:
            snapshot = take(reader, self._clock())
            self._lags.update(reader, snapshot.lanes)
            self._refusals.update(reader)
            self._incidents.update(reader)
            self._transactions.update(reader, [row["name"] for row in snapshot.chains])
        found: dict[str, list[tuple[tuple[str, ...], float]]] = {metric.name: [] for metric in METRICS}
        found["relayhub_read_seconds"].append(((), time.perf_counter() - begun))
        for name, labels, value in self._samples(snapshot):
            found[name].append((labels, float(value)))
        for metric in METRICS:
            if metric.kind == COUNTER:
                counter = CounterMetricFamily(metric.name.removesuffix("_total"), metric.text, labels=metric.labels)
                for labels, value in found[metric.name]:
                    counter.add_metric(labels, value)
                yield counter
            elif metric.kind == GAUGE:
                gauge = GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
                for labels, value in found[metric.name]:
                    gauge.add_metric(labels, value)
                yield gauge
            else:
                yield self._histogram(metric.name, metric.text, metric.labels)

    def _samples(self, snapshot: Snapshot) -> Iterator[Sample]:
        yield "relayhub_build_info", (*self._build, snapshot.tables, self._mode), 1
        yield from families.lanes(snapshot)
        yield from families.ledgers(snapshot, self._transactions.spending)
        yield from families.contract_clients(snapshot)
        yield from families.operators(snapshot)
        yield from families.waiting(snapshot)
        yield from families.evidence(snapshot)
        yield from self._tallied()
        for row in snapshot.heartbeats:
            yield "relayhub_heartbeat_age_seconds", (row["process"],), max(snapshot.now - row["at"], 0)
        if self._home is not None:
            yield from processes(self._home)
            yield from log_size(self._home.folder / "evidence" / "log" / "checkpoint", snapshot.now)

    def _tallied(self) -> Iterator[Sample]:
        for name, count in self._refusals.counts.items():
            yield "relayhub_refusals_total", (name,), count
        for name, count in self._incidents.counts.items():
            yield "relayhub_incidents_total", (name,), count
        for open_labels, count in self._transactions.open.items():
            yield "relayhub_transactions_open", open_labels, count
        for ended_labels, count in self._transactions.ended.items():
            yield "relayhub_transactions_total", ended_labels, count
        for spent_labels, gas in self._transactions.gas.items():
            yield "relayhub_gas_total", spent_labels, gas
        for spent_labels, fees in self._transactions.fees.items():
            yield "relayhub_fees_base_units_total", spent_labels, fees

    def _histogram(self, name: str, text: str, labels: Iterable[str]) -> HistogramMetricFamily:
        family = HistogramMetricFamily(name, text, labels=list(labels))
        if name == "relayhub_stage_seconds":
            for (ledger, stage), histogram in sorted(self._lags.stages.items()):
                family.add_metric([ledger, stage], histogram.cumulative(), histogram.total_s)
        else:
            for ledger, histogram in sorted(self._lags.deliveries.items()):
                family.add_metric([ledger], histogram.cumulative(), histogram.total_s)
        return family


class _Collected(Collector):
    """Asks for everything at each scrape."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def collect(self) -> Iterator[Metric]:
        return self._exposition.collect()


def processes(home: Home) -> Iterator[Sample]:
    """Which of the supervisor's processes live, and how often they were started again."""
    ready, known = recorded(home)
    yield "relayhub_ready", (), ready and any(process.role == "supervisor" and process.alive for process in known)
    for process in known:
        yield "relayhub_process_up", (process.role,), process.alive
        yield "relayhub_process_restarts_total", (process.role,), process.restarts


def log_size(checkpoint: Path, now: float) -> Iterator[Sample]:
    """Size and age of the evidence log by its newest checkpoint (C2SP tlog-checkpoint: the size stands in the second line)."""
    try:
        lines = checkpoint.read_text(encoding="utf-8").splitlines()
        published_at = checkpoint.stat().st_mtime
        size = int(lines[1])
    except (OSError, ValueError, IndexError):
        return
    yield "relayhub_evidence_log_leaves", (), size
    yield "relayhub_evidence_checkpoint_age_seconds", (), max(now - published_at, 0)
