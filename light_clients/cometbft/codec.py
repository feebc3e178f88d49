"""Reading headers, commits and sets of CometBFT from their own protobuf (`proto/tendermint/types/types.proto`, `validator.proto`).

A header is given as a bundle, the form of ibc-go's `ibc.lightclients.tendermint.v1.Header`:
{1 signed header {1 header, 2 commit}, 2 validator set, 3 trusted height {2 height}, 4 trusted validators}. Fields 3 and 4 are
needed only where heights are skipped and the set has changed; at bootstrap the header alone is enough.

Reading checks:
1. Sizes are bounded; numbers are as short as they can be, fields in ascending order, each once.
2. A header has a chain's name of 1 to 50 bytes, a height of at least 1, a time from 1970 to 9999; hashes are empty or of 32 bytes,
   those of the validators and the block's own parent never of another length; the proposer's address has 20 bytes.
3. A vote has a flag; where it is not absent an address of 20 bytes, a time and a signature of 64 bytes.
4. A validator has an address that is the one of its key, of ed25519 or secp256k1, and a power; no address stands twice. The
   proposer and the priorities that stand beside a set are not part of its hash, and are not read.

Votes and validators come in thousands, so they are read by a pattern of their one canonical form.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import new, sha256

from light_clients.cometbft.encoding import block_id_bytes, header_hash, timestamp_bytes
from light_clients.cometbft.errors import CommitMalformed, ValidatorSetMalformed
from light_clients.cometbft.types import (
    ABSENT,
    MAXIMUM_TOTAL_POWER,
    MAXIMUM_VALIDATORS,
    NANOSECONDS,
    BlockId,
    CometbftHeader,
    Commit,
    LightBlock,
    Validator,
    ValidatorSet,
    Vote,
)
from light_clients.errors import HeaderFieldInvalid, HeaderTooLarge
from light_clients.proofs.tendermint_merkle import merkle_root
from light_clients.protobuf import Message, read_varint
from schemas.primitives import BlockHash

MAXIMUM_BUNDLE_SIZE = 4 * 1024 * 1024
"""Bytes; two sets and a commit of 10,000 validators take about 2.7 MiB."""

MAXIMUM_CHAIN_ID_SIZE = 50
"""Bytes (CometBFT, `MaxChainIDLen`)."""

MAXIMUM_APP_HASH_SIZE = 64
"""Bytes; an application may choose its own, and those whose state can be proved have 32."""

LAST_SECOND = 253_402_300_799
"""The end of the year 9999, the last that a Timestamp may name."""

HASH_SIZE, ADDRESS_SIZE, ED25519_KEY_SIZE = 32, 20, 32

_NUMBER = rb"(?:[\x01-\x7f]|[\x80-\xff]{1,9}[\x01-\x7f])"

_VOTE = re.compile(
    rb"\x22.\x08([\x02\x03])\x12\x14(.{20})\x1a(.)((?:\x08"
    + _NUMBER
    + rb")?(?:\x10"
    + _NUMBER
    + rb")?)\x22\x40(.{64})",
    re.DOTALL,
)
_ABSENT_VOTE = re.compile(rb"\x22.\x08\x01(?:\x1a\x0b\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01)?", re.DOTALL)

_VALIDATOR = re.compile(
    rb"\x0a.\x0a\x14(.{20})\x12(\x22\x0a\x20(.{32})|\x23\x12\x21(.{33}))\x18("
    + _NUMBER
    + rb")(?:\x20"
    + _NUMBER
    + rb")?",
    re.DOTALL,
)


def read_bundle(data: bytes) -> LightBlock:
    """Reads a bundle; the list of checks is the module's.

    Args:
        data: A bundle as the module says.

    Returns:
        Its parts, not yet judged.

    Raises:
        HeaderTooLarge: It is larger than any bundle.
        HeaderRefused: A part is malformed, by its name.
        ProtobufRefused: It is not canonical protobuf.
    """
    if len(data) > MAXIMUM_BUNDLE_SIZE:
        raise HeaderTooLarge("The bundle is too large.", expected=MAXIMUM_BUNDLE_SIZE, found=len(data))
    bundle = Message.read(data, (1, 2, 3, 4), ordered=True)
    signed = Message.read(bundle.octets(1), (1, 2), ordered=True)
    trusted = Message.read(bundle.octets(3), (1, 2), ordered=True)
    return LightBlock(
        read_header(signed.octets(1)),
        read_commit(signed.octets(2)) if signed.has(2) else None,
        read_validator_set(bundle.octets(2)) if bundle.has(2) else None,
        trusted.integer(2),
        read_validator_set(bundle.octets(4)) if bundle.has(4) else None,
    )


def read_header(data: bytes) -> CometbftHeader:
    """Reads a header and hashes it.

    Args:
        data: Protobuf of a Header.

    Raises:
        HeaderFieldInvalid: A field is not what a header has.
        ProtobufRefused: It is not canonical protobuf.
    """
    message = Message.read(data, range(1, 15), ordered=True)
    version = Message.read(message.octets(1), (1, 2), ordered=True)
    height, chain_id = message.integer(3), message.text(2)
    if not 1 <= height < 2**63:
        raise HeaderFieldInvalid("A height is at least 1.", found=height)
    if not 1 <= len(chain_id.encode()) <= MAXIMUM_CHAIN_ID_SIZE:
        raise HeaderFieldInvalid("The name of a chain has 1 to 50 bytes.", found=chain_id[:100])
    seconds, nanos = _read_timestamp(message.octets(4))
    if seconds < 0:
        raise HeaderFieldInvalid("The time of a header is not before 1970.", found=seconds)
    parent = _read_block_id(message.octets(5), HeaderFieldInvalid)
    fields = tuple(message.octets(number) for number in range(6, 15))
    for number, field in enumerate(fields[:8], 6):
        # The hash of the application is opaque; those of the sets are always there.
        if number != 11 and len(field) not in ((HASH_SIZE,) if number in (8, 9) else (0, HASH_SIZE)):
            raise HeaderFieldInvalid(f"Field {number} of a header is no hash.", found=field[:64])
    if len(fields[5]) > MAXIMUM_APP_HASH_SIZE:
        raise HeaderFieldInvalid("The hash of the application is too long.", found=len(fields[5]))
    if len(fields[8]) != ADDRESS_SIZE:
        raise HeaderFieldInvalid("The proposer's address has 20 bytes.", found=fields[8][:64])
    hashed = header_hash(
        (version.integer(1), version.integer(2)),
        chain_id,
        height,
        timestamp_bytes(seconds, nanos),
        block_id_bytes(parent),
        fields,
    )
    return CometbftHeader(
        block_version=version.integer(1),
        chain_id=chain_id,
        height=height,
        time_ns=seconds * NANOSECONDS + nanos,
        validators_hash=fields[2],
        next_validators_hash=fields[3],
        app_hash=fields[5],
        block_hash=BlockHash(hashed),
    )


def read_commit(data: bytes) -> Commit:
    """Reads a commit.

    Args:
        data: Protobuf of a Commit.

    Raises:
        CommitMalformed: It is not one, or not written canonically.
        ProtobufRefused: Its head is not canonical protobuf.
    """
    height, offset = _number(data, 0, b"\x08")
    round_, offset = _number(data, offset, b"\x10")
    if data[offset : offset + 1] != b"\x1a":
        raise CommitMalformed("A commit names its block.")
    size, offset = read_varint(data, offset + 1)
    block_id = _read_block_id(data[offset : offset + size], CommitMalformed)
    if not 1 <= height < 2**63 or round_ >= 2**31 or offset + size > len(data):
        raise CommitMalformed("The height or the round of a commit cannot be, or it is cut off.", found=height)
    return Commit(height, round_, block_id, _read_votes(data, offset + size))


def _read_votes(data: bytes, offset: int) -> tuple[Vote, ...]:
    votes: list[Vote] = []
    read_vote, size = _VOTE.match, len(data)
    while offset < size:
        read = read_vote(data, offset)
        if read is None:
            read = _ABSENT_VOTE.match(data, offset)
            if read is None:
                raise CommitMalformed("A vote is not written canonically, or is none.", found=len(votes))
            votes.append(Vote(ABSENT, b"", b"", b""))
        else:
            flag, address, length, timestamp, signature = read.groups()
            if length[0] != len(timestamp):
                raise CommitMalformed("The time of a vote has another length than it says.", found=len(votes))
            votes.append(Vote(flag[0], address, timestamp, signature))
        end = read.end()
        if data[offset + 1] != end - offset - 2 or len(votes) > MAXIMUM_VALIDATORS:
            raise CommitMalformed("A vote has another length than it says, or there are too many.", found=len(votes))
        offset = end
    return tuple(votes)


@lru_cache(maxsize=16)
def read_validator_set(data: bytes) -> ValidatorSet:
    """Reads a set of validators; the same set stands in one bundle after another, so the newest are remembered.

    Args:
        data: Protobuf of a ValidatorSet {1 validators, 2 proposer, 3 total power}.

    Raises:
        ValidatorSetMalformed: It is not one, or not written canonically.
        ProtobufRefused: What follows the validators is not canonical protobuf.
    """
    members: list[Validator] = []
    leaves: list[bytes] = []
    offset, size, total = 0, len(data), 0
    while offset < size and data[offset] == 0x0A:
        read = _VALIDATOR.match(data, offset)
        end = read.end() if read else 0
        if read is None or data[offset + 1] != end - offset - 2:
            raise ValidatorSetMalformed(
                "A validator is not written canonically, or has a key other than ed25519 and secp256k1.",
                found=len(members),
            )
        address, key, ed25519_key, secp256k1_key, power = read.groups()
        owner = ed25519_address(ed25519_key) if ed25519_key else secp256k1_address(secp256k1_key)
        if owner != address:
            raise ValidatorSetMalformed("An address is not the one of its key.", expected=owner, found=address)
        number = read_varint(power, 0)[0]
        total += number
        members.append(Validator(address, ed25519_key or secp256k1_key, number))
        leaves.append(b"\x0a" + key + b"\x10" + power)
        offset = end
    Message.read(data[offset:], (2, 3), ordered=True)
    if not 1 <= len(members) <= MAXIMUM_VALIDATORS or total > MAXIMUM_TOTAL_POWER:
        raise ValidatorSetMalformed("A set has 1 to 10,000 validators, and a bounded power.", found=len(members))
    if len({member.address for member in members}) != len(members):
        raise ValidatorSetMalformed("A validator stands twice in a set.", found=len(members))
    return ValidatorSet(tuple(members), merkle_root(leaves), total)


def ed25519_address(key: bytes) -> bytes:
    """The address of a key of ed25519: 20 bytes of its SHA-256."""
    return sha256(key).digest()[:ADDRESS_SIZE]


def secp256k1_address(key: bytes) -> bytes:
    """The address of a key of secp256k1: RIPEMD-160 of its SHA-256, as Bitcoin's; 20 bytes."""
    return new("ripemd160", sha256(key).digest()).digest()


def _number(data: bytes, offset: int, tag: bytes) -> tuple[int, int]:
    if data[offset : offset + 1] != tag:
        return 0, offset
    return read_varint(data, offset + 1)


def _read_timestamp(data: bytes) -> tuple[int, int]:
    message = Message.read(data, (1, 2), ordered=True)
    seconds, nanos = message.signed(1), message.integer(2)
    if seconds > LAST_SECOND or nanos >= NANOSECONDS:
        raise HeaderFieldInvalid("A time is after the year 9999, or has too many nanoseconds.", found=seconds)
    return seconds, nanos


def _read_block_id(data: bytes, refusal: type[HeaderFieldInvalid | CommitMalformed]) -> BlockId:
    message = Message.read(data, (1, 2), ordered=True)
    parts = Message.read(message.octets(2), (1, 2), ordered=True)
    block_id = BlockId(message.octets(1), parts.integer(1), parts.octets(2))
    lengths = {len(block_id.block_hash), len(block_id.parts_hash)}
    if not lengths <= {0, HASH_SIZE} or block_id.parts_total >= 2**32:
        raise refusal("What names a block has a hash of another length.", found=block_id.block_hash[:64])
    return block_id
