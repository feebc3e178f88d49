"""A witness that reads the log by itself, from its folder or a web server, where nobody sends it checkpoints."""

from __future__ import annotations

from light_clients.proofs.notes import MAXIMUM_NOTE_SIZE, read_checkpoint, split_note
from light_clients.proofs.rfc6962 import HASH_SIZE
from relay.errors import NotNow
from relay.evidence.log_files import CHECKPOINT
from relay.evidence.sources import Source, TooLarge, source_of
from relay.evidence.tiles import TILE_SIZE, TileTree, tile_path, width_of
from relay.witness.witness import Witness


def cosign_log(witness: Witness, place: str, now: float) -> tuple[bytes, str]:
    """Cosign the newest checkpoint of a log.

    Args:
        witness: who cosigns.
        place: the log's folder or URL.
        now: Unix seconds.

    Returns:
        The log's note and the signature line.

    Raises:
        NotNow: the log cannot be read, or shows an older checkpoint than is cosigned.
        HubError: it is not cosigned (`Witness.cosign`).
        LightClientError: the same.
    """
    source = source_of(place)
    note = _fetched(source, CHECKPOINT, MAXIMUM_NOTE_SIZE)
    checkpoint = read_checkpoint(split_note(note)[0])
    seen = witness.seen(checkpoint.origin)
    old = seen[0] if seen else 0
    proof = []
    if 0 < old < checkpoint.size:
        proof = TileTree(lambda level, number: _tile(source, level, number, checkpoint.size)).consistency(
            old, checkpoint.size
        )
    return note, witness.cosign(note, proof, now)


def _tile(source: Source, level: int, number: int, size: int) -> bytes:
    width = width_of(level, number, size)
    partial, full = tile_path(level, number, width), tile_path(level, number)
    for path in dict.fromkeys((partial, full)):
        content = _found(source, path, TILE_SIZE)
        if content is not None and len(content) >= width * HASH_SIZE:
            return content
    raise NotNow(f"The log lacks {partial}.", f"Find what is wrong: relayhub audit {source.name}.")


def _fetched(source: Source, path: str, limit: int) -> bytes:
    content = _found(source, path, limit)
    if content is None:
        raise NotNow(f"{source.name} has no {path}.", "Name a log's folder, or the URL under which it is served.")
    return content


def _found(source: Source, path: str, limit: int) -> bytes | None:
    try:
        return source.fetch(path, limit)
    except TooLarge:
        raise NotNow(f"{path} of {source.name} is too large for what it is.", "Ask the log's owner.") from None
