"""Judging headers and claims of FISCO BCOS.

A header is accepted when all of this holds:
 1. The client is neither frozen nor expired.
 2. The bundle can be read (`codec`), and is not further ahead of our clock than the allowed drift.
 3. It is the next height, and its parent is the newest accepted block.
 4. Its sealers are the trusted ones, or exactly those to which proved calls in the newest accepted block lead (`steps`).
 5. A quorum of them signed its hash, each index once (`seals`): n - floor((n - 1) / 3) signatures on line 2, weights
    W - floor((W - 1) / 3) on line 3. A block without transactions is no exception.

A claim holds when:
 1. The client is not frozen, and every field of the claim is in its range.
 2. Its block was accepted and is still within the window.
 3. The header of the evidence is that block.
 4. A receipt under its receipts root tells the head (`claims`).
"""

from __future__ import annotations

from dataclasses import replace

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
    ParentMismatch,
    PinMismatch,
    TimestampAhead,
)
from light_clients.fisco.claims import verify_event
from light_clients.fisco.codec import parse_header
from light_clients.fisco.errors import SealerStepInvalid, SealersUnexpected
from light_clients.fisco.evidence import FiscoEvidence, FiscoPin
from light_clients.fisco.seals import check_seals
from light_clients.fisco.steps import same_sealers, sealers_after
from light_clients.fisco.types import (
    MAXIMUM_SETS,
    WINDOW,
    FiscoConfiguration,
    FiscoHeader,
    FiscoState,
    SealerSet,
    VerifiedFiscoHeader,
)
from light_clients.proofs.gateway import check_claim_form
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


def bootstrap(header: bytes, block_hash: BlockHash, configuration: FiscoConfiguration) -> FiscoState:
    """Trusts a pinned header and the sealers that it lists; its signatures are not needed.

    Args:
        header: The bundle of a block above the first one, which has no sealers on line 2 and no parent on line 3.
        block_hash: What the officers pinned.
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The header has another hash.
        ConfigurationInvalid: It is the first block.
        Refused: The header cannot be read.
    """
    parsed = parse_header(header, configuration)
    if parsed.block_hash != block_hash:
        raise PinMismatch("The header is not the pinned one.", expected=block_hash, found=parsed.block_hash)
    if not parsed.height:
        raise ConfigurationInvalid("The first block is signed by nobody; pin one above it.", found=parsed.height)
    return FiscoState(
        configuration=configuration,
        height=parsed.height,
        timestamp=parsed.timestamp_ms // 1000,
        transactions_root=parsed.transactions_root,
        receipts_root=parsed.receipts_root,
        recent=(parsed.block_hash,),
        sets=(SealerSet(parsed.height, parsed.sealers),),
    )


def verify_header(state: FiscoState, header: bytes, now: int) -> VerifiedFiscoHeader:
    """Judges the next header; the list of checks is the module's.

    Args:
        state: What is trusted.
        header: Its bundle.
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
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The trusting period of the light client is over.", expected=state.expires_at, found=now)
    # 2. Reading and clocks.
    parsed = parse_header(header, state.configuration)
    if parsed.timestamp_ms // 1000 > now + state.configuration.maximum_drift_s:
        raise TimestampAhead("The header is ahead of our clock.", expected=now, found=parsed.timestamp_ms // 1000)
    # 3. Its place.
    if parsed.height > state.height + 1:
        raise HeaderGap("Headers are missing.", expected=state.height + 1, found=parsed.height)
    if parsed.height <= state.height:
        raise HeaderBehind("The height was accepted already.", expected=state.height + 1, found=parsed.height)
    if parsed.parent_hash != state.block_hash:
        raise ParentMismatch("The parent is another one.", expected=state.block_hash, found=parsed.parent_hash)
    # 4. Its sealers.
    check_sealers(state, parsed)
    # 5. Their signatures.
    return VerifiedFiscoHeader(parsed, check_seals(parsed, state.configuration))


def check_sealers(state: FiscoState, parsed: FiscoHeader) -> None:
    """Checks that the header after the newest one lists the sealers that it must.

    Args:
        state: What is trusted.
        parsed: A header of the next height.

    Raises:
        SealersUnexpected: The list differs, and no change was proved.
        SealerStepInvalid: The proved changes lead to another list, or are no such changes.
        Refused: A proof of a change does not hold.
    """
    expected = sealers_after(state, parsed.steps)
    if same_sealers(parsed.sealers, expected):
        return
    if parsed.steps:
        raise SealerStepInvalid("The proved changes lead to other sealers.", expected=len(expected))
    raise SealersUnexpected(
        "The sealers are not the trusted ones; bring the calls that changed them, or pin a newer header.",
        expected=len(expected),
        found=len(parsed.sealers),
    )


def apply(state: FiscoState, verified: VerifiedFiscoHeader) -> FiscoState:
    """The state after a header that was verified against this very state.

    Args:
        state: What is trusted.
        verified: What `verify_header` returned for it.

    Returns:
        The new state.
    """
    header = verified.header
    recent = (*state.recent[-(WINDOW - 1) :], header.block_hash)
    sets = state.sets
    if header.sealers != state.sealers:
        sets = (*sets, SealerSet(header.height, header.sealers))[-MAXIMUM_SETS:]
    oldest = header.height - len(recent) + 1
    while len(sets) > 1 and sets[1].first_height <= oldest:
        sets = sets[1:]
    return replace(
        state,
        height=header.height,
        timestamp=max(state.timestamp, verified.timestamp),
        transactions_root=header.transactions_root,
        receipts_root=header.receipts_root,
        recent=recent,
        sets=sets,
    )


def verify_claim(
    state: FiscoState, claim: Claim, evidence: FiscoEvidence, pin: FiscoPin, proved_head: Head | None = None
) -> None:
    """Judges a claim at an accepted header. What was accepted once stays true after the trusting period.

    Args:
        state: What is trusted.
        claim: What is claimed.
        evidence: The header at the claim's height and the transaction that emitted the event.
        pin: The gateway.
        proved_head: The head that the event tells, where the claim is a prefix of it; the caller folds the rest.

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
        raise HeightNotReached("The header is not accepted yet.", expected=claim.height, found=state.height)
    accepted = state.hash_at(claim.height)
    if accepted is None:
        raise HeightNotRetained("The height is no longer kept.", expected=state.oldest_height, found=claim.height)
    if accepted != claim.block_hash:
        raise ClaimBlockMismatch("Another block was accepted.", expected=accepted, found=claim.block_hash)
    # 3. The header is that block.
    parsed = parse_header(evidence.header, state.configuration)
    if parsed.height != claim.height:
        raise ClaimHeightMismatch("The header has another height.", expected=claim.height, found=parsed.height)
    if parsed.block_hash != claim.block_hash:
        raise ClaimBlockMismatch("The header is another.", expected=claim.block_hash, found=parsed.block_hash)
    # 4. The gateway told the head in it.
    verify_event(parsed, state.configuration, pin, claim, evidence.execution, proved_head)
