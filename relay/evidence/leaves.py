"""Leaves: what the hub relied on or decided, as entries of the evidence log; docs/evidence.md says them byte for byte.

An entry is canonical CBOR (RFC 8949, section 4.2.1) of an array `[kind, number, time, field, …]`: a text, the number that the
queue gave (from 1, growing along the log), Unix milliseconds, and the fields of the kind. It has at most 1,024 bytes. A kind that
this module does not know is another part's, and passes through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cbor2

from relay.errors import BadInput

ENTRY_MAX_BYTES = 1024
HEAD_FIELDS = 3
"""Items of an entry before its kind's own fields: kind, number, time."""
KIND_MAX = 16
"""Characters of a kind."""
TEXT_MAX = 200
"""Characters of a text that somebody else had a part in."""

PROVED, CLAIM, ATTESTED, SETTLED = "proved", "claim", "attested", "settled"
REGISTRY, INCIDENT = "registry", "incident"

FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        PROVED: (
            "lane_id",
            "direction",
            "first",
            "nonce",
            "head",
            "height",
            "block_hash",
            "consensus",
            "evidence",
        ),
        CLAIM: ("lane_id", "direction", "first", "nonce", "head", "height", "block_hash", "epoch", "digest"),
        ATTESTED: (
            "lane_id",
            "direction",
            "nonce",
            "head",
            "height",
            "block_hash",
            "chain",
            "gateway",
            "verifier",
            "epoch",
            "threshold",
            "signatures",
        ),
        SETTLED: ("lane_id", "nonce", "head", "height", "transaction"),
        REGISTRY: ("what", "name", "content"),
        INCIDENT: ("name", "subject", "text", "evidence"),
    }
)
"""Names of the fields of each kind, in order; a field that names an object holds its SHA-256."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf that was read.

    Attributes:
        kind: what it is.
        number: that the queue gave it.
        at: Unix milliseconds.
        fields: the kind's own.
    """

    kind: str
    number: int
    at: int
    fields: tuple[Any, ...]

    def named(self) -> dict[str, Any]:
        """The fields by name.

        Raises:
            BadInput: the kind is another part's, or has another number of fields.
        """
        names = FIELDS.get(self.kind)
        if names is None or len(names) != len(self.fields):
            raise BadInput(f"A leaf of kind {self.kind!r} has not the fields of its kind.", "Run: relayhub audit.")
        return dict(zip(names, self.fields, strict=True))


@dataclass(frozen=True, slots=True)
class Subject:
    """Where a leaf is looked for: what it speaks of, and for lanes direction, nonce and height (else 0)."""

    subject: bytes
    direction: int = 0
    nonce: int = 0
    height: int = 0


def canonical(value: Any) -> bytes:
    """Canonical CBOR."""
    return cbor2.dumps(value, canonical=True)


def digest_of(content: bytes) -> bytes:
    """The name of an object: SHA-256 of its bytes, 32 bytes."""
    return hashlib.sha256(content).digest()


def short(text: str) -> str:
    """A text as leaves hold it: at most 200 characters, without what no UTF-8 has."""
    return text[:TEXT_MAX].encode("utf-8", "replace").decode()


def encode(kind: str, number: int, at_ms: int, fields: Sequence[Any]) -> bytes:
    """Write an entry.

    Args:
        kind: at most 16 characters.
        number: from the queue.
        at_ms: Unix milliseconds.
        fields: the kind's own.

    Returns:
        At most 1,024 bytes.

    Raises:
        BadInput: it would have more.
    """
    entry = canonical([kind, number, at_ms, *fields])
    if len(entry) > ENTRY_MAX_BYTES or not 0 < len(kind) <= KIND_MAX:
        raise BadInput(
            f"A leaf of kind {kind!r} has {len(entry)} bytes; at most {ENTRY_MAX_BYTES}.",
            "Keep the content as an object, and its hash in the leaf.",
        )
    return entry


def decode(entry: bytes) -> Entry:
    """Read an entry.

    Raises:
        BadInput: it is not in the one form that leaves have.
    """
    wrong = BadInput("The bytes are no leaf of this hub.", "Run: relayhub audit.")
    try:
        items = cbor2.loads(entry)
        again = canonical(items)
    except Exception:  # noqa: BLE001 - whatever the decoder makes of a stranger's bytes
        raise wrong from None
    if not isinstance(items, list) or len(items) < HEAD_FIELDS or again != entry:
        raise wrong
    kind, number, at = items[:HEAD_FIELDS]
    if not isinstance(kind, str) or type(number) is not int or type(at) is not int:
        raise wrong
    return Entry(kind, number, at, tuple(items[HEAD_FIELDS:]))


def subject_of(entry: Entry) -> Subject:
    """Where a leaf is looked for: by its first field, on lanes with direction, nonce and height."""
    first = entry.fields[0] if entry.fields else b""
    subject = first if isinstance(first, bytes) else str(first).encode()
    if entry.kind not in (PROVED, CLAIM, ATTESTED, SETTLED):
        return Subject(subject[:64])
    named = entry.named()
    return Subject(subject, named.get("direction", 1), named["nonce"], named["height"])


def signatures_object(signatures: Sequence[tuple[bytes, bytes, str, bytes]]) -> bytes:
    """The object of a quorum: canonical CBOR of an array of [signer, account, scheme, signature], ascending.

    Args:
        signatures: the operator's own account, the one by which the committee knows it, the scheme, the signature.
    """
    return canonical([list(item) for item in sorted(signatures)])
