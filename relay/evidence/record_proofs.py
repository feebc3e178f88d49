"""Proofs that a record stands in the log: one JSON file, verified offline with the log's public key and nothing else.

    format      "relayhub record proof 1"
    record      the record's commitment, 0x and 64 digits
    entry       the leaf, 0x and its bytes (relay.evidence.leaves: ["record", number, Unix milliseconds, commitment])
    leaf        its index in the log
    inclusion   hashes from the leaf upwards (RFC 6962, section 2.1.1)
    checkpoint  the signed checkpoint (C2SP tlog-checkpoint), its text
    salt        0x and 64 digits; only for those who may read the record

Checks, each of which may fail alone:
1. The file has this form.
2. The entry is the leaf of a record, and of this one.
3. A trusted key signed the checkpoint, and the checkpoint is of the log that the key is named for.
4. The inclusion proof leads from the entry at its index to the checkpoint's root.
5. With a content: SHA-256(salt ‖ content) is the commitment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from light_clients.proofs.notes import NoteKey, open_note, read_checkpoint
from light_clients.proofs.rfc6962 import leaf_hash, verify_inclusion
from relay.errors import BadInput, HubError, NotFound, NotNow
from relay.evidence.checkpoints import peek_checkpoint
from relay.evidence.cosigned import checkpoint_over
from relay.evidence.leaves import decode
from relay.evidence.log import EvidenceLog
from relay.evidence.pack_writer import SALT_SIZE
from relay.evidence.records import RECORD
from relay.store import Store
from relay.store.tables import evidence_leaves
from schemas.primitives import SchemaError, bytes_from_hex

FORMAT = "relayhub record proof 1"
LARGEST_FILE = 1 << 20
"""Bytes of the largest proof file that is read."""
_FIELDS = {"format", "record", "entry", "leaf", "inclusion", "checkpoint"}


class ProofFalse(HubError):
    """The proof does not show what it says."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as the file has it; nothing in it is believed.

    Attributes:
        commitment: the record's id, 32 bytes.
        entry: the leaf.
        leaf: its index.
        inclusion: hashes from the leaf upwards, 32 bytes each.
        checkpoint: the signed note.
        salt: 32 bytes; None for those who may not read.
    """

    commitment: bytes
    entry: bytes
    leaf: int
    inclusion: tuple[bytes, ...]
    checkpoint: bytes
    salt: bytes | None = None

    def to_json(self) -> dict[str, Any]:
        """The file's content."""
        salt = {} if self.salt is None else {"salt": "0x" + self.salt.hex()}
        return {
            "format": FORMAT,
            "record": "0x" + self.commitment.hex(),
            "entry": "0x" + self.entry.hex(),
            "leaf": self.leaf,
            "inclusion": ["0x" + item.hex() for item in self.inclusion],
            "checkpoint": self.checkpoint.decode(),
        } | salt

    @classmethod
    def from_json(cls, text: bytes | str) -> Proof:
        """Check 1 of the module: read a file.

        Raises:
            BadInput: it has not the form of a proof.
        """
        try:
            return _read(json.loads(text))
        except (ValueError, KeyError, TypeError, RecursionError, SchemaError):
            raise BadInput(
                "The file is no proof of a record.", "Make one: relayhub evidence prove ID > proof.json."
            ) from None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a proof showed.

    Attributes:
        commitment: the record's id, 32 bytes.
        at: when the hub took it, Unix milliseconds.
        leaf: its place in the log.
        origin: the log.
        size: leaves under the checkpoint.
        signers: trusted keys that signed it.
        content_checked: whether a content was compared.
    """

    commitment: bytes
    at: int
    leaf: int
    origin: str
    size: int
    signers: tuple[str, ...]
    content_checked: bool


def prove(store: Store, folder: Path, commitment: bytes, salt: bytes | None = None) -> Proof:
    """Prove that a record stands in the log.

    Args:
        store: the hub's database.
        folder: its evidence folder; the log lies in `log` under it.
        commitment: the record's id, 32 bytes.
        salt: for those who may read the record.

    Raises:
        NotNow: the leaf is in no published checkpoint yet.
    """
    where = (evidence_leaves.c.subject == commitment, evidence_leaves.c.kind == RECORD)
    with store.read() as connection:
        leaf = connection.execute(select(evidence_leaves.c.leaf).where(*where).limit(1)).scalar()
    later = NotNow(
        f"The record 0x{commitment.hex()[:12]} is in no published checkpoint yet.",
        "Try again in a moment; the hub must run: relayhub status.",
    )
    if leaf is None:
        raise later
    try:
        log = EvidenceLog.open(folder / "log", write=False)
    except NotFound:
        raise later from None
    try:
        note = checkpoint_over(log, leaf + 1)
        size = peek_checkpoint(note).size
        if leaf >= size:
            raise later
        return Proof(commitment, log.record(leaf), int(leaf), tuple(log.inclusion(leaf, size)), note, salt)
    finally:
        log.close()


def verify(proof: Proof, keys: Sequence[NoteKey], content: Iterable[bytes] | None = None) -> Verified:
    """Verify a proof; the list of checks is the module's.

    Args:
        proof: read, not believed.
        keys: the log's keys, from a source that is trusted.
        content: the record's content piece by piece, if it is at hand.

    Raises:
        ProofFalse: it is not the leaf of this record, of another log, or the content is another.
        Refused: the checkpoint's signature or the inclusion proof is false, by its name.
        BadInput: there is a content and no salt.
    """
    # 2. The leaf.
    entry = _entry(proof)
    # 3. The checkpoint.
    note = open_note(proof.checkpoint, keys)
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin not in note.signers:
        raise ProofFalse(
            f"The checkpoint is one of {checkpoint.origin}, signed by {', '.join(note.signers)}.",
            "A log signs its own checkpoints; ask for the key of that log.",
        )
    # 4. The place.
    verify_inclusion(leaf_hash(proof.entry), proof.leaf, checkpoint.size, checkpoint.root, proof.inclusion)
    # 5. The content.
    if content is not None:
        _check_content(proof, content)
    return Verified(
        proof.commitment, entry, proof.leaf, checkpoint.origin, checkpoint.size, note.signers, content is not None
    )


def _entry(proof: Proof) -> int:
    """The leaf's time, Unix milliseconds, if it is this record's."""
    try:
        entry = decode(proof.entry)
    except BadInput:
        raise ProofFalse("The entry is no leaf.", "Ask for the proof anew.") from None
    if entry.kind != RECORD or entry.fields != (proof.commitment,):
        raise ProofFalse("The entry is not the leaf of this record.", "Ask for the proof anew.")
    return entry.at


def _check_content(proof: Proof, content: Iterable[bytes]) -> None:
    if proof.salt is None:
        raise BadInput(
            "The proof has no salt, so no content can be compared.",
            "Who may read the record makes one with it: relayhub evidence prove ID --as ORG.",
        )
    digest = hashlib.sha256(proof.salt)
    for chunk in content:
        digest.update(chunk)
    if digest.digest() != proof.commitment:
        raise ProofFalse("The file is not the content of this record.", "Compare it with: relayhub evidence get.")


def _read(data: dict[str, Any]) -> Proof:
    if data["format"] != FORMAT or not _FIELDS <= set(data) <= _FIELDS | {"salt"}:
        raise ValueError
    leaf, checkpoint = data["leaf"], data["checkpoint"]
    if type(leaf) is not int or leaf < 0 or not isinstance(checkpoint, str):
        raise ValueError
    salt = None if data.get("salt") is None else _sized(data["salt"], SALT_SIZE)
    inclusion = tuple(_sized(item, hashlib.sha256().digest_size) for item in data["inclusion"])
    record = _sized(data["record"], hashlib.sha256().digest_size)
    return Proof(record, bytes_from_hex(data["entry"]), leaf, inclusion, checkpoint.encode(), salt)


def _sized(text: str, size: int) -> bytes:
    value = bytes_from_hex(text)
    if len(value) != size:
        raise ValueError
    return value
