"""Notes of an evidence log: what an account told the gateway of it, and who made the block in which it did.

The evidence is a `FiscoEvidence` whose bundle has its signatures, and whose execution has its transaction on both lines.

A note is shown when:
 1. The transaction stands in the block, and calls the pinned gateway's `anchorLog` itself, with two words and nothing else.
 2. It is of the state's chain and group: on line 2 it names them, on line 3 they are hashed in it. No header names its group, and
    one key may seal for many groups, so that nothing else tells a note of one from a note of another.
 3. The receipt at its position is of that block and says success, no new contract, no output and one event.
 4. The event is the gateway's `LogAnchored` of the account, with the two words of the call.

On line 3, whose hashes have no lengths (`executions`), the receiver is the only one, so that the gateway's code ran. Where the true
input is shorter than it was read, that code refuses it; where it is longer, it is the same call. So the receipt is in truth one of
a refusal, whose status stands at a known place, behind the digits of the gas, or has exactly these parts: all but the price have
their sizes, and thereby the price too.

On line 2 nodes ask for chain and group when they take a transaction in, and not when another sealer proposes it (2.x,
`libtxpool/TxPool`, `verify` and `verifyAndSetSenderForBlock`): where one set seals for two groups, a single dishonest sealer that
leads the other group can put there what the account signed for this one.
"""

from __future__ import annotations

from light_clients.errors import ClaimBlockMismatch, ClientFrozen, HeaderFieldInvalid, NoteAbsent, SealsTooFew
from light_clients.fisco.codec import parse_header
from light_clients.fisco.errors import CallUnexpected, ExecutionFailed
from light_clients.fisco.evidence import FiscoEvidence, FiscoPin
from light_clients.fisco.executions import Log, named_network, proved_call, proved_receipt
from light_clients.fisco.seals import check_seals
from light_clients.fisco.types import FiscoState, quorum
from light_clients.proofs.log_notes import ProvedNote
from schemas.primitives import Bytes32
from schemas.suites import keccak256

ANCHOR_LOG_SELECTOR = keccak256(b"anchorLog(uint64,bytes32)")[:4]
"""The gateway's function that notes the size and the root of the caller's log, returns nothing and emits one event."""

LOG_ANCHORED = keccak256(b"LogAnchored(address,uint64,bytes32)")
_WORDS_SIZE = 64


def noted_by(account: bytes) -> tuple[bytes, bytes]:
    """The topics of the event by which the gateway tells a note of an account of 20 bytes."""
    return LOG_ANCHORED, bytes(12) + account


def read_note(state: FiscoState, evidence: bytes, pin: FiscoPin, account: bytes) -> ProvedNote:
    """Proves what an account noted in the block of the evidence; who made that is not asked.

    Args:
        state: Its configuration says the line, the suite, the chain and the group; nothing else of it is used.
        evidence: `FiscoEvidence`, untrusted.
        pin: The gateway.
        account: That notes, 20 bytes.

    Returns:
        The note, with the height and the hash of the header in the evidence.

    Raises:
        CallUnexpected: The transaction is no direct call of `anchorLog`, or of another chain or group.
        ExecutionFailed: It failed.
        NoteAbsent: The gateway tells no note of the account.
        Refused: The evidence, the header, the transaction, the receipt or a path does not hold.
    """
    configuration, brought = state.configuration, FiscoEvidence.from_bytes(evidence)
    header, execution = parse_header(brought.header, configuration), brought.execution
    # 1. The call.
    call = proved_call(execution, configuration, header.transactions_root)
    words = call.data[4:]
    if call.to != pin.address or call.data[:4] != ANCHOR_LOG_SELECTOR or len(words) != _WORDS_SIZE:
        raise CallUnexpected("The transaction is no direct call of anchorLog.", expected=pin.address, found=call.to)
    # 2. Its chain and group.
    expected = (configuration.chain_id, configuration.group_id)
    if configuration.line == 2 and (found := named_network(execution)) != expected:
        raise CallUnexpected(
            "The transaction is of another chain or group than the light client's options name (chain_id, group_id).",
            expected=" ".join(expected),
            found=" ".join(found),
        )
    # 3. Its receipt.
    receipt = proved_receipt(execution, configuration, header.receipts_root, header.height)
    if receipt.status:
        raise ExecutionFailed("The transaction failed.", expected=0, found=receipt.status)
    if receipt.created or receipt.output or len(receipt.logs) != 1:
        raise CallUnexpected("A call of anchorLog returns nothing and emits one event.", found=len(receipt.logs))
    # 4. Its event.
    if receipt.logs[0] != Log(pin.address, noted_by(account), words):
        raise NoteAbsent("The gateway tells no note of this account in the receipt.", expected=account)
    return ProvedNote(header.height, header.block_hash, int.from_bytes(words[:32], "big"), Bytes32(words[32:]))


def check_note_block(state: FiscoState, evidence: bytes) -> None:
    """Judges who made the block in the evidence, at whatever height it is.

    A quorum of those who are trusted now has to be among its signers, and they have to be a quorum of those whom the header lists.
    An honest sealer signs only what stands in its own ledger, with the true list. While fewer than a third of the votes trusted
    now are dishonest, every quorum of them has an honest one: it vouches that the list is true, and then the list's quorum that
    the block is final, as no two quorums of one list sign two blocks of one height unless a third of them signs both. It does not
    show that the block is recent, nor what was noted later; and the header does not name its group, which `read_note` asks for.

    Args:
        state: Its newest set is who is trusted; what it accepted at the block's height may not be another block.
        evidence: `FiscoEvidence`; only its header and signatures are looked at.

    Raises:
        ClientFrozen: Misbehaviour was found.
        HeaderFieldInvalid: There are proofs of changes in the bundle, which nothing here needs.
        ClaimBlockMismatch: Another block of that height was accepted.
        SealsTooFew: Too few of those trusted now, or of those whom the header lists, signed it.
        Refused: The header cannot be read, or a signature is false.
    """
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    # 2. The header and no more, and no other block than was accepted.
    header = parse_header(FiscoEvidence.from_bytes(evidence).header, state.configuration)
    if header.steps:
        raise HeaderFieldInvalid("The header of a note has no proofs of changes.", found=len(header.steps))
    if (accepted := state.hash_at(header.height)) not in (None, header.block_hash):
        raise ClaimBlockMismatch("Another block was accepted.", expected=accepted, found=header.block_hash)
    # 3. A quorum of its own list signed it.
    signers = {header.sealers[index].key for index in check_seals(header, state.configuration)}
    # 4. A quorum of those trusted now is among them.
    votes, wanted = sum(sealer.weight for sealer in state.sealers if sealer.key in signers), quorum(state.sealers)
    if votes < wanted:
        raise SealsTooFew("Too few of the sealers trusted now signed the block.", expected=wanted, found=votes)
