"""What a witness never forgets: of each log the newest checkpoint that it cosigned; and what speaks for a fork.

The memory is one JSON file, replaced whole and synced before anything is signed. A lock beside it lets one process at a time look
and decide, so that two requests at once cannot take each other back (tlog-witness, section add-checkpoint). A memory that is
gone or damaged is never taken for an empty one: a witness that forgot would cosign another history.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from light_clients.proofs.rfc6962 import HASH_SIZE
from relay.errors import HubError
from relay.evidence.disk import PRIVATE, replace_synced

FORMAT = "relayhub witness memory 1"
FORK, UNPROVEN = "fork", "unproven"
UNPROVEN_MAXIMUM = 100
"""Refused checkpoints without a proof that are kept: anyone may send a genuine checkpoint with a false proof."""


class MemoryLost(HubError):
    """The memory is gone or damaged; nothing is cosigned any more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint of a log that was cosigned.

    Attributes:
        size: its leaves.
        root: 32 bytes.
        time: of the cosignature, Unix seconds.
        note: the checkpoint with the log's own signatures.
    """

    size: int
    root: bytes
    time: int
    note: str

    @property
    def text(self) -> str:
        """What was signed: the note without its signature lines."""
        return self.note.rpartition("\n\n")[0] + "\n"

    def told(self) -> dict[str, Any]:
        """As it stands in files."""
        return {"size": self.size, "root": self.root.hex(), "time": self.time, "note": self.note}


class Memory:
    """The memory of one witness.

    Args:
        state: its file; made empty if there is none yet.
        forks: the folder of evidence, made when there is some; beside the file unless it is given.
    """

    def __init__(self, state: Path, forks: Path | None = None) -> None:
        self.state = state
        self.forks = forks or state.with_name("forks")
        if not state.exists():
            self._write({})

    @contextmanager
    def held(self) -> Iterator[dict[str, Seen]]:
        """What was cosigned of each log, by its origin, while no other process or thread looks or writes.

        Raises:
            MemoryLost: the memory is gone or damaged.
        """
        lock = os.open(self.state.with_name(f".{self.state.name}.lock"), os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()
        finally:
            os.close(lock)

    def read(self) -> dict[str, Seen]:
        """What was cosigned of each log, by its origin.

        Raises:
            MemoryLost: the memory is gone or damaged.
        """
        try:
            return _read(json.loads(self.state.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise MemoryLost(
                f"The witness's memory {self.state} is gone or damaged, and without it the witness might go back.",
                "Restore the newest copy of it, or make a new witness with a new key: relayhub witness init.",
            ) from None

    def keep(self, kept: dict[str, Seen], origin: str, seen: Seen) -> None:
        """Remember a checkpoint before it is signed; only while `held`.

        Raises:
            OSError: the disk is full or broken; nothing may be signed.
        """
        self._write(kept | {origin: seen})

    def keep_evidence(self, kind: str, origin: str, seen: Seen, offered: Seen, proof: Sequence[bytes]) -> Path | None:
        """Keep two checkpoints that contradict each other, or of which one was not proved to continue the other.

        Args:
            kind: `fork` or `unproven`.
            origin: the log.
            seen: what was cosigned.
            offered: what was refused.
            proof: what came with it.

        Returns:
            The file; None where too many that prove nothing are kept already.

        Raises:
            OSError: the disk is full or broken.
        """
        self.forks.mkdir(mode=0o700, exist_ok=True)
        name = hashlib.sha256(f"{origin}\n{seen.note}\n{offered.text}".encode()).hexdigest()[:16]
        path = self.forks / f"{kind}-{offered.size}-{name}.json"
        if path.exists():
            return path
        if kind == UNPROVEN and len(list(self.forks.glob(f"{UNPROVEN}-*"))) >= UNPROVEN_MAXIMUM:
            return None
        content = {"kind": kind, "origin": origin, "cosigned": seen.told(), "refused": offered.told()}
        content["proof"] = [item.hex() for item in proof]
        replace_synced(path, _encoded(content), PRIVATE)
        return path

    def evidence(self) -> list[Path]:
        """Files with forks that are proved, and with checkpoints that were not proved to continue."""
        return sorted(self.forks.glob("*-*.json")) if self.forks.is_dir() else []

    def _write(self, kept: dict[str, Seen]) -> None:
        logs = {origin: seen.told() for origin, seen in kept.items()}
        replace_synced(self.state, _encoded({"format": FORMAT, "logs": logs}), PRIVATE)


def _encoded(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _read(content: dict[str, Any]) -> dict[str, Seen]:
    if content["format"] != FORMAT:
        raise ValueError
    return {origin: _seen(item) for origin, item in content["logs"].items()}


def _seen(item: dict[str, Any]) -> Seen:
    size, root, time, note = item["size"], bytes.fromhex(item["root"]), item["time"], item["note"]
    if type(size) is not int or type(time) is not int or len(root) != HASH_SIZE or not isinstance(note, str):
        raise ValueError
    return Seen(size, root, time, note)
