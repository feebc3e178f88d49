"""The refusals that only ChainMaker has.

HeaderRefused       BlockVersionUnsupported · ChainIdMismatch · ConfigurationHeightMismatch
                    · TransactionsMissing · TransactionRootMismatch · ConfigurationChangeInvalid
                    votes: QuorumMissing · VoteMisplaced · VoteForeign · VoteDuplicate · VotesTooFew
                    members: MemberTypeUnsupported · MemberOrganisationMismatch · MemberRoleMismatch
                    · MemberUntrusted · MemberUnpinned · MemberSignatureInvalid
ProofRefused        MerklePathInvalid · TransactionNotInBlock · WriteSetMismatch
ClaimRefused        TransactionFailed · TransactionForeign · GatewayVersionMismatch · EventInvalid · EventsNotAccepted
                    · ClaimNonceMismatch
Misconfigured       ConsensusUnsupported
"""

from __future__ import annotations

from light_clients.errors import ClaimRefused, HeaderRefused, Misconfigured, ProofRefused


class BlockVersionUnsupported(HeaderRefused):
    """The version of the block is not one of ChainMaker 2.x."""


class ChainIdMismatch(HeaderRefused):
    """The block is of another chain."""


class ConfigurationHeightMismatch(HeaderRefused):
    """The block names another configuration block than the last one that was followed."""


class TransactionsMissing(HeaderRefused):
    """A configuration block came without all of its transactions."""


class TransactionRootMismatch(HeaderRefused):
    """The transactions do not have the root that the header names."""


class ConfigurationChangeInvalid(HeaderRefused):
    """A configuration block does not show the configuration that follows."""


class QuorumMissing(HeaderRefused):
    """The block has no set of votes."""


class VoteMisplaced(HeaderRefused):
    """A vote is of another type, height or round, or stands under another name."""


class VoteForeign(HeaderRefused):
    """A vote is by none of the consensus nodes."""


class VoteDuplicate(HeaderRefused):
    """Two votes are by one node, or under one key."""


class VotesTooFew(HeaderRefused):
    """Fewer nodes voted for the block than the quorum."""


class MemberTypeUnsupported(HeaderRefused):
    """A signer is named by something else than its certificate."""


class MemberOrganisationMismatch(HeaderRefused):
    """A signer is of another organisation than its node, or its certificate is."""


class MemberRoleMismatch(HeaderRefused):
    """The certificate of a signer is not one of a consensus node."""


class MemberUntrusted(HeaderRefused):
    """The certificate of a signer is not under the trust roots of its organisation, or not valid at the block's time."""


class MemberUnpinned(HeaderRefused):
    """The certificate is not pinned for its node, where the organisation has several nodes or pins."""


class MemberSignatureInvalid(HeaderRefused):
    """The signature of a proposer or voter does not hold."""


class MerklePathInvalid(ProofRefused):
    """The path is longer or shorter than the number of transactions makes it, or the place is outside of the block."""


class TransactionNotInBlock(ProofRefused):
    """The path from the transaction does not end at the root of the block."""


class WriteSetMismatch(ProofRefused):
    """The write set does not have the hash that the transaction names."""


class TransactionFailed(ClaimRefused):
    """The transaction has a result code other than success."""


class TransactionForeign(ClaimRefused):
    """An event is shown from a transaction that called another contract."""


class GatewayVersionMismatch(ClaimRefused):
    """The gateway ran in another version than the pinned one."""


class EventInvalid(ClaimRefused):
    """An event of the gateway is not of the form in which the virtual machine writes it."""


class EventsNotAccepted(ClaimRefused):
    """The pin asks for a write set, and the evidence is an event."""


class ClaimNonceMismatch(ClaimRefused):
    """The event shows another number of entries."""


class ConsensusUnsupported(Misconfigured):
    """The chain uses a consensus, a membership mode or a hash that no light client here can check."""

    next_step = "Join this chain under another trust level; only TBFT with permissionedWithCert is verified."
