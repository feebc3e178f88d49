"""The organisations' records, a few and many: what putting, recording, reading, proving and listing cost at either number.

`python -m tests.bench.records --records 10000000 --out records.json`. CPU of this process, not wall clock: microseconds a record
while records are put and recorded, milliseconds a call for the rest. SQLite, as an embedded hub has it. Figures, never verdicts.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import text

from relay.config import HubConfig
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.record_proofs import prove
from relay.evidence.recorder import Recorder, open_recorder
from relay.evidence.records import NewRecord, Records
from relay.home import Home
from relay.store import Store

FEW, MANY = 10_000, 1_000_000
DEPARTMENTS = 80
CONTENT_BYTES = 200
STEP = 10_000
CALLS = 200
SEED = 7


class World:
    """A hub's home with records of eighty departments, and its recorder."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.home.save(HubConfig(name="bench", development=True))
        self.store = Store(self.home.database_url(self.home.load()))
        self.store.migrate()
        self.records = Records(self.store, self.home.evidence)
        self.recorder: Recorder = open_recorder(self.home, self.home.load(), self.store)
        self.random = random.Random(SEED)
        self.known: list[tuple[bytes, str]] = []
        self.count = 0

    def put(self, number: int) -> float:
        """Put so many records of one department; returns CPU microseconds a record."""
        owner = f"部门-{self.count // STEP % DEPARTMENTS}"
        rule = AccessRule.parse(owner, "部门-0,role:auditor")
        began = time.process_time()
        kept = [record for batch in self.records.put(_contents(number), rule) for record in batch]
        used = time.process_time() - began
        self.known += [(record.commitment, owner) for record in self.random.sample(kept, 20)]
        self.count += number
        return used / number * 1e6

    def record(self) -> float:
        """Make leaves of all that waits; returns CPU microseconds a leaf."""
        began, done = time.process_time(), 0
        while taken := self.recorder.append():
            done += taken
        self.recorder.publish()
        return (time.process_time() - began) / max(done, 1) * 1e6

    def figures(self, name: str) -> dict[str, float]:
        """Milliseconds of CPU a call at the present number of records."""
        chosen = self.random.choices(self.known, k=CALLS)
        calls: dict[str, Callable[[bytes, str], object]] = {
            "get": self._get,
            "prove": lambda commitment, _: prove(self.store, self.home.evidence, commitment),
            "list": lambda _, owner: self.records.listed(Caller(owner)),
        }
        found = {}
        for call, run in calls.items():
            began = time.process_time()
            for commitment, owner in chosen:
                run(commitment, owner)
            found[f"records_{call}_ms_at_{name}"] = (time.process_time() - began) / CALLS * 1e3
        return found

    def sizes(self) -> dict[str, float]:
        """Bytes a record: of the database, of the index by commitment, of the leaves' index, of contents and log."""
        with self.store.write() as connection:
            connection.execute(text("SELECT 1"))
        path = self.home.folder / "relayhub.db"
        parts = {"database": float(path.stat().st_size)}
        for name, folder in (("contents", "private"), ("log", "log")):
            parts[name] = float(sum(file.stat().st_size for file in (self.home.evidence / folder).rglob("*")))
        with self.store.read() as connection:
            rows = connection.execute(text("SELECT name, SUM(pgsize) AS size FROM dbstat GROUP BY name")).all()
        parts |= {row.name: float(row.size) for row in rows if row.name.startswith(("record", "evidence_leaves"))}
        return {f"records_{name}_bytes": size / self.count for name, size in parts.items()}

    def close(self) -> None:
        """Let the log and the database go."""
        self.recorder.close()
        self.store.close()

    def _get(self, commitment: bytes, owner: str) -> bytes:
        with self.records.open(commitment.hex(), Caller(owner)) as (_, stored):
            return b"".join(stored.chunks())


def _contents(number: int) -> Iterator[NewRecord]:
    for place in range(number):
        yield NewRecord(secrets.token_bytes(CONTENT_BYTES), f"档案 {place}")


def measure_records(tell: Callable[[str], object], many: int = MANY, folder: Path | None = None) -> dict[str, float]:
    """Put, record, read, prove and list with 10,000 records and with `many`.

    Args:
        tell: hears of progress.
        many: records at the end.
        folder: where the hub is made; else a temporary one.
    """
    with tempfile.TemporaryDirectory(prefix="rh-records-", dir=folder) as place:
        world = World(Path(place) / "home")
        figures = {"records_put_us_at_few": world.put(FEW), "records_leaf_us_at_few": world.record()}
        figures |= world.figures("few")
        began = time.monotonic()
        while world.count < many:
            put = world.put(STEP)
            leaf = world.record()
            if world.count % (10 * STEP) == 0 or world.count >= many:
                tell(f"{world.count:,} records after {time.monotonic() - began:.0f} s: {put:.0f} + {leaf:.0f} us each")
        figures |= {"records_put_us_at_many": put, "records_leaf_us_at_many": leaf} if many > FEW else {}
        figures |= world.figures("many") | world.sizes() | {"records_many": float(world.count)}
        world.close()
    return figures


def main() -> None:
    """Measure and print or write JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.records", description=__doc__)
    parser.add_argument("--records", type=int, default=MANY, help="how many records in the end")
    parser.add_argument("--folder", type=Path, help="where the hub is made")
    parser.add_argument("--out", type=Path, help="write the figures to a file")
    options = parser.parse_args()
    figures = measure_records(lambda line: sys.stderr.write(line + "\n"), options.records, options.folder)
    content = json.dumps(figures, indent=2, sort_keys=True) + "\n"
    if options.out:
        options.out.write_text(content)
    else:
        sys.stdout.write(content)


if __name__ == "__main__":
    main()
