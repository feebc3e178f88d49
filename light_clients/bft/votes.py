"""Counting the votes that change a validator set (Besu `VoteTally`, `VoteTallyUpdater`; GoQuorum `snapApplyHeader`).

1. A block carries at most one vote; its voter is the proposer. A later vote of the same voter about the same subject takes
   the place of the earlier one.
2. More than half of the set (floor(n / 2) + 1 votes) changes it, from the next block on.
3. A change clears the votes about the subject; a removal also clears the votes of the removed validator.
4. An epoch block clears all votes. Besu ignores the vote that it carries; GoQuorum counts it.
5. A vote that would change nothing is counted by Besu (and clears the votes about its subject once it passes), not by GoQuorum.
   Any vote about a subject makes the votes about it be counted anew: after the set has shrunk, it may complete the others'.
6. A set that the network's configuration puts in place takes the place of the voted one and clears all votes.
"""

from __future__ import annotations

from light_clients.bft.types import (
    MAXIMUM_VALIDATORS,
    MAXIMUM_VOTES,
    Address,
    BftConfiguration,
    Dialect,
    Vote,
)
from light_clients.errors import ValidatorsExhausted, ValidatorsTooMany, VotesTooMany

Tally = tuple[tuple[Address, ...], tuple[Vote, ...]]
"""The set of the next block, ascending, and the votes that are open."""


def after_block(
    configuration: BftConfiguration,
    height: int,
    validators: tuple[Address, ...],
    votes: tuple[Vote, ...],
    vote: Vote | None,
) -> Tally:
    """The set and the votes after a block.

    Args:
        configuration: Dialect, epoch and overrides.
        height: Number of the block.
        validators: The set that sealed it, ascending.
        votes: Votes that were open before it.
        vote: The vote that it carries.

    Returns:
        The set that seals the next block, and the votes that are open.

    Raises:
        VotesTooMany: More votes are open than a client keeps.
        ValidatorsTooMany: The set grows beyond what a client keeps.
        ValidatorsExhausted: The last validator would go.
    """
    for override in configuration.overrides:
        if override.height == height + 1:
            return override.validators, ()
    if height % configuration.epoch_length == 0:
        votes = ()
        if configuration.dialect.counts_idle_votes:
            vote = None
    if vote is None:
        return validators, votes
    return count_vote(configuration.dialect, validators, votes, vote)


def count_vote(dialect: Dialect, validators: tuple[Address, ...], votes: tuple[Vote, ...], vote: Vote) -> Tally:
    """The set and the votes after one more vote; Clique counts votes like this too.

    Args:
        dialect: Whose counting applies.
        validators: The set that sealed the block of the vote, ascending.
        votes: Votes that were open before it.
        vote: The vote.

    Returns:
        The set that seals the next block, and the votes that are open.

    Raises:
        VotesTooMany: More votes are open than a client keeps.
        ValidatorsTooMany: The set grows beyond what a client keeps.
        ValidatorsExhausted: The last validator would go.
    """
    subject = vote.subject
    kept = tuple(old for old in votes if (old.voter, old.subject) != (vote.voter, subject))
    if dialect.counts_idle_votes or vote.add != (subject in validators):
        kept = (*kept, vote)
    adding = _passed(validators, kept, subject)
    if adding is None:
        if len(kept) > MAXIMUM_VOTES:
            raise VotesTooMany("Too many votes are open; register the client again at an epoch block.", found=len(kept))
        return validators, kept
    kept = tuple(old for old in kept if old.subject != subject)
    if adding:
        return _grown(validators, subject), kept
    return _shrunk(validators, subject), tuple(old for old in kept if old.voter != subject)


def _passed(validators: tuple[Address, ...], votes: tuple[Vote, ...], subject: Address) -> bool | None:
    """Whether more than half want a subject in (true) or out (false), if so many agree; both cannot."""
    for adding in (True, False):
        if sum(vote.subject == subject and vote.add == adding for vote in votes) >= len(validators) // 2 + 1:
            return adding
    return None


def _grown(validators: tuple[Address, ...], subject: Address) -> tuple[Address, ...]:
    grown = tuple(sorted({*validators, subject}))
    if len(grown) > MAXIMUM_VALIDATORS:
        raise ValidatorsTooMany("The set grows too large.", expected=MAXIMUM_VALIDATORS, found=len(grown))
    return grown


def _shrunk(validators: tuple[Address, ...], subject: Address) -> tuple[Address, ...]:
    shrunk = tuple(validator for validator in validators if validator != subject)
    if not shrunk:
        raise ValidatorsExhausted("The votes remove the last validator; the ledger cannot go on.", found=subject)
    return shrunk
