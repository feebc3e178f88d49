"""A chaincode's committed definition: what it is, and where it was committed (Fabric 3.1 `core/chaincode/lifecycle`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from adapters.fabric.blocks import VALID
from adapters.fabric.evidence import Version, read_version, writes_key
from adapters.fabric.identities import SigningIdentity
from adapters.fabric.interface import PAUSED
from adapters.fabric.peers import Nodes
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.protocol import BadAnswer, Rejected
from light_clients.fabric.executions import LIFECYCLE, definition_key

PIN_DOMAIN = b"relayhub/pin/fabric\0"
STEP = 100
"""Blocks that are read at once in search of a definition."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A chaincode's committed definition.

    Attributes:
        version: the chaincode's.
        policy: `ApplicationPolicy`.
        place: block and place in it of the transaction that committed it.
    """

    version: str
    policy: bytes
    place: Version


def pinned_hash(chaincode: str, version: str, place: Version) -> bytes:
    """What lanes pin of a chaincode, 32 bytes."""
    where = b"".join(number.to_bytes(8, "big") for number in place)
    return hashlib.sha256(PIN_DOMAIN + chaincode.encode() + b"\0" + version.encode() + b"\0" + where).digest()


def find_definition(nodes: Nodes, identity: SigningIdentity, chaincode: str) -> Definition:
    """Ask a peer for a chaincode's definition.

    Raises:
        Rejected: it has none.
        AdapterError: by kind.
    """
    arguments = messages.QueryChaincodeDefinitionArgs(name=chaincode).SerializeToString()
    own = nodes.own
    try:
        answer = nodes.ask(own, identity, LIFECYCLE, [b"QueryChaincodeDefinition", arguments])
        found = messages.QueryChaincodeDefinitionResult.FromString(answer.output)
    except Rejected as refusal:
        raise Rejected(
            f"No chaincode {chaincode!r} is committed on {nodes.channel}; its organisations commit it first ({refusal}).",
            endpoint=own.label,
        ) from refusal
    except DecodeError as error:
        raise BadAnswer(f"{own.label} tells no definition of {chaincode!r}; leave it.", endpoint=own.label) from error
    return Definition(found.version, found.validation_parameter, _place(nodes, identity, chaincode))


def _place(nodes: Nodes, identity: SigningIdentity, chaincode: str) -> Version:
    """Where the definition was committed: the version that each call reads; a gateway that refuses calls is searched in blocks."""
    key = definition_key(chaincode, "Sequence")
    try:
        answer = nodes.ask(nodes.own, identity, chaincode, [b"call", PAUSED])
    except Rejected:
        return _search(nodes, identity, key)
    found = read_version(answer.payload, LIFECYCLE, key)
    return found or _search(nodes, identity, key)


def _search(nodes: Nodes, identity: SigningIdentity, key: str) -> Version:
    last = chain_height(nodes, identity) - 1
    while last >= 0:
        first = max(0, last - STEP + 1)
        for block in reversed(nodes.blocks(identity, first, last)):
            for entry in reversed(block.entries):
                if entry.code == VALID and entry.chaincode == LIFECYCLE and writes_key(entry.results, LIFECYCLE, key):
                    return block.content.height, entry.place
        last = first - 1
    raise BadAnswer(f"No block of {nodes.own.label} commits the definition; leave it.", endpoint=nodes.own.label)


def chain_height(nodes: Nodes, identity: SigningIdentity) -> int:
    """How many blocks the own peer has.

    Raises:
        AdapterError: by kind.
    """
    answer = nodes.ask(nodes.own, identity, "qscc", [b"GetChainInfo", nodes.channel.encode()])
    try:
        height = messages.BlockchainInfo.FromString(answer.output).height
    except DecodeError as error:
        raise BadAnswer(f"{nodes.own.label} tells no height; leave it.", endpoint=nodes.own.label) from error
    if height == 0:
        raise BadAnswer(f"{nodes.own.label} has no block; leave it.", endpoint=nodes.own.label)
    return height
