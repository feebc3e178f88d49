"""The published files of a log as a reader finds them: the newest checkpoint, tiles and bundles."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from light_clients.errors import LightClientError
from light_clients.proofs.notes import Checkpoint
from relay.errors import BadInput
from relay.evidence.checkpoints import peek_checkpoint
from relay.evidence.tiles import WIDTH, BundleMalformed, bundle_path, decode_bundle, tile_path, width_of

CHECKPOINT = "checkpoint"
_TILES_KEPT = 512
_BUNDLES_KEPT = 64


class LogFiles:
    """Reads a log's folder; full tiles and some bundles stay in memory, for they never change.

    Args:
        folder: the log's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: tuple[tuple[int, int, int], bytes, Checkpoint] | None = None
        self._full: Callable[[str], bytes] = lru_cache(_TILES_KEPT)(self._read)
        self._bundle: Callable[[int, int], list[bytes]] = lru_cache(_BUNDLES_KEPT)(self._read_bundle)

    def published(self) -> tuple[bytes, Checkpoint]:
        """The newest checkpoint, as a note and read; the file is read again when it is another.

        Raises:
            BadInput: it cannot be read.
        """
        path = self.folder / CHECKPOINT
        try:
            found = path.stat()
            mark = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._seen is None or self._seen[0] != mark:
                note = path.read_bytes()
                self._seen = mark, note, peek_checkpoint(note)
        except (OSError, LightClientError) as error:
            raise BadInput(f"The checkpoint {path} cannot be read: {error}.", "Restore it from a backup.") from None
        return self._seen[1], self._seen[2]

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile under the newest checkpoint, perhaps with more behind them.

        Raises:
            BadInput: it is missing.
        """
        width = width_of(level, number, self.published()[1].size)
        try:
            if width < WIDTH:
                try:
                    return self._read(tile_path(level, number, width))
                except FileNotFoundError:
                    pass  # it became full in this moment
            return self._full(tile_path(level, number))
        except OSError as error:
            raise self.damaged(f"{tile_path(level, number, width)}: {error.strerror}") from None

    def records(self, number: int, width: int) -> list[bytes]:
        """The records of a bundle, perhaps with more behind them.

        Raises:
            BadInput: it is missing or malformed.
        """
        return self._bundle(number, width)

    def damaged(self, why: str) -> BadInput:
        """The error that says so."""
        return BadInput(
            f"The evidence log at {self.folder} is damaged: {why}.", f"Find where: relayhub audit {self.folder}."
        )

    def _read_bundle(self, number: int, width: int) -> list[bytes]:
        try:
            try:
                return decode_bundle(self._read(bundle_path(number, width)), width)
            except FileNotFoundError:
                return decode_bundle(self._read(bundle_path(number)), WIDTH)
        except (OSError, BundleMalformed) as error:
            raise self.damaged(f"{bundle_path(number, width)}: {error}") from None

    def _read(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()
