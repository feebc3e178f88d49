"""The transaction that wrote a key of the gateway: a head, or a note of an evidence log.

Source: Fabric 3.1 `core/common/validation`, `core/handlers/validation/builtin`.

It counts when all of this holds:
1. It is one envelope with one action, whose header is the proposal's.
2. It is an execution of the chaincode that is asked for (`executions`).
3. Its creator is a member of the channel and signed it.
4. It ran under the pinned definition.
5. It wrote the key.
6. The endorsements that hold satisfy the policy of the pinned definition. Others are not counted, as Fabric does it: what a
   block holds cannot be changed any more.

That it was valid in the end — nothing that it read had changed meanwhile — nobody signs; `attestations` is for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from light_clients.errors import HeadAbsent, LightClientError
from light_clients.fabric.config_block import ChannelConfig
from light_clients.fabric.errors import EndorsementsTooFew, PolicyInvalid, TransactionInvalid
from light_clients.fabric.executions import NOTHING, Execution, check_definition, read_execution
from light_clients.fabric.membership import Identity
from light_clients.fabric.policies import satisfies_policy, satisfies_signature_policy
from light_clients.fabric.types import FabricPin
from light_clients.protobuf import Message

MAXIMUM_ENDORSEMENTS = 256
"""On one transaction."""


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A transaction that was read.

    Attributes:
        execution: What it did.
        identities: Whose endorsements hold.
    """

    execution: Execution
    identities: tuple[Identity, ...]


def written_value(config: ChannelConfig, channel: str, pin: FabricPin, envelope: bytes, key: str) -> bytes:
    """What a transaction wrote under a key; the list of checks is the module's.

    Args:
        config: In force.
        channel: Name of the channel.
        pin: Names the chaincode and its policy.
        envelope: The transaction.
        key: In the chaincode's namespace.

    Returns:
        The value.

    Raises:
        HeadAbsent: It did not write the key, or deleted it.
        EndorsementsTooFew: The policy is not satisfied.
        ClaimRefused: By its name.
        Refused: A part cannot be read, or an identity does not hold.
    """
    # 1., 2. and 3. The transaction.
    endorsed = read_transaction(config, channel, pin.chaincode, pin.version, envelope)
    # 4. The definition.
    check_definition(pin, endorsed.execution)
    # 5. The write.
    value = endorsed.execution.namespaces.get(pin.chaincode, NOTHING).writes.get(key)
    if value is None:
        raise HeadAbsent("The transaction did not write what is asked for.", expected=key)
    # 6. The endorsements.
    if not satisfies_definition(config, pin.endorsement_policy, endorsed.identities):
        raise EndorsementsTooFew(
            "The endorsements do not satisfy the chaincode's policy.", found=len(endorsed.identities)
        )
    return value


def read_transaction(config: ChannelConfig, channel: str, chaincode: str, release: str, envelope: bytes) -> Endorsed:
    """Reads a transaction of a chaincode: checks 1, 2 and 3.

    Args:
        config: In force.
        channel: Name of the channel.
        chaincode: Name of the chaincode.
        release: Its version.
        envelope: The transaction.

    Raises:
        ClaimRefused: By its name.
        Refused: A part cannot be read, or the creator is nobody of the channel.
    """
    # 1. Form.
    outer = Message.read(envelope, (1, 2))
    signed = outer.octets(1)
    payload = Message.read(signed, (1, 2))
    header = Message.read(payload.octets(1), (1, 2))
    actions = Message.read(payload.octets(2), (1,)).repeated(1)
    if len(actions) != 1:
        raise TransactionInvalid("A transaction has one action.", expected=1, found=len(actions))
    action = Message.read(actions[0], (1, 2))
    if action.octets(1) != header.octets(2):
        raise TransactionInvalid("The header of the action is not the proposal's.", found=action.octets(1))
    content = Message.read(action.octets(2), (1, 2))
    endorsed = Message.read(content.octets(2), (1, 2))
    endorsements = endorsed.repeated(2)
    if len(endorsements) > MAXIMUM_ENDORSEMENTS:
        raise TransactionInvalid("The transaction has too many endorsements.", found=len(endorsements))
    pairs = [Message.read(item, (1, 2)) for item in endorsements]
    # 2. The execution.
    words = (header.octets(1), header.octets(2), content.octets(1), endorsed.octets(1))
    execution = read_execution(channel, chaincode, release, *words)
    # 3. The creator.
    if not config.identity(execution.creator).signed(signed, outer.octets(2)):
        raise TransactionInvalid("The creator did not sign the transaction.")
    identities = valid_endorsers(config, endorsed.octets(1), ((pair.octets(1), pair.octets(2)) for pair in pairs))
    return Endorsed(execution, identities)


def valid_endorsers(
    config: ChannelConfig, response_payload: bytes, endorsements: Iterable[tuple[bytes, bytes]]
) -> tuple[Identity, ...]:
    """Whose endorsements hold; the others are left out.

    Args:
        config: In force.
        response_payload: `ProposalResponsePayload`.
        endorsements: (endorser, signature) pairs; the signature is over the payload and the endorser.
    """
    found: list[Identity] = []
    for endorser, signature in endorsements:
        try:
            identity = config.identity(endorser)
        except LightClientError:
            continue
        if identity.signed(response_payload + endorser, signature):
            found.append(identity)
    return tuple(found)


def satisfies_definition(config: ChannelConfig, policy: bytes, identities: tuple[Identity, ...]) -> bool:
    """Whether identities satisfy the policy of a chaincode's definition.

    Args:
        config: In force.
        policy: `ApplicationPolicy`: a signature policy, or the path of a policy of the channel.
        identities: Whose endorsements hold.

    Raises:
        PolicyInvalid: It is neither, or cannot be read.
    """
    message = Message.read(policy, (1, 2))
    if message.has(1) == message.has(2):
        raise PolicyInvalid("The policy of a definition is either of signatures or a path.")
    if message.has(1):
        return satisfies_signature_policy(message.octets(1), identities, config.memberships)
    return satisfies_policy(config.root, message.text(2), identities, config.memberships)
