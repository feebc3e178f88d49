"""Whether the orderers signed a block (Fabric 3.1 `protoutil/signer.go`, `protoutil/blockutils.go`, `orderer/consensus/smartbft`).

A block is signed when all of this holds:
1. It has signatures, and on SmartBFT no more than there are consenters.
2. Each is by an identity of the channel: on raft the creator in its signature header, on SmartBFT the certificate that the
   configuration gives the consenter whose id stands in its identifier header.
3. No signer stands twice.
4. Its certificate had not expired, where the configuration of the client asks for that.
5. It is over the metadata's value, its own header and the header of the block.
6. On SmartBFT ceil((n + f + 1) / 2) consenters signed, f = floor((n - 1) / 3).
7. Together they satisfy the policy BlockValidation of the orderers: on raft commonly any one member of any of their
   organisations, on SmartBFT again the quorum.

Fabric ignores a signature that does not hold where the others suffice; here the block is refused, because metadata are not
hashed and another endpoint has them without.
"""

from __future__ import annotations

from light_clients.errors import SealDuplicate, SealForeign, SealsTooFew, SealsTooMany
from light_clients.fabric.config_block import SMART_BFT, ChannelConfig
from light_clients.fabric.errors import BlockPolicyUnsatisfied, IdentityExpired
from light_clients.fabric.membership import Identity
from light_clients.fabric.policies import satisfies_policy
from light_clients.fabric.types import BlockSignature, FabricBlock
from light_clients.protobuf import Message

BLOCK_VALIDATION = "/Channel/Orderer/BlockValidation"


def quorum(consenters: int) -> int:
    """Signatures that a block of SmartBFT needs: ceil((n + f + 1) / 2).

    Args:
        consenters: n, at least 1.
    """
    faulty = (consenters - 1) // 3
    return (consenters + faulty + 2) // 2


def check_signatures(config: ChannelConfig, block: FabricBlock, time: int | None) -> None:
    """Judges the signatures of a block; the list of checks is the module's.

    Args:
        config: In force before the block.
        block: A block that was read.
        time: Unix seconds at which certificates must not have expired, or ``None`` for any.

    Raises:
        SealsTooFew: There are none, or fewer than the quorum.
        SealsTooMany: There are more than consenters.
        SealDuplicate: A signer stands twice.
        SealForeign: A consenter is not known, or a signature is over other content.
        IdentityExpired: A certificate had expired.
        IdentityInvalid: An identity is refused by its organisation, by its name.
        BlockPolicyUnsatisfied: BlockValidation is not satisfied.
    """
    byzantine = config.consensus == SMART_BFT
    # 1. Count.
    if not block.signatures:
        raise SealsTooFew("No orderer signed the block.", expected=1, found=0)
    if byzantine and len(block.signatures) > len(config.consenters):
        raise SealsTooMany(
            "More signatures than consenters.", expected=len(config.consenters), found=len(block.signatures)
        )
    signers: dict[tuple[str, bytes], Identity] = {}
    for signature in block.signatures:
        # 2. Who signed.
        identity = _consenter(config, signature) if byzantine else _creator(config, signature)
        # 3. Once.
        if identity.key in signers:
            raise SealDuplicate("An orderer signed twice.", found=identity.msp_id)
        # 4. Validity.
        if time is not None and time > identity.expires_at:
            raise IdentityExpired("The orderer's certificate had expired.", expected=time, found=identity.expires_at)
        # 5. What was signed.
        own_header = signature.identifier_header if byzantine else signature.signature_header
        if not identity.signed(block.signed_value + own_header + block.header, signature.signature):
            raise SealForeign("A signature is not the orderer's, or over other content.", found=identity.msp_id)
        signers[identity.key] = identity
    # 6. The quorum.
    if byzantine and len(signers) < quorum(len(config.consenters)):
        raise SealsTooFew("Too few consenters signed.", expected=quorum(len(config.consenters)), found=len(signers))
    # 7. The policy.
    if not satisfies_policy(config.root, BLOCK_VALIDATION, tuple(signers.values()), config.memberships):
        raise BlockPolicyUnsatisfied("The signatures do not satisfy BlockValidation.", found=len(signers))


def _creator(config: ChannelConfig, signature: BlockSignature) -> Identity:
    if signature.identifier_header:
        raise SealForeign("A signature of raft has no consenter id.", found=signature.identifier_header)
    return config.identity(Message.read(signature.signature_header, (1, 2)).octets(1))


def _consenter(config: ChannelConfig, signature: BlockSignature) -> Identity:
    if signature.signature_header:
        raise SealForeign("A signature of SmartBFT has no creator.", found=signature.signature_header)
    number = Message.read(signature.identifier_header, (1, 2)).integer(1)
    consenter = config.consenters.get(number)
    if consenter is None:
        raise SealForeign("No consenter has this id.", found=number)
    return config.member(consenter.msp_id, consenter.certificate)
