"""The recorder: the one process that appends to the evidence log (`python -m relay.evidence.recorder`).

It takes rows of the queue in order, keeps their objects, appends their entries, publishes a checkpoint at most each second when
there is something new, and only then deletes the rows. What a `kill -9` leaves at any moment:

| killed | what the next start finds |
| --- | --- |
| before the entries are appended | rows that the log has not: they are recorded now; objects are there by their hash |
| after, before the checkpoint | entries under no checkpoint: the log keeps them, they are published, and their rows deleted |
| after the checkpoint, before the rows are deleted | rows whose entries are in the log: they are deleted |

Where it cannot write it says so and tries again; messages go on, the queue grows, and the status raises `evidence_behind`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from relay.config import HubConfig
from relay.crash import crash_point
from relay.errors import HubError, NotNow
from relay.evidence import queue
from relay.evidence.checkpoints import log_signers, origin_of
from relay.evidence.cosignatures import CosignatureKey
from relay.evidence.gathering import Gathering
from relay.evidence.leaves import Entry, decode
from relay.evidence.log import EvidenceLog
from relay.evidence.log_files import CHECKPOINT
from relay.evidence.objects import Objects
from relay.evidence.witness_calls import callers
from relay.home import Home
from relay.keys import KeyStore
from relay.logs import configure_logs
from relay.processes import PRIVATE
from relay.store import Store

log = structlog.get_logger()

BATCH = 2_000
"""Rows that are taken at once."""
CHECKPOINT_S = 1.0
"""Seconds from one checkpoint to the next."""
IDLE_S = 0.25
"""Seconds between two looks at an empty queue."""
AGAIN_S = 2.0
"""Seconds until the next attempt where the log or the database cannot be used."""


class Recorder:
    """The log of one hub, open for writing, and the queue that leads into it.

    Args:
        store: the hub's database.
        evidence: the log, open for writing.
        objects: contents beside it.
    """

    def __init__(self, store: Store, evidence: EvidenceLog, objects: Objects) -> None:
        self.store = store
        self.log = evidence
        self.objects = objects
        self.number = 0
        self._waiting: list[tuple[int, Entry]] = []

    def start(self) -> None:
        """Publish what an earlier process appended, and find out what of the queue is recorded.

        Raises:
            BadInput: the log's entries are not those of a hub.
            OSError: the disk is full or broken.
        """
        self.log.publish(time.time())
        size = self.log.size
        with self.store.write() as connection:
            recorded = queue.adopt(connection, size, self.log.record)
            queue.forget(connection, recorded)
        missing = size
        while missing:
            with self.store.write() as connection:
                missing = queue.find_again(connection, size, self.log.record, BATCH)
        self.number = decode(self.log.record(size - 1)).number if size else 0

    def append(self) -> int:
        """Append the next rows of the queue; returns how many, 0 where it is empty.

        Raises:
            OSError: the disk is full or broken.
        """
        with self.store.read() as connection:
            rows = queue.after(connection, self.number, BATCH)
        if not rows:
            return 0
        contents = [content for row in rows for content in row.objects]
        if contents:
            self.objects.put_all(contents)
        crash_point("recorder.before_append")
        first = self.log.append([row.entry for row in rows])
        self.number = rows[-1].number
        self._waiting += [(first + place, row.said) for place, row in enumerate(rows)]
        crash_point("recorder.after_append")
        return len(rows)

    def publish(self) -> int:
        """Publish a checkpoint over what was appended, and delete its rows; returns how many.

        Raises:
            OSError: the disk is full or broken; nothing is lost.
        """
        if not self._waiting:
            return 0
        self.log.publish(time.time())
        crash_point("recorder.after_publish")
        with self.store.write() as connection:
            queue.forget(connection, self._waiting)
        crash_point("recorder.after_forget")
        count = len(self._waiting)
        self._waiting.clear()
        return count

    def drain(self) -> int:
        """Record everything that stands in the queue now; returns how many leaves."""
        while self.append():
            pass
        return self.publish()

    def close(self) -> None:
        """Let the log go; what is not published stays in its journal."""
        self.log.close()


def open_recorder(home: Home, config: HubConfig, store: Store) -> Recorder:
    """Open a hub's log for writing, or make it.

    Raises:
        BadInput: the log is damaged, or a key cannot be read.
        NotNow: another process writes it.
        OSError: the disk cannot be written.
    """
    evidence = open_log(home, config.name)
    try:
        recorder = Recorder(store, evidence, Objects(home.evidence / "objects"))
        recorder.start()
    except BaseException:
        evidence.close()
        raise
    return recorder


def open_log(home: Home, hub: str) -> EvidenceLog:
    """A hub's log, open for writing; made where there is none.

    Raises:
        BadInput: the log is damaged, or a key cannot be read.
        NotNow: another process writes it.
    """
    folder = home.evidence / "log"
    home.evidence.mkdir(parents=True, exist_ok=True, mode=0o755)
    signers = log_signers(KeyStore(home.keys), origin_of(hub))
    if (folder / CHECKPOINT).exists():
        return EvidenceLog.open(folder, write=True, signers=signers)
    return EvidenceLog.create(folder, origin_of(hub), signers)


class Process:
    """The recorder as a process: drains, publishes each second, and survives whatever the disk does."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.config = home.load()
        self.store = Store(home.database_url(self.config))
        self.stopping = False
        self._recorder: Recorder | None = None
        self._published_at = 0.0
        roll = [(entry.key, entry.url) for entry in self.config.witnesses.values()]
        self._witnesses = [CosignatureKey.parse(key) for key, _ in roll]
        self._gathering = Gathering(home.evidence, callers(roll), self.config.witness_threshold) if roll else None

    def run(self) -> None:
        """Record until it is told to stop."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        if self._gathering is not None:
            self._gathering.start()
        while not self.stopping:
            time.sleep(self._look())
        if self._gathering is not None:
            self._gathering.stop()
        if self._recorder is not None:
            try:
                self._recorder.publish()
            finally:
                self._recorder.close()
        self.store.close()

    def _look(self) -> float:
        """One look at the queue; returns the seconds until the next."""
        try:
            if self._recorder is None:
                self._recorder = open_recorder(self.home, self.config, self.store)
                log.info("recorder_started", leaves=self._recorder.log.size)
            taken = self._recorder.append()
            now = time.monotonic()
            if now - self._published_at >= CHECKPOINT_S and self._recorder.publish():
                self._published_at = now
            self._cosign(self._recorder.log)
        except (HubError, OSError, SQLAlchemyError) as error:
            self._give_up(error)
            return AGAIN_S
        return 0.0 if taken == BATCH else IDLE_S

    def _cosign(self, evidence: EvidenceLog) -> None:
        """Put the witnesses' lines into the checkpoint, as far as it is still the one that they cosigned."""
        for size, line in self._gathering.taken() if self._gathering is not None else ():
            if size == evidence.size:
                evidence.cosign(line, self._witnesses)

    def _give_up(self, error: Exception) -> None:
        """Say what is wrong, and open everything anew at the next look."""
        level = log.info if isinstance(error, NotNow) else log.error
        level("evidence_behind", error=f"{type(error).__name__}: {error}"[:300])
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def _stop(self, _number: int, _frame: Any) -> None:
        self.stopping = True


def main(arguments: list[str] | None = None) -> int:
    """Run the recorder in the foreground of this process; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m relay.evidence.recorder", description="Write the evidence log.")
    parser.add_argument("--home", help="the hub's folder")
    options = parser.parse_args(arguments)
    configure_logs()
    os.umask(PRIVATE)
    try:
        Process(Home(Path(options.home)) if options.home else Home.locate()).run()
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
