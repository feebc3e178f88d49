"""Notes of an evidence log in the gateway's chaincode. This module itself is a `light_clients.protocol.NoteJudge`.

A note is the record under the key `log~<account, lower-case hexadecimal>` in the gateway's namespace, written by `anchorLog`; it
is the JSON text `{"size":"<decimal>","root":"<64 lower-case hexadecimal digits>"}`. The call `loggedAnchor(bytes)` answers with
it as two words, and reads besides what the gateway was configured with, the key `settings`.

A note is believed when all of this holds:
1. The evidence and its block can be read (`codec`).
2. The evidence's transaction in it wrote the account's note, and peers attest that call (`writes`).
3. The answer is a size of 64 bits and a root, and what was written is the note of both.

Its block counts when all of this holds:
1. The client is not frozen.
2. Every envelope in it whose channel can be read is of the client's channel, and there is one. The header does not name the
   channel, and orderers may sign for several; they sort envelopes by it.
3. The client has accepted no other block of that number, as far as it remembers.
4. The orderers of the configuration that the client holds now signed it (`orderers`).

Why it may be of any height: an orderer signs what consensus gave it, and nothing where it was no orderer. On SmartBFT two quorums
have an honest consenter in common, so a false block needs more than a third of those trusted now to have signed two. On raft the
policy BlockValidation commonly asks for one member of the orderers' organisations, and so does Fabric itself: whoever holds one
such key can sign a false block of a number that the client does not remember. Not even that makes a false note, for orderers
neither endorse nor attest: what is noted stands on the endorsement policy and on peers of as many organisations as are pinned,
whoever made the block.

What it does not show: that no newer note stands there, and when the peers were asked. Where certificates ended since, or orderers
went, a client of about that time judges it.
"""

from __future__ import annotations

from light_clients.errors import ClaimBlockMismatch, ClientFrozen
from light_clients.fabric.attestations import KeyRead
from light_clients.fabric.codec import read_block, skim_channel
from light_clients.fabric.config_block import read_config
from light_clients.fabric.errors import AttestationInvalid, AttestationMismatch, ChannelMismatch
from light_clients.fabric.orderers import check_signatures
from light_clients.fabric.types import FabricNoteEvidence, FabricPin, FabricState
from light_clients.fabric.writes import proved_write
from light_clients.proofs.log_notes import ProvedNote
from schemas.primitives import Bytes32
from schemas.suites import integer_word, keccak256

LOGGED_ANCHOR = keccak256(b"loggedAnchor(bytes)")[:4]
SETTINGS_KEY = "settings"
ANSWER_SIZE = 64


def note_read(account: bytes) -> KeyRead:
    """The call that tells an account's note (calldata: Solidity contract ABI specification).

    Args:
        account: That notes, as the gateway names it.
    """
    padding = bytes(-len(account) % 32)
    calldata = b"".join((LOGGED_ANCHOR, integer_word(32), integer_word(len(account)), account, padding))
    return KeyRead((b"call", calldata), f"log~{account.hex()}", (SETTINGS_KEY,))


def read_note(state: FabricState, evidence: bytes, pin: FabricPin, account: bytes) -> ProvedNote:
    """Proves what the gateway noted for an account; the list of checks is the module's.

    Args:
        state: What is trusted: the channel, its configuration, and the time at which certificates must not have expired.
        evidence: `FabricNoteEvidence`, untrusted.
        pin: The chaincode, its definition, and whose peers must attest.
        account: That notes, 33 bytes.

    Raises:
        ClaimRefused: By its name.
        Refused: A part of the evidence does not hold.
    """
    # 1. Reading.
    found = FabricNoteEvidence.from_bytes(evidence)
    block = read_block(found.block)
    # 2. The write and the read.
    answer, written = proved_write(state, pin, block, found.transaction, found.read, note_read(account))
    # 3. One note.
    size, root = int.from_bytes(answer[:32], "big"), answer[32:]
    if len(answer) != ANSWER_SIZE or size >= 1 << 64:
        raise AttestationInvalid("The answer is no size of 64 bits and a root.", found=answer)
    expected = b'{"size":"%d","root":"%s"}' % (size, root.hex().encode())
    if written != expected:
        raise AttestationMismatch(
            "The transaction wrote another note than peers read.", expected=expected, found=written
        )
    return ProvedNote(block.height, block.block_hash, size, Bytes32(root))


def check_note_block(state: FabricState, evidence: bytes) -> None:
    """Judges who made the block of a note; the list of checks, and what it means, is the module's.

    Args:
        state: What is trusted, older or newer than the block.
        evidence: `FabricNoteEvidence`, untrusted. That the envelopes are the header's is for `read_note` to say.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ChannelMismatch: The block is of another channel.
        ClaimBlockMismatch: The client accepted another block of that number.
        Refused: It cannot be read, or is not signed, by its name.
    """
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    # 2. The channel.
    block, channel = read_block(FabricNoteEvidence.from_bytes(evidence).block), state.configuration.channel
    channels = {skim_channel(envelope) for envelope in block.envelopes} - {""}
    if channels != {channel}:
        other = min(channels - {channel}, default="")
        raise ChannelMismatch("The block is of another channel.", expected=channel, found=other)
    # 3. No other block.
    accepted = state.hash_at(block.height)
    if accepted not in (None, block.block_hash):
        raise ClaimBlockMismatch("Another block is accepted.", expected=accepted, found=block.block_hash)
    # 4. The orderers.
    config = read_config(state.channel_config)
    check_signatures(config, block, state.timestamp if state.configuration.heeds_expiry else None)
