"""What the officers pin of a gateway, read from the transaction that committed its definition (Fabric 3.1 `core/chaincode/lifecycle`).

The transaction is in an accepted block, and counts when all of this holds:
1. The block is one that the client accepted, its envelopes hash to its data hash, and the place is one of its envelopes.
2. The envelope is a transaction of `_lifecycle` (`transactions`), endorsed by the channel's policy LifecycleEndorsement.
3. It wrote the sequence, the endorsement and the validation of this chaincode's definition, for the built-in plug-ins.

That it was valid in the end shows with the first attested read: it names this transaction as the one that wrote the sequence.
"""

from __future__ import annotations

from light_clients.errors import ClaimBlockMismatch
from light_clients.fabric.codec import check_data, read_block
from light_clients.fabric.config_block import read_config
from light_clients.fabric.errors import DefinitionMismatch, EndorsementsTooFew
from light_clients.fabric.executions import LIFECYCLE, NOTHING, definition_key
from light_clients.fabric.policies import satisfies_policy
from light_clients.fabric.transactions import read_transaction
from light_clients.fabric.types import FabricPin, FabricState
from light_clients.protobuf import Message

LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"
LIFECYCLE_RELEASE = "syscc"
"""Version of every system chaincode."""

PLUGINS = ("escc", "vscc")
"""The built-in endorsement and validation."""


def pin_from_block(
    state: FabricState, block: bytes, place: int, chaincode: str, organisations: tuple[str, ...], threshold: int
) -> FabricPin:
    """A pin of the definition that a transaction committed; the list of checks is the module's.

    Args:
        state: Accepted the block, and still remembers it.
        block: The block.
        place: The transaction's place in it.
        chaincode: The gateway's chaincode.
        organisations: Membership ids of those whose peers may attest.
        threshold: Organisations of them that must attest.

    Raises:
        ClaimBlockMismatch: The block is not an accepted one that is remembered.
        EndorsementsTooFew: LifecycleEndorsement is not satisfied.
        DefinitionMismatch: It committed no definition of this chaincode, or one with other plug-ins.
        ConfigurationInvalid: The threshold cannot be reached.
        Refused: A part cannot be read, or does not hold.
    """
    # 1. The block.
    found = read_block(block)
    if state.hash_at(found.height) != found.block_hash:
        raise ClaimBlockMismatch("The block is not an accepted one that is remembered.", found=found.block_hash)
    check_data(found)
    if not 0 <= place < len(found.envelopes):
        raise DefinitionMismatch("The block has no transaction at this place.", found=place)
    # 2. The transaction.
    config, channel = read_config(state.channel_config), state.configuration.channel
    endorsed = read_transaction(config, channel, LIFECYCLE, LIFECYCLE_RELEASE, found.envelopes[place])
    if not satisfies_policy(config.root, LIFECYCLE_POLICY, endorsed.identities, config.memberships):
        raise EndorsementsTooFew("The definition is not endorsed.", found=len(endorsed.identities))
    # 3. The definition.
    writes = endorsed.execution.namespaces.get(LIFECYCLE, NOTHING).writes
    fields = [writes.get(definition_key(chaincode, name)) for name in ("Sequence", "EndorsementInfo", "ValidationInfo")]
    sequence, endorsement, validation = (Message.read(field or b"", (1, 2, 3)) for field in fields)
    if not sequence.integer(1):
        raise DefinitionMismatch("The transaction committed no definition of this chaincode.", expected=chaincode)
    endorsing = Message.read(endorsement.octets(2), (1, 2, 3))
    validating = Message.read(validation.octets(2), (1, 2))
    if (endorsing.text(3), validating.text(1)) != PLUGINS:
        raise DefinitionMismatch("The definition has plug-ins of its own.", found=validating.text(1))
    return FabricPin(chaincode, endorsing.text(1), found.height, place, validating.octets(2), organisations, threshold)
