"""The refusals that only CometBFT has.

Retry           NotEnoughTrust, which names the pivot height
HeaderRefused   form:   BlockVersionMismatch · CommitMalformed · ValidatorSetMalformed
                place:  ChainIdMismatch
                set:    ValidatorSetMismatch · TrustedSetMismatch
                commit: CommitMismatch · VoteMisplaced · VoteSignatureInvalid · PowerTooLittle
ClaimRefused    PinKindMismatch
"""

from __future__ import annotations

from light_clients.errors import ClaimRefused, HeaderRefused, Retry


class NotEnoughTrust(Retry):
    """Too few of the validators that are trusted signed a header that skips heights.

    Attributes:
        pivot_height: A height in between, whose header comes first.
    """

    next_step = "Verify the header of the pivot height first, then this one again."

    def __init__(self, message: str, *, expected: int, found: int, pivot_height: int) -> None:
        super().__init__(message, expected=expected, found=found)
        self.pivot_height = pivot_height

    def diagnostics(self) -> dict[str, int | str]:
        """As for every error, with the pivot height."""
        return {**super().diagnostics(), "pivot_height": self.pivot_height}


class BlockVersionMismatch(HeaderRefused):
    """The header is of another version of the block protocol."""


class CommitMalformed(HeaderRefused):
    """A commit is not written canonically, or holds what no commit holds."""


class ValidatorSetMalformed(HeaderRefused):
    """A set of validators is not written canonically, has an unknown kind of key, or a validator twice."""


class ChainIdMismatch(HeaderRefused):
    """The header is of another chain."""


class ValidatorSetMismatch(HeaderRefused):
    """The validators are not those whose hash the header, or the header before it, names."""


class TrustedSetMismatch(HeaderRefused):
    """The validators that are said to be trusted are not those whose hash the trusted header names."""


class CommitMismatch(HeaderRefused):
    """The commit is for another height or another block, or has not one vote for each validator."""


class VoteMisplaced(HeaderRefused):
    """A vote names another validator than the one at its place in the set."""


class VoteSignatureInvalid(HeaderRefused):
    """A vote is not signed by its validator."""


class PowerTooLittle(HeaderRefused):
    """Too little of the power of a set signed the block: not more than two thirds of its own, or too little of a trusted one."""


class PinKindMismatch(ClaimRefused):
    """The evidence brings a proof that the pinned kind of gateway does not have, or lacks one that it has."""
