"""The status page over a large database: 1,000 lanes and a million messages, in batches of 100, the newest ones within the hour.

Wall time is what a viewer waits for; CPU is what one look costs, whoever watches. The first state is asked for before anything
is known; the tally of the last hour is then read piece by piece.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, insert

from relay.store.reader import Reader
from relay.store.tables import messages, milestones, waits
from relay.views.trace import trace_in
from relay.web.page.deltas import difference
from relay.web.page.look import Look
from tests.support.filled_hub import FilledHub

LEDGERS, LANES, MESSAGES, BATCH = 40, 1_000, 1_000_000, 100
STAGES = (
    "final",
    "proved",
    "attested",
    "submitted",
    "delivered",
    "outcome_proved",
    "outcome_attested",
    "settle_submitted",
    "settled",
)
SPREAD_S = 7_200.0
LOOKS = 5


def measure_page(say: Callable[[str], None], *, number: int = MESSAGES, lanes: int = LANES) -> dict[str, float]:
    """Fill a database and look at it; figures in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="rh-page-") as folder:
        hub = FilledHub(Path(folder))
        began, now = time.time(), time.time()
        fill(hub, lanes, number // lanes, now)
        say(f"page: {lanes} lanes, {number:,} messages filled in {time.time() - began:.0f} s")
        look = Look(hub.store.url, "hub", hub.home, development=True, clock=lambda: now)
        first_ms, _, state = _timed(look.state)
        figures = {"page_first_state_ms": first_ms, "page_first_encoded_mb": len(orjson.dumps(state)) / 1e6}
        while not look.tally.complete:
            look.state()
        seen = [_timed(lambda: difference(state, look.state())) for _ in range(LOOKS)]
        figures |= {"page_look_ms": min(item[0] for item in seen), "page_look_cpu_ms": min(item[1] for item in seen)}
        figures["page_series_ms"] = _timed(lambda: look.series(lane_id(0)))[0]
        figures["page_trace_ms"] = _timed(lambda: _traced(hub.store.url, message_id(lanes // 2, 7).hex()))[0]
        hub.store.close()
        return figures


def _timed(act: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and CPU milliseconds of a call, and its result."""
    began, busy = time.perf_counter(), time.process_time()
    result = act()
    return 1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - busy), result


def _traced(url: str, identifier: str) -> None:
    with Reader(url) as reader:
        trace_in(reader, identifier)


def lane_id(number: int) -> bytes:
    """The id of a lane of the bench."""
    return number.to_bytes(4, "big") * 8


def message_id(lane: int, nonce: int) -> bytes:
    """The id of a message of the bench."""
    return (lane * 0x9E3779B1 % 2**32).to_bytes(4, "big") + lane.to_bytes(4, "big") + nonce.to_bytes(8, "big") * 3


def fill(hub: FilledHub, lanes: int, each: int, now: float) -> None:
    """Write ledgers, lanes with a wait for every tenth, messages, and a milestone for each stage of each batch."""
    for number in range(LEDGERS):
        hub.chain(
            f"ledger-{number:02}", number + 1, tip_at=now, client_time=int(now), client_expires_at=int(now) + 86_400
        )
    for number in range(3):
        hub.operator(f"org-{number}", 100 + number, seen_at=now, signed_at=now)
    reached = {"final": each, "claimed": each, "attested": each, "submitted": each, "delivered": each}
    for number in range(lanes):
        source, step = number % LEDGERS, 1 + number // LEDGERS % (LEDGERS - 1)
        hub.lane(
            lane_id=lane_id(number), source=f"ledger-{source:02}", destination=f"ledger-{(source + step) % LEDGERS:02}",
            channel=f"channel-{number}", final_head=lane_id(number), executed=each, settled=each - 1, **reached,
        )  # fmt: skip
    with hub.store.write() as connection:
        _batches(connection, lanes, each, now)
        connection.execute(
            insert(waits),
            [
                {"kind": "lane", "id": lane_id(number).hex(), "code": "window_full", "party": "destination", "text": "Full.",
                 "since": now, "next_at": now, "attempts": 0}
                for number in range(0, lanes, 10)
            ],
        )  # fmt: skip


def _batches(connection: Connection, lanes: int, each: int, now: float) -> None:
    count = -(-each // BATCH)
    for batch in range(count):
        sent_at = now - SPREAD_S * (1 - batch / count)
        nonces = range(batch * BATCH + 1, min((batch + 1) * BATCH, each) + 1)
        for lane in range(lanes):
            connection.execute(insert(messages), [_message(lane, nonce, sent_at) for nonce in nonces])
        rows = [
            {
                "lane_id": lane_id(lane),
                "stage": stage,
                "nonce": nonces[-1],
                "at": sent_at + 1 + order / 4,
                "height": 5,
                "reference": b"",
            }
            for order, stage in enumerate(STAGES)
            for lane in range(lanes)
        ]
        connection.execute(insert(milestones), rows)


def _message(lane: int, nonce: int, sent_at: float) -> dict[str, Any]:
    return {
        "lane_id": lane_id(lane), "nonce": nonce, "message_id": message_id(lane, nonce), "head": lane_id(lane), "sender": b"\x01" * 20,
        "receiver": b"\x02" * 20, "expires_at": 0, "gas_limit": 300_000, "callback_gas": 0, "payload": b"\x01\x62hi", "height": 5,
        "transaction": message_id(nonce, lane), "sent_at": sent_at, "seen_at": sent_at,
    }  # fmt: skip


if __name__ == "__main__":
    for name, value in measure_page(print).items():
        print(f"{name:28} {value:,.1f}")
