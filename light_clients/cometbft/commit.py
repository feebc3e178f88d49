"""Counting the votes of a commit (CometBFT `types/validation.go`: VerifyCommitLight, VerifyCommitLightTrusting).

Only votes for the block count; the signatures of others, and of those after the threshold is passed, are not looked at. That a
vote stands at its validator's place in the header's own set is checked for every vote, before any signature: because no
address stands twice in that set, no validator is counted twice in another set either.
"""

from __future__ import annotations

from hashlib import sha256

from light_clients.cometbft.encoding import PRECOMMIT, SignBytes
from light_clients.cometbft.errors import CommitMismatch, PowerTooLittle, VoteMisplaced, VoteSignatureInvalid
from light_clients.cometbft.types import ABSENT, FOR_BLOCK, CometbftHeader, Commit, Validator, ValidatorSet, Vote
from light_clients.crypto import ed25519, secp256k1

ED25519_KEY_SIZE = 32


class Tally:
    """The votes of one commit for one header, each signature judged once."""

    __slots__ = ("_judged", "_sign_bytes", "commit", "validators")

    def __init__(self, header: CometbftHeader, commit: Commit, validators: ValidatorSet) -> None:
        """Checks what needs no signature.

        Args:
            header: The header.
            commit: Its votes.
            validators: The set whose hash it names.

        Raises:
            CommitMismatch: The commit is for another height or block, or has not one vote for each validator.
            VoteMisplaced: A vote names another validator than the one at its place.
        """
        if commit.height != header.height:
            raise CommitMismatch("The commit is for another height.", expected=header.height, found=commit.height)
        if commit.block_id.block_hash != header.block_hash:
            raise CommitMismatch(
                "The commit is for another block.", expected=header.block_hash, found=commit.block_id.block_hash
            )
        if len(commit.votes) != len(validators.members):
            raise CommitMismatch(
                "A commit has one vote for each validator.", expected=len(validators.members), found=len(commit.votes)
            )
        for vote, validator in zip(commit.votes, validators.members, strict=True):
            if vote.flag != ABSENT and vote.address != validator.address:
                raise VoteMisplaced("A vote is not at its place.", expected=validator.address, found=vote.address)
        self.commit = commit
        self.validators = validators
        self._sign_bytes = SignBytes(PRECOMMIT, commit.height, commit.round, commit.block_id, header.chain_id)
        self._judged: set[int] = set()

    def check_own(self) -> None:
        """Whether more than two thirds of the power of the header's own set voted for it.

        Raises:
            VoteSignatureInvalid: A vote is not signed by its validator.
            PowerTooLittle: It is not more than two thirds.
        """
        needed = self.validators.total_power * 2 // 3
        power = 0
        for place, (vote, validator) in enumerate(zip(self.commit.votes, self.validators.members, strict=True)):
            if vote.flag == FOR_BLOCK:
                self._check_signature(place, vote, validator)
                power += validator.power
                if power > needed:
                    return
        raise PowerTooLittle("Not more than two thirds of the power signed the block.", expected=needed, found=power)

    def trusted_power(self, trusted: ValidatorSet, needed: int) -> int:
        """The power that trusted validators gave to the header.

        Args:
            trusted: Another set than the header's own.
            needed: Counting stops above it.

        Returns:
            Their power in the trusted set.

        Raises:
            VoteSignatureInvalid: A vote is not signed by its validator.
        """
        known = {validator.address: validator for validator in trusted.members}
        power = 0
        for place, vote in enumerate(self.commit.votes):
            validator = known.get(vote.address) if vote.flag == FOR_BLOCK else None
            if validator is not None:
                self._check_signature(place, vote, validator)
                power += validator.power
                if power > needed:
                    break
        return power

    def _check_signature(self, place: int, vote: Vote, validator: Validator) -> None:
        # An address is the hash of its key, so the same address in two sets has the same key.
        if place in self._judged:
            return
        message = self._sign_bytes.at(vote.timestamp)
        if len(validator.key) == ED25519_KEY_SIZE:
            signed = ed25519.verify(validator.key, message, vote.signature)
        else:
            signed = secp256k1.verify(validator.key, sha256(message).digest(), vote.signature)
        if not signed:
            raise VoteSignatureInvalid("A vote is not signed by its validator.", expected=place, found=vote.address)
        self._judged.add(place)
