"""The rules of one block after another (go-ethereum `clique.verifyHeader`, `verifyCascadingFields`, `Snapshot.apply`).

A block may follow another one when all of this holds; the numbers stand beside the checks:
 1. There are no ommers and no mix hash, the difficulty is 1 or 2; the nonce is a vote to add, or zero.
 2. An epoch block votes about nobody; any other block lists nobody.
 3. The height is the next one, and the parent is the block before.
 4. At least the period has gone by since the parent.
 5. An epoch block lists the signers that the votes lead to.
 6. A signer of the set sealed it,
 7. and sealed none of the floor(n / 2) blocks before it.
 8. The difficulty is 2 where it was the sealer's turn, otherwise 1.
 9. The votes lead to a next set that is not empty and that a client can keep; an epoch block clears them.
"""

from __future__ import annotations

from light_clients.bft.types import Address, Vote
from light_clients.bft.votes import count_vote
from light_clients.clique.codec import ADDRESS_SIZE, sealer_of
from light_clients.clique.types import SEALERS_KEPT, CliqueConfiguration, CliqueHeader, Snapshot
from light_clients.errors import (
    DifficultyInvalid,
    HeaderBehind,
    HeaderGap,
    MixHashInvalid,
    NonceInvalid,
    OmmersInvalid,
    ParentMismatch,
    SealForeign,
    SealTooSoon,
    TimestampNotIncreasing,
    ValidatorsUnexpected,
    VoteInvalid,
)
from schemas.suites import keccak256

NO_OMMERS = keccak256(b"\xc0")
"""Hash of an empty list of ommers."""

NOBODY = bytes(ADDRESS_SIZE)
"""The coinbase of a block that has no vote."""

ADD_NONCE, DROP_NONCE = b"\xff" * 8, bytes(8)
"""The nonces of a vote to add and of one to drop; without a vote it is the latter."""

IN_TURN, OUT_OF_TURN = 2, 1
"""The difficulty of a block by the signer whose turn it is, and by another one."""


def check_form(configuration: CliqueConfiguration, parsed: CliqueHeader) -> None:
    """Checks what every block after the first has, whatever the state: checks 1 and 2.

    Args:
        configuration: Has the length of an epoch.
        parsed: A header that was read.

    Raises:
        HeaderRefused: By its name.
    """
    # 1. Constant fields.
    if parsed.ommers_hash != NO_OMMERS:
        raise OmmersInvalid("Clique has no ommers.", expected=NO_OMMERS, found=parsed.ommers_hash)
    if any(parsed.mix_hash):
        raise MixHashInvalid("The mix hash of Clique is zero.", found=parsed.mix_hash)
    if parsed.difficulty not in (OUT_OF_TURN, IN_TURN):
        raise DifficultyInvalid("The difficulty of Clique is 1 or 2.", found=parsed.difficulty)
    if parsed.nonce not in (ADD_NONCE, DROP_NONCE):
        raise NonceInvalid("The nonce of Clique is all ones or all zeros.", found=parsed.nonce)
    # 2. Epochs.
    if is_epoch(configuration, parsed.height):
        if parsed.subject != NOBODY or parsed.nonce != DROP_NONCE:
            raise VoteInvalid("An epoch block has no vote.", found=parsed.subject)
    elif parsed.listed:
        raise ValidatorsUnexpected("Only an epoch block lists the signers.", found=parsed.height)


def follow(configuration: CliqueConfiguration, before: Snapshot, parsed: CliqueHeader) -> Snapshot:
    """Judges a block after another one; the list of checks is the module's.

    Args:
        configuration: What no header says.
        before: What the block before it left.
        parsed: The header.

    Returns:
        What it leaves to the next one.

    Raises:
        HeaderGap: Headers are missing in between.
        HeaderBehind: It is not above the block before.
        Refused: The header is false, by its name.
    """
    # 1. and 2. Form.
    check_form(configuration, parsed)
    # 3. and 4. Place and time.
    _check_place(configuration, before, parsed)
    # 5. The list of an epoch.
    signers, votes = before.signers, before.votes
    epoch = is_epoch(configuration, parsed.height)
    if epoch and parsed.listed != signers:
        raise ValidatorsUnexpected(
            "The votes do not lead to these signers.", expected=b"".join(signers), found=b"".join(parsed.listed)
        )
    # 6., 7. and 8. The seal.
    sealer = _check_seal(before, parsed)
    # 9. The votes.
    if epoch:
        votes = ()
    elif parsed.subject != NOBODY:
        vote = Vote(sealer, parsed.subject, parsed.nonce == ADD_NONCE)
        signers, votes = count_vote(configuration.dialect, signers, votes, vote)
    sealers = (*before.sealers[-(SEALERS_KEPT - 1) :], sealer)
    return Snapshot(parsed.height, parsed.block_hash, parsed.timestamp, signers, votes, sealers)


def is_epoch(configuration: CliqueConfiguration, height: int) -> bool:
    """Whether the block of a height lists the signers."""
    return height % configuration.epoch_length == 0


def _check_place(configuration: CliqueConfiguration, before: Snapshot, parsed: CliqueHeader) -> None:
    expected_height = before.height + 1
    if parsed.height > expected_height:
        raise HeaderGap("Headers are missing.", expected=expected_height, found=parsed.height)
    if parsed.height < expected_height:
        raise HeaderBehind("This height was accepted already.", expected=expected_height, found=parsed.height)
    if bytes(parsed.parent_hash) != before.block_hash:
        raise ParentMismatch("The parent is another one.", expected=before.block_hash, found=parsed.parent_hash)
    earliest = before.timestamp + configuration.period_s
    if parsed.timestamp < earliest:
        raise TimestampNotIncreasing("The block comes too early.", expected=earliest, found=parsed.timestamp)


def _check_seal(before: Snapshot, parsed: CliqueHeader) -> Address:
    signers = before.signers
    sealer = sealer_of(parsed.seal_digest, parsed.seal)
    if sealer not in signers:
        raise SealForeign("The seal is of no signer of the set, or over other content.", found=sealer)
    waiting = len(signers) // 2
    if waiting and sealer in before.sealers[-waiting:]:
        raise SealTooSoon("The signer sealed one of the blocks just before.", expected=waiting, found=sealer)
    turn = IN_TURN if signers[parsed.height % len(signers)] == sealer else OUT_OF_TURN
    if parsed.difficulty != turn:
        raise DifficultyInvalid("The difficulty is not the sealer's.", expected=turn, found=parsed.difficulty)
    return sealer
