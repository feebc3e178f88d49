"""Judging headers and claims of Clique.

A run — a header and the headers that follow it — is accepted for its first header when all of this holds:
 1. The client is neither frozen nor expired.
 2. The headers can be read (`codec`), and none is further ahead of our clock than the allowed drift.
 3. The first one follows the newest final block by every rule (`chain`).
 4. As many follow it as make it final (`types.depth`), each the one before it by every rule. Where a later one is on another
    branch the header is not confirmed yet, and nothing is false: an endpoint may change its mind between two answers.

The state moves over final headers only. Whoever seals two branches contradicts himself in public, but is accused only where
both are final (`misbehaviour`).
"""

from __future__ import annotations

from dataclasses import replace

from light_clients.bft.types import (
    MAXIMUM_SETS,
    WINDOW,
    Address,
    ValidatorSet,
    is_validator_set,
)
from light_clients.clique.chain import follow, is_epoch
from light_clients.clique.codec import parse_header, sealer_of
from light_clients.clique.types import (
    CliqueConfiguration,
    CliqueHeader,
    CliqueState,
    Snapshot,
    VerifiedCliqueHeader,
)
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimHeightMismatch,
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    HeaderBehind,
    HeaderGap,
    HeaderUnconfirmed,
    HeightNotReached,
    HeightNotRetained,
    ParentMismatch,
    PinMismatch,
    SealForeign,
    TimestampAhead,
)
from light_clients.proofs.gateway import GatewayPin, SlotEvidence, check_claim_form, verify_gateway_head
from light_clients.rlp import split_lists
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


def bootstrap(header: bytes, block_hash: BlockHash, configuration: CliqueConfiguration) -> CliqueState:
    """Trusts a pinned header.

    Its hash fixes every header before it, so the signers, the open votes and who sealed last are taken from the run that
    begins with the last list of signers (the first block or an epoch block) and ends with the pinned header: nobody has to
    state them. Who sealed before that list is not known; so the rule of waiting is not held against the first floor(n / 2)
    blocks after it.

    Args:
        header: A run of headers: from the last list of signers up to the pinned header; that one alone where it has the list.
        block_hash: What the officers pinned; a block that is final, by their knowledge.
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The last header has another hash.
        ConfigurationInvalid: The first header is no list of signers.
        Refused: A header cannot be read, or does not follow the one before it.
    """
    headers = split_lists(header)
    newest = parse_header(headers[-1])
    if newest.block_hash != block_hash:
        raise PinMismatch("The header is not the pinned one.", expected=block_hash, found=newest.block_hash)
    first = _listing(configuration, parse_header(headers[0]))
    state = CliqueState(configuration, first, (first.block_hash,), (ValidatorSet(first.height, first.signers),))
    for following in headers[1:]:
        state = _after(state, follow(configuration, state.newest, parse_header(following)))
    return state


def verify_header(state: CliqueState, header: bytes, now: int) -> VerifiedCliqueHeader:
    """Judges the next header by its run; the list of checks is the module's.

    Args:
        state: What is trusted.
        header: A run of headers: the one to judge, and at least as many after it as make it final.
        now: Unix seconds.

    Returns:
        What `apply` needs.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ClientExpired: The trusting period is over.
        HeaderGap: Headers are missing in between.
        HeaderBehind: The height was accepted already.
        HeaderUnconfirmed: Too few follow, or one of them is on another branch.
        TimestampAhead: A header is ahead of our clock.
        Refused: A header is false, by its name.
    """
    configuration = state.configuration
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The trusting period of the light client is over.", expected=state.expires_at, found=now)
    # 2. Reading and clocks.
    run = [parse_header(item) for item in split_lists(header)]
    latest = max(parsed.timestamp for parsed in run)
    if latest > now + configuration.maximum_drift_s:
        raise TimestampAhead("The header is ahead of our clock.", expected=now, found=latest)
    # 3. The header itself.
    judged = run[0]
    snapshot = follow(configuration, state.newest, judged)
    # 4. What follows it.
    if len(run) - 1 < state.confirmations:
        raise HeaderUnconfirmed("Too few blocks follow.", expected=state.confirmations, found=len(run) - 1)
    _check_confirmations(configuration, snapshot, run[1:])
    return VerifiedCliqueHeader(sealer_of(judged.seal_digest, judged.seal), judged.state_root, snapshot)


def apply(state: CliqueState, verified: VerifiedCliqueHeader) -> CliqueState:
    """The state after a header that was verified against this very state.

    Args:
        state: What is trusted.
        verified: What `verify_header` returned for it.

    Returns:
        The new state.
    """
    return _after(state, verified.snapshot)


def verify_claim(
    state: CliqueState, claim: Claim, evidence: SlotEvidence, pin: GatewayPin, proved_head: Head | None = None
) -> None:
    """Judges a claim at a final header. What was accepted once stays true after the trusting period.

    Args:
        state: What is trusted.
        claim: What is claimed.
        evidence: The header at the claim's height, alone, and the proofs of account and slot.
        pin: The gateway's address and code hash.
        proved_head: The head that the slot shows, where the claim is a prefix of it; the caller folds the rest.

    Raises:
        ClientFrozen: Misbehaviour was found.
        HeightNotReached: The height is above the newest final header.
        HeightNotRetained: The height has left the window.
        ClaimRefused: The claim is false, by its name.
        Refused: The header or a proof does not hold.
    """
    # 1. The client and the form of the claim.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    check_claim_form(claim)
    # 2. The block is final.
    if claim.height > state.height:
        raise HeightNotReached("The header is not final yet.", expected=claim.height, found=state.height)
    accepted = state.hash_at(claim.height)
    if accepted is None:
        raise HeightNotRetained("The height is no longer kept.", expected=state.oldest_height, found=claim.height)
    if accepted != claim.block_hash:
        raise ClaimBlockMismatch("Another block is final.", expected=accepted, found=claim.block_hash)
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


def _listing(configuration: CliqueConfiguration, parsed: CliqueHeader) -> Snapshot:
    """What a block that lists the signers leaves to the next one."""
    if not is_epoch(configuration, parsed.height) or not is_validator_set(parsed.listed):
        raise ConfigurationInvalid(
            "The first header lists no signers; send the headers from the last epoch block on, and check epoch_length.",
            found=parsed.height,
        )
    sealers: tuple[Address, ...] = ()
    if parsed.height:
        sealer = sealer_of(parsed.seal_digest, parsed.seal)
        if sealer not in parsed.listed:
            raise SealForeign("The epoch block is sealed by none of the signers that it lists.", found=sealer)
        sealers = (sealer,)
    return Snapshot(parsed.height, parsed.block_hash, parsed.timestamp, parsed.listed, (), sealers)


def _check_confirmations(configuration: CliqueConfiguration, before: Snapshot, followers: list[CliqueHeader]) -> None:
    for follower in followers:
        try:
            before = follow(configuration, before, follower)
        except (HeaderGap, HeaderBehind, ParentMismatch) as error:
            raise HeaderUnconfirmed(
                "What follows is on another branch.", expected=error.expected, found=error.found
            ) from error


def _after(state: CliqueState, snapshot: Snapshot) -> CliqueState:
    recent = (*state.recent[-(WINDOW - 1) :], snapshot.block_hash)
    sets = state.sets
    if snapshot.signers != state.signers:
        sets = (*sets, ValidatorSet(snapshot.height + 1, snapshot.signers))[-MAXIMUM_SETS:]
    oldest = snapshot.height - len(recent) + 1
    while len(sets) > 1 and sets[1].first_height <= oldest:
        sets = sets[1:]
    return replace(state, newest=snapshot, recent=recent, sets=sets)
