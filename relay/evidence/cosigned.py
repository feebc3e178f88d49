"""The newest checkpoint that enough witnesses cosigned: a file beside the log's `checkpoint`.

The log publishes each second and waits for no witness; a cosigned checkpoint is a few seconds older. Where nothing new came
since, both files say the same.
"""

from __future__ import annotations

from pathlib import Path

from light_clients.errors import LightClientError
from light_clients.proofs.notes import Checkpoint
from relay.evidence.checkpoints import peek_checkpoint
from relay.evidence.disk import PUBLIC, replace_synced
from relay.evidence.log import EvidenceLog
from relay.evidence.standings import COSIGNED


def read_cosigned(folder: Path) -> tuple[bytes, Checkpoint] | None:
    """The cosigned checkpoint of a log's folder, as a note and read but not believed; None where there is none.

    Args:
        folder: the log's.
    """
    try:
        note = (folder / COSIGNED).read_bytes()
        return note, peek_checkpoint(note)
    except (OSError, LightClientError):
        return None


def write_cosigned(folder: Path, note: bytes) -> None:
    """Publish a cosigned checkpoint, if it is not older than the one that is there.

    Raises:
        OSError: the disk is full or broken.
    """
    known = read_cosigned(folder)
    if known is None or known[1].size <= peek_checkpoint(note).size:
        replace_synced(folder / COSIGNED, note, PUBLIC)


def checkpoint_over(log: EvidenceLog, leaves: int) -> bytes:
    """The checkpoint by which leaves are proved: the cosigned one if it covers them, else the newest.

    Args:
        log: open for reading.
        leaves: how many from the beginning the checkpoint must cover.

    Raises:
        BadInput: the newest checkpoint cannot be read.
    """
    newest, cosigned = log.checkpoint(), read_cosigned(log.folder)
    if cosigned is not None and leaves <= cosigned[1].size <= peek_checkpoint(newest).size:
        return cosigned[0]
    return newest
