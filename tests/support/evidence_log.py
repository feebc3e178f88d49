"""A small evidence log of known records, its keys, and ways to spoil it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from relay.evidence.checkpoints import Ed25519Signer, Sm2Signer
from relay.evidence.log import EvidenceLog

ORIGIN = "relayhub/试验"


def private(label: str) -> bytes:
    """A key from a label, 32 bytes."""
    return hashlib.sha256(f"relayhub test evidence {label}".encode()).digest()


SIGNER = Ed25519Signer(ORIGIN, private("log"))
SM2_SIGNER = Sm2Signer(ORIGIN, private("sm2"))
KEYS = [SIGNER.note_key]


def record(index: int) -> bytes:
    """The record of an index: 0 to 60 bytes that no other index has (but for the empty ones)."""
    return hashlib.sha512(index.to_bytes(8, "big")).digest()[: index % 61]


def records(start: int, end: int) -> list[bytes]:
    """Records from an index up to another."""
    return [record(index) for index in range(start, end)]


def make_log(folder: Path, *sizes: int) -> EvidenceLog:
    """A log with a checkpoint at each size; open for writing."""
    log = EvidenceLog.create(folder, ORIGIN, [SIGNER])
    for size in sizes:
        log.append(records(log.size, size))
        log.publish(float(size))
    return log
