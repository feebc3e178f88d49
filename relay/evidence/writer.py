"""What only the writing process of a log has: lock, journal, edge, and the records that are not published yet."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Sequence

from light_clients.proofs.rfc6962 import HASH_SIZE
from relay.errors import BadInput, NotNow
from relay.evidence.checkpoints import CheckpointSigner
from relay.evidence.disk import DurableFolder
from relay.evidence.edge import Edge
from relay.evidence.journal import Journal
from relay.evidence.log_files import LogFiles
from relay.evidence.tiles import HEIGHT, WIDTH, bundle_path, leaf_hashes, tile_path, width_of

WRITER = ".writer"


class Writer:
    """The writer of a log; it holds the lock until `close`.

    Args:
        log: the log's files.
        signers: who signs its checkpoints; none where it only appends.

    Attributes:
        edge: the partial tiles under the newest checkpoint.
        pending: records that are appended and not published, in order.

    Raises:
        NotNow: another process writes the log.
    """

    def __init__(self, log: LogFiles, signers: Sequence[CheckpointSigner]) -> None:
        self.log = log
        self.signers = signers
        own = log.folder / WRITER
        own.mkdir(mode=0o700, exist_ok=True)
        self._lock = os.open(own / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise NotNow(f"Another process writes the log at {log.folder}.", "Stop it first.") from None
        shutil.rmtree(own / "new", ignore_errors=True)
        (own / "new").mkdir(mode=0o700)
        self.files = DurableFolder(log.folder, own / "new")
        self.edge = Edge()
        self.pending: list[bytes] = []
        self._journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """The journal, once `recover` has opened it."""
        assert self._journal is not None
        return self._journal

    def check_signers(self, origin: str) -> None:
        """Refuse signers of another log.

        Raises:
            BadInput: one has another name than the log.
        """
        names = {signer.note_key.name for signer in self.signers} - {origin}
        if names:
            raise BadInput(
                f"The log's name is {origin}; a signer is named {names.pop()}.", "Make its signers for this log."
            )

    def recover(self) -> None:
        """Read the edge under the newest checkpoint and the journal behind it.

        Raises:
            BadInput: tiles, records and checkpoint do not agree.
        """
        checkpoint = self.log.published()[1]
        size, rows = checkpoint.size, []
        for level in range(_levels(size)):
            number, width = divmod(size >> (HEIGHT * level), WIDTH)
            rows.append(self.log.tile(level, number)[: width * HASH_SIZE] if width else b"")
        number, width = divmod(size, WIDTH)
        records = self.log.records(number, width)[:width] if width else []
        self.edge = Edge(size, tuple(rows), tuple(records))
        if self.edge.root() != checkpoint.root or b"".join(leaf_hashes(records)) != b"".join(rows[:1]):
            raise self.log.damaged("its last tiles do not lead to its checkpoint")
        self._journal = Journal(self.log.folder / WRITER / "journal", size)
        self.pending = self._journal.records
        self._drop_partial(self._journal.first, size)

    def published(self, before: int, edge: Edge) -> None:
        """A checkpoint over everything is out: nothing is pending."""
        self.edge = edge
        self.pending = []
        self._drop_partial(before, edge.size)
        self.journal.clear()

    def close(self) -> None:
        """Let the files and the lock go."""
        self.files.close()
        if self._journal:
            self._journal.close()
        os.close(self._lock)

    def _drop_partial(self, before: int, size: int) -> None:
        """Remove the partial tiles of a former size whose full tile is published now (tlog-tiles, section Partial Tiles)."""
        for level in range(_levels(before)):
            number = before >> (HEIGHT * (level + 1))
            if width_of(level, number, size) == WIDTH:
                paths = [tile_path(level, number), *([bundle_path(number)] if level == 0 else [])]
                for path in paths:
                    shutil.rmtree(self.log.folder / f"{path}.p", ignore_errors=True)
                    self.files.forget(f"{path}.p")


def _levels(size: int) -> int:
    """Levels of tiles that a log of a size has."""
    return -(-size.bit_length() // HEIGHT)
