"""Canonical bytes of CometBFT: what is hashed and what is signed (CometBFT specification, Encoding; `types/canonical.go`).

The text of both is the same from 0.34 to 1.0.
"""

from __future__ import annotations

from light_clients.cometbft.types import BlockId
from light_clients.proofs.tendermint_merkle import merkle_root
from light_clients.protobuf import (
    delimited,
    integer_field,
    message_field,
    octets_field,
    sfixed64_field,
    text_field,
    varint,
)

PRECOMMIT = 2
"""The type of the votes in a commit."""

ZERO_TIME_SECONDS = -62_135_596_800
"""Go's time zero, the first second of the year 1: what an absent vote has."""


def timestamp_bytes(seconds: int, nanos: int) -> bytes:
    """A google.protobuf.Timestamp.

    Args:
        seconds: Unix seconds, negative before 1970.
        nanos: 0 to 999,999,999.
    """
    return integer_field(1, seconds) + integer_field(2, nanos)


def block_id_bytes(block_id: BlockId) -> bytes:
    """A BlockID or CanonicalBlockID; its part set header is written even where it is empty."""
    parts = integer_field(1, block_id.parts_total) + octets_field(2, block_id.parts_hash)
    return octets_field(1, block_id.block_hash) + message_field(2, parts)


def header_hash(
    version: tuple[int, int],
    chain_id: str,
    height: int,
    timestamp: bytes,
    last_block_id: bytes,
    fields: tuple[bytes, ...],
) -> bytes:
    """The hash of a header: the root over its fourteen fields.

    Args:
        version: Of the block protocol and of the application.
        chain_id: Name of the chain.
        height: Number of the block.
        timestamp: As `timestamp_bytes` writes it.
        last_block_id: As `block_id_bytes` writes it.
        fields: The nine hashes and addresses that follow: last commit, data, validators, next validators, consensus, app,
            last results, evidence, proposer's address.

    Returns:
        32 bytes.
    """
    return merkle_root(
        [
            integer_field(1, version[0]) + integer_field(2, version[1]),
            text_field(1, chain_id),
            integer_field(1, height),
            timestamp,
            last_block_id,
            *(octets_field(1, field) for field in fields),
        ]
    )


class SignBytes:
    """What each validator of a commit signed; only its time differs from one to the next."""

    __slots__ = ("_after", "_before")

    def __init__(self, vote_type: int, height: int, round_: int, block_id: BlockId | None, chain_id: str) -> None:
        """Prepares the parts that all votes share.

        Args:
            vote_type: 2 for a precommit.
            height: Of the block.
            round_: Of consensus.
            block_id: What is voted for; ``None`` in a vote for no block.
            chain_id: Name of the chain.
        """
        named = b"" if block_id is None else message_field(4, block_id_bytes(block_id))
        self._before = integer_field(1, vote_type) + sfixed64_field(2, height) + sfixed64_field(3, round_) + named
        self._after = text_field(6, chain_id)

    def at(self, timestamp: bytes) -> bytes:
        """What a validator signed at a time, with its length before it.

        Args:
            timestamp: As `timestamp_bytes` writes it.
        """
        return delimited(b"".join((self._before, b"\x2a", varint(len(timestamp)), timestamp, self._after)))
