"""Signed notes and the checkpoints of transparency logs in them (C2SP signed-note, tlog-checkpoint; RFC 4648, base64).

A note is text that ends in a newline, an empty line, and one line for each signature: an em dash, the name of a key, and
base64 of the key's id (4 bytes) and its signature. A checkpoint is a note whose text has the log's origin, its number of
leaves and its root, one a line; further lines are the log's own. A key is given as ``name+id+base64(algorithm ‖ key)``; its
id is the beginning of SHA-256(name ‖ newline ‖ algorithm ‖ key). Ed25519 (algorithm 1) is the one that is verified.

Checks of a note:
1. It is UTF-8 of at most 64 KiB without control characters, with at most 100 signature lines in their one form.
2. No key signs twice.
3. Every signature by a trusted key holds; signatures by other keys are not looked at.
4. At least one trusted key signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from light_clients.crypto import ed25519
from light_clients.errors import ConfigurationInvalid, Refused, SignatureInvalid
from light_clients.proofs.rfc6962 import HASH_SIZE, MAXIMUM_SIZE

MAXIMUM_NOTE_SIZE = 65_536
"""Bytes of the largest note."""

MAXIMUM_SIGNATURES = 100

_DASH = "\N{EM DASH} "
_ED25519 = 1
_KEY_ID_SIZE = 4
_NAME = re.compile(r"[^\s+]+")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteMalformed(Refused):
    """The bytes are no note, or its text is no checkpoint."""


class NoteUnsigned(Refused):
    """No trusted key signed the note."""


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that notes are trusted by.

    Attributes:
        name: As in signature lines.
        key_id: 4 bytes.
        public_key: 32 bytes, Ed25519.
    """

    name: str
    key_id: bytes
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> NoteKey:
        """Reads a key as its log prints it.

        Args:
            text: ``name+id+base64``.

        Raises:
            ConfigurationInvalid: It is no such key, its id is another, or it is not for Ed25519.
        """
        match = _KEY.fullmatch(text)
        data = _decoded(match[3]) if match else None
        if match is None or data is None:
            raise ConfigurationInvalid("A key of notes is name+id+base64; copy it as the log prints it.", found=text)
        if data[0] != _ED25519 or len(data) != 1 + ed25519.PUBLIC_KEY_SIZE:
            raise ConfigurationInvalid("The key of a note is one of Ed25519.", expected=_ED25519, found=data[0])
        key_id = hashlib.sha256(match[1].encode() + b"\n" + data).digest()[:_KEY_ID_SIZE]
        if key_id.hex() != match[2]:
            raise ConfigurationInvalid("The id is not the key's.", expected=key_id, found=match[2])
        return cls(match[1], key_id, data[1:])


@dataclass(frozen=True, slots=True)
class Note:
    """A note whose trusted signatures hold.

    Attributes:
        text: What was signed, with its last newline.
        signers: Names of the trusted keys that signed, in the order of the lines.
    """

    text: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log at one time.

    Attributes:
        origin: The log's name.
        size: Its leaves.
        root: 32 bytes.
        extensions: Further lines, as they are.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def open_note(data: bytes, keys: Sequence[NoteKey]) -> Note:
    """Verifies a note; the list of checks is the module's.

    Args:
        data: The note, untrusted.
        keys: Trusted keys.

    Returns:
        Its text and who signed it.

    Raises:
        NoteMalformed: It has not the form of a note.
        SignatureInvalid: A signature by a trusted key does not hold.
        NoteUnsigned: No trusted key signed it.
    """
    # 1. and 2. Form.
    text, lines = _split(data)
    trusted = {(key.name, key.key_id): key for key in keys}
    signers: list[str] = []
    seen: set[tuple[str, bytes]] = set()
    for name, key_id, signature in lines:
        if (name, key_id) in seen:
            raise NoteMalformed("One key signs a note twice.", found=name)
        seen.add((name, key_id))
        # 3. Signatures.
        key = trusted.get((name, key_id))
        if key is None:
            continue
        if not ed25519.verify(key.public_key, text.encode(), signature):
            raise SignatureInvalid("The signature of a note does not hold.", found=name)
        signers.append(name)
    # 4. Trust.
    if not signers:
        raise NoteUnsigned("No trusted key signed the note.", found=", ".join(name for name, _, _ in lines))
    return Note(text, tuple(signers))


def read_checkpoint(text: str) -> Checkpoint:
    """Reads the text of a note as a checkpoint.

    Args:
        text: As `open_note` gives it.

    Raises:
        NoteMalformed: It has not the form of a checkpoint.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteMalformed("A checkpoint has origin, size and root, one a line, and no empty line.", found=text[:80])
    origin, size, root = lines[:3]
    decoded = _decoded(root)
    if not _SIZE.fullmatch(size) or int(size) > MAXIMUM_SIZE:
        raise NoteMalformed("The size of a checkpoint is a decimal number.", found=size[:80])
    if decoded is None or len(decoded) != HASH_SIZE:
        raise NoteMalformed("The root of a checkpoint is base64 of 32 bytes.", found=root[:80])
    return Checkpoint(origin, int(size), decoded, tuple(lines[3:-1]))


def _split(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    if len(data) > MAXIMUM_NOTE_SIZE:
        raise NoteMalformed("The note is too large.", expected=MAXIMUM_NOTE_SIZE, found=len(data))
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NoteMalformed("A note is UTF-8.") from None
    if any(character < " " and character != "\n" for character in whole):
        raise NoteMalformed("A note has no control characters.")
    text, separator, tail = whole.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise NoteMalformed("A note is text, an empty line and signature lines, each with its newline.")
    lines = tail[:-1].split("\n")
    if len(lines) > MAXIMUM_SIGNATURES:
        raise NoteMalformed("The note has too many signatures.", expected=MAXIMUM_SIGNATURES, found=len(lines))
    return text + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    decoded = _decoded(encoded)
    if not line.startswith(_DASH) or not _NAME.fullmatch(name) or decoded is None or len(decoded) <= _KEY_ID_SIZE:
        raise NoteMalformed("A signature line is a dash, a name, and base64 of an id and a signature.", found=line[:80])
    return name, decoded[:_KEY_ID_SIZE], decoded[_KEY_ID_SIZE:]


def _decoded(text: str) -> bytes | None:
    """Bytes of base64 in its only form; None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data and base64.b64encode(data).decode() == text else None
