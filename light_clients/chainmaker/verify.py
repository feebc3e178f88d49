"""Judging headers and claims of ChainMaker under TBFT.

Every header is followed by its parent's hash, one after the other: votes do not name the configuration that they were cast
under, and only whoever saw every header knows that no configuration block is missing.

A header is accepted when all of this holds:
 1. The client is neither frozen nor expired.
 2. The block can be read, is of version 2.x and of this chain (`codec`).
 3. It is the next height, its parent is the newest accepted block, and it names the configuration block that was followed.
 4. It is not further ahead of our clock than the allowed drift.
 5. Its hash is the hash of its fields.
 6. Its proposer is a consensus node, and signed the hash (`members`).
 7. At least floor(2n / 3) + 1 nodes voted for the hash: precommits of this height and of the set's one round, each stored
    under its own voter's name, each voter a node of the membership, each under a certificate of its node's organisation
    (`members`), no two under one key. Votes for other blocks are passed over; counting ends at the quorum; what the set says
    of its own majority is never read.
 8. A configuration block shows the configuration that follows it (`chain_config`).
"""

from __future__ import annotations

from dataclasses import replace

from light_clients.chainmaker.chain_config import first_membership, next_membership, read_membership
from light_clients.chainmaker.claims import check_claim
from light_clients.chainmaker.codec import ChainMakerBlock, VoteSet, read_block, read_header, read_vote_set
from light_clients.chainmaker.errors import (
    ChainIdMismatch,
    ConfigurationChangeInvalid,
    ConfigurationHeightMismatch,
    TransactionNotInBlock,
    VoteDuplicate,
    VoteForeign,
    VoteMisplaced,
    VotesTooFew,
)
from light_clients.chainmaker.members import check_signature, read_certificate
from light_clients.chainmaker.merkle import HASHES, Hash, root_of_path
from light_clients.chainmaker.transactions import Transaction, leaf_of, read_transaction
from light_clients.chainmaker.types import (
    MAXIMUM_MEMBERSHIPS,
    WINDOW,
    ChainMakerConfiguration,
    ChainMakerEvidence,
    ChainMakerHeader,
    ChainMakerPin,
    ChainMakerState,
    Membership,
    VerifiedChainMakerHeader,
)
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimHeightMismatch,
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    HeaderBehind,
    HeaderGap,
    HeaderHashMismatch,
    HeightNotReached,
    HeightNotRetained,
    LightClientError,
    ParentMismatch,
    PinMismatch,
    ProposerNotValidator,
    ProtobufRefused,
    TimestampAhead,
)
from light_clients.proofs.gateway import check_claim_form
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head

PRECOMMIT = 1
"""The type of a vote that decides."""


def bootstrap(header: bytes, block_hash: BlockHash, configuration: ChainMakerConfiguration) -> ChainMakerState:
    """Trusts a pinned block.

    The pinned hash fixes the block; who decides the next one stands in it, if it is the first one or another configuration
    block, and is stated by the officers otherwise.

    Args:
        header: Protobuf of the block; with its transactions where it is a configuration block.
        block_hash: What the officers pinned.
        configuration: What no header says.

    Returns:
        The first state.

    Raises:
        PinMismatch: The block has another hash.
        ConfigurationInvalid: There is no chain configuration, or a pinned certificate cannot be read.
        ConsensusUnsupported: The chain's mode, consensus or hash cannot be verified.
        Refused: The block cannot be read.
    """
    for pin in configuration.pins:
        try:
            read_certificate(pin.certificate)
        except LightClientError as error:
            raise ConfigurationInvalid(f"The certificate of a pin cannot be read: {error}") from error
    block = read_block(header)
    if block.header.is_configuration:
        membership, configuration_height = first_membership(block), block.header.height
    elif configuration.chain_config:
        membership = _stated_membership(configuration, block.header.height + 1)
        configuration_height = block.header.configuration_height
    else:
        raise ConfigurationInvalid("Pin the first block or a configuration block, or state chain_config.")
    found = HASHES[membership.hash_name](block.header.hashed)
    if found != block_hash:
        raise PinMismatch("The block is not the pinned one.", expected=block_hash, found=found)
    if membership.chain_id != block.header.chain_id:
        raise ConfigurationInvalid("The configuration is of another chain.", found=membership.chain_id)
    return ChainMakerState(
        configuration,
        block.header.height,
        block.header.timestamp,
        configuration_height,
        (BlockHash(found),),
        (membership,),
    )


def verify_header(state: ChainMakerState, header: bytes, now: int) -> VerifiedChainMakerHeader:
    """Judges the next header; the list of checks is the module's.

    Args:
        state: What is trusted.
        header: Protobuf of the block; with its transactions where it is a configuration block.
        now: Unix seconds.

    Returns:
        What `apply` needs.

    Raises:
        ClientFrozen: Misbehaviour was found.
        ClientExpired: The trusting period is over.
        HeaderGap: Headers are missing in between.
        HeaderBehind: The height was accepted already.
        TimestampAhead: The header is ahead of our clock.
        ConsensusUnsupported: The chain changes to what cannot be verified.
        Refused: The header is false, by its name.
    """
    configuration, membership = state.configuration, state.membership
    # 1. The client.
    if state.frozen:
        raise ClientFrozen("The light client is frozen.", found=state.height)
    if now >= state.expires_at:
        raise ClientExpired("The trusting period of the light client is over.", expected=state.expires_at, found=now)
    # 2. Reading.
    block = read_block(header)
    parsed = block.header
    # 3. The place.
    if parsed.height > state.height + 1:
        raise HeaderGap("Headers are missing in between.", expected=state.height + 1, found=parsed.height)
    if parsed.height <= state.height:
        raise HeaderBehind("The height was accepted already.", expected=state.height + 1, found=parsed.height)
    if parsed.parent_hash != state.block_hash:
        raise ParentMismatch("The parent is another one.", expected=state.block_hash, found=parsed.parent_hash)
    if parsed.configuration_height != state.configuration_height:
        raise ConfigurationHeightMismatch(
            "The header names another configuration block.",
            expected=state.configuration_height,
            found=parsed.configuration_height,
        )
    # 4. The clock.
    if parsed.timestamp > now + configuration.maximum_drift_s:
        raise TimestampAhead("The header is ahead of our clock.", expected=now, found=parsed.timestamp)
    # 5. to 7. What the nodes decided.
    block_hash, voters = check_decided(membership, configuration, block)
    # 8. The configuration that follows.
    following, is_newest = next_membership(block, membership) if parsed.is_configuration else (None, False)
    configuration_height = parsed.height if is_newest else state.configuration_height
    return VerifiedChainMakerHeader(
        parsed.height, block_hash, parsed.timestamp, voters, configuration_height, following
    )


def check_decided(
    membership: Membership, configuration: ChainMakerConfiguration, block: ChainMakerBlock
) -> tuple[BlockHash, tuple[str, ...]]:
    """Judges that a membership decided a block: checks 5, 6 and 7 of the module, and that it is of this chain.

    Args:
        membership: Who decides the block's height.
        configuration: Has the pins.
        block: The block with its votes.

    Returns:
        The hash of the block, and the names of the voters that were counted.

    Raises:
        Refused: It is not decided, by its name.
    """
    header = block.header
    # 5. The hash.
    block_hash = check_hash(membership, header)
    # 6. The proposer.
    proposer = header.proposer
    nodes = membership.nodes_of(proposer.organisation) if proposer else ()
    if proposer is None or not nodes:
        raise ProposerNotValidator("The proposer is of no organisation that has a consensus node.")
    check_signature(membership, configuration, proposer, nodes, header.timestamp, block_hash, header.signature)
    # 7. The votes.
    return block_hash, count_votes(membership, configuration, header, read_vote_set(block.quorum))


def check_hash(membership: Membership, header: ChainMakerHeader) -> BlockHash:
    """Judges that a header is of this chain and has the hash that it names (check 5); returns the hash.

    Raises:
        ChainIdMismatch: It is of another chain.
        HeaderHashMismatch: It has another hash.
    """
    if header.chain_id != membership.chain_id:
        raise ChainIdMismatch("The block is of another chain.", expected=membership.chain_id, found=header.chain_id)
    block_hash = BlockHash(HASHES[membership.hash_name](header.hashed))
    if block_hash != header.block_hash:
        raise HeaderHashMismatch("The header names another hash.", expected=block_hash, found=header.block_hash)
    return block_hash


def count_votes(
    membership: Membership, configuration: ChainMakerConfiguration, header: ChainMakerHeader, vote_set: VoteSet
) -> tuple[str, ...]:
    """Counts votes up to the quorum (check 7).

    Args:
        membership: Who decides.
        configuration: Has the pins.
        header: Of the block, with the hash that it has.
        vote_set: The votes that came with it.

    Returns:
        The names of the voters that were counted.

    Raises:
        HeaderRefused: A vote is false, by its name, or there are too few.
    """
    voters: list[str] = []
    keys: set[bytes] = set()
    for name, vote in vote_set.votes:
        if len(voters) == membership.quorum:
            break
        if vote.block_hash != header.block_hash:
            continue
        place = (PRECOMMIT, header.height, vote_set.round, name)
        if (vote.vote_type, vote.height, vote.round, vote.voter) != place:
            raise VoteMisplaced("A vote is of another type, height, round or voter.", found=name)
        node = membership.node(name)
        if node is None:
            raise VoteForeign("A vote is by no consensus node.", found=name)
        key = check_signature(
            membership, configuration, vote.signer, (node,), header.timestamp, vote.signed, vote.signature
        )
        if key in keys:
            raise VoteDuplicate("Two votes are under one key.", found=name)
        keys.add(key)
        voters.append(name)
    if len(voters) < membership.quorum:
        raise VotesTooFew("Too few nodes voted for the block.", expected=membership.quorum, found=len(voters))
    return tuple(voters)


def apply(state: ChainMakerState, verified: VerifiedChainMakerHeader) -> ChainMakerState:
    """The state after a header that was verified against this very state.

    Args:
        state: What is trusted.
        verified: What `verify_header` returned for it.

    Returns:
        The new state.
    """
    recent = (*state.recent[-(WINDOW - 1) :], verified.block_hash)
    memberships = state.memberships
    if verified.membership is not None:
        memberships = (*memberships, verified.membership)[-MAXIMUM_MEMBERSHIPS:]
    oldest = verified.height - len(recent) + 1
    while len(memberships) > 1 and memberships[1].first_height <= oldest:
        memberships = memberships[1:]
    return replace(
        state,
        height=verified.height,
        timestamp=verified.timestamp,
        configuration_height=verified.configuration_height,
        recent=recent,
        memberships=memberships,
    )


def verify_claim(
    state: ChainMakerState,
    claim: Claim,
    evidence: ChainMakerEvidence,
    pin: ChainMakerPin,
    proved_head: Head | None = None,
) -> None:
    """Judges a claim at an accepted block. What was accepted once stays true after the trusting period.

    Args:
        state: What is trusted.
        claim: What is claimed.
        evidence: The header at the claim's height, a transaction of that block, and what shows the head.
        pin: The gateway's name and version.
        proved_head: The head that is shown, where the claim is a prefix of it; the caller folds the rest.

    Raises:
        ClientFrozen: Misbehaviour was found.
        HeightNotReached: The height is above the newest accepted block.
        HeightNotRetained: The height has left the window.
        ClaimRefused: The claim is false, by its name.
        Refused: The header or a proof does not hold.
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
    # 3. The header is that block.
    digest = HASHES[state.membership.hash_name]
    header = read_header(evidence.header)
    if header.height != claim.height:
        raise ClaimHeightMismatch("The header has another height.", expected=claim.height, found=header.height)
    found = digest(header.hashed)
    if found != claim.block_hash:
        raise ClaimBlockMismatch("The header is another.", expected=claim.block_hash, found=found)
    # 4. The transaction is in the block.
    transaction = included(digest, header, evidence)
    # 5. The transaction shows the head.
    check_claim(transaction, evidence.write_set, digest, pin, claim, proved_head)


def included(digest: Hash, header: ChainMakerHeader, evidence: ChainMakerEvidence) -> Transaction:
    """Proves that a transaction is in a block, at a depth that the header fixes.

    Args:
        digest: The chain's hash.
        header: Of the block.
        evidence: The transaction, its place and its path.

    Raises:
        ProtobufRefused: The transaction cannot be read.
        ProofRefused: It is not in the block at that place.
    """
    transaction = read_transaction(evidence.transaction)
    leaf = leaf_of(digest, transaction, header.version)
    root = root_of_path(digest, leaf, evidence.index, header.transaction_count, evidence.path)
    if root != header.transaction_root:
        raise TransactionNotInBlock("The path ends at another root.", expected=header.transaction_root, found=root)
    return transaction


def _stated_membership(configuration: ChainMakerConfiguration, first_height: int) -> Membership:
    try:
        return read_membership(configuration.chain_config, first_height)
    except (ProtobufRefused, ConfigurationChangeInvalid) as error:
        raise ConfigurationInvalid(f"The chain_config that was stated cannot be read: {error}") from error
