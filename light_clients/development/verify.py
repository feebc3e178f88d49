"""Judging headers and claims of a development chain, where nobody seals.

A header is accepted when all of this holds; the numbers stand beside the checks:
 1. The client is neither frozen nor expired.
 2. The header can be read (`codec`).
 3. The height is the next one, and the parent is the trusted header.
 4. The time does not go backwards.
"""

from __future__ import annotations

from light_clients.development.codec import parse_header
from light_clients.development.types import (
    WINDOW,
    DevelopmentConfiguration,
    DevelopmentState,
    VerifiedDevelopmentHeader,
)
from light_clients.errors import (
    ClaimBlockMismatch,
    ClientExpired,
    ClientFrozen,
    HeaderBehind,
    HeaderGap,
    HeightNotReached,
    HeightNotRetained,
    ParentMismatch,
    PinMismatch,
    TimestampNotIncreasing,
)
from light_clients.proofs.gateway import GatewayPin, SlotEvidence, check_claim_form, verify_gateway_head
from light_clients.rlp import split_lists
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


def bootstrap(header: bytes, block_hash: BlockHash, configuration: DevelopmentConfiguration) -> DevelopmentState:
    """Takes a pinned header for the chain.

    Args:
        header: RLP of the header.
        block_hash: What was pinned.
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The header has another hash.
        HeaderRefused: The header cannot be read.
    """
    parsed = parse_header(header)
    if parsed.block_hash != block_hash:
        raise PinMismatch("The header is not the pinned one.", expected=block_hash, found=parsed.block_hash)
    return DevelopmentState(configuration, parsed.height, parsed.timestamp, (parsed.block_hash,))


def verify_header(state: DevelopmentState, header: bytes, now: int) -> VerifiedDevelopmentHeader:
    """Judges the next header; the list of checks is the module's.

    Args:
        state: What is taken for the chain.
        header: RLP of the header; headers that follow it may come after it.
        now: Unix seconds.

    Returns:
        What `apply` needs.

    Raises:
        ClientFrozen: The client was frozen.
        ClientExpired: The trusting period is over.
        HeaderGap: Headers are missing in between.
        HeaderBehind: The height was accepted already.
        Refused: The header does not continue the chain, by its name.
    """
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The trusting period of the light client is over.", expected=state.expires_at, found=now)
    # 2. Reading; nobody sealed what follows, so waiting for it is all that it is good for.
    parsed = parse_header(split_lists(header)[0])
    # 3. The place in the chain.
    if parsed.height > state.height + 1:
        raise HeaderGap("Headers are missing.", expected=state.height + 1, found=parsed.height)
    if parsed.height < state.height + 1:
        raise HeaderBehind("This height was accepted already.", expected=state.height + 1, found=parsed.height)
    if bytes(parsed.parent_hash) != state.block_hash:
        raise ParentMismatch("The parent is another one.", expected=state.block_hash, found=parsed.parent_hash)
    # 4. Time.
    if parsed.timestamp < state.timestamp:
        raise TimestampNotIncreasing("Time must not go back.", expected=state.timestamp, found=parsed.timestamp)
    return VerifiedDevelopmentHeader(parsed.height, parsed.block_hash, parsed.state_root, parsed.timestamp)


def apply(state: DevelopmentState, verified: VerifiedDevelopmentHeader) -> DevelopmentState:
    """The state after a header that was verified against this very state.

    Args:
        state: What is taken for the chain.
        verified: What `verify_header` returned for it.

    Returns:
        The new state.
    """
    recent = (*state.recent[-(WINDOW - 1) :], verified.block_hash)
    return DevelopmentState(state.configuration, verified.height, verified.timestamp, recent, state.frozen)


def verify_claim(
    state: DevelopmentState, claim: Claim, evidence: SlotEvidence, pin: GatewayPin, proved_head: Head | None = None
) -> None:
    """Judges a claim at an accepted header.

    Args:
        state: What is taken for the chain.
        claim: What is claimed.
        evidence: The header at the claim's height, and the proofs of account and slot.
        pin: The gateway's address and code hash.
        proved_head: The head that the slot shows, where the claim is a prefix of it; the caller folds the rest.

    Raises:
        ClientFrozen: The client was frozen.
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
    if parsed.block_hash != claim.block_hash:
        raise ClaimBlockMismatch("The header is another.", expected=claim.block_hash, found=parsed.block_hash)
    # 4. The slot holds the head.
    verify_gateway_head(
        parsed.state_root, pin, claim, evidence.account_proof, evidence.storage_proof, proved_head=proved_head
    )
