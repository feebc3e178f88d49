"""Cosignatures of witnesses: a statement that one saw the log grow and never change (C2SP tlog-cosignature, Ed25519, v1).

A witness keeps the size and root of the newest checkpoint that it cosigned, verifies the consistency proof to a newer one,
writes that down, and only then signs ``cosignature/v1``, the time and the checkpoint's text. Its signature line has the type
0x04 and, before the 64 bytes of the signature, the time in Unix seconds as 8 bytes. A second line of the same witness takes
the place of the first: there is one line a key in a note.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey

from light_clients.crypto import ed25519
from light_clients.errors import ConfigurationInvalid, LightClientError
from light_clients.proofs.notes import (
    NoteKey,
    is_key_name,
    key_id_of,
    key_text,
    open_note,
    parse_key,
    read_checkpoint,
    signature_line,
    split_note,
)
from light_clients.proofs.rfc6962 import verify_consistency
from relay.errors import BadInput, NotNow
from relay.evidence.disk import sync_folder, write_synced

COSIGNATURE = b"\x04"
"""The type of a timestamped Ed25519 cosignature."""
_TIME_SIZE = 8
_TIME_END = 2**63


@dataclass(frozen=True, slots=True)
class Cosignature:
    """What a witness said.

    Attributes:
        name: the witness.
        time: Unix seconds.
    """

    name: str
    time: int


@dataclass(frozen=True, slots=True)
class CosignatureKey:
    """A witness's public key.

    Attributes:
        name: as in signature lines.
        key_id: 4 bytes.
        public_key: 32 bytes.
    """

    name: str
    key_id: bytes
    public_key: bytes

    @classmethod
    def create(cls, name: str, public_key: bytes) -> CosignatureKey:
        """A key with its id.

        Raises:
            ConfigurationInvalid: the name or the key cannot be used.
        """
        if not is_key_name(name) or len(public_key) != ed25519.PUBLIC_KEY_SIZE:
            raise ConfigurationInvalid("A witness has a name without spaces and a key of 32 bytes.", found=name)
        return cls(name, key_id_of(name, COSIGNATURE + public_key), public_key)

    @classmethod
    def parse(cls, text: str) -> CosignatureKey:
        """Reads ``name+id+base64(0x04 ‖ key)``.

        Raises:
            ConfigurationInvalid: it is no such key.
        """
        name, _, data = parse_key(text)
        if data[:1] != COSIGNATURE:
            raise ConfigurationInvalid("The key is not one of a witness.", expected=COSIGNATURE, found=data[:1])
        return cls.create(name, data[1:])

    @property
    def text(self) -> str:
        """The key as a witness prints it."""
        return key_text(self.name, COSIGNATURE + self.public_key)

    def line(self, key: SigningKey, text: str, now: float) -> str:
        """The signature line over a checkpoint's text at a time; `key` is the private half of this one."""
        time = int(now)
        signature = key.sign(_statement(text, time)).signature
        return signature_line(self.name, self.key_id, time.to_bytes(_TIME_SIZE, "big") + signature)

    def verify(self, text: str, signature: bytes) -> int | None:
        """The time at which this witness cosigned a checkpoint's text; None if it did not."""
        time = int.from_bytes(signature[:_TIME_SIZE], "big")
        if len(signature) != _TIME_SIZE + ed25519.SIGNATURE_SIZE or time >= _TIME_END:
            return None
        return time if ed25519.verify(self.public_key, _statement(text, time), signature[_TIME_SIZE:]) else None


def _statement(text: str, time: int) -> bytes:
    """What is signed (tlog-cosignature, section Ed25519 signed message)."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def ed25519_key(private: bytes) -> SigningKey:
    """The signing key of a seed of 32 bytes."""
    return SigningKey(private)


def read_cosignatures(note: bytes, witnesses: Sequence[CosignatureKey]) -> list[Cosignature]:
    """The cosignatures of known witnesses in a note, in the order of its lines; false ones are left out, strangers too.

    Raises:
        NoteMalformed: it is no note.
    """
    text, lines = split_note(note)
    known = {(witness.name, witness.key_id): witness for witness in witnesses}
    times = ((known[name, key_id], signature) for name, key_id, signature in lines if (name, key_id) in known)
    found = ((witness.name, witness.verify(text, signature)) for witness, signature in times)
    return [Cosignature(name, time) for name, time in found if time is not None]


def add_cosignature(note: bytes, line: str, witnesses: Sequence[CosignatureKey]) -> bytes:
    """Put a witness's line into a note, in the place of an earlier one of the same key.

    Args:
        note: a signed checkpoint.
        line: the signature line, with or without its newline.
        witnesses: who may cosign.

    Raises:
        BadInput: the line is no cosignature of this checkpoint by one of them.
    """
    text, lines = split_note(note)
    whole = f"{text}\n{line.rstrip()}\n".encode()
    try:
        (name, key_id, _) = split_note(whole)[1][0]
        known = read_cosignatures(whole, witnesses)
    except LightClientError as error:
        raise BadInput(
            f"The cosignature is malformed: {error.message}", "Ask the witness for its line again."
        ) from None
    if not known:
        raise BadInput(
            f"No known witness cosigned this checkpoint by the line of {name}.", "Check its key and the size."
        )
    kept = [signature_line(*each) for each in lines if each[:2] != (name, key_id)]
    return (f"{text}\n" + "".join(kept) + line.rstrip() + "\n").encode()


class Witness:
    """A witness of one log.

    Args:
        name: its own name in signature lines.
        private: its key, 32 bytes, used for nothing else.
        log: keys of the log that it watches.
        state: the file in which it keeps what it cosigned last; made at the first cosignature.
    """

    def __init__(self, name: str, private: bytes, log: Sequence[NoteKey], state: Path) -> None:
        self._signing = ed25519_key(private)
        self.key = CosignatureKey.create(name, bytes(self._signing.verify_key))
        self._log = log
        self._state = state

    def seen(self, origin: str) -> tuple[int, bytes] | None:
        """Size and root of what it cosigned last of a log; None before the first time."""
        kept = json.loads(self._state.read_text()) if self._state.exists() else {}
        return (kept[origin]["size"], bytes.fromhex(kept[origin]["root"])) if origin in kept else None

    def cosign(self, note: bytes, proof: Sequence[bytes], now: float) -> str:
        """Cosign a checkpoint if it continues the last one; the first of a log is believed by its signature alone.

        Args:
            note: the log's signed checkpoint.
            proof: consistency from the size that `seen` gives; empty for an equal size or the first time.
            now: Unix seconds.

        Returns:
            The signature line, with its newline.

        Raises:
            Refused: the log did not sign it, or the proof does not hold.
            NotNow: it is older than what was cosigned.
        """
        text = open_note(note, self._log).text
        checkpoint = read_checkpoint(text)
        size, root = self.seen(checkpoint.origin) or (0, hashlib.sha256(b"").digest())
        if checkpoint.size < size:
            raise NotNow(
                f"The checkpoint has {checkpoint.size} leaves; one of {size} is cosigned.", "Ask for a newer one."
            )
        if size:
            verify_consistency(root, size, checkpoint.root, checkpoint.size, proof)
        self._keep(checkpoint.origin, checkpoint.size, checkpoint.root)
        return self.key.line(self._signing, text, now)

    def _keep(self, origin: str, size: int, root: bytes) -> None:
        kept = json.loads(self._state.read_text()) if self._state.exists() else {}
        kept[origin] = {"size": size, "root": root.hex()}
        fresh = self._state.with_name(f".{self._state.name}.{os.getpid()}")
        write_synced(fresh, json.dumps(kept).encode() + b"\n", 0o600)
        fresh.replace(self._state)
        sync_folder(self._state.parent)
