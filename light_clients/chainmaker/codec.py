"""Reading blocks, headers and votes of ChainMaker 2.x (pb-go `common.Block`, `tbft.VoteSet`).

    Block          {1 header, 2 dag, 3 transactions, 4 additional data}
    BlockHeader    {1 version, 2 type, 3 chain id, 4 height, 5 hash, 6 parent hash, 7 height of the last configuration block,
                    8 transactions, 9 their root, 10 hash of the DAG, 11 root of the read-write sets, 12 time, 13 consensus
                    arguments, 14 proposer, 15 signature}
    AdditionalData {1 map: "TBFTAddtionalDataKey" → VoteSet}
    VoteSet        {1 type, 2 height, 3 round, 4 sum, 5 majority, 6 map: node id → Vote, 7 votes by block}
    Vote           {1 type, 2 voter, 3 height, 4 round, 5 hash, 6 endorsement, 7 invalid transactions}

The header argument of this family is a Block; fields 2 and, outside of configuration blocks, 3 may be left out. The hash of a
block is over its header without fields 5 and 15; a vote signs itself without field 6. What the set of votes says of its own
sum and majority is not read: votes are counted by `members` and `verify`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from light_clients.chainmaker.errors import BlockVersionUnsupported, QuorumMissing, VoteDuplicate
from light_clients.chainmaker.types import MAXIMUM_NODES, ChainMakerHeader, Member
from light_clients.errors import HeaderFieldInvalid, HeaderTooLarge, ProtobufFieldInvalid, ProtobufNotCanonical
from light_clients.protobuf import Message, as_text, integer_field, message_field, octets_field, text_field, varint

MAXIMUM_BLOCK_SIZE = 64 * 1024 * 1024
"""Bytes of a header argument; a configuration block is far below it, a node's own limit of a whole block too."""

QUORUM_KEY = "TBFTAddtionalDataKey"
"""Under which TBFT stores its votes; the spelling is the ledger's."""

FIRST_VERSION, LAST_VERSION = 20, 2_999_999
"""Versions 2.0.0 to 2.x: 20, 220, 2201, 2300, …, 2030200; what is above is 3.x, what is below another wire format."""

_HASH_FIELDS = frozenset((5, 15))


@dataclass(frozen=True, slots=True)
class ChainMakerBlock:
    """A header argument, read.

    Attributes:
        header: Its header.
        transactions: Protobuf of each transaction; empty where they were left out.
        quorum: Protobuf of the set of votes; empty where there is none.
    """

    header: ChainMakerHeader
    transactions: tuple[bytes, ...]
    quorum: bytes


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote, read but not judged.

    Attributes:
        vote_type: 1 for a precommit.
        voter: Node id.
        height: Of the block.
        round: Of TBFT, from 0.
        block_hash: For which block; empty for none.
        signer: Who signed it.
        signature: In DER.
        signed: What is signed: the vote without its endorsement.
    """

    vote_type: int
    voter: str
    height: int
    round: int
    block_hash: bytes
    signer: Member
    signature: bytes
    signed: bytes


@dataclass(frozen=True, slots=True)
class VoteSet:
    """The votes of one round that came with a block, each under the name by which it is stored."""

    round: int
    votes: tuple[tuple[str, Vote], ...]


def read_block(data: bytes) -> ChainMakerBlock:
    """Reads a header argument.

    Args:
        data: Protobuf of a `common.Block`.

    Raises:
        HeaderTooLarge: It is larger than any block.
        ProtobufRefused: It is no such message, or not in canonical form.
        HeaderFieldInvalid: A field of the header has another size.
        BlockVersionUnsupported: It is not of version 2.x.
    """
    if len(data) > MAXIMUM_BLOCK_SIZE:
        raise HeaderTooLarge("The block is too large.", expected=MAXIMUM_BLOCK_SIZE, found=len(data))
    block = Message.read(data, (1, 2, 3, 4), ordered=True)
    quorum = b""
    for entry in Message.read(block.octets(4), (1,)).repeated(1):
        pair = Message.read(entry, (1, 2), ordered=True)
        if pair.text(1) == QUORUM_KEY:
            if quorum:
                raise ProtobufFieldInvalid("The set of votes stands twice.")
            quorum = pair.octets(2)
    return ChainMakerBlock(read_header(block.octets(1)), block.repeated(3), quorum)


def read_header(data: bytes) -> ChainMakerHeader:
    """Reads a header alone.

    Args:
        data: Protobuf of a `common.BlockHeader`.

    Raises:
        ProtobufRefused: It is no such message, or not in canonical form.
        HeaderFieldInvalid: A field has another size.
        BlockVersionUnsupported: It is not of version 2.x.
    """
    fields = Message.read(data, range(1, 16), ordered=True).fields
    if write_fields(fields) != data:
        raise ProtobufNotCanonical("The header is not written as its ledger writes it.")
    values = single(fields)
    version, height, timestamp = integer(values, 1), integer(values, 4), integer(values, 12)
    if not FIRST_VERSION <= version <= LAST_VERSION:
        raise BlockVersionUnsupported("Only blocks of ChainMaker 2.x can be judged.", found=version)
    if max(height, timestamp) >= 1 << 63:
        raise HeaderFieldInvalid("The height or the time of the header is out of its range.", found=height)
    proposer = octets(values, 14)
    header = ChainMakerHeader(
        version=version,
        block_type=integer(values, 2),
        chain_id=as_text(octets(values, 3), 3),
        height=height,
        block_hash=octets(values, 5),
        parent_hash=octets(values, 6),
        configuration_height=integer(values, 7),
        transaction_count=integer(values, 8),
        transaction_root=octets(values, 9),
        dag_hash=octets(values, 10),
        read_write_root=octets(values, 11),
        timestamp=timestamp,
        proposer=read_member(proposer) if proposer else None,
        signature=octets(values, 15),
        hashed=write_fields(field for field in fields if field[0] not in _HASH_FIELDS),
    )
    for value, sizes in (
        (header.block_hash, (32,)),
        (header.parent_hash, (32,) if height else (0,)),
        (header.transaction_root, (0, 32)),
    ):
        if len(value) not in sizes:
            raise HeaderFieldInvalid("A hash of the header has another size.", expected=sizes[-1], found=value)
    return header


def read_member(data: bytes) -> Member:
    """Reads an `accesscontrol.Member`.

    Raises:
        ProtobufRefused: It is no such message.
    """
    values = single(Message.read(data, (1, 2, 3), ordered=True).fields)
    return Member(as_text(octets(values, 1), 1), integer(values, 2), octets(values, 3))


def read_vote_set(data: bytes) -> VoteSet:
    """Reads a set of votes; its sum, its majority and its votes by block are not looked at.

    Args:
        data: Protobuf of a `tbft.VoteSet`.

    Raises:
        QuorumMissing: There is none.
        VoteDuplicate: Two votes stand under one name.
        ProtobufRefused: It is no such message.
    """
    if not data:
        raise QuorumMissing("The block has no set of votes; ask for the block with its additional data.")
    message = Message.read(data, range(1, 8))
    entries = message.repeated(6)
    if len(entries) > MAXIMUM_NODES:
        raise ProtobufFieldInvalid("There are more votes than nodes.", expected=MAXIMUM_NODES, found=len(entries))
    votes: dict[str, Vote] = {}
    for entry in entries:
        values = single(Message.read(entry, (1, 2), ordered=True).fields)
        name = as_text(octets(values, 1), 1)
        if name in votes:
            raise VoteDuplicate("Two votes stand under one name.", found=name)
        votes[name] = _read_vote(octets(values, 2))
    return VoteSet(message.integer(3), tuple(votes.items()))


def _read_vote(data: bytes) -> Vote:
    fields = Message.read(data, range(1, 8), ordered=True).fields
    invalid = [(number, value) for number, value in fields if number == 7]
    values = single(field for field in fields if field[0] != 7)
    endorsement = single(Message.read(octets(values, 6), (1, 2), ordered=True).fields)
    vote_type, voter, height = integer(values, 1), as_text(octets(values, 2), 2), integer(values, 3)
    number, block_hash = integer(values, 4), octets(values, 5)
    signed = (
        integer_field(1, vote_type)
        + text_field(2, voter)
        + integer_field(3, height)
        + integer_field(4, number)
        + octets_field(5, block_hash)
        + write_fields(invalid)
    )
    signer = read_member(octets(endorsement, 1))
    return Vote(vote_type, voter, height, number, block_hash, signer, octets(endorsement, 2), signed)


Fields = Iterable[tuple[int, int | bytes]]


def write_fields(fields: Fields) -> bytes:
    """Writes fields that were read, in their order: numbers as varints, the rest with its length."""
    written = []
    for number, value in fields:
        if isinstance(value, int):
            written.append(varint(number << 3) + varint(value))
        else:
            written.append(message_field(number, value))
    return b"".join(written)


def single(fields: Fields) -> dict[int, int | bytes]:
    """Fields of which each may stand once.

    Raises:
        ProtobufFieldInvalid: One stands twice.
    """
    values: dict[int, int | bytes] = {}
    for number, value in fields:
        if number in values:
            raise ProtobufFieldInvalid("A single field stands twice.", found=number)
        values[number] = value
    return values


def integer(values: dict[int, int | bytes], number: int) -> int:
    """A number, 0 where it is left out.

    Raises:
        ProtobufFieldInvalid: It is bytes.
    """
    value = values.get(number, 0)
    if isinstance(value, bytes):
        raise ProtobufFieldInvalid("A field is bytes and should be a number.", found=number)
    return value


def octets(values: dict[int, int | bytes], number: int) -> bytes:
    """Bytes, empty where they are left out.

    Raises:
        ProtobufFieldInvalid: They are a number.
    """
    value = values.get(number, b"")
    if isinstance(value, int):
        raise ProtobufFieldInvalid("A field is a number and should be bytes.", found=number)
    return value


def read_known(data: bytes, known: Collection[int]) -> dict[int, int | bytes]:
    """Reads a message whose fields stand once each, ascending.

    Raises:
        ProtobufRefused: It is no such message.
    """
    return single(Message.read(data, known, ordered=True).fields)
