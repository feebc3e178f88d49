"""A scrape of `/metrics` over a large database: 1,000 lanes and a million messages, with the milestones of ten seconds between two."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert

from relay.metrics.exposition import KEPT_S, Exposition
from relay.store.tables import claims, milestones, transactions
from tests.bench.page import LANES, MESSAGES, STAGES, fill, lane_id
from tests.support.filled_hub import FilledHub

SCRAPES = 5
NEW_BATCHES = 100
"""Batches that came between two scrapes: a thousand messages a second for ten seconds."""
CALLDATA_BYTES = 8_000


def measure_metrics(say: Callable[[str], None], *, number: int = MESSAGES, lanes: int = LANES) -> dict[str, float]:
    """Fill a database and scrape it; milliseconds, and the size of an answer."""
    with tempfile.TemporaryDirectory(prefix="rh-metrics-") as folder:
        hub = FilledHub(Path(folder))
        began, now = time.time(), time.time()
        fill(hub, lanes, number // lanes, now)
        _send(hub, max(number // 100, 1), now)
        say(f"metrics: {lanes} lanes, {number:,} messages filled in {time.time() - began:.0f} s")
        exposition = Exposition(hub.store.url, "hub", development=True, home=hub.home, clock=lambda: now)
        first_ms, _, text = _scrape(exposition)
        seen = []
        for scrape in range(SCRAPES):
            _go_on(hub, number // lanes + scrape + 1, lanes, now)
            seen.append(_scrape(exposition))
        hub.store.close()
    return {
        "metrics_first_scrape_ms": first_ms,
        "metrics_scrape_ms": min(item[0] for item in seen),
        "metrics_scrape_cpu_ms": min(item[1] for item in seen),
        "metrics_encoded_mb": len(text) / 1e6,
    }


def _scrape(exposition: Exposition) -> tuple[float, float, bytes]:
    """Wall and CPU milliseconds of one scrape that is not kept from before, and its answer."""
    exposition._made_at -= 2 * KEPT_S
    began, busy = time.perf_counter(), time.process_time()
    text = exposition.text()
    return 1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - busy), text


def _send(hub: FilledHub, count: int, now: float) -> None:
    """A delivery of each batch, and the claim before it."""
    row = {"purpose": "deliver", "target": b"\x01" * 20, "data": bytes(CALLDATA_BYTES), "gas": 3_000_000, "fee": "1000"}
    claim = {"direction": 0, "head": b"\x01" * 32, "height": 1, "block_hash": b"\x01" * 32, "epoch": 1, "first": 1}
    with hub.store.write() as connection:
        for number in range(count):
            lane = {"lane_id": lane_id(number)}
            connection.execute(
                insert(transactions).values(
                    chain=f"ledger-{number % 40:02}",
                    first=1,
                    last=1,
                    state="mined",
                    created_at=now,
                    sent_at=now,
                    **lane,
                    **row,
                )
            )
            connection.execute(
                insert(claims).values(
                    nonce=number,
                    digest=number.to_bytes(32, "big"),
                    state="attested",
                    created_at=now,
                    attested_at=now,
                    **lane,
                    **claim,
                )
            )


def _go_on(hub: FilledHub, nonce: int, lanes: int, now: float) -> None:
    """Each stage of a hundred lanes goes one message on."""
    rows = [
        {"lane_id": lane_id(lane), "stage": stage, "nonce": nonce, "at": now, "height": 5, "reference": b""}
        for stage in STAGES
        for lane in range(min(lanes, NEW_BATCHES))
    ]
    with hub.store.write() as connection:
        connection.execute(insert(milestones), rows)


if __name__ == "__main__":
    for name, value in measure_metrics(print).items():
        print(f"{name:28} {value:,.2f}")
