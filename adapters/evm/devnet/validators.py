"""The validators of a development network: their keys, their votes, and who proposes next.

Votes are counted as Besu counts them in header mode (VoteTally, VoteTallyUpdater): one vote a block by its proposer; a
change takes more than half of the validators and holds from the next block on; a removed validator's own votes go with
it; each epoch block clears all votes and counts none. Keys are derived from a seed that stays outside the repository.
"""

from __future__ import annotations

from bisect import bisect_right

from adapters.evm.devnet.errors import RpcError
from adapters.evm.devnet.header import SealedHeader, Vote
from light_clients.crypto.secp256k1 import address_of
from schemas.suites import keccak256

EPOCH_LENGTH = 30_000
"""Blocks after which votes are cleared; Besu's default."""

_KEY_LABEL = b"relayhub development validator"
_SPARE_KEYS = 64


def quorum(validators: int) -> int:
    """How many seals a header needs: two thirds of the validators, rounded up."""
    return -(-2 * validators // 3)


class Keyring:
    """Validator keys derived from one seed; the first are the founders', the rest are spare.

    Args:
        seed: Any bytes; whoever knows them knows the keys.
        founders: How many validators the network begins with.
    """

    def __init__(self, seed: bytes, founders: int) -> None:
        keys = [keccak256(_KEY_LABEL + seed + index.to_bytes(8, "big")) for index in range(founders + _SPARE_KEYS)]
        self._keys = {address_of(key): key for key in keys}
        addresses = list(self._keys)
        self.founders = tuple(sorted(addresses[:founders]))
        self._spare = addresses[founders:]

    def key_of(self, address: bytes) -> bytes | None:
        """The private key of a validator, if it is one of ours."""
        return self._keys.get(address)

    def new_address(self, taken: tuple[bytes, ...]) -> bytes:
        """The address of a spare key that was not given out in this run and is not `taken`, 20 bytes.

        Raises:
            RpcError: All spare keys are in use.
        """
        while self._spare:
            address = self._spare.pop(0)
            if address not in taken:
                return address
        raise RpcError(-32000, f"all {_SPARE_KEYS} spare validator keys are given out; start the network anew")


class VoteTally:
    """The validator set after the newest header, and the votes that may change it.

    Args:
        validators: The founders' addresses.
        epoch_length: Blocks between two clearings of the votes.
    """

    def __init__(self, validators: tuple[bytes, ...], epoch_length: int = EPOCH_LENGTH) -> None:
        self.validators = tuple(sorted(validators))
        self._epoch_length = epoch_length
        self._votes: dict[bytes, dict[bytes, bool]] = {}

    def is_epoch(self, number: int) -> bool:
        """Whether votes are cleared at this height."""
        return number % self._epoch_length == 0

    def has_cast(self, voter: bytes, vote: Vote) -> bool:
        """Whether this voter's vote is counted already."""
        return self._votes.get(vote.subject, {}).get(voter) is vote.add

    def follow(self, header: SealedHeader) -> None:
        """Counts what a new header says; the set then is the one that seals the next header."""
        if self.is_epoch(header.number):
            self._votes.clear()
        elif header.extra.vote is not None:
            self._count(header.proposer, header.extra.vote)

    def _count(self, voter: bytes, vote: Vote) -> None:
        votes = self._votes.setdefault(vote.subject, {})
        votes[voter] = vote.add
        agreeing = sum(1 for choice in votes.values() if choice is vote.add)
        if agreeing <= len(self.validators) // 2:
            return
        del self._votes[vote.subject]
        others = set(self.validators) - {vote.subject}
        self.validators = tuple(sorted(others | {vote.subject} if vote.add else others))
        if not vote.add:
            for cast in self._votes.values():
                cast.pop(vote.subject, None)


class Validators:
    """The local validators acting together: they seal, rotate as proposers, and vote for what they were told.

    Args:
        keyring: Their keys.
        epoch_length: Blocks between two clearings of the votes.
    """

    def __init__(self, keyring: Keyring, epoch_length: int = EPOCH_LENGTH) -> None:
        self.keyring = keyring
        self.tally = VoteTally(keyring.founders, epoch_length)
        self._proposals: dict[bytes, bool] = {}
        self._silent: set[bytes] = set()

    @property
    def proposals(self) -> dict[bytes, bool]:
        """What the validators vote for at present: address, and whether to add it."""
        return dict(self._proposals)

    def proposer_after(self, previous: bytes) -> bytes:
        """The validator after `previous` in ascending order, going round; silent ones are passed over.

        Raises:
            RpcError: Too few validators are awake to seal.
        """
        awake = self._awake()
        return awake[bisect_right(awake, previous) % len(awake)]

    def sealing_keys(self) -> list[bytes]:
        """The keys of all awake validators in ascending order of address.

        Raises:
            RpcError: They are fewer than a quorum.
        """
        return [key for key in map(self.keyring.key_of, self._awake()) if key is not None]

    def vote_of(self, proposer: bytes, number: int) -> Vote | None:
        """The vote that a proposer puts into the header at this height."""
        if self.tally.is_epoch(number):
            return None
        for subject, add in self._proposals.items():
            vote = Vote(subject, add)
            if (subject in self.tally.validators) is not add and not self.tally.has_cast(proposer, vote):
                return vote
        return None

    def propose(self, subject: bytes, *, add: bool) -> None:
        """Makes every local validator vote on `subject` until it is in, or out.

        Raises:
            RpcError: The change would leave too few validators of ours to seal.
        """
        others = set(self.tally.validators) - {subject}
        after = others | {subject} if add else others
        ours = sum(1 for address in after if self.keyring.key_of(address) is not None)
        if not after or ours < quorum(len(after)):
            raise RpcError(-32000, "after this vote the local validators could not seal; keep two thirds of them local")
        self._proposals[subject] = add

    def discard(self, subject: bytes) -> bool:
        """Stops voting on `subject`; says whether anyone was."""
        return self._proposals.pop(subject, None) is not None

    def silence(self, subject: bytes, *, on: bool) -> None:
        """Takes a validator off the network, or brings it back.

        Raises:
            RpcError: It is no validator.
        """
        if subject not in self.tally.validators:
            raise RpcError(-32602, "this address is no validator; ask qbft_getValidatorsByBlockNumber for them")
        (self._silent.add if on else self._silent.discard)(subject)

    def _awake(self) -> list[bytes]:
        validators = self.tally.validators
        awake = [item for item in validators if item not in self._silent and self.keyring.key_of(item) is not None]
        if len(awake) < quorum(len(validators)):
            raise RpcError(-32000, f"{len(awake)} of {len(validators)} validators are awake, too few to seal; wake one")
        return awake
