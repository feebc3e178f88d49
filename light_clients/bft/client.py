"""Judging headers and claims of the BFT families (Besu `{Ibft,Qbft}BlockHeaderValidationRulesetFactory`).

A header is accepted when all of this holds; the numbers stand beside the checks:
 1. The client is neither frozen nor expired.
 2. The header can be read (the family's `codec`).
 3. The vanity has 32 bytes, the mix hash is the mark of Byzantine fault tolerance, the difficulty is 1; IBFT2 and legacy
    IBFT have no ommers, and IBFT2 has no nonce.
 4. The height is the next one, and the parent is the trusted header.
 5. The time is at most the allowed drift ahead of ours, and after the parent's (not before it, where blocks are faster
    than one a second).
 6. The validators are in ascending order and are the set that the votes so far lead to; where a contract selects them, or
    the officers pin them, the header lists nobody and has no vote.
 7. The proposer is one of the set.
 8. At least ceil(2n/3) of them sealed, each once, and nobody else. GoQuorum's own header check asks for less; its live
    quorum is this one.
 9. The next set is not empty and one that a client can keep: it follows from the votes or the configuration, or is proved
    under this header's state root where a contract selects it (`contract`).

Headers are followed one by one: nothing is skipped, and a set changes only by votes that were seen, by a proof, or by the
configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from light_clients.bft.bundle import SetProof, unbundle
from light_clients.bft.checks import check_seals, check_validators
from light_clients.bft.contract import prove_validators
from light_clients.bft.misbehaviour import sealing_set
from light_clients.bft.state_bytes import read_state
from light_clients.bft.types import (
    MAXIMUM_SETS,
    WINDOW,
    Address,
    BftConfiguration,
    BftHeader,
    BftState,
    SelectionMode,
    ValidatorSet,
    VerifiedBftHeader,
    Vote,
    is_validator_set,
)
from light_clients.bft.votes import Tally, after_block
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimHeightMismatch,
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    HeaderBehind,
    HeaderGap,
    HeightNotReached,
    HeightNotRetained,
    Misbehaviour,
    ParentMismatch,
    PinMismatch,
    ProposerNotValidator,
    SetProofInvalid,
    TimestampAhead,
    TimestampNotIncreasing,
)
from light_clients.proofs.gateway import GatewayPin, SlotEvidence, check_claim_form, verify_gateway_head
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


@dataclass(frozen=True, slots=True)
class BftClient:
    """The light client of one family: a `light_clients.protocol.LightClient`.

    Attributes:
        parse_header: Reads a header of the family.
        check_form: Raises where a header lacks what every header of the family has.
        configuration_type: The family's configuration.
    """

    parse_header: Callable[[bytes], BftHeader]
    check_form: Callable[[BftHeader], None]
    configuration_type: type[BftConfiguration]

    def bootstrap(self, header: bytes, block_hash: BlockHash, configuration: BftConfiguration) -> BftState:
        """Trusts a pinned header, the first block or a later one.

        Args:
            header: RLP of the header, with its seals; in a bundle where a contract selects its child's validators.
            block_hash: What the officers pinned.
            configuration: What no header says.

        Returns:
            The first state.

        Raises:
            PinMismatch: The header has another hash.
            ConfigurationInvalid: The configuration is another family's, or the header lists no validators and nothing
                else says who they are.
            HeaderRefused: The header cannot be read, or is not sealed by the validators that it lists.
            SetProofMissing: The proof of its child's validators is missing.
        """
        if not isinstance(configuration, self.configuration_type):
            raise ConfigurationInvalid("The configuration is of another family of light clients.")
        plain, proof = _unbundled(configuration, header)
        parsed = self.parse_header(plain)
        if parsed.block_hash != block_hash:
            raise PinMismatch("The header is not the pinned one.", expected=block_hash, found=parsed.block_hash)
        self.check_form(parsed)
        validators = _sealers_of_pin(configuration, parsed)
        if parsed.height and validators:
            check_seals(parsed, validators)
        next_validators, votes = _next_tally(configuration, parsed, validators, configuration.votes, proof)
        known = (ValidatorSet(parsed.height, validators),) if validators else ()
        return BftState(
            configuration=configuration,
            height=parsed.height,
            timestamp=parsed.timestamp,
            recent=(parsed.block_hash,),
            sets=_with_set(known, parsed.height, next_validators),
            votes=votes,
        )

    def verify_header(self, state: BftState, header: bytes, now: int) -> VerifiedBftHeader:
        """Judges the next header; the list of checks is the module's.

        Args:
            state: What is trusted.
            header: RLP of the header, with its seals; in a bundle where a contract selects its child's validators.
            now: Unix seconds.

        Returns:
            What `apply` needs.

        Raises:
            ClientFrozen: Misbehaviour was found.
            ClientExpired: The trusting period is over.
            HeaderGap: Headers are missing in between.
            HeaderBehind: The height was accepted already.
            TimestampAhead: The header is ahead of our clock.
            SetProofMissing: The proof of its child's validators is missing.
            Refused: The header is false, by its name.
        """
        # 1. The client.
        if state.frozen:
            raise ClientFrozen("The light client is frozen.", found=state.height)
        if now >= state.expires_at:
            raise ClientExpired(
                "The trusting period of the light client is over.", expected=state.expires_at, found=now
            )
        # 2. and 3. Reading and form.
        plain, proof = _unbundled(state.configuration, header)
        parsed = self.parse_header(plain)
        self.check_form(parsed)
        # 4. and 5. The place in the chain, and in time.
        _check_place(state, parsed)
        _check_time(state, parsed, now)
        # 6. The set. 7. The proposer.
        validators = state.validators
        mode = state.configuration.selection_at(parsed.height).mode
        check_validators(parsed, validators, mode)
        if parsed.proposer not in validators:
            raise ProposerNotValidator("The proposer is no validator.", found=parsed.proposer)
        # 8. The seals.
        sealers = check_seals(parsed, validators)
        # 9. The next set.
        next_validators, votes = _next_tally(state.configuration, parsed, validators, state.votes, proof)
        return VerifiedBftHeader(
            parsed.height, parsed.block_hash, parsed.state_root, parsed.timestamp, sealers, next_validators, votes
        )

    def apply(self, state: BftState, verified: VerifiedBftHeader) -> BftState:
        """The state after a header that was verified against this very state.

        Args:
            state: What is trusted.
            verified: What `verify_header` returned for it.

        Returns:
            The new state.
        """
        recent = (*state.recent[-(WINDOW - 1) :], verified.block_hash)
        sets = state.sets
        if verified.next_validators != state.validators:
            sets = _with_set(sets, verified.height, verified.next_validators)
        if len(sets) > 1:
            sets = _within_window(sets, verified.height - len(recent) + 1)
        return BftState(
            state.configuration, verified.height, verified.timestamp, recent, sets, verified.next_votes, state.frozen
        )

    def find_misbehaviour(self, state: BftState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
        """Compares two headers (`misbehaviour`).

        Args:
            state: Knows the sets of the recent heights and of the next one.
            header_a: RLP of a sealed header, alone or in its bundle.
            header_b: RLP of another one.

        Returns:
            The accusation, or ``None`` where the headers are of different heights or are the same block.

        Raises:
            HeaderGap: The set of that height is not known yet.
            HeightNotRetained: The set of that height is no longer known.
            Refused: One of them is not sealed by the set of its height, and so accuses nobody.
        """
        first, second = (self.parse_header(_unbundled(state.configuration, data)[0]) for data in (header_a, header_b))
        if first.height != second.height or first.block_hash == second.block_hash:
            return None
        validators = sealing_set(state, first.height)
        for parsed in (first, second):
            self.check_form(parsed)
            check_seals(parsed, validators)
        return Misbehaviour(
            f"Two blocks of height {first.height} are sealed.", height=first.height, evidence=(header_a, header_b)
        )

    def verify_claim(
        self, state: BftState, claim: Claim, evidence: SlotEvidence, pin: GatewayPin, proved_head: Head | None = None
    ) -> None:
        """Judges a claim at an accepted header. What was accepted once stays true after the trusting period.

        Args:
            state: What is trusted.
            claim: What is claimed.
            evidence: The header at the claim's height, and the proofs of account and slot.
            pin: The gateway's address and code hash.
            proved_head: The head that the slot shows, where the claim is a prefix of it; the caller folds the rest.

        Raises:
            ClientFrozen: Misbehaviour was found.
            HeightNotReached: The height is above the newest accepted header.
            HeightNotRetained: The height has left the window.
            ClaimRefused: The claim is false, by its name.
            Refused: The header or a proof does not hold.
        """
        # 1. The client and the form of the claim.
        if state.frozen:
            raise ClientFrozen("The light client is frozen.", found=state.height)
        check_claim_form(claim)
        # 2. The block was accepted.
        if claim.height > state.height:
            raise HeightNotReached("The header was not seen yet.", expected=claim.height, found=state.height)
        accepted = state.hash_at(claim.height)
        if accepted is None:
            raise HeightNotRetained("The height is no longer kept.", expected=state.oldest_height, found=claim.height)
        if accepted != claim.block_hash:
            raise ClaimBlockMismatch("Another block was accepted.", expected=accepted, found=claim.block_hash)
        # 3. The header is that block.
        parsed = self.parse_header(evidence.header)
        if parsed.height != claim.height:
            raise ClaimHeightMismatch("The header has another height.", expected=claim.height, found=parsed.height)
        if parsed.block_hash != claim.block_hash:
            raise ClaimBlockMismatch("The header is another.", expected=claim.block_hash, found=parsed.block_hash)
        # 4. The slot holds the head.
        verify_gateway_head(
            parsed.state_root, pin, claim, evidence.account_proof, evidence.storage_proof, proved_head=proved_head
        )

    def block_hash(self, header: bytes) -> BlockHash:
        """The hash of a header, alone or in its bundle, as the family computes it; nothing is judged.

        Raises:
            Refused: It is no header of the family.
        """
        return self.parse_header(unbundle(header)[0]).block_hash

    def state_from_bytes(self, data: bytes) -> BftState:
        """Reads a state back (`state_bytes`).

        Raises:
            StateUnreadable: It is damaged, too large, of another version or of another family.
        """
        return read_state(data, self.configuration_type)


def _unbundled(configuration: BftConfiguration, data: bytes) -> tuple[bytes, SetProof | None]:
    return unbundle(data) if configuration.selections else (data, None)


def _sealers_of_pin(configuration: BftConfiguration, parsed: BftHeader) -> tuple[Address, ...]:
    """Who sealed the pinned header; nobody is known where its parent's state selected them."""
    mode = configuration.selection_at(parsed.height).mode
    if mode is SelectionMode.CONTRACT:
        check_validators(parsed, (), mode)
        return ()
    if mode is SelectionMode.PINNED:
        check_validators(parsed, (), mode)
        placed = [override for override in configuration.overrides if override.height <= max(parsed.height, 1)]
        return placed[-1].validators
    if not is_validator_set(parsed.extra.validators):
        raise ConfigurationInvalid(
            "The pinned header lists no set of validators; where a contract selects them, the configuration says which."
        )
    return parsed.extra.validators


def _check_place(state: BftState, parsed: BftHeader) -> None:
    expected_height = state.height + 1
    if parsed.height > expected_height:
        raise HeaderGap("Headers are missing.", expected=expected_height, found=parsed.height)
    if parsed.height < expected_height:
        raise HeaderBehind("This height was accepted already.", expected=expected_height, found=parsed.height)
    if bytes(parsed.parent_hash) != state.block_hash:
        raise ParentMismatch("The parent is another one.", expected=state.block_hash, found=parsed.parent_hash)


def _check_time(state: BftState, parsed: BftHeader, now: int) -> None:
    configuration = state.configuration
    if parsed.timestamp > now + configuration.maximum_drift_s:
        raise TimestampAhead("The header is ahead of our clock.", expected=now, found=parsed.timestamp)
    earliest = state.timestamp + (0 if configuration.sub_second_blocks else 1)
    if parsed.timestamp < earliest:
        raise TimestampNotIncreasing("Time must go forward.", expected=earliest, found=parsed.timestamp)


def _next_tally(
    configuration: BftConfiguration,
    parsed: BftHeader,
    validators: tuple[Address, ...],
    votes: tuple[Vote, ...],
    proof: SetProof | None,
) -> Tally:
    selection = configuration.selection_at(parsed.height + 1)
    if selection.mode is SelectionMode.CONTRACT:
        return prove_validators(parsed.state_root, selection, proof), ()
    if proof is not None:
        raise SetProofInvalid("A proof of validators came with a header whose child's no contract selects.")
    return after_block(configuration, parsed.height, validators, votes, _vote_of(parsed))


def _vote_of(parsed: BftHeader) -> Vote | None:
    if parsed.extra.vote is None:
        return None
    subject, add = parsed.extra.vote
    return Vote(parsed.proposer, subject, add)


def _with_set(
    sets: tuple[ValidatorSet, ...], height: int, next_validators: tuple[Address, ...]
) -> tuple[ValidatorSet, ...]:
    if sets and sets[-1].members == next_validators:
        return sets
    return (*sets, ValidatorSet(height + 1, next_validators))[-MAXIMUM_SETS:]


def _within_window(sets: tuple[ValidatorSet, ...], oldest_height: int) -> tuple[ValidatorSet, ...]:
    first = 0
    while first + 1 < len(sets) and sets[first + 1].first_height <= oldest_height:
        first += 1
    return sets[first:]
