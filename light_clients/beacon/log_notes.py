"""Notes of an evidence log on the beacon chain: two slots of the gateway under an execution block, and whether that block is final.

The evidence is that of ledgers with Ethereum headers (`proofs.log_notes`), its header that of the execution block.

A note is shown when all of this holds (`read_note`):
 1. The evidence and its header can be read; the block's hash is the Keccak-256 of that header.
 2. Under its state root the gateway's code is the pinned one.
 3. So are its slots of the account's note, which may be empty.

Its block is believed when the client is not frozen, and its state names that very block as final (`check_note_block`).
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.beacon.types import BeaconState
from light_clients.errors import ClaimBlockMismatch, ClientFrozen, HeaderFieldInvalid, HeightNotRetained
from light_clients.proofs.gateway import GatewayPin
from light_clients.proofs.log_notes import NoteEvidence, ProvedNote, noted
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256


def read_note(state: BeaconState, evidence: bytes, pin: GatewayPin, account: bytes) -> ProvedNote:
    """Proves what the gateway noted for an account, in the state of the block in the evidence; whether that is final is not asked.

    Args:
        state: Not looked at: `check_note_block` asks it.
        evidence: As `NoteEvidence` writes it.
        pin: The gateway.
        account: That notes, 20 bytes.

    Returns:
        The note, at the height and hash of the execution block.

    Raises:
        GatewayAbsent: There is no account at the gateway's address.
        CodeHashMismatch: It runs other code.
        Refused: The evidence cannot be read, or a proof does not hold, by its name.
    """
    del state
    shown = NoteEvidence.from_bytes(evidence)
    height, state_root = _read_header(shown.header)
    size, root = noted(state_root, pin, account, shown)
    return ProvedNote(height, _hash_of(shown), size, root)


def check_note_block(state: BeaconState, evidence: bytes) -> None:
    """Judges whether the execution block in the evidence is final.

    Nobody seals an execution block, and a sync committee of another time is not known to the state. So the state has to name the
    block: it was made after the note, and keeps the newest 256 headers that were shown to be final. Nothing is said of others.

    Args:
        state: What is trusted.
        evidence: As for `read_note`; only its header is looked at.

    Raises:
        ClientFrozen: Misbehaviour was found.
        HeightNotRetained: The state names no final block of this height.
        ClaimBlockMismatch: It names another one.
        Refused: The header cannot be read.
    """
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    shown = NoteEvidence.from_bytes(evidence)
    height, _ = _read_header(shown.header)
    final = state.hash_at(height)
    if final is None:
        raise HeightNotRetained(
            f"The light client's state names no final block {height}; take anchors of after the note, of about its time.",
            expected=state.height,
            found=height,
        )
    if final != _hash_of(shown):
        raise ClaimBlockMismatch("Another block is final.", expected=final, found=_hash_of(shown))


def _read_header(header: bytes) -> tuple[int, Bytes32]:
    """Number and state root of an execution header (yellow paper, section 4.3)."""
    match rlp.decode_list(header):
        case [_, _, _, bytes() as state_root, _, _, _, _, bytes() as number, *_] if len(state_root) == 32:
            return rlp.decode_integer(number, 8), Bytes32(state_root)
    raise HeaderFieldInvalid("The header of the execution block has no state root or no number.", found=header[:64])


def _hash_of(shown: NoteEvidence) -> BlockHash:
    return BlockHash(keccak256(shown.header))
