"""Judging headers and claims of CometBFT (CometBFT specification, Light Client Verification; `light/verifier.go`).

A header is accepted when all of this holds:
 1. The client is neither frozen nor expired.
 2. The bundle can be read (`codec`), and brings a commit and a set of validators.
 3. The header is not further ahead of our clock than the allowed drift, of the chain and of its version of blocks, and above
    the newest accepted one.
 4. The set is the one whose hash the header names.
 5. The commit is for this height and this block, with one vote for each validator, each at its place (`commit`).
 6. The next header's set is the one that the accepted header names as next. Where heights are skipped, more than the level of
    trust of that set signed; otherwise a header in between is asked for (`NotEnoughTrust`).
 7. More than two thirds of the power of its own set signed it.
 8. It is later than the newest accepted one. Signed and not later, it shows that too many lied: `find_misbehaviour`.

A claim is judged at a header whose app hash opens the proofs: the state after the block *before* it. It is true when all of
this holds:
 1. The client is not frozen, and the claim has the form of one.
 2. The header of its height was accepted, and has its hash.
 3. The evidence has the proofs that the pinned kind of gateway needs.
 4. On an EVM the gateway's code, under the app hash, is the pinned one.
 5. The key of the lane's head, computed here, holds the head under the app hash.
"""

from __future__ import annotations

from dataclasses import replace

from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.commit import Tally
from light_clients.cometbft.errors import (
    BlockVersionMismatch,
    ChainIdMismatch,
    CommitMismatch,
    NotEnoughTrust,
    PinKindMismatch,
    TrustedSetMismatch,
    ValidatorSetMismatch,
)
from light_clients.cometbft.stores import check_code, slot_key, value_under
from light_clients.cometbft.types import (
    NANOSECONDS,
    WINDOW,
    Anchor,
    CometbftConfiguration,
    CometbftEvidence,
    CometbftHeader,
    CometbftPin,
    CometbftState,
    EvmStorePin,
    LightBlock,
    VerifiedCometbftHeader,
)
from light_clients.errors import (
    ClaimBlockMismatch,
    ClientExpired,
    ClientFrozen,
    HeadAbsent,
    HeaderBehind,
    HeadMismatch,
    HeightNotReached,
    HeightNotRetained,
    PinMismatch,
    TimestampAhead,
    TimestampNotIncreasing,
)
from light_clients.proofs.gateway import check_claim_form, head_slot
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


def bootstrap(header: bytes, block_hash: BlockHash, configuration: CometbftConfiguration) -> CometbftState:
    """Trusts a pinned header. Its hash fixes all that the state keeps of it, so nobody's votes are looked at.

    Args:
        header: A bundle; its header alone is enough.
        block_hash: What the officers pinned.
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The header has another hash.
        BlockVersionMismatch: It is of another version of blocks than the configuration says.
        Refused: The bundle cannot be read.
    """
    parsed = read_bundle(header).header
    if parsed.block_hash != block_hash:
        raise PinMismatch("The header is not the pinned one.", expected=block_hash, found=parsed.block_hash)
    _check_version(configuration, parsed)
    return CometbftState(configuration, parsed.chain_id, (anchor_of(parsed),))


def verify_header(state: CometbftState, header: bytes, now: int) -> VerifiedCometbftHeader:
    """Judges a header above the newest accepted one; the list of checks is the module's.

    Args:
        state: What is trusted.
        header: A bundle.
        now: Unix seconds.

    Returns:
        What `apply` needs.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ClientExpired: The trusting period is over.
        HeaderBehind: The height is not above the accepted one.
        NotEnoughTrust: A header in between is needed; names its height.
        TimestampAhead: The header is ahead of our clock.
        Refused: The header is false, by its name.
    """
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The trusting period of the light client is over.", expected=state.expires_at, found=now)
    # 2. Reading.
    block = read_bundle(header)
    # 3. Clocks; the rest of 3., to 7.
    latest = now + state.configuration.maximum_drift_s
    if block.header.time_ns >= latest * NANOSECONDS:
        raise TimestampAhead("The header is ahead of our clock.", expected=latest, found=block.header.time_ns)
    judge_block(state, state.newest, block)
    # 8. Time.
    if block.header.time_ns <= state.newest.time_ns:
        raise TimestampNotIncreasing(
            "The header is not later than the accepted one.",
            expected=state.newest.time_ns + 1,
            found=block.header.time_ns,
        )
    return VerifiedCometbftHeader(anchor_of(block.header))


def judge_block(state: CometbftState, anchor: Anchor, block: LightBlock) -> None:
    """Judges a block by an accepted one below it, whatever the clocks say: checks 3 (but for the clocks) to 7.

    Args:
        state: Has the configuration and the chain's name.
        anchor: An accepted header.
        block: A bundle that was read.

    Raises:
        HeaderBehind: The height is not above the anchor's.
        NotEnoughTrust: A header in between is needed; names its height.
        Refused: The block is false, by its name.
    """
    header = block.header
    # 3. Chain and place.
    check_chain(state, header)
    if header.height <= anchor.height:
        raise HeaderBehind("The height was accepted already.", expected=anchor.height + 1, found=header.height)
    # 4. and 5. The set and the commit.
    tally = tally_of(block)
    # 6. Trust in the set.
    if header.height == anchor.height + 1:
        if header.validators_hash != anchor.next_validators_hash:
            raise ValidatorSetMismatch(
                "The validators are not those whose hash the header before names.",
                expected=anchor.next_validators_hash,
                found=header.validators_hash,
            )
    else:
        needed, power = trusted_power(state.configuration, anchor, block, tally)
        if power <= needed:
            raise NotEnoughTrust(
                "Too few of the trusted validators signed the header.",
                expected=needed,
                found=power,
                pivot_height=pivot_between(anchor.height, header.height),
            )
    # 7. The set's own power.
    tally.check_own()


def check_chain(state: CometbftState, header: CometbftHeader) -> None:
    """Whether a header is of the state's chain, and of its version of blocks.

    Raises:
        ChainIdMismatch: It is of another chain.
        BlockVersionMismatch: It is of another version.
    """
    if header.chain_id != state.chain_id:
        raise ChainIdMismatch("The header is of another chain.", expected=state.chain_id, found=header.chain_id)
    _check_version(state.configuration, header)


def tally_of(block: LightBlock) -> Tally:
    """The votes of a bundle, by the set whose hash its header names; no signature is looked at yet.

    Raises:
        ValidatorSetMismatch: The set is missing, or another one.
        CommitMismatch: The commit is missing, or for another height or block, or has not one vote for each validator.
        VoteMisplaced: A vote names another validator than the one at its place.
    """
    header, validators = block.header, block.validators
    if validators is None or validators.set_hash != header.validators_hash:
        raise ValidatorSetMismatch(
            "The validators are not those whose hash the header names.",
            expected=header.validators_hash,
            found=validators.set_hash if validators else None,
        )
    if block.commit is None:
        raise CommitMismatch("The bundle brings no commit.")
    return Tally(header, block.commit, validators)


def trusted_power(
    configuration: CometbftConfiguration, anchor: Anchor, block: LightBlock, tally: Tally
) -> tuple[int, int]:
    """How much of the power that an accepted header names as next signed a block.

    Args:
        configuration: Has the level of trust.
        anchor: The accepted header.
        block: A bundle, of any height; where its own set is another one, it brings the trusted one too.
        tally: Its votes.

    Returns:
        The power that must be exceeded, and the power that signed, as far as it was counted.

    Raises:
        TrustedSetMismatch: The bundle does not bring that set.
        VoteSignatureInvalid: A vote is not signed by its validator.
    """
    # Where the set has not changed, the bundle need not bring it twice.
    unchanged = block.header.validators_hash == anchor.next_validators_hash
    trusted = tally.validators if unchanged else block.trusted_validators
    if trusted is None or trusted.set_hash != anchor.next_validators_hash:
        raise TrustedSetMismatch(
            "The trusted validators are not those that the accepted header names as next.",
            expected=anchor.next_validators_hash,
            found=trusted.set_hash if trusted else None,
        )
    needed = trusted.total_power * configuration.trust_numerator // configuration.trust_denominator
    return needed, tally.trusted_power(trusted, needed)


def apply(state: CometbftState, verified: VerifiedCometbftHeader) -> CometbftState:
    """The state after a header that was verified against this very state.

    Args:
        state: What is trusted.
        verified: What `verify_header` returned for it.

    Returns:
        The new state.
    """
    return replace(state, anchors=(*state.anchors[-(WINDOW - 1) :], verified.anchor))


def verify_claim(
    state: CometbftState,
    claim: Claim,
    evidence: CometbftEvidence,
    pin: CometbftPin,
    proved_head: Head | None = None,
) -> None:
    """Judges a claim at an accepted header. What was accepted once stays true after the trusting period.

    Args:
        state: What is trusted.
        claim: What is claimed; its height and hash are those of the header whose app hash opens the proofs.
        evidence: The proofs.
        pin: What the officers pinned of the gateway.
        proved_head: The head that the proof shows, where the claim is a prefix of it; the caller folds the rest.

    Raises:
        ClientFrozen: Misbehaviour was found.
        HeightNotReached: The height is above the newest accepted header.
        HeightNotRetained: The height was skipped, or has left the window.
        ClaimRefused: The claim is false, by its name.
        Refused: A proof does not hold.
    """
    # 1. The client and the form of the claim.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    check_claim_form(claim)
    # 2. The block is accepted.
    if claim.height > state.height:
        raise HeightNotReached("The header is not accepted yet.", expected=claim.height, found=state.height)
    anchor = state.anchor_at(claim.height)
    if anchor is None:
        raise HeightNotRetained(
            "The height was skipped or is no longer kept; prove the claim at another one.", found=claim.height
        )
    if anchor.block_hash != claim.block_hash:
        raise ClaimBlockMismatch("Another block is accepted.", expected=anchor.block_hash, found=claim.block_hash)
    # 3. The kind of gateway.
    on_evm = isinstance(pin, EvmStorePin)
    if on_evm is not bool(evidence.code_proof):
        raise PinKindMismatch("A proof of the code is due on an EVM, and nowhere else.", found=evidence.code_proof[:64])
    # 4. and 5. Code and head.
    if isinstance(pin, EvmStorePin):
        check_code(anchor.app_hash, pin, evidence.code_proof, evidence.store_proof)
        key = slot_key(pin.address, head_slot(claim.lane_id, claim.direction))
    else:
        key = pin.key_prefix + bytes([claim.direction]) + claim.lane_id
    found = value_under(anchor.app_hash, pin.store, key, evidence.head_proof, evidence.store_proof)
    if found is None:
        raise HeadAbsent("The gateway holds no head for this lane and direction.", expected=claim.lane_id)
    expected = claim.head if proved_head is None else proved_head
    if found != expected:
        raise HeadMismatch("The gateway holds another head.", expected=expected, found=found)


def anchor_of(header: CometbftHeader) -> Anchor:
    """What a state keeps of a header."""
    return Anchor(header.height, header.block_hash, header.time_ns, header.app_hash, header.next_validators_hash)


def pivot_between(trusted: int, wanted: int) -> int:
    """The height whose header is asked for where trust does not reach far enough; strictly between, and in the middle.

    Args:
        trusted: The accepted height.
        wanted: A height at least two above it.
    """
    return (trusted + wanted) // 2


def _check_version(configuration: CometbftConfiguration, header: CometbftHeader) -> None:
    if header.block_version != configuration.block_version:
        raise BlockVersionMismatch(
            "The block is of another version.", expected=configuration.block_version, found=header.block_version
        )
