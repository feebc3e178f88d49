"""Log notes for the receipts of `receipt_world`: what a ledger holds of their log, before or after their checkpoint."""

from __future__ import annotations

import json

from adapters.memory.headers import Content, make_header
from adapters.memory.trie import Trie
from light_clients import rlp
from light_clients.proofs.log_notes import NoteEvidence, note_slots
from light_clients.proofs.rfc6962 import leaf_hash, subtree_proof, tree_root
from light_clients.qbft.codec import parse_header
from schemas.log_note import LOG_NOTE_FORMAT, LogNote
from schemas.primitives import Bytes32
from schemas.suites import integer_word, keccak256
from tests.support.receipt_world import ALPHA, CODE, ReceiptWorld

HEIGHT = 90
SHORTER, LONGER = 3, 21
"""Leaves that are noted: fewer and more than any receipt's checkpoint has."""


class LogNoteWorld:
    """Makes one note for the receipt of a lane; a twist changes one value, and what follows is made honestly of it."""

    def __init__(self, kind="committee", **twists):
        self.kind, self.end, self.twists, self.used = kind, ALPHA, twists, set()

    def twist(self, name, value):
        self.used.add(name)
        return self.twists[name](value) if name in self.twists else value

    def hashes(self):
        """Hashes of the log's leaves, and how many the checkpoint of the receipt has."""
        world = ReceiptWorld(self.kind)
        world.receipt()
        entries = list(world.entries)
        later = [world.entry(number, "registry", ("chain", "later", bytes(32))) for number in range(50, 62)]
        return [leaf_hash(entry) for entry in [*entries, *later]], len(entries)

    def note(self):
        """The whole, as an object that JSON takes."""
        hashes, checkpoint = self.hashes()
        hashes = self.twist("leaves", hashes)
        size = self.twist("size", SHORTER)
        root = tree_root(hashes[:size])
        account, gateway = self.twist("account", self.end.relayer), self.twist("gateway", self.end.gateway)
        block_hash, evidence = self.block(gateway, account, size, root)
        shorter, longer = sorted((size, checkpoint))
        path = subtree_proof(hashes[:longer], 0, shorter) if shorter else []
        whole = LogNote(
            format=LOG_NOTE_FORMAT,
            chain=self.twist("chain", self.end.word),
            gateway=gateway,
            account=account,
            consensus=self.twist("consensus", "qbft"),
            height=HEIGHT,
            block_hash=block_hash,
            size=size,
            root=Bytes32(root),
            evidence=evidence,
            validators=self.twist("validators", ()),
            consistency=self.twist("consistency", tuple(Bytes32(item) for item in path)),
        )
        shown = self.twist("shown", json.loads(whole.model_dump_json()))
        assert set(self.twists) <= self.used, set(self.twists) - self.used
        return shown

    def block(self, gateway, account, size, root):
        """A sealed header under whose state the gateway holds the note; its hash, and the evidence of it."""
        first, second = note_slots(account)
        words = {first: integer_word(size), second: root, keccak256(b"another slot"): integer_word(7)}
        content = {slot: rlp.encode(word.lstrip(b"\0")) for slot, word in words.items() if any(word)}
        storage = Trie(self.twist("storage", content))
        code = self.twist("code", CODE)
        others = {keccak256(b"somebody %d" % number)[12:]: rlp.encode([b"", b"", CODE, CODE]) for number in range(4)}
        state = Trie(others | {gateway: rlp.encode([b"\x01", b"", storage.root, bytes(code)])})
        block = Content(bytes(32), state.root, (), frozenset(), HEIGHT, 30_000_000, 21_000, 2_900)
        encoded = self.twist("header", make_header(block, self.twist("sealers", self.end.keys)).encoded)
        evidence = NoteEvidence(encoded, state.path(gateway), storage.path(first), storage.path(second))
        return parse_header(encoded).block_hash, self.twist("evidence", evidence).to_bytes()
