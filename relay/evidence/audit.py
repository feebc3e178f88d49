"""The audit of a log from outside: everything that its files claim is computed again, and every fault has a place.

The list of checks, each with the code of its finding:

1. There is a checkpoint (`checkpoint_missing`), it is one (`checkpoint_malformed`), a trusted key signed it (`wrong_key`),
   every signature of a trusted key holds (`signature_invalid`), and every named witness cosigned it (`cosignature_missing`).
2. It has the origin of the earlier checkpoints (`wrong_origin`), and at least as many leaves (`rollback`).
3. Every tile is there (`missing_tile`) with all its hashes (`truncated_tile`), and every bundle (`missing_bundle`) with all its
   records (`truncated_bundle`): a gap has the path of what is not there.
4. Every record hashes to its leaf in the tile (`rewritten_leaf`), with its index.
5. Every hash above the leaves is the root of the full tile below it (`rewritten_tile`), with that tile.
6. The tiles lead to the root of the checkpoint (`wrong_root`).
7. Every earlier checkpoint is the beginning of this one (`fork`): between which sizes the two histories part. This is the
   consistency proof of RFC 6962, made and checked from the tiles of both sizes.

A key that nobody gave is not trusted: without one the signature is not looked at, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from light_clients.errors import LightClientError
from light_clients.proofs.notes import (
    MAXIMUM_NOTE_SIZE,
    Checkpoint,
    NoteKey,
    NoteUnsigned,
    open_note,
)
from light_clients.proofs.rfc6962 import HASH_SIZE
from relay.errors import BadInput
from relay.evidence.checkpoints import open_checkpoint, peek_checkpoint
from relay.evidence.cosignatures import Cosignature, CosignatureKey, read_cosignatures
from relay.evidence.edge import Edge
from relay.evidence.log_files import CHECKPOINT
from relay.evidence.sources import Source, TooLarge
from relay.evidence.standings import COSIGNED
from relay.evidence.tiles import (
    HEIGHT,
    MAXIMUM_BUNDLE_SIZE,
    TILE_SIZE,
    WIDTH,
    BundleMalformed,
    TileTree,
    bundle_path,
    decode_bundle,
    leaf_hashes,
    perfect_root,
    tile_path,
    width_of,
)

MAXIMUM_FINDINGS = 1_000
"""An audit ends after so many: the rest would say the same."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        code: the check that failed, from the module's list.
        where: a path under the log's prefix, or a range of leaves.
        text: one sentence.
        index: the leaf, where it is one.
    """

    code: str
    where: str
    text: str
    index: int | None = None


@dataclass(slots=True)
class Report:
    """What an audit found.

    Attributes:
        name: where the log was read.
        note: the newest checkpoint as it was read; empty if there is none.
        checkpoint: the same, read.
        keys: the keys that were given, as ``name+id+base64``.
        tiles: how many tiles held.
        records: how many records held.
        compared: sizes of earlier checkpoints that are the beginning of this one.
        cosignatures: of the named witnesses.
        findings: what is wrong; none if all is well.
        complete: false where the audit ended early because of the number of findings.
    """

    name: str
    note: bytes = b""
    checkpoint: Checkpoint | None = None
    keys: tuple[str, ...] = ()
    tiles: int = 0
    records: int = 0
    compared: list[int] = field(default_factory=list)
    cosignatures: list[Cosignature] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def signature_checked(self) -> bool:
        """Whether a key was given."""
        return bool(self.keys)

    def data(self) -> dict[str, Any]:
        """The report for a machine."""
        known = self.checkpoint
        return {
            "log": self.name,
            "ok": self.ok,
            "origin": known.origin if known else None,
            "size": known.size if known else None,
            "root": known.root if known else None,
            "keys": list(self.keys),
            "signature_checked": self.signature_checked,
            "tiles": self.tiles,
            "records": self.records,
            "earlier_sizes": self.compared,
            "cosignatures": [asdict(each) for each in self.cosignatures],
            "findings": [asdict(each) for each in self.findings],
            "complete": self.complete,
        }


class _EnoughFound(Exception):
    """There are so many findings that the audit ends."""


class _Missing(Exception):
    """A proof needs a tile that is not as it should be; that is a finding already."""


def audit(
    source: Source,
    keys: Sequence[NoteKey] = (),
    earlier: Sequence[bytes] = (),
    witnesses: Sequence[CosignatureKey] = (),
) -> Report:
    """Audits a log; the list of checks is the module's.

    Args:
        source: where it lies.
        keys: its keys; without any the signature is not checked.
        earlier: signed checkpoints that it showed before, to anyone.
        witnesses: who must have cosigned the newest checkpoint.

    Returns:
        The report.

    Raises:
        BadInput: an earlier checkpoint is none, or not signed by these keys: it proves nothing.
        NotNow: the source cannot be read.
    """
    known = sorted((_earlier(note, keys) for note in earlier), key=lambda each: each.size)
    work = _Audit(source, keys)
    cosigned = work.read_cosigned() if witnesses else None
    known = sorted([*known, *([cosigned] if cosigned else [])], key=lambda each: each.size)
    try:
        checkpoint = work.check_checkpoint(witnesses)
        if checkpoint is not None:
            work.check_place(checkpoint, known)
            work.check_tiles(checkpoint)
            work.check_history(checkpoint, [each for each in known if each.origin == checkpoint.origin])
    except _EnoughFound:
        work.report.complete = False
    return work.report


def _earlier(note: bytes, keys: Sequence[NoteKey]) -> Checkpoint:
    try:
        return open_checkpoint(note, keys) if keys else peek_checkpoint(note)
    except LightClientError as error:
        raise BadInput(
            f"An earlier checkpoint proves nothing: {error.message}", "Give a signed one of this log."
        ) from None


class _Audit:
    def __init__(self, source: Source, keys: Sequence[NoteKey]) -> None:
        self.source = source
        self.keys = keys
        self.report = Report(source.name, keys=tuple(key.text for key in keys))
        self._cosigned = b""

    def read_cosigned(self) -> Checkpoint | None:
        """The checkpoint that witnesses cosigned, a few seconds older than the newest; it is held against the tree as any other."""
        try:
            note = self.source.fetch(COSIGNED, MAXIMUM_NOTE_SIZE)
            known = None if note is None else _earlier(note, self.keys)
        except (TooLarge, BadInput):
            return None
        self._cosigned = note or b""
        return known

    def check_checkpoint(self, witnesses: Sequence[CosignatureKey]) -> Checkpoint | None:
        """Check 1; None where nothing more can be checked."""
        try:
            note = self.source.fetch(CHECKPOINT, MAXIMUM_NOTE_SIZE)
        except TooLarge:
            self._find("checkpoint_malformed", CHECKPOINT, "The checkpoint is larger than 64 KiB.")
            return None
        if note is None:
            self._find("checkpoint_missing", CHECKPOINT, "There is no checkpoint.")
            return None
        self.report.note = note
        try:
            checkpoint = self.report.checkpoint = peek_checkpoint(note)
        except LightClientError as error:
            self._find("checkpoint_malformed", CHECKPOINT, error.message)
            return None
        if self.keys:
            try:
                open_note(note, self.keys)
            except NoteUnsigned:
                names = ", ".join(key.name for key in self.keys)
                self._find("wrong_key", CHECKPOINT, f"No given key signed the checkpoint (given: {names}).")
            except LightClientError as error:
                self._find("signature_invalid", CHECKPOINT, error.message)
        found = read_cosignatures(note, witnesses)
        missing = [witness for witness in witnesses if witness.name not in {each.name for each in found}]
        self.report.cosignatures = found + (read_cosignatures(self._cosigned, missing) if self._cosigned else [])
        cosigned = {each.name for each in self.report.cosignatures}
        for witness in witnesses:
            if witness.name not in cosigned:
                self._find("cosignature_missing", CHECKPOINT, f"{witness.name} did not cosign the checkpoint.")
        return checkpoint

    def check_place(self, checkpoint: Checkpoint, earlier: Sequence[Checkpoint]) -> None:
        """Check 2."""
        for each in earlier:
            if each.origin != checkpoint.origin:
                text = f"The log calls itself {checkpoint.origin}; an earlier checkpoint is one of {each.origin}."
                self._find("wrong_origin", CHECKPOINT, text)
        largest = max((each.size for each in earlier if each.origin == checkpoint.origin), default=0)
        if largest > checkpoint.size:
            text = f"The log has {checkpoint.size} leaves, and signed a checkpoint of {largest} before: it was rolled back."
            self._find("rollback", CHECKPOINT, text)

    def check_tiles(self, checkpoint: Checkpoint) -> None:
        """Checks 3 to 6, level by level from the leaves upwards."""
        level, complete = 0, True
        below: list[bytes | None] = []
        rows: list[bytes] = []
        while (nodes := checkpoint.size >> (HEIGHT * level)) > 0:
            roots: list[bytes | None] = []
            row = b""
            for number in range(-(-nodes // WIDTH)):
                width = width_of(level, number, checkpoint.size)
                tile = self._tile(level, number, width)
                complete = complete and tile is not None
                if level == 0:
                    self._check_bundle(number, width, tile)
                elif tile is not None:
                    self._check_children(level, number, tile, below)
                if width == WIDTH:
                    roots.append(perfect_root(tile) if tile is not None else None)
                else:
                    row = tile or b""
            rows.append(row)
            level, below = level + 1, roots
        if complete and Edge(checkpoint.size, tuple(rows)).root() != checkpoint.root:
            self._find("wrong_root", CHECKPOINT, f"The tiles of {checkpoint.size} leaves lead to another root.")

    def check_history(self, checkpoint: Checkpoint, earlier: Sequence[Checkpoint]) -> None:
        """Check 7: the tree of an earlier size has the earlier root."""
        tree = TileTree(self._proof_tile(checkpoint.size))
        beyond: dict[int, bytes] = {}
        for each in earlier:
            if each.size > checkpoint.size:  # rolled back: those of one size can still be held against each other
                same = beyond.setdefault(each.size, each.root) == each.root
            else:
                try:
                    same = tree.root(each.size) == each.root
                except _Missing:
                    continue  # the gap is a finding; it cannot be compared
                if same:
                    self.report.compared.append(each.size)
            if not same:
                good = max((size for size in self.report.compared if size < each.size), default=0)
                text = f"A checkpoint of {each.size} leaves was signed over another history: the log shows two."
                self._find("fork", f"leaves {good} to {each.size - 1}", text)

    def _tile(self, level: int, number: int, width: int) -> bytes | None:
        path = tile_path(level, number, width)
        try:
            data = self._wide(path, tile_path(level, number), TILE_SIZE)
        except TooLarge:
            self._find("truncated_tile", path, f"The tile has more than {WIDTH} hashes.")
            return None
        if data is None:
            self._find("missing_tile", path, f"The tile of level {level}, number {number}, is not there.")
            return None
        content, found = data
        right = TILE_SIZE if found != path else width * HASH_SIZE
        if len(content) != right:
            self._find("truncated_tile", path, f"The tile has {len(content)} bytes in place of {right}.")
            return None
        self.report.tiles += 1
        return content[: width * HASH_SIZE]

    def _wide(self, path: str, full: str, limit: int) -> tuple[bytes, str] | None:
        """A partial file or, where it has become full meanwhile, the full one; with the path that it was found at."""
        for each in dict.fromkeys((path, full)):
            content = self.source.fetch(each, limit)
            if content is not None:
                return content, each
        return None

    def _check_bundle(self, number: int, width: int, tile: bytes | None) -> None:
        path, first = bundle_path(number, width), number * WIDTH
        try:
            data = self._wide(path, bundle_path(number), MAXIMUM_BUNDLE_SIZE)
        except TooLarge:
            self._find("truncated_bundle", path, "The bundle is larger than its records can be.")
            return
        if data is None:
            self._find("missing_bundle", path, f"Records {first} to {first + width - 1} are not there.")
            return
        try:
            records = decode_bundle(data[0], width if data[1] == path else WIDTH)[:width]
        except BundleMalformed as error:
            self._find("truncated_bundle", path, f"From leaf {first} on: {error}.")
            return
        hashes = leaf_hashes(records)
        for place, found in enumerate(hashes if tile is not None else ()):
            if tile is not None and found != tile[place * HASH_SIZE : (place + 1) * HASH_SIZE]:
                text = f"Record {first + place} is not the one whose hash stands in the tile."
                self._find("rewritten_leaf", path, text, first + place)
            else:
                self.report.records += 1

    def _check_children(self, level: int, number: int, tile: bytes, below: Sequence[bytes | None]) -> None:
        for place, found in _hashes(tile):
            child = number * WIDTH + place
            if below[child] is not None and below[child] != found:
                leaves = WIDTH << (HEIGHT * (level - 1))
                first = child * leaves
                text = f"Its root is not the one above it: something changed from leaf {first} to {first + leaves - 1}."
                self._find("rewritten_tile", tile_path(level - 1, child), text)

    def _proof_tile(self, size: int) -> Callable[[int, int], bytes]:
        def read(level: int, number: int) -> bytes:
            width = width_of(level, number, size)
            try:
                data = self._wide(tile_path(level, number, width), tile_path(level, number), TILE_SIZE)
            except TooLarge:
                data = None
            if data is None or len(data[0]) < width * HASH_SIZE:
                raise _Missing
            return data[0]

        return read

    def _find(self, code: str, where: str, text: str, index: int | None = None) -> None:
        self.report.findings.append(Finding(code, where, text, index))
        if len(self.report.findings) >= MAXIMUM_FINDINGS:
            raise _EnoughFound


def _hashes(tile: bytes) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(tile), HASH_SIZE):
        yield at // HASH_SIZE, tile[at : at + HASH_SIZE]
