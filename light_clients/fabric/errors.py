"""What only Fabric's light client refuses; everything else is a leaf of `light_clients.errors`.

HeaderRefused     DataHashMismatch · ChannelMismatch · LastConfigMismatch · BlockPolicyUnsatisfied
                  config: ConfigInvalid · ConfigSequenceInvalid · ConfigUpdateInvalid · ConfigUpdateUnauthorised
                  · ConfigResultMismatch · ConsensusUnsupported
SignatureRefused  MembershipUnknown · IdentityInvalid · IdentityExpired · IdentityRevoked · IdentityRoleInvalid
PolicyInvalid     a policy that cannot be read, or that nobody could fail
ClaimRefused      TransactionInvalid · TransactionIdMismatch · ProposalHashMismatch · ChaincodeMismatch
                  · DefinitionMismatch · EndorsementsTooFew · HeaderLinkMismatch
                  attestation: AttestationInvalid · AttestationsTooFew · AttestationMismatch · AttesterForeign
"""

from __future__ import annotations

from light_clients.errors import ClaimRefused, HeaderRefused, Refused, SignatureRefused


class DataHashMismatch(HeaderRefused):
    """The envelopes of a block do not hash to what its header says."""


class ChannelMismatch(HeaderRefused):
    """A block or a transaction is of another channel."""


class LastConfigMismatch(HeaderRefused):
    """The signed index of the last configuration is not the block whose configuration the client holds."""


class BlockPolicyUnsatisfied(HeaderRefused):
    """The signatures of a block do not satisfy the policy BlockValidation."""


class ConfigInvalid(HeaderRefused):
    """A configuration cannot be read, is too deep or too large, or lacks what a client needs."""


class ConfigSequenceInvalid(HeaderRefused):
    """The sequence of a configuration is not the next one."""


class ConfigUpdateInvalid(HeaderRefused):
    """An update reads or writes versions that do not follow the configuration before it."""


class ConfigUpdateUnauthorised(HeaderRefused):
    """The signatures of an update do not satisfy the policy of what it changes."""


class ConfigResultMismatch(HeaderRefused):
    """The configuration in the block is not what the update leads to."""


class ConsensusUnsupported(HeaderRefused):
    """The channel is ordered by something else than raft or SmartBFT, or hashes otherwise than with SHA-256."""


class MembershipUnknown(SignatureRefused):
    """No organisation of the channel has this membership id."""


class IdentityInvalid(SignatureRefused):
    """A certificate that its organisation's membership rules refuse."""


class IdentityExpired(IdentityInvalid):
    """A certificate of the chain had expired."""


class IdentityRevoked(IdentityInvalid):
    """A certificate stands in a revocation list of its organisation."""


class IdentityRoleInvalid(IdentityInvalid):
    """The organisational units of a certificate give it no role, or more than one."""


class PolicyInvalid(Refused):
    """A policy cannot be read, or asks for nobody."""


class TransactionInvalid(ClaimRefused):
    """The transaction is not an endorsed one of this channel, or its creator did not sign it."""


class TransactionIdMismatch(ClaimRefused):
    """The transaction's id is not the hash of its nonce and creator."""


class ProposalHashMismatch(ClaimRefused):
    """What was endorsed is the answer to another proposal."""


class ChaincodeMismatch(ClaimRefused):
    """The transaction or the read was run by another chaincode, or by another version of it."""


class DefinitionMismatch(ClaimRefused):
    """The chaincode ran under another committed definition than the pinned one."""


class EndorsementsTooFew(ClaimRefused):
    """The endorsements of a transaction do not satisfy the pinned policy."""


class HeaderLinkMismatch(ClaimRefused):
    """The headers between the block of the transaction and the claim's block are no chain."""


class AttestationInvalid(ClaimRefused):
    """An attested read is not the one that is asked for, or changes something."""


class AttestationsTooFew(ClaimRefused):
    """Peers of fewer organisations attest the read than the pin asks for."""


class AttestationMismatch(ClaimRefused):
    """What peers attest is not what the transaction wrote."""


class AttesterForeign(ClaimRefused):
    """An attester is no peer of a pinned organisation, stands twice, or signed something else."""
