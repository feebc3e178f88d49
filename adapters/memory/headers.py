"""Headers of the in-process ledger: an Ethereum header, sealed by local validators in QBFT form, by one in Clique form, or by nobody.

Source: hyperledger/besu, QbftExtraDataCodec (extra data) and BftBlockHashing (the block hash leaves out seals and round);
EIP-225 (Clique); Ethereum Yellow Paper, section 4.3 (fields, bloom filter).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from light_clients import rlp
from light_clients.crypto.secp256k1 import address_of, sign_seal
from schemas.suites import keccak256

_UNCLES = keccak256(b"\xc0")
_VANITY = b"relayhub memory ledger".ljust(32, b"\x00")
_MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""The mixHash by which a BFT header is known."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header as it is passed on, and its hash (32 bytes)."""

    encoded: bytes
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What a header says of its block.

    Attributes:
        parent_hash: 32 bytes.
        state_root: 32 bytes.
        transactions: hashes of its transactions.
        bloom_items: addresses and topics of its logs.
        height: number of the block.
        gas_limit: gas that a block may use.
        gas_used: gas that it used.
        timestamp: Unix seconds.
    """

    parent_hash: bytes
    state_root: bytes
    transactions: tuple[bytes, ...]
    bloom_items: frozenset[bytes]
    height: int
    gas_limit: int
    gas_used: int
    timestamp: int


def make_header(content: Content, validator_keys: Sequence[bytes]) -> Header:
    """Make a header; without keys nobody seals it and its hash is that of the whole."""
    keys = sorted(validator_keys, key=address_of)
    validators = [address_of(key) for key in keys]
    proposer = validators[content.height % len(validators)] if validators else bytes(20)

    def encoded(extra: bytes) -> bytes:
        return _encoded(content, proposer, 1, extra, _MIX_HASH)

    if not keys:
        whole = encoded(_VANITY)
        return Header(whole, keccak256(whole))
    unsealed = encoded(_extra(validators, []))
    seals: list[rlp.RlpItem] = [sign_seal(key, keccak256(unsealed)) for key in keys] if content.height else []
    return Header(encoded(_extra(validators, seals)), keccak256(unsealed))


def make_clique_header(content: Content, validator_keys: Sequence[bytes]) -> Header:
    """Make a header that the signer seals whose turn it is; the first block lists the signers and has no seal."""
    keys = sorted(validator_keys, key=address_of)
    key = keys[content.height % len(keys)]
    listed = b"" if content.height else b"".join(map(address_of, keys))

    def encoded(seal: bytes) -> bytes:
        return _encoded(content, bytes(20), 2, _VANITY + listed + seal, bytes(32))

    whole = encoded(sign_seal(key, keccak256(encoded(b""))) if content.height else bytes(65))
    return Header(whole, keccak256(whole))


def _encoded(content: Content, coinbase: bytes, difficulty: int, extra: bytes, mix_hash: bytes) -> bytes:
    before: list[rlp.RlpItem] = [
        content.parent_hash,
        _UNCLES,
        coinbase,
        content.state_root,
        keccak256(b"".join(content.transactions)),
        keccak256(b"receipts" + b"".join(content.transactions)),
        bloom(content.bloom_items),
    ]
    numbers = (difficulty, content.height, content.gas_limit, content.gas_used, content.timestamp)
    encoded_items = [
        *map(rlp.encode, before),
        *map(rlp.encode_integer, numbers),
        *map(rlp.encode, (extra, mix_hash, bytes(8))),
    ]
    return rlp.encode_list(encoded_items)


def _extra(validators: Sequence[bytes], seals: list[rlp.RlpItem]) -> bytes:
    """Vanity, validators, no vote, round 0, seals."""
    return rlp.encode([_VANITY, list(validators), [], b"", seals])


def bloom(items: Iterable[bytes]) -> bytes:
    """The filter of 256 bytes over addresses and topics: three bits each."""
    bits = 0
    for item in items:
        digest = keccak256(item)
        for index in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[index : index + 2], "big") & 2047)
    return bits.to_bytes(256, "big")
