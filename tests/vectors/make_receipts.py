"""Writes tests/vectors/receipts: anchors, good receipts of every kind of lane, and bad ones named CHECK--DEFECT.json.

python -m tests.vectors.make_receipts
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.receipt_world import (
    ALPHA,
    BETA,
    HEIGHTS,
    KINDS,
    ReceiptWorld,
    anchors,
    change_of_validators,
    few_seals,
    other_word,
    secret,
    with_seals,
)
from tests.support.vectors import VECTORS

FOLDER = VECTORS / "receipts"
ANCHORS = "anchors.toml"
Twists = dict[str, Callable[[Any], Any]]


def shown(change: Callable[[dict[str, Any]], object]) -> Twists:
    """A change of the finished file."""

    def twist(receipt: dict[str, Any]) -> dict[str, Any]:
        change(receipt)
        return receipt

    return {"shown": twist}


def _flip(text: str) -> str:
    """The last hexadecimal digit, changed."""
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def _put(value: Any, *path: str | int) -> Twists:
    def change(receipt: dict[str, Any]) -> None:
        place: Any = receipt
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value(place[path[-1]]) if callable(value) else value

    return shown(change)


def _without_first_signature(note: str) -> str:
    """A checkpoint that its log only cosigned."""
    text, _, lines = note.partition("\n\n")
    return text + "\n\n" + lines.partition("\n")[2]


def _one_index(receipt: dict[str, Any]) -> dict[str, Any]:
    """The way back stands on the leaf of the way out, with its words changed: nothing of it is in the log."""
    receipt["back"]["proof"]["leaf"]["index"] = receipt["out"]["proof"]["leaf"]["index"]
    receipt["back"]["proof"]["leaf"]["path"] = receipt["out"]["proof"]["leaf"]["path"]
    return receipt


def _drop(*path: str) -> Twists:
    def change(receipt: dict[str, Any]) -> None:
        place: Any = receipt
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]

    return shown(change)


def _changes(name: str, *changes: tuple[list[bytes], bytes], sealers: list[bytes] | None = None) -> Twists:
    """The claim's header by the last of changed sets, and the headers with which they began."""
    last = changes[-1][0] if sealers is None else sealers
    return {f"{name}_sealers": lambda _: last, f"{name}_validators": lambda _: tuple(item for _, item in changes)}


def changes_of_validators(name: str) -> dict[str, tuple[str, Twists]]:
    """Bad receipts of one way whose ledger changed its validators behind the anchors: for each name the lane and the change."""
    end = BETA if name == "back" else ALPHA
    first, second = change_of_validators(end, 30, 3, ["new"]), change_of_validators(end, 35, 2, ["new", "newer"])
    strangers = change_of_validators(end, 30, 0, ["x", "y", "z", "w"])
    out = {
        "a-change-left-out": {f"{name}_sealers": lambda _: first[0]},
        "strangers-named-themselves": _changes(name, strangers),
        "no-more-than-a-third-named-them": _changes(name, change_of_validators(end, 30, 1, ["x", "y"])),
        "exactly-a-third-named-them": _changes(
            name, change_of_validators(end, 30, 3, []), change_of_validators(end, 35, 1, ["x", "y"])
        ),
        "a-change-with-too-few-seals": _changes(name, (first[0], change_of_validators(end, 30, 3, ["new"], 2)[1])),
        "changes-out-of-order": _changes(name, second, first, sealers=second[0]),
        "one-change-twice": _changes(name, first, first),
        "a-change-behind-the-claim": _changes(name, change_of_validators(end, 58, 3, ["new"])),
        "retired-validators": _changes(name, first, sealers=end.keys),
    }
    return {f"{name}.header--{label}": ("light-client", twists) for label, twists in out.items()}


def good_changes() -> Twists:
    """Both ledgers changed their validators: once behind the anchors, or twice and once before."""
    known = change_of_validators(ALPHA, 15, 0, ["retired validator"])
    first, second = change_of_validators(ALPHA, 30, 3, ["new"]), change_of_validators(ALPHA, 35, 2, ["new", "newer"])
    return {
        **_changes("out", known, first, second),
        **_changes("back", change_of_validators(BETA, HEIGHTS[1], 2, ["new", "newer"])),
    }


def defects_of_a_way(name: str) -> dict[str, tuple[str, Twists]]:
    """Bad receipts of one way: for each name the lane and the change."""
    return {
        f"{name}.fold--another-head-before": ("committee", {f"{name}_before": other_word}),
        f"{name}.fold--an-id-left-out": ("both", {f"{name}_suffix_ids": lambda ids: ids[1:]}),
        f"{name}.fold--two-ids-changed-places": (
            "both",
            {f"{name}_suffix_ids": lambda ids: [ids[1], ids[0], *ids[2:]]},
        ),
        f"{name}.prefix--an-id-left-out": ("committee", {f"{name}_between_ids": lambda ids: ids[1:]}),
        f"{name}.prefix--another-id": (
            "committee",
            {f"{name}_between_ids": lambda ids: [other_word(ids[0]), *ids[1:]]},
        ),
        f"{name}.proof--other-code": ("committee", {f"{name}_code": other_word}),
        f"{name}.proof--another-head-in-the-slot": (
            "light-client",
            {f"{name}_storage": lambda slots: dict.fromkeys(slots, b"\x82\x124")},
        ),
        f"{name}.proof--a-node-missing": (
            "both",
            {f"{name}_evidence": lambda item: replace(item, storage_proof=item.storage_proof[:-1])},
        ),
        f"{name}.header--too-few-seals": ("committee", {f"{name}_header": few_seals}),
        f"{name}.header--one-seal-twice": (
            "light-client",
            {f"{name}_header": lambda header: with_seals(header, lambda seals: [seals[0], seals[0], seals[1]])},
        ),
        f"{name}.header--other-validators": (
            "both",
            {f"{name}_sealers": lambda keys: [*keys[:3], secret("stranger among validators")]},
        ),
        f"{name}.quorum--one-organisation": ("committee", {f"{name}_signers": lambda _: ("c", "c too")}),
        f"{name}.quorum--one-is-struck": ("sm", {f"{name}_signers": lambda _: ("a", "b")}),
        f"{name}.quorum--one-signs-twice": ("committee", {f"{name}_signers": lambda _: ("a", "a", "c")}),
        f"{name}.quorum--a-stranger": ("both", {f"{name}_signers": lambda _: ("a", "nobody")}),
        f"{name}.quorum--another-digest-signed": ("committee", {f"{name}_signed": other_word}),
        f"{name}.quorum--another-digest-signed-by-sm2": ("sm", {f"{name}_signed": other_word}),
        f"{name}.quorum--another-digest-shown": ("committee", {f"{name}_digest": other_word}),
        f"{name}.quorum--unknown-epoch": ("committee", {f"{name}_place": lambda place: replace(place, epoch=9)}),
        f"{name}.quorum--another-verifier": (
            "both",
            {f"{name}_place": lambda place: replace(place, verifier=b"\x55" * 20)},
        ),
        f"{name}.quorum--signatures-for-a-light-client": ("light-client", {f"{name}_uninvited": bool}),
        f"{name}.leaves--other-evidence": ("committee", {f"{name}_leaf": lambda said: said | {"evidence": bytes(32)}}),
        f"{name}.leaves--another-kind": ("committee", {f"{name}_leaf_kind": lambda _: "claim"}),
        f"{name}.leaves--a-field-more": ("light-client", {f"{name}_leaf": lambda said: said | {"more": 1}}),
        f"{name}.leaves--other-signatures": (
            "both",
            {f"{name}_quorum_leaf": lambda said: said | {"signatures": bytes(32)}},
        ),
        f"{name}.leaves--another-epoch": ("sm", {f"{name}_quorum_leaf": lambda said: said | {"epoch": 1}}),
    }


BAD: dict[str, tuple[str, Twists]] = {
    "format--not-complete": ("committee", _put(False, "complete")),
    "format--no-outcome": ("committee", _put(None, "outcome")),
    "format--a-member-more": ("committee", shown(lambda receipt: receipt.update(note="trust me"))),
    "format--a-member-missing": ("committee", _drop("out", "proof", "head")),
    "format--another-version": ("committee", _put("relayhub/receipt/v2", "format")),
    "format--a-number-that-is-no-text": ("committee", _put(4, "message", "nonce")),
    "format--upper-case": ("committee", _put(lambda text: "0x" + text[2:].upper(), "message_id")),
    "format--a-word-too-short": ("committee", _put(lambda text: text[:-2], "message_id")),
    "lane--another-channel": ("committee", _put("another", "lane", "channel")),
    "ledgers--a-gateway-that-was-replaced": ("former-gateway", {}),
    "message--another-payload": ("committee", _put(_flip, "message", "payload")),
    "message--payload-missing": ("committee", _put("0x", "message", "payload")),
    "message--another-receiver": ("committee", _put(_flip, "message", "receiver")),
    "outcome--another-status": ("committee", _put(2, "outcome", "status")),
    "outcome--another-result": ("sm", _put("0x", "outcome", "result")),
    **defects_of_a_way("out"),
    **changes_of_validators("out"),
    **defects_of_a_way("back"),
    **changes_of_validators("back"),
    "settled--only-what-was-before": ("committee", {"settled_nonce": lambda _: 2}),
    "settled--another-kind": ("committee", {"settled_kind": lambda _: "claim"}),
    "settled--another-lane": (
        "light-client",
        {"settled_fields": lambda fields: (bytes(BETA.word), *fields[1:])},
    ),
    "log--another-root": ("committee", {"root": other_word}),
    "log--a-path-changed": ("both", _put(_flip, "out", "proof", "leaf", "path", 0)),
    "log--a-path-too-short": ("light-client", _put(lambda path: path[:-1], "settled", "path")),
    "log--two-leaves-of-one-index": ("committee", {"shown": _one_index}),
    "log--an-entry-changed": ("committee", _put(_flip, "settled", "entry")),
    "checkpoint--another-log": ("committee", {"origin": lambda _: "relayhub/another"}),
    "checkpoint--another-key": ("committee", {"log_signer": lambda log: replace(log, private=secret("another log"))}),
    "checkpoint--no-signature-of-the-log": ("committee", _put(_without_first_signature, "checkpoint")),
}
"""For each bad receipt the lane and the one thing that is wrong."""


def files() -> dict[str, str]:
    """Every file of the folder by its name."""
    found = {ANCHORS: anchors()}
    for kind in KINDS:
        if kind != "former-gateway":
            found[f"good--{kind}.json"] = _json(ReceiptWorld(kind).receipt())
    found["good--light-client-validators-changed.json"] = _json(
        ReceiptWorld("light-client", **good_changes()).receipt()
    )
    for name, (kind, twists) in BAD.items():
        found[f"{name}.json"] = _json(ReceiptWorld(kind, **twists).receipt())
    return found


def _json(receipt: dict[str, Any]) -> str:
    return json.dumps(receipt, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> None:
    """Write the folder anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
