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

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from light_clients.chainmaker.errors import BlockVersionUnsupported, QuorumMissing, VoteDuplicate
from light_clients.chainmaker.fields import Spans, form_of, read_flat, without
from light_clients.chainmaker.types import MAXIMUM_NODES, ChainMakerHeader, Member
from light_clients.errors import (
    HeaderFieldInvalid,
    HeaderTooLarge,
    ProtobufFieldInvalid,
)
from light_clients.protobuf import as_text

MAXIMUM_BLOCK_SIZE = 64 * 1024 * 1024
"""Bytes of a header argument; a configuration block is far below it, a node's own limit of a whole block too."""

MAXIMUM_MEMBER_SIZE = 16 * 1024
"""Bytes of a member; with its certificate it has about 1 KiB."""

QUORUM_KEY = b"TBFTAddtionalDataKey"
"""Under which TBFT stores its votes; the spelling is the ledger's."""

BLOCK, HEADER, MEMBER = form_of("ddrd"), form_of("nndnddnndddnddd"), form_of("dnd")
ADDITIONAL, PAIR = form_of("r"), form_of("dd")
VOTE_SET, VOTE = form_of("nnnndrr"), form_of("ndnnddr")
"""Forms of messages; a pair is an entry of a map, and an endorsement too."""

FIRST_VERSION, LAST_VERSION = 20, 2_999_999
"""Versions 2.0.0 to 2.x: 20, 220, 2201, 2300, …, 2030200; what is above is 3.x, what is below another wire format."""


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


class Vote(NamedTuple):
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
    values, transactions = read_flat(data, BLOCK)
    quorum = b""
    for _, entry in read_flat(values.get(4, b""), ADDITIONAL)[1]:
        pair = read_flat(entry, PAIR)[0]
        if pair.get(1, b"") == QUORUM_KEY:
            if quorum:
                raise ProtobufFieldInvalid("The set of votes stands twice.")
            quorum = pair.get(2, b"")
    return ChainMakerBlock(read_header(values.get(1, b"")), tuple([one for _, one in transactions]), quorum)


def read_header(data: bytes) -> ChainMakerHeader:
    """Reads a header alone.

    Args:
        data: Protobuf of a `common.BlockHeader`.

    Raises:
        ProtobufRefused: It is no such message, or not in canonical form.
        HeaderFieldInvalid: A field has another size.
        BlockVersionUnsupported: It is not of version 2.x.
    """
    spans: Spans = {}
    values, _ = read_flat(data, HEADER, spans)
    version, height, timestamp = values.get(1, 0), values.get(4, 0), values.get(12, 0)
    if not FIRST_VERSION <= version <= LAST_VERSION:
        raise BlockVersionUnsupported("Only blocks of ChainMaker 2.x can be judged.", found=version)
    if max(height, timestamp) >= 1 << 63:
        raise HeaderFieldInvalid("The height or the time of the header is out of its range.", found=height)
    proposer = values.get(14, b"")
    header = ChainMakerHeader(
        version=version,
        block_type=values.get(2, 0),
        chain_id=as_text(values.get(3, b""), 3),
        height=height,
        block_hash=values.get(5, b""),
        parent_hash=values.get(6, b""),
        configuration_height=values.get(7, 0),
        transaction_count=values.get(8, 0),
        transaction_root=values.get(9, b""),
        dag_hash=values.get(10, b""),
        read_write_root=values.get(11, b""),
        timestamp=timestamp,
        proposer=read_member(proposer) if proposer else None,
        signature=values.get(15, b""),
        hashed=without(data, spans, 5, 15),
    )
    for value, sizes in (
        (header.block_hash, (32,)),
        (header.parent_hash, (32,) if height else (0,)),
        (header.transaction_root, (0, 32)),
    ):
        if len(value) not in sizes:
            raise HeaderFieldInvalid("A hash of the header has another size.", expected=sizes[-1], found=value)
    return header


@lru_cache(maxsize=1024)
def read_member(data: bytes) -> Member:
    """Reads an `accesscontrol.Member`; the same few sign every block, so the newest are remembered.

    Raises:
        HeaderFieldInvalid: It is larger than any certificate makes it; what is remembered stays small.
        ProtobufRefused: It is no such message.
    """
    if len(data) > MAXIMUM_MEMBER_SIZE:
        raise HeaderFieldInvalid("A member is too large.", expected=MAXIMUM_MEMBER_SIZE, found=len(data))
    values = read_flat(data, MEMBER)[0]
    return Member(as_text(values.get(1, b""), 1), values.get(2, 0), values.get(3, b""))


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
    told, items = read_flat(data, VOTE_SET)
    entries = [entry for number, entry in items if number == 6]
    if len(entries) > MAXIMUM_NODES:
        raise ProtobufFieldInvalid("There are more votes than nodes.", expected=MAXIMUM_NODES, found=len(entries))
    votes: dict[str, Vote] = {}
    for entry in entries:
        values = read_flat(entry, PAIR)[0]
        name = as_text(values.get(1, b""), 1)
        if name in votes:
            raise VoteDuplicate("Two votes stand under one name.", found=name)
        votes[name] = _read_vote(values.get(2, b""))
    return VoteSet(told.get(3, 0), tuple(votes.items()))


def _read_vote(data: bytes) -> Vote:
    spans: Spans = {}
    values, _ = read_flat(data, VOTE, spans)
    endorsement = read_flat(values.get(6, b""), PAIR)[0]
    return Vote(
        values.get(1, 0),
        as_text(values.get(2, b""), 2),
        values.get(3, 0),
        values.get(4, 0),
        values.get(5, b""),
        read_member(endorsement.get(1, b"")),
        endorsement.get(2, b""),
        without(data, spans, 6),
    )
