"""kill -9 the writer of an evidence log, again and again, and hold what it published against what it publishes later.

python -m tests.support.log_kills [SEEDS]     100 seeds by default; prints what was killed where

A child appends batches and publishes them; the parent reads the checkpoint all the time, as any web client may, and keeps each
one that it sees. Each life of the child ends by SIGKILL: by its own hand in the middle of the n-th call that touches the disk
(a write is cut in half first), or by the parent's at a time of the seed's choice. Every life appends other records than the
lives before, so that a published leaf that is appended again would be another one. In the end a last life publishes, and:

- every checkpoint ever seen is the beginning of the last one (an audit with all of them finds nothing);
- every batch whose `append` returned stands at the index that it returned.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

LIVES = 4
CALLS = 160
WAIT_S = 60.0
CHECKS_EVERY_S = 0.0005
DISK_CALLS = ("write", "fsync", "fdatasync", "replace", "ftruncate", "mkdir", "open")


def child(folder: Path, seed: int, calls: int, said: int) -> None:
    """A life: append and publish until killed; `calls` is the number of disk calls to live for, 0 for as long as it may."""
    from relay.evidence.log import EvidenceLog
    from tests.support.evidence_log import SIGNER

    chance, say = random.Random(seed), os.write
    if calls:
        _die_after(calls, chance)
    log = EvidenceLog.open(folder, write=True, signers=[SIGNER])
    say(said, b"opened\n")
    while True:
        for _ in range(chance.randrange(3)):
            batch = [chance.randbytes(chance.randrange(100)) for _ in range(chance.choice((1, 2, 60, 256, 700)))]
            first = log.append(batch)
            say(said, json.dumps([first, len(batch), _digest(batch)]).encode() + b"\n")
        log.publish(time.time())


def kill_and_check(folder: Path, seed: int) -> Counter[str]:
    """One seed: several lives, then the checks. Returns what was counted."""
    from relay.evidence.audit import audit
    from relay.evidence.log import EvidenceLog
    from relay.evidence.sources import FolderSource
    from tests.support.evidence_log import KEYS, ORIGIN, SIGNER

    chance = random.Random(seed)
    EvidenceLog.create(folder, ORIGIN, [SIGNER]).close()
    seen: dict[bytes, None] = {}
    told: list[tuple[int, int, str]] = []
    counted: Counter[str] = Counter()
    for life in range(LIVES):
        by_itself = chance.random() < 0.6
        calls = chance.randrange(1, CALLS) if by_itself else 0
        told += _live(folder, seed * LIVES + life, calls, chance, seen)
        counted["killed in a disk call" if by_itself else "killed at a time"] += 1
    log = EvidenceLog.open(folder, write=True, signers=[SIGNER])
    counted["left unpublished"] = log.appended - log.size
    log.publish(time.time())
    for first, count, digest in told:
        assert _digest([log.record(index) for index in range(first, first + count)]) == digest, (seed, first)
    log.close()
    report = audit(FolderSource(folder), KEYS, list(seen))
    assert report.ok, (seed, report.findings)
    assert len(report.compared) == len(seen)
    counted["checkpoints seen"] = len(seen)
    counted["batches acknowledged"] = len(told)
    counted["leaves"] = log.size
    return counted


def _live(
    folder: Path, seed: int, calls: int, chance: random.Random, seen: dict[bytes, None]
) -> list[tuple[int, int, str]]:
    """One life in a process of its own, forked from this one: what it was told before it was killed."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            child(folder, seed, calls, writing)
        finally:
            os._exit(1)
    os.close(writing)
    os.set_blocking(reading, False)
    said, status = b"", None
    deadline = time.monotonic() + WAIT_S
    end = deadline if calls else None
    while status is None:
        seen[(folder / "checkpoint").read_bytes()] = None
        said += _read(reading)
        if end is None and said:
            end = time.monotonic() + chance.random() * 0.4
        if time.monotonic() > (end or deadline):
            os.kill(process, signal.SIGKILL)
        time.sleep(CHECKS_EVERY_S)
        ended, code = os.waitpid(process, os.WNOHANG)
        status = code if ended else None
    seen[(folder / "checkpoint").read_bytes()] = None
    said += _read(reading)
    os.close(reading)
    assert os.WTERMSIG(status) == signal.SIGKILL, (seed, status)
    return [
        tuple(json.loads(line))
        for line in said.splitlines(keepends=True)
        if line.startswith(b"[") and line.endswith(b"]\n")
    ]


def _read(descriptor: int) -> bytes:
    said = b""
    try:
        while part := os.read(descriptor, 65_536):
            said += part
    except BlockingIOError:
        pass  # nothing more for now
    return said


def _die_after(calls: int, chance: random.Random) -> None:
    """Count the calls that touch the disk, from any thread; kill this process before or in the middle of one."""
    left = [calls]
    lock = threading.Lock()

    def counting(name, real):
        def call(*arguments, **options):
            with lock:
                left[0] -= 1
                last = left[0] == 0
            if last:
                if name == "write":
                    real(arguments[0], bytes(arguments[1])[: chance.randrange(len(arguments[1]) + 1)])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    for name in DISK_CALLS:
        setattr(os, name, counting(name, getattr(os, name)))


def _digest(batch: list[bytes]) -> str:
    return hashlib.sha256(b"".join(len(each).to_bytes(2, "big") + each for each in batch)).hexdigest()


def main(words: list[str]) -> None:
    """Run all seeds, with a summary."""
    seeds, began = int(words[0]) if words else 100, time.monotonic()
    total: Counter[str] = Counter()
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            total += kill_and_check(Path(folder) / "log", seed)
        if seed % 10 == 9:
            print(f"{seed + 1} seeds: {dict(total)}", flush=True)
    print(f"{seeds} seeds in {time.monotonic() - began:.0f} s, no contradiction: {dict(total)}")


if __name__ == "__main__":
    main(sys.argv[1:])
