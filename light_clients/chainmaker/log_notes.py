"""Notes of an evidence log on ChainMaker: the transaction that noted, in a block that the nodes decided.

Evidence is a `ChainMakerEvidence` whose header is the header argument of the light client: the block's header with its votes.
Topics and slots are of the machine, whose hash is Keccak-256 on every chain, also where blocks are hashed with SM3.

A note is shown when all of this holds; who decided the block is not asked:
1. The transaction is in the block, at a depth that the header fixes (`verify`).
2. It calls a contract, both of its result codes are 0, and every event of the gateway in it carries the pinned version (`claims`).
3. By event: the transaction called the gateway; one of the gateway's events is LogAnchored of the account, and every LogAnchored
   has the form of the machine. The last one counts.
4. By write set: its hash is the one in the transaction, and under the gateway's exact name it has each of the two slots of the
   account's note once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from light_clients.chainmaker.claims import (
    LOG_ANCHORED,
    check_called,
    event_words,
    gateway_events,
    gateway_writes,
    key_of,
    number,
)
from light_clients.chainmaker.codec import read_block, read_vote_set
from light_clients.chainmaker.errors import EventInvalid
from light_clients.chainmaker.merkle import HASHES
from light_clients.chainmaker.transactions import ContractEvent
from light_clients.chainmaker.types import ChainMakerEvidence, ChainMakerPin, ChainMakerState
from light_clients.chainmaker.verify import check_hash, count_votes, included
from light_clients.errors import ClientFrozen, NoteAbsent
from light_clients.proofs.log_notes import ProvedNote, note_slots
from schemas.primitives import BlockHash, Bytes32


def read_note(state: ChainMakerState, evidence: bytes, pin: ChainMakerPin, account: bytes) -> ProvedNote:
    """Proves what the gateway noted for an account; the list of checks is the module's.

    Args:
        state: What is trusted; only the chain's hash is asked of it.
        evidence: A `ChainMakerEvidence`, untrusted.
        pin: The gateway's name and version.
        account: That notes, 20 bytes.

    Returns:
        The note, and the block as the header in the evidence has it.

    Raises:
        ClaimRefused: The transaction does not show a note of that account, by its name.
        ProofRefused: The transaction is not in the block, or the write set is another one.
        Refused: The evidence cannot be read.
    """
    digest = HASHES[state.membership.hash_name]
    shown = ChainMakerEvidence.from_bytes(evidence)
    header = read_block(shown.header).header
    # 1. The transaction is in the block.
    transaction = included(digest, header, shown)
    # 2. It succeeded, and what ran is the pinned code.
    events = gateway_events(transaction, pin)
    if shown.write_set:
        # 4. The write set.
        size, root = _written(gateway_writes(transaction, shown.write_set, digest, pin), account)
    else:
        # 3. The event.
        check_called(transaction, pin)
        size, root = _reported(events, account)
    return ProvedNote(header.height, BlockHash(digest(header.hashed)), size, root)


def check_note_block(state: ChainMakerState, evidence: bytes) -> None:
    """Judges that the nodes that are trusted now decided the block in the evidence, at whatever height it is.

    1. The client is not frozen.
    2. The block is of this chain, and its hash is the hash of its fields.
    3. A quorum of the newest membership voted for the hash, as for a header (`verify`, check 7); votes by others are passed
       over, so that nodes that joined later do no harm. Who proposed the block is not asked: votes are for its hash.

    No parent, clock or window is asked. Two quorums of one membership have more than a third of it in common, so a second
    decided block of a height takes more than a third who sign against the rules. Where others decided that height than are
    trusted now, it shows no more than that a quorum of those trusted now found the block valid and voted for it: a round that
    the others let pass leaves such votes too. It does not show that the nodes were members at that height, nor that
    the note is the newest one.

    Args:
        state: What is trusted.
        evidence: A `ChainMakerEvidence`, untrusted; only its header argument is looked at.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ChainIdMismatch: The block is of another chain.
        HeaderHashMismatch: The header names another hash than it has.
        VotesTooFew: Too few of those trusted now voted for it.
        Refused: The block cannot be read, or a vote is false, by its name.
    """
    membership = state.membership
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    block = read_block(ChainMakerEvidence.from_bytes(evidence).header)
    # 2. The chain and the hash.
    check_hash(membership, block.header)
    # 3. The votes.
    vote_set = read_vote_set(block.quorum)
    known = tuple((name, vote) for name, vote in vote_set.votes if membership.node(name) is not None)
    count_votes(membership, state.configuration, block.header, replace(vote_set, votes=known))


def _reported(events: Sequence[ContractEvent], account: bytes) -> tuple[int, Bytes32]:
    """Size and root of the last event that notes a log for the account."""
    notes = [_note_of(event) for event in events if event.topic == LOG_ANCHORED]
    of_account = [note[1:] for note in notes if note[0] == bytes(12) + account]
    if not of_account:
        raise NoteAbsent("No event of the gateway notes a log for the account.", expected=account, found=len(notes))
    return of_account[-1]


def _note_of(event: ContractEvent) -> tuple[bytes, int, Bytes32]:
    """The word of the account, the size and the root."""
    (account,), data = event_words(event, 1)
    if len(data) != 2:
        raise EventInvalid("An event of the gateway has data of another size.", found=event.topic)
    return account, number(data[0]), Bytes32(data[1])


def _written(writes: Sequence[tuple[bytes, bytes]], account: bytes) -> tuple[int, Bytes32]:
    """Size and root as the transaction left them in the slots of the account's note."""
    words = []
    for slot in note_slots(account):
        key = key_of(slot)
        values = [value for written, value in writes if written == key]
        if len(values) != 1 or len(values[0]) > 32:
            raise NoteAbsent(
                "The transaction does not write a slot of the account's note, or twice.",
                expected=key,
                found=len(values),
            )
        words.append(values[0].rjust(32, b"\x00"))
    size, root = words
    return number(size), Bytes32(root)
