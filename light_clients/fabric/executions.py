"""What peers signed: a proposal to a chaincode and the answer to it (Fabric 3.1 `protoutil/proputils.go`, `ledger/rwset`).

A transaction in a block and an attested read have the same parts. They are an execution when all of this holds:
1. The proposal is of type ENDORSER_TRANSACTION and of this channel.
2. Its id is SHA-256 of nonce and creator, in hexadecimal.
3. The answer is to this proposal: its hash is SHA-256 of channel header, signature header and proposal payload.
4. The header, the proposal payload and the answer name the same chaincode, and it ran in the version that is asked for.
5. It succeeded: status 200.
6. What it read and wrote can be read; no key stands twice in one namespace.

One of the gateway also
7. ran under the pinned definition: it read the definition's sequence, as Fabric does with each call, in the version of the
   transaction that committed the pinned one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from light_clients.fabric.codec import ENDORSER_TRANSACTION
from light_clients.fabric.errors import (
    ChaincodeMismatch,
    ChannelMismatch,
    DefinitionMismatch,
    ProposalHashMismatch,
    TransactionIdMismatch,
    TransactionInvalid,
)
from light_clients.fabric.types import FabricPin
from light_clients.protobuf import Message

Item = TypeVar("Item")

SUCCESS = 200
"""Status of an answer (`shim.OK`)."""

LIFECYCLE = "_lifecycle"
"""Namespace of the committed definitions."""

Version = tuple[int, int]
"""Block and place in it of the transaction that wrote a key."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """What an execution did under one chaincode's name.

    Attributes:
        reads: Versions by key; ``None`` where the key did not exist.
        writes: Values by key; ``None`` where the key was deleted.
        others: Whether there are range queries, writes of metadata or private collections.
    """

    reads: Mapping[str, Version | None]
    writes: Mapping[str, bytes | None]
    others: bool


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution.

    Attributes:
        creator: `SerializedIdentity` of whom it was asked by.
        arguments: The function's name and its arguments.
        answer: Payload of the response.
        namespaces: By chaincode.
    """

    creator: bytes
    arguments: tuple[bytes, ...]
    answer: bytes
    namespaces: Mapping[str, Namespace]


NOTHING = Namespace({}, {}, False)
"""Of a chaincode that an execution did not touch."""


def read_execution(
    channel: str,
    chaincode: str,
    release: str,
    channel_header: bytes,
    signature_header: bytes,
    proposal_payload: bytes,
    response_payload: bytes,
) -> Execution:
    """Reads an execution of a chaincode; the list of checks is the module's.

    Args:
        channel: Name of the channel.
        chaincode: Name of the chaincode.
        release: Its version.
        channel_header: `ChannelHeader` of the proposal.
        signature_header: `SignatureHeader` of the proposal.
        proposal_payload: `ChaincodeProposalPayload` without the transient map.
        response_payload: `ProposalResponsePayload`.

    Raises:
        ChannelMismatch: It is of another channel.
        ClaimRefused: By its name.
        ProtobufRefused: A part cannot be read.
    """
    # 1. The channel.
    header = Message.read(channel_header, range(1, 9))
    if header.integer(1) != ENDORSER_TRANSACTION:
        raise TransactionInvalid("The proposal is not to a chaincode.", expected=ENDORSER_TRANSACTION)
    if header.text(4) != channel:
        raise ChannelMismatch("The proposal is of another channel.", expected=channel, found=header.text(4))
    # 2. The id.
    signer = Message.read(signature_header, (1, 2))
    identifier = hashlib.sha256(signer.octets(2) + signer.octets(1)).hexdigest()
    if header.text(5) != identifier:
        raise TransactionIdMismatch("The id is another one.", expected=identifier, found=header.text(5))
    # 3. The answer is to the proposal.
    response = Message.read(response_payload, (1, 2))
    proposal_hash = hashlib.sha256(channel_header + signature_header + proposal_payload).digest()
    if response.octets(1) != proposal_hash:
        raise ProposalHashMismatch(
            "The answer is to another proposal.", expected=proposal_hash, found=response.octets(1)
        )
    # 4. The chaincode.
    action = Message.read(response.octets(2), (1, 2, 3, 4))
    specification = _specification(proposal_payload)
    _check_chaincode(chaincode, release, header.octets(7), specification, action.octets(4))
    # 5. Success.
    answer = Message.read(action.octets(3), (1, 2, 3))
    if answer.integer(1) != SUCCESS:
        raise TransactionInvalid("The chaincode did not succeed.", expected=SUCCESS, found=answer.integer(1))
    # 6. Reads and writes.
    namespaces = _read_namespaces(action.octets(1))
    arguments = Message.read(specification.octets(3), (1,)).repeated(1)
    return Execution(signer.octets(1), arguments, answer.octets(3), namespaces)


def check_definition(pin: FabricPin, execution: Execution) -> None:
    """Checks that an execution ran under the pinned definition: check 7.

    Args:
        pin: Names the chaincode and where its definition was committed.
        execution: Of that chaincode.

    Raises:
        DefinitionMismatch: It ran under another one.
    """
    read = execution.namespaces.get(LIFECYCLE, NOTHING).reads.get(definition_key(pin.chaincode, "Sequence"))
    if read != (pin.definition_height, pin.definition_transaction):
        raise DefinitionMismatch(
            "It ran under another definition of the chaincode.",
            expected=pin.definition_height,
            found=read[0] if read else None,
        )


def definition_key(chaincode: str, field: str) -> str:
    """The key of a field of a chaincode's definition, in the namespace `LIFECYCLE`."""
    return f"namespaces/fields/{chaincode}/{field}"


def _specification(proposal_payload: bytes) -> Message:
    """`ChaincodeSpec` of a proposal; a transient map would be part of what was hashed, and has no place here.

    Nor has a call of the chaincode's initialisation, which is no call of the function that the arguments name.
    """
    invocation = Message.read(Message.read(proposal_payload, (1,)).octets(1), (1,))
    return Message.read(invocation.octets(1), (1, 2, 3, 4))


def _check_chaincode(name: str, release: str, extension: bytes, specification: Message, ran: bytes) -> None:
    asked = Message.read(Message.read(extension, (2,)).octets(2), (1, 2, 3)).text(2)
    specified = Message.read(specification.octets(2), (1, 2, 3)).text(2)
    chaincode = Message.read(ran, (1, 2, 3))
    if not asked == specified == chaincode.text(2) == name:
        raise ChaincodeMismatch("Another chaincode was called.", expected=name, found=chaincode.text(2))
    if chaincode.text(3) != release:
        raise ChaincodeMismatch("Another version ran.", expected=release, found=chaincode.text(3))


def _read_namespaces(results: bytes) -> dict[str, Namespace]:
    message = Message.read(results, (1, 2))
    if message.integer(1):
        raise TransactionInvalid("The results are not of keys and values.", found=message.integer(1))
    found: dict[str, Namespace] = {}
    for data in message.repeated(2):
        item = Message.read(data, (1, 2, 3))
        name = item.text(1)
        if name in found:
            raise TransactionInvalid("A namespace stands twice in the results.", found=name)
        content = Message.read(item.octets(2), (1, 2, 3, 4))
        reads = [Message.read(read, (1, 2)) for read in content.repeated(1)]
        writes = [Message.read(write, (1, 2, 3)) for write in content.repeated(3)]
        found[name] = Namespace(
            _by_key(name, [(read.text(1), _version(read)) for read in reads]),
            _by_key(name, [(write.text(1), None if write.integer(2) else write.octets(3)) for write in writes]),
            content.has(2) or content.has(4) or item.has(3),
        )
    return found


def _version(read: Message) -> Version | None:
    if not read.has(2):
        return None
    version = Message.read(read.octets(2), (1, 2))
    return version.integer(1), version.integer(2)


def _by_key(name: str, pairs: list[tuple[str, Item]]) -> dict[str, Item]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TransactionInvalid("A key stands twice in the results.", found=name)
    return found
