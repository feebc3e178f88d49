"""Judging QBFT headers and claims: four functions of the protocol's face (Besu `QbftBlockHeaderValidationRulesetFactory`).

A header is accepted when all of this holds; the numbers stand beside the checks:
 1. The client is neither frozen nor expired.
 2. The header can be read (`codec`).
 3. The vanity has 32 bytes, the mix hash is the mark of Byzantine fault tolerance, the difficulty is 1.
 4. The height is the next one, and the parent is the trusted header.
 5. The time is at most the allowed drift ahead of ours, and after the parent's (not before it, where blocks are faster
    than one a second).
 6. The validators are in ascending order and are the set that the votes so far lead to.
 7. The proposer is one of them.
 8. At least ceil(2n/3) of them sealed, each once, and nobody else. GoQuorum's own header check asks for less; its live
    quorum is this one.
 9. The votes lead to a next set that is not empty and that a client can keep.

Headers are followed one by one: nothing is skipped, and a set changes only by votes that were seen, or by the
configuration.
"""

from __future__ import annotations

from itertools import pairwise

from light_clients.crypto.secp256k1 import recover_sealer
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimHeightMismatch,
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    DifficultyInvalid,
    HeaderBehind,
    HeaderGap,
    HeightNotReached,
    HeightNotRetained,
    MixHashInvalid,
    ParentMismatch,
    PinMismatch,
    ProposerNotValidator,
    SealDuplicate,
    SealForeign,
    SealsTooFew,
    TimestampAhead,
    TimestampNotIncreasing,
    ValidatorsNotAscending,
    ValidatorsUnexpected,
    VanityInvalid,
)
from light_clients.proofs.gateway import GatewayPin, SlotEvidence, check_claim_form, verify_gateway_head
from light_clients.qbft.codec import parse_header
from light_clients.qbft.types import (
    MAXIMUM_SETS,
    WINDOW,
    Address,
    QbftConfiguration,
    QbftHeader,
    QbftState,
    ValidatorSet,
    VerifiedQbftHeader,
    Vote,
    is_validator_set,
)
from light_clients.qbft.votes import after_block
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head

MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""The mark of Byzantine fault tolerance in a header (EIP-650)."""


def quorum(validators: int) -> int:
    """The least number of seals: ceil(2n/3)."""
    return (2 * validators + 2) // 3


def bootstrap(header: bytes, block_hash: BlockHash, configuration: QbftConfiguration) -> QbftState:
    """Trusts a pinned header, the first block or a later one.

    Args:
        header: RLP of the header, with its seals.
        block_hash: What the officers pinned.
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The header has another hash.
        ConfigurationInvalid: The header lists no validators (contract mode), or the configuration puts others in place.
        HeaderRefused: The header cannot be read, or is not sealed by the validators that it lists.
    """
    parsed = parse_header(header)
    if parsed.block_hash != block_hash:
        raise PinMismatch("The header is not the pinned one.", expected=block_hash, found=parsed.block_hash)
    validators = parsed.extra.validators
    if not is_validator_set(validators):
        raise ConfigurationInvalid("The pinned header lists no set of validators; only header mode is supported.")
    check_form(parsed)
    if parsed.height:
        check_seals(parsed, validators)
    next_validators, votes = after_block(
        configuration, parsed.height, validators, configuration.votes, _vote_of(parsed)
    )
    return QbftState(
        configuration=configuration,
        height=parsed.height,
        timestamp=parsed.timestamp,
        recent=(parsed.block_hash,),
        sets=_with_set((ValidatorSet(parsed.height, validators),), parsed.height, next_validators),
        votes=votes,
    )


def verify_header(state: QbftState, header: bytes, now: int) -> VerifiedQbftHeader:
    """Judges the next header; the list of checks is the module's.

    Args:
        state: What is trusted.
        header: RLP of the header, with its seals.
        now: Unix seconds.

    Returns:
        What `apply` needs.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ClientExpired: The trusting period is over.
        HeaderGap: Headers are missing in between.
        HeaderBehind: The height was accepted already.
        TimestampAhead: The header is ahead of our clock.
        Refused: The header is false, by its name.
    """
    configuration = state.configuration
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The trusting period of the light client is over.", expected=state.expires_at, found=now)
    # 2. and 3. Reading and form.
    parsed = parse_header(header)
    check_form(parsed)
    # 4. The place in the chain.
    expected_height = state.height + 1
    if parsed.height > expected_height:
        raise HeaderGap("Headers are missing.", expected=expected_height, found=parsed.height)
    if parsed.height < expected_height:
        raise HeaderBehind("This height was accepted already.", expected=expected_height, found=parsed.height)
    if bytes(parsed.parent_hash) != state.block_hash:
        raise ParentMismatch("The parent is another one.", expected=state.block_hash, found=parsed.parent_hash)
    # 5. Time.
    if parsed.timestamp > now + configuration.maximum_drift_s:
        raise TimestampAhead("The header is ahead of our clock.", expected=now, found=parsed.timestamp)
    earliest = state.timestamp + (0 if configuration.sub_second_blocks else 1)
    if parsed.timestamp < earliest:
        raise TimestampNotIncreasing("Time must go forward.", expected=earliest, found=parsed.timestamp)
    # 6. The set. 7. The proposer.
    validators = state.validators
    if parsed.extra.validators != validators:
        _refuse_validators(parsed.extra.validators, validators)
    if parsed.coinbase not in validators:
        raise ProposerNotValidator("The proposer is no validator.", found=parsed.coinbase)
    # 8. The seals.
    sealers = check_seals(parsed, validators)
    # 9. The next set.
    next_validators, votes = after_block(configuration, parsed.height, validators, state.votes, _vote_of(parsed))
    return VerifiedQbftHeader(
        parsed.height, parsed.block_hash, parsed.state_root, parsed.timestamp, sealers, next_validators, votes
    )


def apply(state: QbftState, verified: VerifiedQbftHeader) -> QbftState:
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
    return QbftState(
        state.configuration, verified.height, verified.timestamp, recent, sets, verified.next_votes, state.frozen
    )


def verify_claim(
    state: QbftState, claim: Claim, evidence: SlotEvidence, pin: GatewayPin, proved_head: Head | None = None
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
    parsed = parse_header(evidence.header)
    if parsed.height != claim.height:
        raise ClaimHeightMismatch("The header has another height.", expected=claim.height, found=parsed.height)
    if parsed.block_hash != claim.block_hash:
        raise ClaimBlockMismatch("The header is another.", expected=claim.block_hash, found=parsed.block_hash)
    # 4. The slot holds the head.
    verify_gateway_head(
        parsed.state_root, pin, claim, evidence.account_proof, evidence.storage_proof, proved_head=proved_head
    )


def check_form(parsed: QbftHeader) -> None:
    """Checks what every QBFT header has, whatever the state.

    Args:
        parsed: A header that was read.

    Raises:
        VanityInvalid: The vanity is not 32 bytes.
        MixHashInvalid: The mark is missing.
        DifficultyInvalid: The difficulty is not 1.
    """
    if len(parsed.extra.vanity) != 32:
        raise VanityInvalid("The vanity has 32 bytes.", expected=32, found=len(parsed.extra.vanity))
    if parsed.mix_hash != MIX_HASH:
        raise MixHashInvalid("This is no header of QBFT.", expected=MIX_HASH, found=parsed.mix_hash)
    if parsed.difficulty != b"\x01":
        raise DifficultyInvalid("The difficulty is 1.", expected=b"\x01", found=parsed.difficulty)


def check_seals(parsed: QbftHeader, validators: tuple[Address, ...]) -> tuple[Address, ...]:
    """Checks that ceil(2n/3) distinct validators sealed, and nobody else.

    Args:
        parsed: A header that was read.
        validators: The set that had to seal it.

    Returns:
        Who sealed, in the order of the seals.

    Raises:
        SealsTooFew: There are too few seals.
        SealForeign: A seal is of somebody else, or over other content.
        SealDuplicate: One validator sealed twice.
        SignatureRefused: A seal is no signature.
    """
    seals = parsed.extra.seals
    if len(seals) < quorum(len(validators)):
        raise SealsTooFew("Too few seals.", expected=quorum(len(validators)), found=len(seals))
    sealers: list[Address] = []
    for seal in seals:
        sealer = Address(recover_sealer(parsed.seal_digest, seal))
        if sealer not in validators:
            raise SealForeign("A seal is of no validator of the set, or over other content.", found=sealer)
        if sealer in sealers:
            raise SealDuplicate("One validator sealed twice.", found=sealer)
        sealers.append(sealer)
    return tuple(sealers)


def _refuse_validators(listed: tuple[Address, ...], expected: tuple[Address, ...]) -> None:
    if any(first >= second for first, second in pairwise(listed)):
        raise ValidatorsNotAscending("The validators are not in ascending order.", found=b"".join(listed))
    raise ValidatorsUnexpected(
        "The votes do not lead to this set.", expected=b"".join(expected), found=b"".join(listed)
    )


def _vote_of(parsed: QbftHeader) -> Vote | None:
    if parsed.extra.vote is None:
        return None
    subject, add = parsed.extra.vote
    return Vote(parsed.coinbase, subject, add)


def _with_set(
    sets: tuple[ValidatorSet, ...], height: int, next_validators: tuple[Address, ...]
) -> tuple[ValidatorSet, ...]:
    if sets[-1].members == next_validators:
        return sets
    return (*sets, ValidatorSet(height + 1, next_validators))[-MAXIMUM_SETS:]


def _within_window(sets: tuple[ValidatorSet, ...], oldest_height: int) -> tuple[ValidatorSet, ...]:
    first = 0
    while first + 1 < len(sets) and sets[first + 1].first_height <= oldest_height:
        first += 1
    return sets[first:]
