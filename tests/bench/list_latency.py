"""How long each list of the public interface takes with 1,000 lanes and 1 million messages in the database.

`python -m tests.bench.list_latency [MESSAGES]` prints JSON: the median of five answers, wall clock and CPU of this process, in milliseconds.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from relay.store.tables import messages, milestones, outcomes, verifiers, waits
from tests.support.api_world import ApiWorld
from tests.support.filled_hub import NOW

LANES = 1_000
MESSAGES = 1_000_000
BATCH = 20_000
ROUNDS = 5
SENDER = b"\x33" * 20
LIMIT_MS = 300.0


def lane_id(number: int) -> bytes:
    """A lane's id: spread over the whole range."""
    return (number * 2_654_435_761 % 2**32).to_bytes(4) * 8


def fill(world: ApiWorld, count: int) -> None:
    """Write lanes, their messages and outcomes; nine of ten are settled, and each tenth lane waits for somebody."""
    each = count // LANES
    settled = each * 9 // 10
    for number in range(LANES):
        world.hub.lane(
            lane_id=lane_id(number),
            channel=f"c{number}",
            **dict.fromkeys(("final", "claimed", "attested", "submitted"), each),
            delivered=settled,
            settled=settled,
            executed=settled,
        )
        if number % 10 == 0:
            wait = {"code": "waiting_for_signatures", "party": "p", "text": "t", "since": NOW, "next_at": NOW}
            world.hub.add(waits, kind="lane", id=lane_id(number).hex(), **wait)
    world.hub.add(verifiers, chain="alpha", address=b"\x06" * 20, kind="committee", committee=b"\x06" * 20)
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        with world.hub.store.write() as connection:
            connection.execute(insert(messages), [_message(number) for number in numbers])
            ended = [_outcome(number) for number in numbers if number // LANES < settled]
            if ended:
                connection.execute(insert(outcomes), ended)
    for number in range(LANES):
        values = {"stage": "final", "nonce": each, "at": NOW, "height": 5, "reference": b""}
        world.hub.add(milestones, lane_id=lane_id(number), **values)


def _identifier(number: int) -> bytes:
    return (number * 2_654_435_761 % 2**32).to_bytes(4) + number.to_bytes(28)


def _message(number: int) -> dict[str, Any]:
    return {
        "lane_id": lane_id(number % LANES),
        "nonce": number // LANES + 1,
        "message_id": _identifier(number),
        "head": b"\x01" * 32,
        "sender": SENDER if number % 1_000 == 7 else b"\x11" * 20,
        "receiver": b"\x22" * 20,
        "expires_at": 0,
        "gas_limit": 300_000,
        "callback_gas": 0,
        "payload": b"\x01" + b"x" * 100,
        "height": number // 100,
        "transaction": _identifier(number + 2**31),
        "sent_at": NOW - 1_000_000 + number,
        "seen_at": NOW,
    }


def _outcome(number: int) -> dict[str, Any]:
    return {
        "lane_id": lane_id(number % LANES),
        "nonce": number // LANES + 1,
        "message_id": _identifier(number),
        "status": 2 if number % 5_000 == 3 else 1,
        "result": b"",
        "head": b"\x01" * 32,
        "height": 7,
        "transaction": _identifier(number + 2**30),
        "seen_at": NOW,
    }


PATHS = (
    "status",
    "chains?limit=500",
    "lanes?limit=100",
    "lanes?limit=500",
    "lanes?limit=500&source=alpha",
    "messages?limit=100",
    "messages?limit=500",
    "messages?limit=500&lane=0x" + lane_id(500).hex(),
    "messages?limit=500&state=settled",
    "messages?limit=500&state=in_flight",
    "messages?limit=500&state=submitted&lane=0x" + lane_id(7).hex(),
    "messages?limit=500&state=sent",
    "messages?limit=500&outcome=failed",
    "messages?limit=500&outcome=executed",
    "messages?limit=500&sender=0x" + SENDER.hex(),
    "messages?limit=500&sender=0x" + SENDER.hex() + "&state=in_flight",
    "messages?limit=500&sender=0x" + "99" * 20,
    f"messages?limit=500&since={NOW - 500_000}&until={NOW - 499_000}",
    f"messages?limit=500&state=settled&since={NOW - 10}",
    "messages/" + _identifier(123_456).hex(),
    "messages/" + _identifier(123_456).hex()[:12],
    "messages/" + _identifier(123_456 + 2**30).hex(),
    "operators",
    "waits?limit=500",
    "incidents?limit=500",
)


def measure(world: ApiWorld) -> dict[str, dict[str, float]]:
    """Ask each path five times; the median, in milliseconds."""
    found = {}
    for path in PATHS:
        walls, cpus = [], []
        for _ in range(ROUNDS):
            wall, cpu = time.perf_counter(), time.process_time()
            answer = world.ask("GET", f"/v1/{path}")
            walls.append((time.perf_counter() - wall) * 1_000)
            cpus.append((time.process_time() - cpu) * 1_000)
            if answer.status_code not in (200, 404):
                raise AssertionError(f"{path}: {answer.text}")
        found[path] = {"wall_ms": round(statistics.median(walls), 1), "cpu_ms": round(statistics.median(cpus), 1)}
    return found


def main(count: int = MESSAGES) -> dict[str, Any]:
    """Fill a database and measure every list."""
    with tempfile.TemporaryDirectory(prefix="relayhub-lists-") as folder:
        world = ApiWorld(Path(folder))
        try:
            fill(world, count)
            lists = measure(world)
        finally:
            world.close()
    worst = max(item["cpu_ms"] for item in lists.values())
    return {"lanes": LANES, "messages": count, "limit_ms": LIMIT_MS, "worst_cpu_ms": worst, "lists": lists}


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:2])), indent=1))
