"""Transparency logs: inclusion, consistency and subtree proofs, and signed checkpoints."""

from __future__ import annotations

import base64
import hashlib

from nacl.signing import SigningKey

from light_clients.errors import ProofValueInvalid
from light_clients.proofs.notes import NoteKey, open_note, read_checkpoint
from light_clients.proofs.rfc6962 import (
    leaf_hash,
    subtree_proof,
    tree_root,
    verify_consistency,
    verify_inclusion,
    verify_subtree,
)
from tests.mutations.families.engine import FamilySubject, Value

LEAVES = [leaf_hash(b"entry %d" % number) for number in range(29)]
SIZE = len(LEAVES)
ROOT = tree_root(LEAVES)
NAME = "log.example/spoilt"


def subjects() -> list[FamilySubject]:
    """A trusted root of 29 leaves, and a trusted key."""
    leaf = (LEAVES[13], 13, subtree_proof(LEAVES, 13, 14))
    older = (tree_root(LEAVES[:21]), 21, subtree_proof(LEAVES, 0, 21))
    part = (tree_root(LEAVES[8:16]), 8, 16, subtree_proof(LEAVES, 8, 16))
    return [
        FamilySubject("tlog", "inclusion", leaf, _included, [(LEAVES[12], 12, subtree_proof(LEAVES, 12, 13))]),
        FamilySubject(
            "tlog", "consistency", older, _consistent, [(tree_root(LEAVES[:8]), 8, subtree_proof(LEAVES, 0, 8))]
        ),
        FamilySubject(
            "tlog", "subtree", part, _subtree, [(tree_root(LEAVES[16:24]), 16, 24, subtree_proof(LEAVES, 16, 24))]
        ),
        FamilySubject("tlog", "checkpoint", _checkpoint(SIZE, ROOT), _opened, [_checkpoint(8, tree_root(LEAVES[:8]))]),
    ]


def _included(value: Value) -> object:
    leaf, index, proof = value
    verify_inclusion(leaf, index, SIZE, ROOT, proof)
    return leaf, index


def _consistent(value: Value) -> object:
    root, size, proof = value
    verify_consistency(root, size, ROOT, SIZE, proof)
    if root != tree_root(LEAVES[:size]):
        return root, size
    return "a beginning of the log"


def _subtree(value: Value) -> object:
    root, start, end, proof = value
    verify_subtree(root, start, end, SIZE, ROOT, proof)
    if root != tree_root(LEAVES[start:end]):
        return root, start, end
    return "a part of the log"


def _checkpoint(size: int, root: bytes) -> Value:
    """Text, name, id and signature of a checkpoint."""
    key = SigningKey(hashlib.sha256(b"relayhub test note spoilt").digest())
    text = f"{NAME}\n{size}\n{base64.b64encode(root).decode()}\n"
    encoded = b"\x01" + bytes(key.verify_key)
    key_id = hashlib.sha256(NAME.encode() + b"\n" + encoded).digest()[:4]
    return text, NAME, key_id, key.sign(text.encode()).signature


def _opened(value: Value) -> object:
    text, name, key_id, signature = value
    key = SigningKey(hashlib.sha256(b"relayhub test note spoilt").digest())
    encoded = b"\x01" + bytes(key.verify_key)
    trusted_id = hashlib.sha256(NAME.encode() + b"\n" + encoded).digest()[:4]
    line = f"\N{EM DASH} {name} {base64.b64encode(key_id + signature).decode()}\n"
    data = (text + "\n" + line).encode()
    note = open_note(data, [NoteKey(NAME, trusted_id, bytes(key.verify_key))])
    found = read_checkpoint(note.text)
    if found.origin != NAME:
        raise ProofValueInvalid("Another log.")
    return found, note.signers
