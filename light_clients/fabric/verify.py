"""Judging blocks and claims of Fabric, raft and SmartBFT.

A block is accepted when all of this holds:
 1. The client is neither frozen nor expired.
 2. The block can be read (`codec`).
 3. Its number is the next one, and its previous hash is the newest accepted block's.
 4. Its envelopes hash to its data hash.
 5. The last configuration that the orderers signed into it is the one that the client holds; a block that brings a
    configuration names itself, and names nothing else (`config_block`).
 6. The orderers signed it, by the configuration in force before it (`orderers`).
 7. A configuration that it brings follows the one in force, and those who may change it signed the change (`config_update`).

A claim is believed when all of this holds:
 1. The client is not frozen, and the claim can be.
 2. Its block is an accepted one of the window.
 3. The evidence's block can be read, and headers lead from it to the claim's block.
 4. The evidence's transaction in it wrote the head of the lane, and peers attest that (`writes`).
 5. What it wrote is what peers read.
 6. The head is the claim's, or the one of which it is a prefix.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimHeightMismatch,
    ClaimMalformed,
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    HeaderBehind,
    HeaderGap,
    HeadMismatch,
    HeightNotReached,
    HeightNotRetained,
    ParentMismatch,
    PinMismatch,
)
from light_clients.fabric.attestations import head_read
from light_clients.fabric.codec import check_data, header_der, read_block, read_header
from light_clients.fabric.config_block import read_config, read_config_block
from light_clients.fabric.config_update import check_update
from light_clients.fabric.errors import (
    AttestationMismatch,
    HeaderLinkMismatch,
    LastConfigMismatch,
)
from light_clients.fabric.orderers import check_signatures
from light_clients.fabric.types import (
    MAXIMUM_LINKS,
    WINDOW,
    FabricBlock,
    FabricConfiguration,
    FabricEvidence,
    FabricPin,
    FabricState,
    VerifiedFabricHeader,
)
from light_clients.fabric.writes import proved_write
from light_clients.proofs.gateway import check_claim_form
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head


def bootstrap(header: bytes, block_hash: BlockHash, configuration: FabricConfiguration) -> FabricState:
    """Trusts a pinned configuration block: the first block of the channel, or a later one that brings a configuration.

    Args:
        header: The block. Its signatures are not judged: nobody could say yet who had to sign.
        block_hash: What the officers pinned.
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The block has another hash.
        ConfigurationInvalid: It brings no configuration.
        Refused: It cannot be.
    """
    block = read_block(header)
    if block.block_hash != block_hash:
        raise PinMismatch("The block is not the pinned one.", expected=block_hash, found=block.block_hash)
    check_data(block)
    brought = read_config_block(block, configuration.channel)
    if brought is None:
        raise ConfigurationInvalid("The pinned block brings no configuration; pin one that does.", found=block.height)
    read_config(brought.channel_config)
    timestamp = max(time for _, time in block.skimmed)
    return FabricState(
        configuration, brought.channel_config, block.height, block.height, timestamp, (block.block_hash,)
    )


def verify_header(state: FabricState, header: bytes, now: int) -> VerifiedFabricHeader:
    """Judges the next block; the list of checks is the module's.

    Args:
        state: What is trusted.
        header: The block, whole.
        now: Unix seconds.

    Returns:
        What `apply` needs.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ClientExpired: The trusting period is over.
        HeaderGap: Blocks are missing in between.
        HeaderBehind: The number was accepted already.
        Refused: The block is false, by its name.
    """
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The trusting period of the light client is over.", expected=state.expires_at, found=now)
    # 2. Reading.
    block = read_block(header)
    # 3. The place.
    if block.height > state.height + 1:
        raise HeaderGap("Blocks are missing.", expected=state.height + 1, found=block.height)
    if block.height <= state.height:
        raise HeaderBehind("This number was accepted already.", expected=state.height + 1, found=block.height)
    if block.previous_hash != state.block_hash:
        raise ParentMismatch("The parent is another one.", expected=state.block_hash, found=block.previous_hash)
    # 4. The envelopes.
    check_data(block)
    # 5. The configuration in force.
    brought = read_config_block(block, state.configuration.channel)
    expected = state.config_height if brought is None else block.height
    if block.last_config != expected:
        raise LastConfigMismatch("Another configuration is in force.", expected=expected, found=block.last_config)
    # 6. The orderers.
    config = read_config(state.channel_config)
    times = [time for _, time in block.skimmed if time <= now]
    timestamp = max([state.timestamp, *times])
    check_signatures(config, block, timestamp if state.configuration.heeds_expiry else None)
    # 7. A new configuration.
    if brought is not None:
        check_update(config, brought, state.configuration.channel)
    return VerifiedFabricHeader(
        block.height, block.block_hash, timestamp, None if brought is None else brought.channel_config
    )


def apply(state: FabricState, verified: VerifiedFabricHeader) -> FabricState:
    """The state after a block that was verified against this very state.

    Args:
        state: What is trusted.
        verified: What `verify_header` returned for it.

    Returns:
        The new state.
    """
    after = replace(
        state,
        height=verified.height,
        timestamp=verified.timestamp,
        recent=(*state.recent[-(WINDOW - 1) :], verified.block_hash),
    )
    if verified.channel_config is None:
        return after
    return replace(after, channel_config=verified.channel_config, config_height=verified.height)


def verify_claim(
    state: FabricState, claim: Claim, evidence: FabricEvidence, pin: FabricPin, proved_head: Head | None = None
) -> None:
    """Judges a claim at an accepted block. What was accepted once stays true after the trusting period.

    Args:
        state: What is trusted.
        claim: What is claimed.
        evidence: The block of the transaction that moved the head, headers up to the claim's, and the attested read.
        pin: The chaincode, its definition, and whose peers must attest.
        proved_head: The head that the read shows, where the claim is a prefix of it; the caller folds the rest.

    Raises:
        ClientFrozen: Misbehaviour was found.
        HeightNotReached: The height is above the newest accepted block.
        HeightNotRetained: The height has left the window.
        ClaimRefused: The claim is false, by its name.
        Refused: A part of the evidence does not hold.
    """
    # 1. The client and the form of the claim.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    check_claim_form(claim)
    # 2. The block is accepted.
    if claim.height > state.height:
        raise HeightNotReached("The block is not accepted yet.", expected=claim.height, found=state.height)
    accepted = state.hash_at(claim.height)
    if accepted is None:
        raise HeightNotRetained("The height is no longer kept.", expected=state.oldest_height, found=claim.height)
    if accepted != claim.block_hash:
        raise ClaimBlockMismatch("Another block is accepted.", expected=accepted, found=claim.block_hash)
    # 3. The evidence's block is that block, or one before it.
    block = read_block(evidence.block)
    _check_links(block, evidence.links, claim)
    # 4. A transaction of it wrote the head, and peers attest that.
    asked = head_read(claim.lane_id, int(claim.direction))
    head, written = proved_write(state, pin, block, evidence.transaction, evidence.read, asked)
    # 5. Both are one head.
    if written != head:
        raise AttestationMismatch("The transaction wrote another head than peers read.", expected=head, found=written)
    # 6. The head is the claim's.
    expected = claim.head if proved_head is None else proved_head
    if head != expected:
        raise HeadMismatch("The gateway holds another head.", expected=expected, found=head)


def _check_links(block: FabricBlock, links: tuple[bytes, ...], claim: Claim) -> None:
    if len(links) > MAXIMUM_LINKS:
        raise ClaimMalformed("Too many headers lie between; prove a newer head.", expected=MAXIMUM_LINKS)
    if block.height + len(links) != claim.height:
        raise ClaimHeightMismatch("The headers lead to another height.", expected=claim.height, found=block.height)
    height, reached = block.height, bytes(block.block_hash)
    for link in links:
        height += 1
        number, previous_hash, data_hash = read_header(link)
        if number != height or previous_hash != reached:
            raise HeaderLinkMismatch("A header does not follow the one before it.", expected=height, found=number)
        reached = hashlib.sha256(header_der(number, previous_hash, data_hash)).digest()
    if reached != claim.block_hash:
        raise ClaimBlockMismatch("The headers lead to another block.", expected=claim.block_hash, found=reached)
