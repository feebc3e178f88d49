"""Reading blocks (Fabric 3.1 `fabric-protos/common`, `protoutil/blockutils.go`).

A header that is given to `verify_header` or `bootstrap` is a whole `common.Block` as an orderer or a peer delivers it: its
header, every envelope, and the metadata with the orderers' signatures. Envelopes cannot be left out: the data hash is flat,
and whether a block changes the configuration only its envelopes show. What a peer adds to the metadata (the validity filter,
the commit hash) is read over: nobody signs it.

The block hash is SHA-256 of the DER of SEQUENCE{INTEGER number, OCTET STRING previous hash, OCTET STRING data hash}.

How a claim is proved, and what a gateway's chaincode must do for it:
- The head of (lane, direction) lies under the key `head~<direction>~<lane id in 64 lower-case hexadecimal digits>`, direction
  0 or 1 in decimal; its value is the raw 32 bytes, put once a transaction, never deleted. Nothing else is under the key.
- The chaincode's function `head` takes two arguments, the lane id in 64 lower-case hexadecimal digits and the direction in
  decimal; it reads that key alone, writes nothing, and answers the 32 bytes with status 200. The `peer`'s own read of the
  definition (`_lifecycle`, `namespaces/fields/<chaincode>/Sequence`) stands in every read set, put there by Fabric.
- A transaction that moves a head names the gateway itself in its proposal, and no other chaincode.
- Evidence (`types.FabricEvidence`) is the block of the newest transaction that moved the head, the headers after it up to the
  claim's block, and the read, asked of a peer of each organisation with one and the same signed proposal.
- `claim.height` and `claim.block_hash` are any block that the client accepted, from that of the transaction on; usually the
  block of the transaction itself. The head that is shown is the newest; an older one is a prefix, as with a storage slot.

Reading checks:
1. The block is at most 104 MiB, a little over the largest that Fabric's defaults allow, with no more than 200,000 envelopes.
2. Its hashes are 32 bytes; only the first block has no previous hash.
3. The metadata, where they stand, can be read; at most 256 signatures.
"""

from __future__ import annotations

import hashlib

from light_clients.errors import HeaderFieldInvalid, HeaderTooLarge, ProtobufRefused, SealsTooMany
from light_clients.fabric.errors import DataHashMismatch
from light_clients.fabric.types import BlockSignature, FabricBlock
from light_clients.protobuf import Message
from schemas.primitives import BlockHash

MAXIMUM_BLOCK_SIZE = 104 * 1024 * 1024
"""Bytes; `AbsoluteMaxBytes` is 99 MB by default, and a message of gRPC at most 100 MB."""

MAXIMUM_SIGNATURES = 256
"""In one block."""

HASH_SIZE = 32

CONFIG, CONFIG_UPDATE, ENDORSER_TRANSACTION = 1, 2, 3
"""Types of a channel header (`common.HeaderType`)."""

SIGNATURES_INDEX = 0
"""Place of the orderers' signatures among the metadata (`common.BlockMetadataIndex`)."""


def read_block(data: bytes) -> FabricBlock:
    """Reads a block; nothing of it is judged.

    Args:
        data: `common.Block`.

    Returns:
        Its header with the hash, its envelopes and the orderers' signatures.

    Raises:
        HeaderTooLarge: It is larger than any block.
        HeaderFieldInvalid: A hash is of another size.
        SealsTooMany: It has more signatures than any block.
        ProtobufRefused: It is no block.
    """
    # 1. Size.
    if len(data) > MAXIMUM_BLOCK_SIZE:
        raise HeaderTooLarge("The block is too large.", expected=MAXIMUM_BLOCK_SIZE, found=len(data))
    block = Message.read(data, (1, 2, 3))
    envelopes = Message.read(block.octets(2), (1,)).repeated(1)
    # 2. The header.
    height, previous_hash, data_hash = read_header(block.octets(1))
    header = header_der(height, previous_hash, data_hash)
    # 3. The signatures.
    metadata = Message.read(block.octets(3), (1,)).repeated(1)
    signed = Message.read(metadata[SIGNATURES_INDEX] if metadata else b"", (1, 2))
    value = signed.octets(1)
    last_config = Message.read(Message.read(value, (1, 2)).octets(1), (1,)).integer(1)
    signatures = signed.repeated(2)
    if len(signatures) > MAXIMUM_SIGNATURES:
        raise SealsTooMany("The block has too many signatures.", expected=MAXIMUM_SIGNATURES, found=len(signatures))
    return FabricBlock(
        height=height,
        previous_hash=previous_hash,
        data_hash=data_hash,
        envelopes=envelopes,
        skimmed=tuple(skim_envelope(envelope) for envelope in envelopes),
        header=header,
        block_hash=BlockHash(hashlib.sha256(header).digest()),
        signed_value=value,
        last_config=last_config,
        signatures=tuple(_read_signature(item) for item in signatures),
    )


def read_header(data: bytes) -> tuple[int, bytes, bytes]:
    """Reads a header.

    Args:
        data: `common.BlockHeader`.

    Returns:
        The number, the previous hash and the data hash.

    Raises:
        HeaderFieldInvalid: A hash is of another size.
        ProtobufRefused: It is no header.
    """
    message = Message.read(data, (1, 2, 3))
    height, previous_hash, data_hash = message.integer(1), message.octets(2), message.octets(3)
    if len(previous_hash) != (HASH_SIZE if height else 0):
        raise HeaderFieldInvalid("The previous hash is of the wrong size.", expected=HASH_SIZE, found=previous_hash)
    if len(data_hash) != HASH_SIZE:
        raise HeaderFieldInvalid("The data hash is not 32 bytes.", expected=HASH_SIZE, found=data_hash)
    return height, previous_hash, data_hash


def header_der(height: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    """What is hashed and signed of a header (X.690, section 10).

    Args:
        height: Number of the block.
        previous_hash: Empty or 32 bytes.
        data_hash: 32 bytes.
    """
    number = height.to_bytes(height.bit_length() // 8 + 1, "big")
    return _der(0x30, _der(0x02, number) + _der(0x04, previous_hash) + _der(0x04, data_hash))


def hash_data(envelopes: tuple[bytes, ...]) -> bytes:
    """The data hash: SHA-256 over all envelopes, one after the other; there is no tree.

    Args:
        envelopes: In order.
    """
    hasher = hashlib.sha256()
    for envelope in envelopes:
        hasher.update(envelope)
    return hasher.digest()


def check_data(block: FabricBlock) -> None:
    """Checks that the envelopes of a block are those of its header.

    Raises:
        DataHashMismatch: They have another hash.
    """
    found = hash_data(block.envelopes)
    if found != block.data_hash:
        raise DataHashMismatch("The envelopes have another hash.", expected=block.data_hash, found=found)


def skim_envelope(envelope: bytes) -> tuple[int, int]:
    """Type and time of an envelope that is hashed but not judged.

    What cannot be read is of type 0 and time 0: a client may put an envelope into a block that Fabric's readers accept and
    strict ones do not, and must not be able to stop anybody with it. An orderer that hid a configuration so would be found by
    the index of the last configuration in the next block.

    Args:
        envelope: `common.Envelope`.

    Returns:
        The type of its channel header and its time, Unix seconds.
    """
    try:
        header = _channel_header(envelope)
        return header.integer(1), max(0, Message.read(header.octets(3)).signed(1))
    except ProtobufRefused:
        return 0, 0


def skim_channel(envelope: bytes) -> str:
    """Name of the channel of an envelope that is hashed but not judged; empty where it cannot be read, as in `skim_envelope`.

    Args:
        envelope: `common.Envelope`.
    """
    try:
        return _channel_header(envelope).text(4)
    except ProtobufRefused:
        return ""


def _channel_header(envelope: bytes) -> Message:
    payload = Message.read(Message.read(envelope).octets(1))
    return Message.read(Message.read(payload.octets(1)).octets(1))


def _read_signature(data: bytes) -> BlockSignature:
    message = Message.read(data, (1, 2, 3))
    return BlockSignature(message.octets(1), message.octets(2), message.octets(3))


def _der(tag: int, content: bytes) -> bytes:
    """One element; no content here is longer than 127 bytes."""
    return bytes((tag, len(content))) + content
