"""Signed checkpoints: who signs them and who believes them (C2SP tlog-checkpoint and signed-note; light_clients.proofs.notes).

A checkpoint is a note with origin, size and root. The log signs it by Ed25519 and, in the national suite, by SM2 with SM3
over the same text, each under the origin as the key's name. The type of the SM2 signature is ours: the byte 0xff, which the
specification leaves to types without a byte of their own, and the name `relayhub/sm2-sm3`, before the key of 64 bytes (x, y).

The time of a checkpoint stands in no line of its text (the specification advises against further lines). A log's Ed25519 key
says it as a witness does: a cosignature of the log itself (C2SP tlog-cosignature, type 0x04, `relay.evidence.cosignatures`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from light_clients.crypto import sm2
from light_clients.errors import LightClientError
from light_clients.proofs.notes import (
    ED25519,
    SM2,
    Checkpoint,
    NoteKey,
    checkpoint_text,
    is_key_name,
    open_note,
    read_checkpoint,
    signature_line,
    split_note,
)
from relay import keys
from relay.errors import BadInput, NotFound
from relay.evidence.cosignatures import CosignatureKey, ed25519_key

LOG_KEY = "evidence-log"
"""The name of the log's Ed25519 key among the hub's keys."""
LOG_KEY_SM2 = "evidence-log-sm2"
"""The name of its SM2 key, where the hub is of the national suite."""


class CheckpointSigner(Protocol):
    """A key of the log."""

    @property
    def note_key(self) -> NoteKey:
        """The public key, by which the signature is known and verified."""

    def lines(self, text: str, now: float | None) -> str:
        """The signature lines over a checkpoint's text, each with its newline; `now` in Unix seconds, if it is to be said."""


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """Signs by Ed25519, and says the time by a cosignature.

    Attributes:
        name: the log's origin.
        private: 32 bytes, the seed of RFC 8032.
    """

    name: str
    private: bytes = field(repr=False)

    @property
    def note_key(self) -> NoteKey:
        """The public key for signatures over the text."""
        return NoteKey.create(self.name, bytes(ed25519_key(self.private).verify_key), ED25519)

    def lines(self, text: str, now: float | None) -> str:
        """One line, and with a time two."""
        key, signing = self.note_key, ed25519_key(self.private)
        line = signature_line(key.name, key.key_id, signing.sign(text.encode()).signature)
        return line if now is None else line + CosignatureKey.create(self.name, key.public_key).line(signing, text, now)


@dataclass(frozen=True, slots=True)
class Sm2Signer:
    """Signs by SM2 with SM3.

    Attributes:
        name: the log's origin.
        private: 32 bytes.
    """

    name: str
    private: bytes = field(repr=False)

    @property
    def note_key(self) -> NoteKey:
        """The public key."""
        return NoteKey.create(self.name, sm2.public_key_of(self.private), SM2)

    def lines(self, text: str, now: float | None) -> str:
        """One line; the time is the other key's to say."""
        key = self.note_key
        return signature_line(key.name, key.key_id, sm2.sign(self.private, text.encode()))


def origin_of(hub: str) -> str:
    """The origin of a hub's log: ``relayhub/NAME``; a space, a plus or a percent sign in the name is percent-encoded."""
    return "relayhub/" + re.sub(r"[\s+%\x00-\x1f]", lambda found: "".join(f"%{x:02X}" for x in found[0].encode()), hub)


def log_signers(store: keys.KeyStore, origin: str, *, national: bool = False) -> list[CheckpointSigner]:
    """The signers of a hub's log; keys that are not there yet are made.

    Args:
        store: the hub's keys.
        origin: the log's.
        national: sign by SM2 too; a key for it that is there already is used in any case.
    """
    signers: list[CheckpointSigner] = [
        Ed25519Signer(origin, store.load_or_new(LOG_KEY, kind=keys.ED25519).private),
    ]
    if national or store.exists(LOG_KEY_SM2):
        signers.append(Sm2Signer(origin, store.load_or_new(LOG_KEY_SM2, kind=keys.SM2).private))
    return signers


def log_keys(store: keys.KeyStore, origin: str) -> list[NoteKey]:
    """The public keys of a hub's log, for those who audit it.

    Raises:
        NotFound: the hub has no log yet.
    """
    if not store.exists(LOG_KEY):
        raise NotFound("This hub has no evidence log yet.", "Start the hub once: relayhub up.")
    return [signer.note_key for signer in log_signers(store, origin)]


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[CheckpointSigner], now: float | None) -> bytes:
    """The signed note of a checkpoint.

    Args:
        checkpoint: what is signed.
        signers: at least one.
        now: Unix seconds, or None for a note that says no time.
    """
    text = checkpoint_text(checkpoint)
    return (text + "\n" + "".join(signer.lines(text, now) for signer in signers)).encode()


def open_checkpoint(note: bytes, trusted: Sequence[NoteKey], origin: str | None = None) -> Checkpoint:
    """Verifies a signed checkpoint.

    Args:
        note: untrusted.
        trusted: keys of the log.
        origin: what it must name, where that is known.

    Raises:
        Refused: the note, its signatures or its text are false, by name.
        BadInput: it is another log's.
    """
    checkpoint = read_checkpoint(open_note(note, trusted).text)
    if origin is not None and checkpoint.origin != origin:
        raise BadInput(f"The checkpoint is one of {checkpoint.origin}, not of {origin}.", "Name the right log or key.")
    return checkpoint


def peek_checkpoint(note: bytes) -> Checkpoint:
    """Reads a checkpoint without believing it: no signature is verified.

    Raises:
        NoteMalformed: it is no checkpoint.
    """
    return read_checkpoint(split_note(note)[0])


def parse_log_key(text: str) -> NoteKey:
    """A log's key as a person gives it.

    Raises:
        BadInput: it is none.
    """
    try:
        return NoteKey.parse(text.strip())
    except LightClientError as error:
        raise BadInput(error.message, "A key looks like NAME+8 hex digits+base64; the log's owner prints it.") from None


def parse_witness_key(text: str) -> CosignatureKey:
    """A witness's key as a person gives it.

    Raises:
        BadInput: it is none.
    """
    try:
        return CosignatureKey.parse(text.strip())
    except LightClientError as error:
        raise BadInput(error.message, "A key looks like NAME+8 hex digits+base64; the witness prints it.") from None


def check_origin(origin: str) -> None:
    """Refuses an origin that is no key name.

    Raises:
        BadInput: it has a space, a plus sign or a control character, or is empty.
    """
    if not is_key_name(origin):
        raise BadInput(
            f"The origin {origin!r} cannot name a log.", "Leave out spaces, plus signs and control characters."
        )
