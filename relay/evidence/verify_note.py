"""The checks of a log note beside a receipt (docs/evidence.md): that a ledger holds it, and that the receipt's log agrees with it.

21. note.format       the file is a note of version 1
22. note.ledger       its ledger, gateway and account are those of the anchors
23. note.proof        under the header of that hash the gateway holds that size and root for the account
24. note.header       the anchors' validators, or their successors, sealed the header; or the anchors' light client accepted it
25. note.consistency  of the noted tree and the checkpoint's, the shorter is the beginning of the longer
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from light_clients.families import NOTE_FAMILIES, client_named, note_judge_named
from light_clients.pins import pin_of
from light_clients.proofs.gateway import GatewayPin
from light_clients.proofs.log_notes import NoteEvidence, ProvedNote, noted
from light_clients.proofs.notes import read_checkpoint, split_note
from light_clients.proofs.rfc6962 import verify_consistency
from relay.evidence.verify_headers import HASHED_WHOLE, SEALED, Fails, NotKnown, check_maker, same, state_root_of
from relay.evidence.verify_ways import known_chain
from schemas.log_note import LogNote
from schemas.primitives import SchemaError
from schemas.receipt import Anchors, ChainAnchor, Receipt

NOTE_MAX_BYTES = 64 * 1024 * 1024
"""Bytes of the largest note that is read."""
IN_SLOTS = (*SEALED, *HASHED_WHOLE)
"""Families whose ledgers prove a note by two slots under an Ethereum header."""
PROVING = (*IN_SLOTS, *NOTE_FAMILIES)
"""Families whose ledgers' notes can be proved."""


def read_log_note(data: bytes) -> LogNote:
    """Read a log note; nothing of it is believed yet.

    Raises:
        Fails: it is none.
    """
    if len(data) > NOTE_MAX_BYTES:
        raise Fails(f"It has {len(data)} bytes; at most {NOTE_MAX_BYTES}.")
    try:
        note = LogNote.model_validate_json(data)
        same_form = json.loads(data) == json.loads(note.model_dump_json())
    except (ValidationError, SchemaError, RecursionError) as error:
        raise Fails(f"It is no log note: {str(error).splitlines()[0]}.") from None
    if not same_form:
        raise Fails("A value is not in its one form.")
    return note


def note_checks(note: LogNote, receipt: Receipt, anchors: Anchors) -> list[tuple[str, Callable[[], None]]]:
    """The checks behind the form, by name, in order."""
    return [
        ("note.ledger", lambda: check_ledger(note, anchors)),
        ("note.proof", lambda: check_proof(note, anchors)),
        ("note.header", lambda: check_header(note, anchors)),
        ("note.consistency", lambda: check_consistency(note, receipt)),
    ]


def check_ledger(note: LogNote, anchors: Anchors) -> None:
    """The ledger stands in the anchors, with that gateway, that consensus and that account of the hub's."""
    chain = known_chain(anchors, note.chain)
    same("The note's gateway", note.gateway, chain.gateway)
    same("The note's consensus", note.consensus, chain.consensus)
    if not chain.log_account:
        raise Fails(f"The anchors do not say which account notes the log on {chain.name}.")
    same("The note's account", note.account, chain.log_account)
    if not note.size:
        raise Fails("No leaves are noted.")


def check_proof(note: LogNote, anchors: Anchors) -> None:
    """The gateway holds that note in the state of the block."""
    chain = known_chain(anchors, note.chain)
    if chain.consensus not in PROVING:
        raise Fails(f"Notes on ledgers of {chain.consensus} cannot be verified; ask for one of {', '.join(PROVING)}.")
    found = _in_slots(note, chain) if chain.consensus in IN_SLOTS else _by_family(note, chain)
    same("The block's height", note.height, found.height)
    same("The block's hash", note.block_hash, found.block_hash)
    same("The noted size", note.size, found.size)
    same("The noted root", note.root, found.root)


def _in_slots(note: LogNote, chain: ChainAnchor) -> ProvedNote:
    evidence = NoteEvidence.from_bytes(note.evidence)
    root = state_root_of(chain.consensus, evidence.header, note.height, note.block_hash)
    size, tree = noted(root, GatewayPin(note.gateway, chain.code_hash), note.account, evidence)
    return ProvedNote(note.height, note.block_hash, size, tree)


def _by_family(note: LogNote, chain: ChainAnchor) -> ProvedNote:
    pin = pin_of(chain.consensus, chain.gateway, chain.code_hash, chain.pin)
    return note_judge_named(chain.consensus).read_note(_trusted(chain), note.evidence, pin, note.account)


def check_header(note: LogNote, anchors: Anchors) -> None:
    """The validators made the block; no committee can vouch for it here."""
    chain = known_chain(anchors, note.chain)
    if chain.consensus in NOTE_FAMILIES:
        if note.validators:
            raise Fails(f"No headers lead from validators to others on ledgers of {chain.consensus}.")
        note_judge_named(chain.consensus).check_note_block(_trusted(chain), note.evidence)
        return
    header = NoteEvidence.from_bytes(note.evidence).header
    try:
        check_maker(chain, note.height, note.block_hash, header, note.validators)
    except NotKnown as reason:
        raise Fails(str(reason)) from None


def _trusted(chain: ChainAnchor) -> Any:
    """The light client's state in the anchors."""
    if not chain.client_state:
        raise Fails(f"The anchors have no state of the light client of {chain.name}.")
    return client_named(chain.consensus).state_from_bytes(chain.client_state)


def check_consistency(note: LogNote, receipt: Receipt) -> None:
    """The shorter of both trees is the beginning of the longer: the ledger was told of the very log that the receipt shows."""
    checkpoint = read_checkpoint(split_note(receipt.checkpoint.encode())[0])
    ends = sorted([(note.size, bytes(note.root)), (checkpoint.size, bytes(checkpoint.root))], key=lambda end: end[0])
    (older_size, older), (newer_size, newer) = ends
    verify_consistency(older, older_size, newer, newer_size, note.consistency)
