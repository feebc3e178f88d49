"""Transparency logs: inclusion, consistency and subtree proofs with their verdicts; signed notes and checkpoints."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from light_clients.proofs.notes import NoteKey, open_note, read_checkpoint
from light_clients.proofs.rfc6962 import (
    verify_consistency,
    verify_inclusion,
    verify_subtree,
    verify_subtree_inclusion,
)
from tests.vector_table.item import Item, judged, unusable

FAMILY = "tlog"


def items(folder: Path) -> Iterator[Item]:
    """One row for each proof and each note."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if file.suffix != ".json":
            yield unusable(FAMILY, name, "documentation, no vector")
            continue
        content = json.loads(file.read_text())
        if "wantErr" in content:
            expected = "refused" if content["wantErr"] else "accepted"
            yield judged(FAMILY, name, expected, _judge(content), content["desc"])
        else:
            yield from _notes(name, content)


def _judge(vector: dict[str, Any]) -> Callable[[], None]:
    """The verifier for a vector, told by the fields that it has."""
    proof = [_bytes(item) for item in vector["proof"] or ()]
    if "size1" in vector:
        older, newer = _bytes(vector["root1"]), _bytes(vector["root2"])
        return lambda: verify_consistency(older, vector["size1"], newer, vector["size2"], proof)
    if "root1" in vector:
        subtree, root = _bytes(vector["root1"]), _bytes(vector["root2"])
        return lambda: verify_subtree(subtree, vector["start"], vector["end"], vector["size"], root, proof)
    leaf, root, index = _bytes(vector["leafHash"]), _bytes(vector["root"]), vector["leafIdx"]
    if "treeSize" in vector:
        return lambda: verify_inclusion(leaf, index, vector["treeSize"], root, proof)
    return lambda: verify_subtree_inclusion(leaf, index, vector["start"], vector["end"], root, proof)


def _notes(name: str, content: dict[str, Any]) -> Iterator[Item]:
    for number, vector in enumerate(content["signed_notes"]):
        expected = "accepted" if vector["ok"] else "refused"
        note = vector["note"].encode()
        yield judged(
            FAMILY, f"{name} note {number}", expected, lambda note=note, key=vector["vkey"]: _open(note, key), "Ed25519"
        )
        changed = note.replace(b"e", b"f", 1)
        why = "the same with one letter changed"
        yield judged(
            FAMILY, f"{name} note {number} changed", "refused", lambda n=changed, key=vector["vkey"]: _open(n, key), why
        )
    checkpoint = content["checkpoint_example_unverifiable_key_not_given"]
    text = checkpoint.partition("\n\n")[0] + "\n"
    yield judged(
        FAMILY, f"{name} checkpoint", "accepted", lambda: read_checkpoint(text), "its form, by the specification"
    )
    yield judged(
        FAMILY, f"{name} checkpoint signature", "refused", lambda: open_note(checkpoint.encode(), ()), "no key is known"
    )


def _open(note: bytes, key: str) -> None:
    open_note(note, [NoteKey.parse(key)])


def _bytes(text: str) -> bytes:
    return base64.b64decode(text or "")
