"""Signed notes and the checkpoints of transparency logs in them (C2SP signed-note, tlog-checkpoint; RFC 4648, base64).

A note is text that ends in a newline, an empty line, and one line for each signature: an em dash, the name of a key, and
base64 of the key's id (4 bytes) and its signature. A checkpoint is a note whose text has the log's origin, its number of
leaves and its root, one a line; further lines are the log's own. A key is given as ``name+id+base64(algorithm ‖ key)``; its
id is the beginning of SHA-256(name ‖ newline ‖ algorithm ‖ key). Two algorithms are verified:

- Ed25519 over the text: the byte 0x01, a key of 32 bytes, a signature of 64;
- SM2 with SM3 over the text, under the user id 1234567812345678 (GB/T 32918.2; `light_clients.crypto.sm2`): the byte 0xff and
  the name `relayhub/sm2-sm3`, a key of 64 bytes (x and y), a signature of 64 (r and s). The specification leaves 0xff with a
  longer name to types that have no byte of their own.

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

from light_clients.crypto import ed25519, sm2
from light_clients.errors import ConfigurationInvalid, Refused, SignatureInvalid
from light_clients.proofs.rfc6962 import HASH_SIZE, MAXIMUM_SIZE

MAXIMUM_NOTE_SIZE = 65_536
"""Bytes of the largest note."""

MAXIMUM_SIGNATURES = 100

_DASH = "\N{EM DASH} "
ED25519 = b"\x01"
"""The algorithm of Ed25519 over the text."""
SM2 = b"\xffrelayhub/sm2-sm3"
"""The algorithm of SM2 with SM3 over the text."""
KEY_ID_SIZE = 4

_KEY_SIZES = {ED25519: ed25519.PUBLIC_KEY_SIZE, SM2: sm2.PUBLIC_KEY_SIZE}
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
        public_key: 32 bytes of Ed25519, 64 of SM2.
        algorithm: `ED25519` or `SM2`.
    """

    name: str
    key_id: bytes
    public_key: bytes
    algorithm: bytes = ED25519

    @classmethod
    def create(cls, name: str, public_key: bytes, algorithm: bytes = ED25519) -> NoteKey:
        """A key with its id.

        Args:
            name: As in signature lines: no space, no plus.
            public_key: 32 bytes of Ed25519, 64 of SM2.
            algorithm: `ED25519` or `SM2`.

        Raises:
            ConfigurationInvalid: The name or the key cannot be used.
        """
        if not is_key_name(name):
            raise ConfigurationInvalid("A key of notes has a name without spaces and plus signs.", found=name)
        if len(public_key) != _KEY_SIZES[algorithm]:
            raise ConfigurationInvalid(
                "The key of a note has another size.", expected=_KEY_SIZES[algorithm], found=len(public_key)
            )
        return cls(name, key_id_of(name, algorithm + public_key), public_key, algorithm)

    @classmethod
    def parse(cls, text: str) -> NoteKey:
        """Reads a key as its log prints it.

        Args:
            text: ``name+id+base64``.

        Raises:
            ConfigurationInvalid: It is no such key, its id is another, or its algorithm is not verified here.
        """
        name, key_id, data = parse_key(text)
        algorithm = next((known for known in _KEY_SIZES if data.startswith(known)), None)
        if algorithm is None or len(data) != len(algorithm) + _KEY_SIZES[algorithm]:
            raise ConfigurationInvalid("The key of a note is one of Ed25519 or SM2.", expected=ED25519, found=data[:1])
        return cls(name, key_id, data[len(algorithm) :], algorithm)

    @property
    def text(self) -> str:
        """The key as its log prints it: ``name+id+base64``."""
        return key_text(self.name, self.algorithm + self.public_key)

    def verify(self, text: str, signature: bytes) -> bool:
        """Tell whether this key signed a text.

        Args:
            text: With its last newline.
            signature: As in a signature line, behind the id.
        """
        verify = sm2.verify if self.algorithm == SM2 else ed25519.verify
        return verify(self.public_key, text.encode(), signature)


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
    text, lines = split_note(data)
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
        if not key.verify(text, signature):
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


def is_key_name(name: str) -> bool:
    """Tell whether a key may have this name: not empty, no space, no plus sign, no control character."""
    return _NAME.fullmatch(name) is not None and not any(character < " " for character in name)


def key_id_of(name: str, encoded: bytes) -> bytes:
    """The id of a key, 4 bytes.

    Args:
        name: As in signature lines.
        encoded: Algorithm and key.
    """
    return hashlib.sha256(name.encode(errors="surrogatepass") + b"\n" + encoded).digest()[:KEY_ID_SIZE]


def key_text(name: str, encoded: bytes) -> str:
    """A key as ``name+id+base64``; the arguments are those of `key_id_of`."""
    return f"{name}+{key_id_of(name, encoded).hex()}+{base64.b64encode(encoded).decode()}"


def parse_key(text: str) -> tuple[str, bytes, bytes]:
    """Reads ``name+id+base64`` of any algorithm.

    Args:
        text: As a log or a witness prints its key.

    Returns:
        The name, the id of 4 bytes, algorithm and key.

    Raises:
        ConfigurationInvalid: It is no such key, or its id is another.
    """
    match = _KEY.fullmatch(text)
    data = _decoded(match[3]) if match else None
    if match is None or data is None:
        raise ConfigurationInvalid("A key of notes is name+id+base64; copy it as the log prints it.", found=text)
    key_id = key_id_of(match[1], data)
    if key_id.hex() != match[2]:
        raise ConfigurationInvalid("The id is not the key's.", expected=key_id, found=match[2])
    return match[1], key_id, data


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """A signature line with its newline.

    Args:
        name: The key's.
        key_id: 4 bytes.
        signature: As the algorithm has it.
    """
    return f"{_DASH}{name} {base64.b64encode(key_id + signature).decode()}\n"


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The text of a checkpoint's note, with its last newline; `read_checkpoint` reads it."""
    root = base64.b64encode(checkpoint.root).decode()
    return "".join(f"{line}\n" for line in (checkpoint.origin, checkpoint.size, root, *checkpoint.extensions))


def split_note(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Takes a note apart by its form; no signature is looked at.

    Args:
        data: The note, untrusted.

    Returns:
        Its text with the last newline; name, id and signature of every line.

    Raises:
        NoteMalformed: It has not the form of a note.
    """
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
    if not line.startswith(_DASH) or not _NAME.fullmatch(name) or decoded is None or len(decoded) <= KEY_ID_SIZE:
        raise NoteMalformed("A signature line is a dash, a name, and base64 of an id and a signature.", found=line[:80])
    return name, decoded[:KEY_ID_SIZE], decoded[KEY_ID_SIZE:]


def _decoded(text: str) -> bytes | None:
    """Bytes of base64 in its only form; None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data and base64.b64encode(data).decode() == text else None
