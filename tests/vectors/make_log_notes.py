"""Writes tests/vectors/log_notes: good notes, and bad ones named CHECK--DEFECT.json, beside the receipts and anchors of tests/vectors/receipts.

Every note is for the receipt good--committee.json. python -m tests.vectors.make_log_notes
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from light_clients import rlp
from light_clients.proofs.log_notes import note_slots
from light_clients.proofs.rfc6962 import leaf_hash
from schemas.suites import keccak256
from tests.support.log_note_world import HEIGHT, LONGER, SHORTER, LogNoteWorld
from tests.support.receipt_world import (
    ALPHA,
    BETA,
    change_of_validators,
    few_seals,
    other_word,
    secret,
    with_seals,
)
from tests.support.vectors import VECTORS

FOLDER = VECTORS / "log_notes"
RECEIPT = "good--committee.json"
"""The receipt that every note is for."""
CHECKPOINT = 10
"""Leaves of that receipt's checkpoint."""
Twists = dict[str, Any]
KEYS, CHANGE = change_of_validators(ALPHA, 60, 3, ["newcomer"])
STRANGERS, USURPED = change_of_validators(ALPHA, 60, 1, ["x", "y", "z"])


def _shown(change: Callable[[dict[str, Any]], object]) -> Twists:
    def twist(note: dict[str, Any]) -> dict[str, Any]:
        change(note)
        return note

    return {"shown": twist}


def _another_log(hashes: list[bytes]) -> list[bytes]:
    """The log that somebody else is shown: another leaf at its beginning."""
    return [leaf_hash(b"another past"), *hashes[1:]]


def _slot(place: int, word: bytes) -> Callable[[dict[bytes, bytes]], dict[bytes, bytes]]:
    return lambda slots: slots | {note_slots(ALPHA.relayer)[place]: rlp.encode(word)}


GOOD: dict[str, Twists] = {
    "good--shorter": {},
    "good--longer": {"size": lambda _: LONGER},
    "good--of-the-checkpoint": {"size": lambda _: CHECKPOINT},
    "good--one-leaf": {"size": lambda _: 1},
    "good--validators-changed": {"sealers": lambda _: KEYS, "validators": lambda _: (CHANGE,)},
}
BAD: dict[str, Twists] = {
    "note.format--another-version": _shown(lambda note: note.update(format="relayhub/log-note/v2")),
    "note.format--a-member-more": _shown(lambda note: note.update(note="trust me")),
    "note.format--a-member-missing": _shown(lambda note: note.pop("root")),
    "note.format--upper-case": _shown(lambda note: note.update(root=note["root"].upper().replace("X", "x"))),
    "note.format--a-size-that-is-no-text": _shown(lambda note: note.update(size=SHORTER)),
    "note.ledger--a-gateway-that-was-replaced": {"gateway": lambda _: ALPHA.former_gateway},
    "note.ledger--another-account": {"account": lambda _: keccak256(b"somebody who notes too")[12:]},
    "note.ledger--another-consensus": {"consensus": lambda _: "ibft2"},
    "note.proof--other-code": {"code": other_word},
    "note.proof--another-size-in-the-slot": {"storage": _slot(0, b"\x04")},
    "note.proof--another-root-in-the-slot": {"storage": _slot(1, b"\x82\x124")},
    "note.proof--the-root-missing": {
        "evidence": lambda item: replace(item, root_proof=item.root_proof[:-1]),
    },
    "note.proof--the-slots-changed-places": {
        "evidence": lambda item: replace(item, size_proof=item.root_proof, root_proof=item.size_proof),
    },
    "note.proof--another-height-said": _shown(lambda note: note.update(height=str(HEIGHT - 1))),
    "note.proof--another-block-said": _shown(lambda note: note.update(block_hash="0x" + "11" * 32)),
    "note.header--too-few-seals": {"header": few_seals},
    "note.header--one-seal-twice": {
        "header": lambda header: with_seals(header, lambda seals: [seals[0], seals[0], seals[1]]),
    },
    "note.header--other-validators": {"sealers": lambda keys: [*keys[:3], secret("stranger among validators")]},
    "note.header--a-change-left-out": {"sealers": lambda _: KEYS},
    "note.header--strangers-named-themselves": {
        "sealers": lambda _: STRANGERS,
        "validators": lambda _: (USURPED,),
    },
    "note.consistency--another-log-shorter": {"leaves": _another_log},
    "note.consistency--another-log-longer": {"leaves": _another_log, "size": lambda _: LONGER},
    "note.consistency--another-log-of-one-size": {"leaves": _another_log, "size": lambda _: CHECKPOINT},
    "note.consistency--a-hash-changed": {"consistency": lambda path: (other_word(path[0]), *path[1:])},
    "note.consistency--a-hash-missing": {"consistency": lambda path: path[:-1]},
    "note.consistency--a-hash-more": {"consistency": lambda path: (*path, other_word(path[0]))},
    "note.consistency--a-hash-where-none-is-due": {
        "size": lambda _: CHECKPOINT,
        "consistency": lambda _: (other_word(BETA.word),),
    },
}
"""For each bad note the one thing that is wrong."""


def files() -> dict[str, str]:
    """Every file of the folder by its name."""
    made = {name: LogNoteWorld(**twists).note() for name, twists in {**GOOD, **BAD}.items()}
    return {
        f"{name}.json": json.dumps(note, ensure_ascii=False, separators=(",", ":")) + "\n"
        for name, note in made.items()
    }


def main() -> None:
    """Write the folder anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
