"""The evidence log: leaves appended a second, inclusion proofs from a cold reader, bytes on the disk.

`python -m tests.bench.evidence [LEAVES] [FOLDER]` prints them; 10_000_000 leaves take some minutes. Records are of 100 to 300
bytes, as claims and deliveries are, in batches of 1,000 with a checkpoint for every 20,000.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path

from light_clients.proofs.rfc6962 import leaf_hash, verify_inclusion
from relay.evidence.checkpoints import Ed25519Signer
from relay.evidence.log import EvidenceLog

LEAVES = 200_000
BATCH, CHECKPOINT = 1_000, 20_000
PROOFS = 200
ORIGIN = "relayhub/bench"


def measure_evidence(leaves: int = LEAVES, folder: Path | None = None) -> dict[str, float]:
    """Fill a log and read it.

    Args:
        leaves: how many, a multiple of 20,000.
        folder: where the log is made and left; else one that is removed again.

    Returns:
        Rates by CPU and by the clock, milliseconds of a proof (mean and worst), and bytes on the disk for each byte of the bar
        (the records and 64 bytes a leaf).
    """
    with tempfile.TemporaryDirectory() as temporary:
        return _measure(leaves, folder or Path(temporary) / "log")


def _measure(leaves: int, folder: Path) -> dict[str, float]:
    chance = random.Random(7)
    pool = [chance.randbytes(chance.randrange(100, 301)) for _ in range(BATCH)]
    log = EvidenceLog.create(folder, ORIGIN, [Ed25519Signer(ORIGIN, bytes(31) + b"\1")])
    cpu, clock, size, written = 0.0, 0.0, 0, 0
    while size < leaves:
        records = [index.to_bytes(8, "big") + pool[index % BATCH][8:] for index in range(size, size + BATCH)]
        written += sum(map(len, records))
        began = time.process_time(), time.perf_counter()
        log.append(records)
        size += BATCH
        if size % CHECKPOINT == 0:
            log.publish(float(size))
        cpu, clock = cpu + time.process_time() - began[0], clock + time.perf_counter() - began[1]
    log.close()
    proofs = [_proof(folder, chance.randrange(size)) for _ in range(PROOFS)]
    on_disk = sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
    return {
        "evidence_leaves": float(size),
        "evidence_append_leaves_per_cpu_s": size / cpu,
        "evidence_append_leaves_per_s": size / clock,
        "evidence_proof_ms": sum(proofs) / len(proofs),
        "evidence_proof_worst_ms": max(proofs),
        "evidence_disk_ratio": on_disk / (written + 64 * size),
    }


def _proof(folder: Path, index: int) -> float:
    """Milliseconds of CPU of one proof by a reader that has read nothing before; it is verified too, untimed."""
    log = EvidenceLog.open(folder, write=False)
    size = log.size
    began = time.process_time()
    proof = log.inclusion(index, size)
    took = time.process_time() - began
    verify_inclusion(leaf_hash(log.record(index)), index, size, log.root(size), proof)
    return took * 1000


def main(words: list[str]) -> None:
    """Measure and print JSON."""
    figures = measure_evidence(int(words[0]) if words else LEAVES, Path(words[1]) if len(words) > 1 else None)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
