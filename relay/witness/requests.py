"""The body of an `add-checkpoint` request: from the log to its witness (C2SP tlog-witness, section add-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from light_clients.proofs.notes import MAXIMUM_NOTE_SIZE
from light_clients.proofs.rfc6962 import HASH_SIZE, MAXIMUM_SIZE
from relay.errors import BadInput

PATH = "add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
"""The content type of an answer that names the size of the checkpoint that was cosigned last."""
MAXIMUM_PROOF = 63
"""Lines of the longest consistency proof."""
_LINE_BYTES = 45
MAXIMUM_BODY = MAXIMUM_NOTE_SIZE + (MAXIMUM_PROOF + 1) * _LINE_BYTES
"""Bytes of the largest request."""
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request.

    Attributes:
        old: leaves of the checkpoint from which the proof leads; 0 for the first.
        proof: consistency (RFC 6962, section 2.1.2), hashes of 32 bytes.
        note: the signed checkpoint.
    """

    old: int
    proof: tuple[bytes, ...]
    note: bytes


def encode(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of a request; the arguments are those of `AddCheckpoint`."""
    lines = [f"old {old}", *(base64.b64encode(item).decode() for item in proof)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note


def decode(body: bytes) -> AddCheckpoint:
    """Read the body of a request; nothing of the checkpoint is looked at.

    Raises:
        BadInput: it has another form.
    """
    head, separator, note = body.partition(b"\n\n")
    try:
        first, *rest = head.decode("ascii").split("\n")
        found = _OLD.fullmatch(first)
        proof = tuple(_hash(line) for line in rest)
    except (UnicodeDecodeError, binascii.Error, ValueError):
        raise BadInput("A line of the proof is no base64 of 32 bytes.", "Send one hash a line.") from None
    if found is None or not separator or int(found[1]) > MAXIMUM_SIZE:
        raise BadInput(
            "The request does not begin with an old size, a proof and an empty line.", "See C2SP tlog-witness."
        )
    if len(proof) > MAXIMUM_PROOF:
        raise BadInput(f"The proof has {len(proof)} lines; at most {MAXIMUM_PROOF}.", "Send a proof of this log.")
    return AddCheckpoint(int(found[1]), proof, note)


def read_size(body: bytes) -> int | None:
    """The size that an answer of type `SIZE_TYPE` names; None if it is none."""
    found = _SIZE.fullmatch(body.decode("ascii", "replace"))
    return int(found[1]) if found and int(found[1]) <= MAXIMUM_SIZE else None


def _hash(line: str) -> bytes:
    data = base64.b64decode(line, validate=True)
    if len(data) != HASH_SIZE or base64.b64encode(data).decode() != line:
        raise ValueError
    return data
