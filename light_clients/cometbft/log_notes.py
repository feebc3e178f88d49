"""Notes of an evidence log on a CometBFT ledger: two slots of the gateway in the EVM's store, and who made the block above them.

A header's app hash is the root of the state after the block *before* it, and a note is what the gateway held there.

A note is shown when all of this holds (`read_note`):
 1. The evidence and its bundle can be read.
 2. Under the header's app hash the gateway's code is the pinned one.
 3. So are its slots of the account's note (`proofs.log_notes`): 32 bytes each, or absent where nothing is noted.

Its block is believed when all of this holds (`check_note_block`):
 1. The client is not frozen.
 2. The header is of the state's chain and of its version of blocks.
 3. The set is the one whose hash the header names, and the commit is for this block, each vote at its place.
 4. More than two thirds of that set's power signed it.
 5. The state accepted this very block. Or it knows none of this height, and more than the level of trust of the set that its newest
    header names as next signed it.
"""

from __future__ import annotations

from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.commit import Tally
from light_clients.cometbft.errors import PowerTooLittle, TrustedSetMismatch
from light_clients.cometbft.note_evidence import CometbftNoteEvidence
from light_clients.cometbft.stores import check_code, slot_key, value_under
from light_clients.cometbft.types import CometbftState, EvmStorePin, LightBlock
from light_clients.cometbft.verify import check_chain, tally_of, trusted_power
from light_clients.errors import ClaimBlockMismatch, ClientFrozen, ProofValueInvalid
from light_clients.proofs.log_notes import ProvedNote, note_slots
from schemas.primitives import Bytes32

WORD_SIZE = 32
"""Bytes of a slot; the store keeps zeros in front (cosmos/evm, `x/vm/statedb`), and no slot that is zero."""


def read_note(state: CometbftState, evidence: bytes, pin: EvmStorePin, account: bytes) -> ProvedNote:
    """Proves what the gateway noted for an account, under the header in the evidence; who made that is not asked.

    Args:
        state: Not looked at: a header says its chain itself, and `check_note_block` asks which one it is.
        evidence: As `CometbftNoteEvidence` writes it.
        pin: The gateway.
        account: That notes, 20 bytes.

    Returns:
        The note, at the height and hash of the header whose app hash opens the proofs.

    Raises:
        GatewayAbsent: There is no contract at the gateway's address.
        CodeHashMismatch: It runs other code.
        ProofValueInvalid: A slot holds what no slot holds.
        Refused: The evidence cannot be read, or a proof does not hold, by its name.
    """
    del state
    shown = CometbftNoteEvidence.from_bytes(evidence)
    header = read_bundle(shown.bundle).header
    check_code(header.app_hash, pin, shown.code_proof, shown.store_proof)
    size, root = (
        _word(value_under(header.app_hash, pin.store, slot_key(pin.address, slot), proof, shown.store_proof))
        for slot, proof in zip(note_slots(account), (shown.size_proof, shown.root_proof), strict=True)
    )
    return ProvedNote(header.height, header.block_hash, int.from_bytes(size, "big"), root)


def check_note_block(state: CometbftState, evidence: bytes) -> None:
    """Judges who made the block in the evidence, at whatever height it is; clocks do not matter.

    Of the set that the state trusts now, more than the level of trust signed, so as the family supposes an honest member did. It
    signs a block of a height only where it found it valid: so the set that the header names is the one that decided that height,
    and two blocks of it would need more than a third of that set to have signed both. This does not show that members who left
    long ago kept their keys: where an honest member's vote was for a block that lost, they could make it up to a commit.

    Args:
        state: What is trusted; older or newer than the block.
        evidence: As for `read_note`; only its bundle is looked at.

    Raises:
        ClientFrozen: Misbehaviour was found.
        TrustedSetMismatch: The bundle does not bring the set that the state trusts now.
        PowerTooLittle: Too few of the header's own set signed, or of those that the state trusts now.
        ClaimBlockMismatch: The state accepted another block of this height.
        Refused: The bundle is false, by its name.
    """
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    # 2. The chain.
    block = read_bundle(CometbftNoteEvidence.from_bytes(evidence).bundle)
    header = block.header
    check_chain(state, header)
    # 3. and 4. The set, its commit, and its power.
    tally = tally_of(block)
    tally.check_own()
    # 5. Trust.
    accepted = state.hash_at(header.height)
    if accepted is None:
        _check_trust(state, block, tally)
    elif accepted != header.block_hash:
        raise ClaimBlockMismatch("Another block is accepted.", expected=accepted, found=header.block_hash)


def _check_trust(state: CometbftState, block: LightBlock, tally: Tally) -> None:
    try:
        needed, power = trusted_power(state.configuration, state.newest, block, tally)
    except TrustedSetMismatch as error:
        raise TrustedSetMismatch(
            f"The validators that are trusted at block {state.height} neither decided block {block.header.height} nor came with "
            "it; take anchors of about its time.",
            expected=error.expected,
            found=error.found,
        ) from error
    if power <= needed:
        raise PowerTooLittle(
            f"Too few of the validators that are trusted at block {state.height} signed block {block.header.height}; take "
            "anchors of about its time.",
            expected=needed,
            found=power,
        )


def _word(value: bytes | None) -> Bytes32:
    if value is not None and len(value) != WORD_SIZE:
        raise ProofValueInvalid("A slot holds 32 bytes.", found=value[:64])
    return Bytes32(value or bytes(WORD_SIZE))
