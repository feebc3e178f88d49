"""Cosignatures of witnesses: a statement that one saw the log grow and never change (C2SP tlog-cosignature, Ed25519, v1).

A witness (`relay.witness`) keeps the newest checkpoint that it cosigned, verifies the consistency proof to a newer one, writes
that down, and only then signs ``cosignature/v1``, the time and the checkpoint's text. Its signature line has the type
0x04 and, before the 64 bytes of the signature, the time in Unix seconds as 8 bytes. A second line of the same witness takes
the place of the first: there is one line a key in a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nacl.signing import SigningKey

from light_clients.crypto import ed25519
from light_clients.errors import ConfigurationInvalid, LightClientError
from light_clients.proofs.notes import (
    is_key_name,
    key_id_of,
    key_text,
    parse_key,
    signature_line,
    split_note,
)
from relay.errors import BadInput

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
