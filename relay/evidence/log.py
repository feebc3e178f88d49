"""The evidence log: an append-only Merkle log in a folder that any static web server can serve (C2SP tlog-tiles).

    checkpoint                the newest signed checkpoint
    tile/L/N, tile/entries/N  tiles and bundles of records (relay.evidence.tiles)
    .writer/                  the writer's own, mode 700: its lock, its journal, files that are not whole yet

One process writes, any number read. `append` makes records durable in the journal; `publish` makes tiles of them, and only
when every tile is on the disk signs and publishes the checkpoint. What a crash leaves:

- in the middle of `append`: a torn frame, which is cut off; nobody was told that its records stand;
- after `append`: durable records under no checkpoint. They are kept, at the indices that `append` returned, and are under the
  next checkpoint: whoever was told an index may rely on it;
- in the middle of `publish`: tiles that no checkpoint covers. The next publication writes the same ones again, because their
  records are still in the journal and nothing stands before them that could change;
- after the checkpoint's rename: a journal with records that are published already; their indices say so.

So every checkpoint that ever was visible covers records that are durable at their places: no later one contradicts it.
A copy of the folder that is put back from a backup and grown again would: the audit finds it, and witnesses refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from light_clients.proofs.notes import Checkpoint, split_note
from light_clients.proofs.rfc6962 import EMPTY_ROOT
from relay.errors import BadInput, Duplicate, NotFound, NotNow
from relay.evidence.checkpoints import CheckpointSigner, check_origin, sign_checkpoint
from relay.evidence.cosignatures import CosignatureKey, add_cosignature
from relay.evidence.log_files import CHECKPOINT, LogFiles
from relay.evidence.tiles import MAXIMUM_RECORD_SIZE, WIDTH, TileTree, width_of
from relay.evidence.writer import Writer

MAXIMUM_PENDING = 1_000_000
"""Records that may be appended before they must be published: they are held in memory."""


class EvidenceLog:
    """A log that is open; made by `create` or `open`."""

    def __init__(self, files: LogFiles, writer: Writer | None) -> None:
        self.folder = files.folder
        self._files = files
        self._writer = writer
        self._tree = TileTree(files.tile)

    @classmethod
    def create(cls, folder: Path, origin: str, signers: Sequence[CheckpointSigner]) -> EvidenceLog:
        """Make an empty log with its first checkpoint, and open it for writing.

        Args:
            folder: made if there is none.
            origin: the log's name for ever (`checkpoints.origin_of`).
            signers: at least one; each signs every checkpoint.

        Raises:
            Duplicate: there is a log already.
            BadInput: the origin or the signers cannot be used.
            NotNow: another process writes it.
        """
        check_origin(origin)
        if not signers:
            raise BadInput("A log needs a key that signs its checkpoints.", "Give a signer.")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        files = LogFiles(folder)
        writer = Writer(files, signers)
        try:
            _check_new(folder)
            writer.check_signers(origin)
            writer.files.write([(CHECKPOINT, sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), signers, None))])
            writer.recover()
        except BaseException:
            writer.close()
            raise
        return cls(files, writer)

    @classmethod
    def open(cls, folder: Path, *, write: bool, signers: Sequence[CheckpointSigner] = ()) -> EvidenceLog:
        """Open a log.

        Args:
            folder: where `create` made it.
            write: whether this process appends; it may not be another one at the same time.
            signers: needed to publish.

        Raises:
            NotFound: there is no log.
            BadInput: the log is damaged, or the signers are not its own.
            NotNow: another process writes it.
        """
        if not (folder / CHECKPOINT).exists():
            raise NotFound(f"There is no evidence log at {folder}.", "Start the hub once, or name another folder.")
        files = LogFiles(folder)
        origin = files.published()[1].origin
        if not write:
            return cls(files, None)
        writer = Writer(files, signers)
        try:
            writer.check_signers(origin)
            writer.recover()
        except BaseException:
            writer.close()
            raise
        return cls(files, writer)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._files.published()[1].origin

    @property
    def size(self) -> int:
        """Leaves in the newest published checkpoint."""
        return self._files.published()[1].size

    @property
    def appended(self) -> int:
        """Leaves with those that are appended and not published yet; for a reader the same as `size`."""
        return self.size + (len(self._writer.pending) if self._writer else 0)

    def append(self, records: Sequence[bytes]) -> int:
        """Append records; they are durable when it returns, and not published yet.

        Args:
            records: each at most 1,024 bytes; none at all is allowed.

        Returns:
            The index of the first.

        Raises:
            BadInput: one is too large; none is appended.
            NotNow: this log is open for reading, or a million records wait for `publish`.
            OSError: the disk is full or broken; none is appended.
        """
        writer = self._writing()
        first = self.appended
        largest = max(map(len, records), default=0)
        if largest > MAXIMUM_RECORD_SIZE:
            raise BadInput(
                f"A record of {largest} bytes does not fit into the log (at most {MAXIMUM_RECORD_SIZE}).",
                "Keep it as an object, and its hash in the record.",
            )
        if len(writer.pending) + len(records) > MAXIMUM_PENDING:
            raise NotNow(f"{len(writer.pending)} records wait to be published.", "Publish a checkpoint first.")
        if records:
            writer.journal.append(first, records)
            writer.pending.extend(map(bytes, records))
        return first

    def publish(self, now: float) -> bytes:
        """Publish a checkpoint over everything appended; with nothing new the newest one stays as it is.

        Args:
            now: Unix seconds; the log says it by a cosignature of its own.

        Returns:
            The signed note.

        Raises:
            NotNow: this log is open for reading.
            BadInput: it was opened without signers.
            OSError: the disk is full or broken; the checkpoint before is still the newest.
        """
        writer = self._writing()
        if not writer.signers:
            raise BadInput("The log was opened without its keys.", "Open it with signers.")
        note, newest = self._files.published()
        if not writer.pending and _signed_by_all(note, writer.signers):
            return note
        grown, files = writer.edge.grow(writer.pending) if writer.pending else (writer.edge, [])
        writer.files.write(files)
        note = sign_checkpoint(Checkpoint(newest.origin, grown.size, grown.root()), writer.signers, now)
        writer.files.write([(CHECKPOINT, note)])
        writer.published(newest.size, grown)
        return note

    def cosign(self, line: str, witnesses: Sequence[CosignatureKey]) -> bytes:
        """Put a witness's cosignature of the newest checkpoint beside the log's own signatures.

        Args:
            line: the witness's signature line.
            witnesses: who may cosign.

        Raises:
            BadInput: the line is no cosignature of the newest checkpoint by one of them.
            NotNow: this log is open for reading.
        """
        writer = self._writing()
        note = add_cosignature(self.checkpoint(), line, witnesses)
        writer.files.write([(CHECKPOINT, note)])
        return note

    def checkpoint(self) -> bytes:
        """The newest published signed note."""
        return self._files.published()[0]

    def record(self, index: int) -> bytes:
        """A record; for the writer also one that is not published yet.

        Raises:
            BadInput: there is none of this index, or the disk was changed.
        """
        size = self.size
        if self._writer and size <= index < self.appended:
            return self._writer.pending[index - size]
        if not 0 <= index < size:
            raise BadInput(f"The log has {size} records; there is no record {index}.", "Ask for an index below that.")
        number, place = divmod(index, WIDTH)
        return self._files.records(number, width_of(0, number, size))[place]

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves, 32 bytes.

        Raises:
            BadInput: so many are not published.
        """
        self._check_size(size)
        return self._tree.root(size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The inclusion proof of a leaf in the tree of `size` leaves (RFC 6962, section 2.1.1): hashes from the leaf upwards.

        Raises:
            BadInput: so many leaves are not published, or the index is not below the size.
        """
        self._check_size(size)
        return self._tree.inclusion(index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The consistency proof between two sizes (RFC 6962, section 2.1.2); empty where the old one is 0 or both are equal.

        Raises:
            BadInput: so many leaves are not published, or the old size is above the new one.
        """
        self._check_size(new)
        return self._tree.consistency(old, new)

    def close(self) -> None:
        """Let the lock go. What is appended and not published stays in the journal."""
        if self._writer:
            self._writer.close()
            self._writer = None

    def _check_size(self, size: int) -> None:
        if size > self.size:
            raise BadInput(f"The log has {self.size} published leaves, not {size}.", "Ask for a published size.")

    def _writing(self) -> Writer:
        if self._writer is None:
            raise NotNow("The log is open for reading only.", "Open it for writing.")
        return self._writer


def _check_new(folder: Path) -> None:
    if (folder / CHECKPOINT).exists():
        raise Duplicate(f"There is an evidence log at {folder} already.", "Open it, or choose another folder.")


def _signed_by_all(note: bytes, signers: Sequence[CheckpointSigner]) -> bool:
    lines = {(name, key_id) for name, key_id, _ in split_note(note)[1]}
    return all((signer.note_key.name, signer.note_key.key_id) in lines for signer in signers)
