"""Judging headers and claims of the beacon chain.

The rules are those of the sync protocol (Ethereum consensus specifications, altair to electra, light-client/sync-protocol.md,
validate_light_client_update and process_light_client_update) with two differences, both stricter: only finalized headers are
believed, and there is no force update, which believes unfinalized ones after a silence.

An update is accepted when all of this holds:
 1. The client is neither frozen nor expired.
 2. The bundle is an update with a finality branch; one without it proves no final block yet.
 3. finalized <= attested < signed, and the signature is not ahead of our clock.
 4. The committee that signed is known: of our period, or of the next one.
 5. It brings something: a newer finalized header, or the next committee of our period while that is not known.
 6. At least two thirds of the committee signed.
 7. The attested header has the form of its fork, and its execution header is in its body.
 8. So has the finalized header, whose root is the attested state's finalized checkpoint; it is no other one than we accepted.
 9. The next committee, if there is one, is in the attested state, and is the one that we know already.
10. The aggregate signature is by the members that the bits name, in the domain of the fork of the slot before the signature.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from light_clients.beacon.codec import (
    Bootstrap,
    LightClientHeader,
    Update,
    check_header,
    committee_root,
    is_valid_branch,
    parse_bundle,
    read_finalized,
    signing_root,
)
from light_clients.beacon.containers import places_of
from light_clients.beacon.errors import (
    BundleInvalid,
    CommitteeBranchInvalid,
    CommitteeMismatch,
    ExecutionAbsent,
    FinalityBranchInvalid,
    FinalizedConflict,
    SlotOrderInvalid,
    SyncSignatureInvalid,
)
from light_clients.beacon.types import (
    WINDOW,
    ZERO,
    BeaconConfiguration,
    BeaconState,
    FinalizedBlock,
    Preset,
    SyncCommittee,
    VerifiedBeaconHeader,
)
from light_clients.crypto import bls
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimMalformed,
    ClientExpired,
    ClientFrozen,
    HeaderBehind,
    HeaderGap,
    HeaderUnconfirmed,
    HeightNotReached,
    HeightNotRetained,
    PinMismatch,
    SealsTooFew,
    TimestampAhead,
)
from light_clients.proofs.gateway import GatewayPin, SlotEvidence, check_claim_form, verify_gateway_head
from light_clients.proofs.receipts import Log, verify_log
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


def bootstrap(header: bytes, block_hash: BlockHash, configuration: BeaconConfiguration) -> BeaconState:
    """Trusts a pinned beacon block.

    Args:
        header: A bundle of the kind ``bootstrap``.
        block_hash: What the officers pinned: the *beacon* block's root, from a source of their own, not older than
            ``checkpoint_age_limit_s`` (the first update is refused otherwise).
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The header has another root.
        Refused: The bundle cannot be read, or a branch does not hold.
    """
    # 1. Reading.
    parsed = parse_bundle(header, configuration.preset)
    if not isinstance(parsed, Bootstrap):
        raise BundleInvalid("A client begins with a bundle of the kind bootstrap.")
    # 2. The pin.
    root = parsed.header.root()
    if bytes(root) != block_hash:
        raise PinMismatch("The header is not the pinned beacon block.", expected=block_hash, found=root)
    # 3. The header's own form.
    block = read_finalized(configuration, parsed.header)
    # 4. The committee of its state.
    place = places_of(configuration.fork_at(block.slot).name).current
    leaf = committee_root(parsed.committee, configuration.preset)
    if not is_valid_branch(leaf, parsed.branch, place, parsed.header.state_root):
        raise CommitteeBranchInvalid("The committee is not the one of the pinned block's state.", found=leaf)
    return BeaconState(configuration, (block,), parsed.committee)


def verify_header(state: BeaconState, header: bytes, now: int) -> VerifiedBeaconHeader:
    """Judges an update; the list of checks is the module's.

    Args:
        state: What is trusted.
        header: A bundle of the kind ``update`` or ``finality_update``.
        now: Unix seconds.

    Returns:
        What `apply` needs.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ClientExpired: The newest finalized header is older than the checkpoint age limit.
        HeaderUnconfirmed: The update shows no finalized header.
        HeaderGap: The committee that signed is not known yet.
        HeaderBehind: The update brings nothing new.
        TimestampAhead: The signature is ahead of our clock.
        Refused: The update is false, by its name.
    """
    configuration = state.configuration
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The newest finalized header is too old.", expected=state.expires_at, found=now)
    # 2. Reading.
    update = read_update(header, configuration.preset)
    if update.finalized is None:
        raise HeaderUnconfirmed("The update shows no finalized header; send it once there is one.")
    # 3. Slots and clocks.
    check_slots(update, update.finalized)
    ahead = configuration.timestamp_of(update.signature_slot) - now - configuration.maximum_drift_s
    if ahead > 0:
        raise TimestampAhead("The signature is ahead of our clock.", expected=now, found=now + ahead)
    # 4. Who signed.
    committee = signing_committee(state, update.signature_slot)
    # 5. What is new.
    if update.finalized.slot <= state.newest.slot and not _brings_committee(state, update):
        raise HeaderBehind("The update brings nothing new.", expected=state.newest.slot, found=update.finalized.slot)
    # 6. How many signed.
    check_participants(update, configuration.preset)
    # 7. The attested header.
    check_header(configuration, update.attested)
    # 8. The finalized header.
    finalized = check_finality(configuration, update, update.finalized)
    if any(known.slot == finalized.slot and known.root != finalized.root for known in state.recent):
        raise FinalizedConflict("Another block of this slot was accepted; give both to find_misbehaviour.")
    # 9. The next committee.
    if update.following is not None:
        _check_following(state, update, update.following)
    # 10. The signature.
    check_signature(configuration, update, committee)
    return VerifiedBeaconHeader(configuration, finalized, update.following, update.participants)


def apply(state: BeaconState, verified: VerifiedBeaconHeader) -> BeaconState:
    """The state after an update that was verified against this very state.

    Args:
        state: What is trusted.
        verified: What `verify_header` returned for it.

    Returns:
        The new state.
    """
    current, following = state.current, state.following
    if following is None:
        following = verified.following
    elif state.configuration.period_of(verified.finalized.slot) > state.period:
        current, following = following, verified.following
    recent = state.recent
    if verified.finalized.slot > state.newest.slot:
        recent = (*recent[-(WINDOW - 1) :], verified.finalized)
    return replace(state, recent=recent, current=current, following=following)


def verify_claim(
    state: BeaconState, claim: Claim, evidence: SlotEvidence, pin: GatewayPin, proved_head: Head | None = None
) -> None:
    """Judges a claim at a finalized header. What was accepted once stays true after the checkpoint age limit.

    Args:
        state: What is trusted.
        claim: What is claimed; its height and hash are the execution block's.
        evidence: The proofs of account and slot; its header is empty, because the state knows the block's roots.
        pin: The gateway's address and code hash.
        proved_head: The head that the slot shows, where the claim is a prefix of it; the caller folds the rest.

    Raises:
        ClientFrozen: Misbehaviour was found.
        HeightNotReached: The height is above the newest finalized header.
        HeightNotRetained: No finalized header of the window shows that block.
        ClaimRefused: The claim is false, by its name.
        Refused: A proof does not hold.
    """
    # 1. The form of the claim and of the evidence.
    check_claim_form(claim)
    if evidence.header:
        raise ClaimMalformed("Evidence for the beacon chain has an empty header: the state knows the roots.")
    # 2. The client, and the block that is final.
    block = _final_block(state, claim.height, claim.block_hash)
    # 3. The slot holds the head.
    verify_gateway_head(
        block.state_root, pin, claim, evidence.account_proof, evidence.storage_proof, proved_head=proved_head
    )


def prove_log(
    state: BeaconState, height: int, block_hash: BlockHash, index: int, position: int, proof: tuple[bytes, ...]
) -> Log:
    """The log at a place of a finalized execution block.

    Args:
        state: What is trusted.
        height: Number of the execution block.
        block_hash: Its hash.
        index: Place of the transaction in the block, from 0.
        position: Place of the log in the transaction's receipt, from 0.
        proof: Nodes from the receipts root to the receipt.

    Returns:
        The log.

    Raises:
        LightClientError: As for `verify_claim` and `proofs.receipts.verify_log`.
    """
    return verify_log(_final_block(state, height, block_hash).receipts_root, index, position, proof)


def read_update(header: bytes, preset: Preset) -> Update:
    """Reads a bundle that is no bootstrap.

    Raises:
        BundleInvalid: It is one.
        Refused: It cannot be read.
    """
    parsed = parse_bundle(header, preset)
    if isinstance(parsed, Bootstrap):
        raise BundleInvalid("A bootstrap is not signed and updates nothing.")
    return parsed


def check_slots(update: Update, finalized: LightClientHeader) -> None:
    """Whether what is final precedes what was signed, and that the signature.

    Raises:
        SlotOrderInvalid: It is not so.
    """
    if not finalized.slot <= update.attested.slot < update.signature_slot:
        raise SlotOrderInvalid(
            "The slots are not in order.", expected=update.signature_slot, found=update.attested.slot
        )


def check_participants(update: Update, preset: Preset) -> None:
    """Whether at least two thirds of the committee signed.

    Raises:
        SealsTooFew: Fewer did.
    """
    if update.participants * 3 < preset.committee_size * 2:
        raise SealsTooFew(
            "Less than two thirds of the sync committee signed.",
            expected=-(-preset.committee_size * 2 // 3),
            found=update.participants,
        )


def check_finality(configuration: BeaconConfiguration, update: Update, header: LightClientHeader) -> FinalizedBlock:
    """Whether the finalized header is the attested state's checkpoint.

    Before anything is final the checkpoint is zero, and stands for the first block with an empty header.

    Raises:
        FinalityBranchInvalid: The branch does not lead from it to the attested state.
        Refused: The header itself does not hold.
    """
    if header.slot:
        block = read_finalized(configuration, header)
        leaf = block.root
    elif header.is_empty():
        block, leaf = FinalizedBlock(0, header.root(), 0, BlockHash(header.root()), ZERO, ZERO), ZERO
    else:
        raise FinalityBranchInvalid("A finalized header of slot 0 is empty.")
    place = places_of(configuration.fork_at(update.attested.slot).name).finalized
    if not is_valid_branch(leaf, update.finality_branch, place, update.attested.state_root):
        raise FinalityBranchInvalid("The finalized header is not the one of the attested state.", found=leaf)
    return block


def check_committee(configuration: BeaconConfiguration, update: Update, following: SyncCommittee) -> None:
    """Whether the next committee is the attested state's.

    Raises:
        CommitteeBranchInvalid: The branch does not lead from it to the attested state.
    """
    place = places_of(configuration.fork_at(update.attested.slot).name).following
    leaf = committee_root(following, configuration.preset)
    if not is_valid_branch(leaf, update.following_branch, place, update.attested.state_root):
        raise CommitteeBranchInvalid("The next committee is not the one of the attested state.", found=leaf)


def check_signature(configuration: BeaconConfiguration, update: Update, committee: SyncCommittee) -> None:
    """Whether the members that the bits name signed the attested header.

    Raises:
        SyncSignatureInvalid: They did not.
        PublicKeyInvalid: The committee has a key that is none.
    """
    bits = int.from_bytes(update.bits, "little")
    signers = [key for place, key in enumerate(decoded_keys(committee)) if bits >> place & 1]
    message = signing_root(configuration, update.attested.root(), update.signature_slot)
    if not bls.fast_aggregate_verify(signers, message, update.signature):
        raise SyncSignatureInvalid("The members that the bits name did not sign this header.", found=update.signature)


@lru_cache(maxsize=8)
def decoded_keys(committee: SyncCommittee) -> tuple[bls.PublicKey, ...]:
    """The keys of a committee, decoded once: 512 of them cost as much as fifteen signatures.

    Raises:
        PublicKeyInvalid: One is no key.
    """
    return bls.decode_public_keys(committee.keys)


def signing_committee(state: BeaconState, signature_slot: int) -> SyncCommittee:
    """Who signs in a slot.

    Raises:
        HeaderGap: The committee is not known yet.
        HeaderBehind: It is no longer known.
    """
    period = state.configuration.period_of(signature_slot)
    committee = state.committee_of(period)
    if committee is not None:
        return committee
    if period < state.period:
        raise HeaderBehind("The update was signed in an earlier period.", expected=state.period, found=period)
    raise HeaderGap("The committee of this period is not known yet.", expected=state.period, found=period)


def _brings_committee(state: BeaconState, update: Update) -> bool:
    """Whether the update has the next committee of our period, which we lack, and finality in that very period."""
    if state.following is not None or update.following is None or update.finalized is None:
        return False
    period_of = state.configuration.period_of
    return period_of(update.finalized.slot) == period_of(update.attested.slot) == state.period


def _check_following(state: BeaconState, update: Update, following: SyncCommittee) -> None:
    is_known = state.configuration.period_of(update.attested.slot) == state.period and state.following is not None
    if is_known and following != state.following:
        raise CommitteeMismatch("The next committee is another one than the one that was shown before.")
    check_committee(state.configuration, update, following)


def _final_block(state: BeaconState, height: int, block_hash: BlockHash) -> FinalizedBlock:
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if height > state.height:
        raise HeightNotReached("The block is not final yet.", expected=height, found=state.height)
    block = state.block_at(height)
    if block is None:
        raise HeightNotRetained(
            "No finalized header of the window shows this block.", expected=state.height, found=height
        )
    if block.block_hash != block_hash:
        raise ClaimBlockMismatch("Another block is final.", expected=block.block_hash, found=block_hash)
    if block.state_root == ZERO:
        raise ExecutionAbsent("A header before Capella shows no execution block.", found=block.slot)
    return block
