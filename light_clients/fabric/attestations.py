"""A key as peers of several organisations read it: what stands in for a signed state root.

WeCross and Weaver do alike; the rule is in the hub's protocol, section Ledgers that are unlike Ethereum.

A peer answers a read after it validated every block up to its own height, and signs the answer with the version — block and
place — of the transaction that wrote the key. So k organisations that attest the same version say that this transaction was
valid. An attested read counts when all of this holds:
1. It is an execution of the pinned chaincode under its pinned definition (`executions`).
2. It called the function that was asked for with those arguments, and nothing else: for a head, `head` with lane and direction.
3. It wrote nothing, in no namespace, and in its own it read the keys that this call reads and no others; the one whose version
   counts exists.
4. Each attester is a peer — by its node unit — of a pinned organisation, stands once, and signed the answer; the certificate
   had not expired at the time of the client's newest block.
5. Together they are of as many organisations as the pin asks for.

How fresh the read is it does not show. Heads and notes of an evidence log only grow: an old one is the beginning of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

from light_clients.fabric.config_block import ChannelConfig
from light_clients.fabric.errors import AttestationInvalid, AttestationsTooFew, AttesterForeign, IdentityExpired
from light_clients.fabric.executions import NOTHING, Execution, Version, check_definition, read_execution
from light_clients.fabric.types import MAXIMUM_ATTESTATIONS, AttestedRead, FabricPin
from schemas.primitives import LaneId

HEAD_FUNCTION = b"head"
"""The chaincode's function that reads a head."""


@dataclass(frozen=True, slots=True)
class KeyRead:
    """A call of the gateway that tells what stands under a key.

    Attributes:
        arguments: The function's name and its arguments.
        key: In the gateway's namespace.
        others: Keys there that the call reads besides.
    """

    arguments: tuple[bytes, ...]
    key: str
    others: tuple[str, ...] = ()


def head_read(lane_id: LaneId, direction: int) -> KeyRead:
    """The call that tells a head.

    Args:
        lane_id: The lane.
        direction: 0 for the outbox, 1 for the outcomes.
    """
    lane = lane_id.hex()
    return KeyRead((HEAD_FUNCTION, lane.encode(), str(int(direction)).encode()), f"head~{direction:d}~{lane}")


def attested_read(
    config: ChannelConfig, channel: str, pin: FabricPin, read: AttestedRead, asked: KeyRead, time: int
) -> tuple[bytes, Version]:
    """What peers attest of a key; the list of checks is the module's.

    Args:
        config: In force.
        channel: Name of the channel.
        pin: Names the chaincode, the organisations and how many of them are needed.
        read: The proposal, the answer and who signed it.
        asked: What has to be read.
        time: Unix seconds at which certificates must not have expired.

    Returns:
        The answer, and the block and place of the transaction that wrote the key.

    Raises:
        ClaimRefused: By its name.
        Refused: A part cannot be read, or an identity does not hold.
    """
    # 1. The execution.
    words = (read.channel_header, read.signature_header, read.proposal_payload, read.response_payload)
    execution = read_execution(channel, pin.chaincode, pin.version, *words)
    check_definition(pin, execution)
    # 2. The call.
    if execution.arguments != asked.arguments:
        raise AttestationInvalid("The read is of another lane, direction or account, or of something else.")
    # 3. Reads and writes.
    version = _only_read(execution, pin, asked)
    # 4. Attesters.
    organisations = _attesting(config, pin, read, time)
    # 5. Enough of them.
    if len(organisations) < pin.threshold:
        raise AttestationsTooFew(
            "Peers of too few organisations attest the read.", expected=pin.threshold, found=len(organisations)
        )
    return execution.answer, version


def _only_read(execution: Execution, pin: FabricPin, asked: KeyRead) -> Version:
    if any(space.writes or space.others for space in execution.namespaces.values()):
        raise AttestationInvalid("A read that changes something, or reads ranges, attests nothing.")
    reads = execution.namespaces.get(pin.chaincode, NOTHING).reads
    version = reads.get(asked.key)
    if reads.keys() != {asked.key, *asked.others} or version is None:
        raise AttestationInvalid("The read is not of this key alone, or nothing stands under it.", expected=asked.key)
    return version


def _attesting(config: ChannelConfig, pin: FabricPin, read: AttestedRead, time: int) -> set[str]:
    if len(read.endorsements) > MAXIMUM_ATTESTATIONS:
        raise AttestationInvalid("Too many attesters.", expected=MAXIMUM_ATTESTATIONS, found=len(read.endorsements))
    keys: set[tuple[str, bytes]] = set()
    for endorser, signature in read.endorsements:
        identity = config.identity(endorser)
        if identity.msp_id not in pin.organisations or "peer" not in identity.roles:
            raise AttesterForeign("An attester is no peer of a pinned organisation.", found=identity.msp_id)
        if time > identity.expires_at:
            raise IdentityExpired("An attester's certificate had expired.", expected=time, found=identity.expires_at)
        if identity.key in keys:
            raise AttesterForeign("An attester stands twice.", found=identity.msp_id)
        if not identity.signed(read.response_payload + endorser, signature):
            raise AttesterForeign("An attester did not sign this answer.", found=identity.msp_id)
        keys.add(identity.key)
    return {msp_id for msp_id, _ in keys}
