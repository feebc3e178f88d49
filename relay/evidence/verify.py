"""Verify a receipt offline: no hub, no node, no database; bytes in, a numbered list of checks out (docs/evidence.md).

 1. format     the file is a complete receipt of version 1
 2. lane       the lane's id is made of its words, and the hub is the anchors'
 3. ledgers    both ends stand in the anchors
 4. message    its payload and id
 5. outcome    its id
 6. to 11.     out.fold, out.prefix, out.proof, out.header, out.quorum, out.leaves (`verify_ways`)
12. to 17.     back.…, the same for the outcome
18. settled    the source took the outcome over
19. log        every leaf stands in the tree of the checkpoint
20. checkpoint the log's key signed it, and as many witnesses cosigned it as the anchors ask for
21. to 25.     note.format, note.ledger, note.proof, note.header, note.consistency, where a log note is given (`verify_note`)
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError

from light_clients.errors import LightClientError
from light_clients.proofs.notes import NoteKey, open_note, read_checkpoint, split_note
from light_clients.proofs.rfc6962 import leaf_hash, verify_inclusion
from relay.errors import BadInput, HubError
from relay.evidence.cosignatures import CosignatureKey, read_cosignatures
from relay.evidence.leaves import SETTLED, decode
from relay.evidence.verify_headers import Fails, NotAsked, same
from relay.evidence.verify_note import note_checks, read_log_note
from relay.evidence.verify_ways import WAY_CHECKS, WayContext, known_chain
from schemas.claim import Direction
from schemas.lane import Lane
from schemas.outcome import outcome_id
from schemas.primitives import SchemaError
from schemas.receipt import Anchors, Receipt
from schemas.suites import suite_named

RECEIPT_MAX_BYTES = 256 * 1024 * 1024
"""Bytes of the largest receipt that is read."""


class Verdict(StrEnum):
    """What a check says."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its number and name, what it says, and why where it does not hold or is not asked for."""

    number: int
    name: str
    verdict: Verdict
    text: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a receipt: its checks, and the receipt where it could be read."""

    checks: tuple[Check, ...]
    receipt: Receipt | None

    @property
    def good(self) -> bool:
        """Whether no check fails."""
        return all(check.verdict is not Verdict.FAILS for check in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that fail."""
        return tuple(check.name for check in self.checks if check.verdict is Verdict.FAILS)


def read_anchors(data: bytes) -> Anchors:
    """Read trust anchors.

    Raises:
        BadInput: it is no such file.
    """
    try:
        return Anchors.model_validate(tomllib.loads(data.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The anchors are no TOML: {error}.", "Give the file that `relayhub anchors` wrote.") from None
    except (ValidationError, SchemaError) as error:
        raise BadInput(f"The anchors cannot be used: {first_error(error)}.", "Ask for them again.") from None


def first_error(error: Exception) -> str:
    """The first thing that is wrong, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'the file'}: {first['msg']}"


def read_receipt(data: bytes) -> Receipt:
    """Read a receipt; nothing of it is believed yet.

    Raises:
        Fails: it is none.
    """
    if len(data) > RECEIPT_MAX_BYTES:
        raise Fails(f"It has {len(data)} bytes; at most {RECEIPT_MAX_BYTES}.")
    try:
        receipt = Receipt.model_validate_json(data)
        same_form = json.loads(data) == json.loads(receipt.model_dump_json())
    except (ValidationError, SchemaError, RecursionError) as error:
        raise Fails(f"{first_error(error)}.") from None
    if not same_form:
        raise Fails(
            "A value is not in its one form: lower-case hexadecimal with 0x, decimal numbers without zeros before."
        )
    return receipt


def verify(data: bytes, anchors: Anchors, log_note: bytes | None = None) -> Judged:
    """Make every check of a receipt.

    Args:
        data: the file, untrusted.
        anchors: what is trusted.
        log_note: the file of a log note, as untrusted; None asks for none of its checks.

    Returns:
        The checks in order; only the first where the file cannot be read.
    """
    try:
        receipt = read_receipt(data)
        _check_complete(receipt)
    except Fails as failure:
        return Judged((Check(1, "format", Verdict.FAILS, str(failure)),), None)
    checks = [Check(1, "format", Verdict.HOLDS)]
    for name, look in _checks_of(receipt, anchors):
        checks.append(_made(len(checks) + 1, name, look))
    if log_note is not None:
        checks += _checks_of_note(len(checks) + 1, log_note, receipt, anchors)
    return Judged(tuple(checks), receipt)


def _checks_of_note(number: int, data: bytes, receipt: Receipt, anchors: Anchors) -> list[Check]:
    try:
        note = read_log_note(data)
    except Fails as failure:
        return [Check(number, "note.format", Verdict.FAILS, str(failure))]
    looks = note_checks(note, receipt, anchors)
    made = [_made(place, name, look) for place, (name, look) in enumerate(looks, number + 1)]
    return [Check(number, "note.format", Verdict.HOLDS), *made]


def _check_complete(receipt: Receipt) -> None:
    parts = {"outcome": receipt.outcome, "out": receipt.out, "back": receipt.back, "settled": receipt.settled}
    missing = [name for name, part in parts.items() if part is None]
    if missing or not receipt.complete:
        raise Fails(f"The receipt is not complete: {', '.join(missing) or 'it says so itself'}.")


def _checks_of(receipt: Receipt, anchors: Anchors) -> list[tuple[str, Callable[[], None]]]:
    found: list[tuple[str, Callable[[], None]]] = [
        ("lane", lambda: check_lane(receipt, anchors)),
        ("ledgers", lambda: check_ledgers(receipt, anchors)),
        ("message", lambda: check_message(receipt)),
        ("outcome", lambda: check_outcome(receipt)),
    ]
    if receipt.out is not None and receipt.back is not None and receipt.outcome is not None:
        found += _way_checks("out", WayContext(receipt, anchors, Direction.OUTBOX, receipt.out, receipt.message_id))
        ended = receipt.outcome.outcome_id
        found += _way_checks("back", WayContext(receipt, anchors, Direction.OUTCOMES, receipt.back, ended))
    found += [
        ("settled", lambda: check_settled(receipt)),
        ("log", lambda: check_log(receipt)),
        ("checkpoint", lambda: check_checkpoint(receipt, anchors)),
    ]
    return found


def _way_checks(name: str, context: WayContext) -> list[tuple[str, Callable[[], None]]]:
    def bound(look: Callable[[WayContext], None]) -> Callable[[], None]:
        return lambda: look(context)

    return [(f"{name}.{part}", bound(look)) for part, look in WAY_CHECKS]


def _made(number: int, name: str, look: Callable[[], None]) -> Check:
    try:
        look()
    except NotAsked as reason:
        return Check(number, name, Verdict.NOT_ASKED, str(reason))
    except (Fails, SchemaError) as failure:
        return Check(number, name, Verdict.FAILS, str(failure))
    except (LightClientError, HubError) as refusal:
        return Check(number, name, Verdict.FAILS, f"{type(refusal).__name__}: {refusal.message}")
    except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes do to a check, it does not hold
        return Check(number, name, Verdict.FAILS, f"It cannot be read: {type(error).__name__}.")
    return Check(number, name, Verdict.HOLDS)


def check_lane(receipt: Receipt, anchors: Anchors) -> None:
    """The lane's id is made of its words, and the hub is the anchors'."""
    words = receipt.lane
    same("The hub", words.hub, anchors.hub)
    ends = (words.source, words.source_gateway, words.destination, words.destination_gateway)
    same("lane_id", receipt.lane_id, Lane(words.hub, suite_named(words.suite), *ends, words.channel).lane_id)


def check_ledgers(receipt: Receipt, anchors: Anchors) -> None:
    """Both ends stand in the anchors with that gateway, and so does the lane."""
    words = receipt.lane
    for word, gateway in ((words.source, words.source_gateway), (words.destination, words.destination_gateway)):
        chain = known_chain(anchors, word)
        made = hashlib.sha256(chain.chain_id.encode() + b"\x00" + chain.first_block).digest()
        same(f"The chain word of {chain.name}", made, chain.chain)
        same(f"The gateway on {chain.name}", gateway, chain.gateway)
    if anchors.lane(receipt.lane_id) is None:
        raise Fails("The anchors do not list the lane; ask for newer ones.")


def check_message(receipt: Receipt) -> None:
    """The payload has the length and hash that are said, and the id is made of the message."""
    suite = suite_named(receipt.lane.suite)
    if receipt.message.hash_only:
        raise Fails("The payload is missing.")
    receipt.message.check(suite)
    same("message_id", receipt.message_id, receipt.message.message_id(suite, receipt.lane_id))


def check_outcome(receipt: Receipt) -> None:
    """The outcome's id is made of the message's, status and result."""
    outcome = receipt.outcome
    if outcome is None:
        raise Fails("There is no outcome.")
    suite = suite_named(receipt.lane.suite)
    made = outcome_id(suite, receipt.message_id, outcome.status, outcome.result)
    same("outcome_id", outcome.outcome_id, made)


def check_settled(receipt: Receipt) -> None:
    """A leaf says that the source took over the outcomes up to this message's or further."""
    if receipt.settled is None:
        raise Fails("There is no leaf that says so.")
    entry = decode(receipt.settled.entry)
    same("The kind of a leaf", entry.kind, SETTLED)
    said = entry.named()
    same("The leaf's lane_id", said["lane_id"], receipt.lane_id)
    if type(said["nonce"]) is not int or said["nonce"] < receipt.message.nonce:
        raise Fails(f"The source took over outcomes up to {said['nonce']!r} only.")


def check_log(receipt: Receipt) -> None:
    """Every leaf stands at its index in the tree of the checkpoint."""
    checkpoint = read_checkpoint(split_note(receipt.checkpoint.encode())[0])
    leaves = receipt.leaves()
    if len({leaf.index for leaf in leaves.values()}) != len(leaves):
        raise Fails("Two leaves have one index.")
    for name, leaf in leaves.items():
        try:
            verify_inclusion(leaf_hash(leaf.entry), leaf.index, checkpoint.size, checkpoint.root, leaf.path)
        except LightClientError as refusal:
            raise Fails(f"The leaf {name}: {refusal.message}") from refusal


def check_checkpoint(receipt: Receipt, anchors: Anchors) -> None:
    """A key of the log signed the checkpoint, which names the log, and as many witnesses cosigned it as the anchors ask for."""
    keys = [NoteKey.parse(text) for text in anchors.log.keys]
    signed = receipt.checkpoint.encode()
    note = open_note(signed, keys)
    same("The origin", read_checkpoint(note.text).origin, anchors.log.origin)
    witnesses = [CosignatureKey.parse(text) for text in anchors.log.witnesses]
    cosigned = len({key.public_key for key in witnesses if read_cosignatures(signed, [key])})
    if cosigned < anchors.log.witness_threshold:
        raise Fails(
            f"{cosigned} of the anchors' {len(witnesses)} witnesses cosigned; {anchors.log.witness_threshold} are asked for."
        )
