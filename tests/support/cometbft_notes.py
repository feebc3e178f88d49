"""A gateway on a synthetic CometBFT chain that holds an account's note of an evidence log, and the evidence of it."""

from dataclasses import replace

from light_clients.cometbft.note_evidence import CometbftNoteEvidence
from light_clients.proofs.log_notes import note_slots
from schemas.primitives import Bytes32
from schemas.suites import integer_word
from tests.support.cometbft_gateway import ENTRIES, GATEWAY, GatewayWorld

ACCOUNT, STRANGER = b"\x66" * 20, b"\x67" * 20
SIZE, ROOT = 21, Bytes32(b"\x77" * 32)


def note_keys(account=ACCOUNT, gateway=GATEWAY):
    """Keys of the size's and the root's slot in the EVM's store."""
    return tuple(b"\x02" + gateway + slot for slot in note_slots(account))


def note_entries(account=ACCOUNT, gateway=GATEWAY, size=SIZE, root=ROOT):
    """What the store holds of a note."""
    return dict(zip(note_keys(account, gateway), (integer_word(size), bytes(root)), strict=True))


NOTED = (
    ENTRIES
    | note_entries()
    | note_entries(STRANGER, size=5, root=b"\x78" * 32)
    | note_entries(gateway=b"\x45" * 20, size=6, root=b"\x79" * 32)
    | {b"\x04" + b"\x45" * 20: ENTRIES[b"\x04" + GATEWAY]}
)
"""Two accounts' notes at the gateway, and one at another gateway that runs the same code."""


class NoteWorld(GatewayWorld):
    """Block 5 of a chain is above the state with the notes."""

    def __init__(self, entries=NOTED):
        super().__init__(entries)

    def whole(self, block=None, account=ACCOUNT, **fields):
        """The evidence, before it is written."""
        size, root = (self.store.proof(key) for key in note_keys(account))
        code, store = self.store.proof(b"\x04" + GATEWAY), self.store.store_proof(b"evm")
        made = CometbftNoteEvidence((block or self.block).bundle(), code, size, root, store)
        return replace(made, **fields)

    def evidence(self, block=None, account=ACCOUNT, **fields):
        """The evidence of a note; a block of another chain or set has to have the same app hash."""
        return self.whole(block, account, **fields).to_bytes()
