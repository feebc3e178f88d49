"""A scrape reads by keys and indexes: no query looks through a table that grows with messages."""

import re

import pytest

from relay.metrics import exposition
from relay.store.reader import Reader
from relay.store.tables import (
    claims,
    evidence_queue,
    incidents,
    milestones,
    proofs,
    refusals,
    transactions,
)
from tests.bench.metrics import measure_metrics
from tests.support.filled_hub import LANE, NOW
from tests.support.told_metrics import Scraped, filled_hub

GROWING = ("messages", "outcomes", "milestones", "proofs", "claims", "attestations", "transactions", "evidence_queue")
GROWING += ("evidence_leaves", "refusals", "undelivered", "unsettled")


@pytest.fixture
def plans(monkeypatch):
    """What SQLite says of how it runs each query."""
    told = {}

    class Explaining(Reader):
        def rows(self, query, /, **parameters):
            if query not in told:
                told[query] = [row["detail"] for row in super().rows(f"EXPLAIN QUERY PLAN {query}", **parameters)]
            return super().rows(query, **parameters)

    monkeypatch.setattr(exposition, "Reader", Explaining)
    return told


def test_no_query_looks_through_a_table_that_grows(tmp_path, plans):
    hub = filled_hub(tmp_path)
    hub.chain("alpha", 1, wallet_at=NOW)
    hub.chain("beta", 2)
    hub.lane()
    scraped = Scraped(hub, NOW)
    scraped.ask()
    hub.message(1)
    hub.milestone("final", 1, NOW)
    hub.add(refusals, at=NOW, name="FalseHead", party="", subject="", text="")
    hub.add(incidents, at=NOW, name="misbehaviour", subject="", text="", evidence=b"")
    hub.add(evidence_queue, at=NOW, kind="claim", fields=b"")
    rows = {"chain": "alpha", "purpose": "deliver", "lane_id": LANE, "first": 1, "last": 1, "target": b"", "data": b""}
    hub.add(transactions, gas=1, state="queued", created_at=NOW, **rows)
    scraped.ask()
    with hub.store.write() as connection:
        connection.execute(transactions.update().values(state="mined"))
    scraped.ask()
    hub.store.close()
    assert len(plans) > 20
    details = [detail for found in plans.values() for detail in found]
    scan = re.compile("SCAN (" + "|".join(GROWING) + r")\b")
    scans = [detail for detail in details if scan.match(detail)]
    assert not scans
    assert any("SEARCH undelivered" in detail for detail in details)
    assert {table.name for table in (milestones, proofs, claims)} <= set(GROWING)


def test_the_figures_of_the_bench_are_there():
    figures = measure_metrics(lambda _: None, number=400, lanes=20)
    assert set(figures) == {
        "metrics_first_scrape_ms",
        "metrics_scrape_ms",
        "metrics_scrape_cpu_ms",
        "metrics_encoded_mb",
    }
    assert min(figures.values()) > 0
