"""BLS signatures over BLS12-381 with keys in G1, as Ethereum's consensus layer uses them (the library is arkworks).

Sources: draft-irtf-cfrg-bls-signature-05, sections 2.5 (KeyValidate), 2.7 to 2.9 and 3.3 (proof of possession); the
encoding of points is the one of draft-irtf-cfrg-pairing-friendly-curves-11, appendix C; Ethereum consensus
specifications, phase0, section BLS signatures.

The library takes encodings that the drafts refuse: infinity with other bits set, for one. So every encoding is checked
here before it is handed over, and a key is refused where it is infinity or outside the subgroup, when it is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from light_clients.crypto.errors import PublicKeyInvalid
from light_clients.errors import SignatureInvalid, SignatureLength

PUBLIC_KEY_SIZE = 48
SIGNATURE_SIZE = 96
FIELD: Final = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001

PROOF_OF_POSSESSION: Final = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
"""The suite of Ethereum: whoever enters a set has proved to know its key, so that keys may be summed."""

BASIC: Final = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_"
"""The suite without such a proof: an aggregate is safe over distinct messages only (section 3.1 of the draft)."""

INFINITY_KEY: Final = b"\xc0" + bytes(47)
INFINITY_SIGNATURE: Final = b"\xc0" + bytes(95)

_COMPRESSED, _INFINITY, _FLAGS = 0x80, 0x40, 0xE0
_NEGATED_GENERATOR: Final = -G1Point()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that was decoded and validated: on the curve, in the subgroup, not infinity.

    Attributes:
        encoded: 48 bytes, compressed.
        point: The library's point.
    """

    encoded: bytes
    point: G1Point = field(compare=False, repr=False)


def decode_public_key(data: bytes) -> PublicKey:
    """Decode and validate a key.

    Args:
        data: 48 bytes, compressed.

    Returns:
        The key.

    Raises:
        PublicKeyInvalid: The bytes are not the one encoding of a point of the subgroup other than infinity.
    """
    if data == INFINITY_KEY:
        raise PublicKeyInvalid("A BLS key is not infinity.", found=data)
    if not _is_canonical(data, PUBLIC_KEY_SIZE):
        raise PublicKeyInvalid("A BLS key is 48 bytes in the compressed form.", found=data)
    try:
        return PublicKey(data, G1Point.from_compressed_bytes(data))
    except ValueError as error:
        raise PublicKeyInvalid("A BLS key is a point of the subgroup.", found=data) from error


def decode_public_keys(data: Sequence[bytes]) -> tuple[PublicKey, ...]:
    """Decode and validate a committee; 512 keys cost about 30 ms, so the answer is worth keeping.

    Args:
        data: 48 bytes each, compressed.

    Returns:
        The keys, in order.

    Raises:
        PublicKeyInvalid: A key is not the one encoding of a point of the subgroup other than infinity.
    """
    return tuple(decode_public_key(key) for key in data)


def verify(key: PublicKey, message: bytes, signature: bytes, *, suite: bytes = PROOF_OF_POSSESSION) -> bool:
    """Tell whether a key signed a message.

    Args:
        key: A validated key.
        message: Any bytes.
        signature: 96 bytes, compressed.
        suite: The name of the suite, which separates its hashes from those of others.

    Returns:
        True for a valid signature, False for anything else.
    """
    return fast_aggregate_verify((key,), message, signature, suite=suite)


def fast_aggregate_verify(
    keys: Sequence[PublicKey], message: bytes, signature: bytes, *, suite: bytes = PROOF_OF_POSSESSION
) -> bool:
    """Tell whether all of these keys signed one message; the possession of each has to be proved elsewhere.

    Args:
        keys: Validated keys; none is no signature.
        message: Any bytes.
        signature: 96 bytes, compressed: the sum of the signatures.
        suite: The name of the suite.

    Returns:
        True for a valid signature, False for anything else, a sum of keys that is infinity included.
    """
    if not keys:
        return False
    total = sum((key.point for key in keys[1:]), keys[0].point)
    if bytes(total.to_compressed_bytes()) == INFINITY_KEY:
        return False
    return _pair([total], [message], signature, suite)


def aggregate_verify(
    keys: Sequence[PublicKey], messages: Sequence[bytes], signature: bytes, *, suite: bytes = PROOF_OF_POSSESSION
) -> bool:
    """Tell whether each of these keys signed the message at its place; in the suite `BASIC` messages must be distinct.

    Args:
        keys: Validated keys; none is no signature.
        messages: As many messages as keys.
        signature: 96 bytes, compressed: the sum of the signatures.
        suite: The name of the suite.

    Returns:
        True for a valid signature, False for anything else.
    """
    if not keys or len(keys) != len(messages) or (suite == BASIC and len(set(messages)) != len(messages)):
        return False
    return _pair([key.point for key in keys], messages, signature, suite)


def sign(private_key: bytes, message: bytes, *, suite: bytes = PROOF_OF_POSSESSION) -> bytes:
    """Sign a message; for development ledgers and tests.

    Args:
        private_key: 32 bytes.
        message: Any bytes.
        suite: The name of the suite.

    Returns:
        96 bytes, compressed.

    Raises:
        SignatureLength: The key is not 32 bytes.
        SignatureInvalid: The key is zero or not below the group order.
    """
    return bytes((G2Point.hash_to_curve(message, suite) * _scalar(private_key)).to_compressed_bytes())


def public_key_of(private_key: bytes) -> PublicKey:
    """The public key of a private key.

    Args:
        private_key: 32 bytes.

    Returns:
        The key.

    Raises:
        SignatureLength: The key is not 32 bytes.
        SignatureInvalid: The key is zero or not below the group order.
    """
    point = G1Point() * _scalar(private_key)
    return PublicKey(bytes(point.to_compressed_bytes()), point)


def aggregate(signatures: Sequence[bytes]) -> bytes:
    """The sum of signatures.

    Args:
        signatures: 96 bytes each, compressed; at least one.

    Returns:
        96 bytes, compressed.

    Raises:
        SignatureInvalid: There is none, or one is not the one encoding of a point of the subgroup.
    """
    if not signatures:
        raise SignatureInvalid("There is no signature to add up.")
    points = [_signature(signature) for signature in signatures]
    return bytes(sum(points[1:], points[0]).to_compressed_bytes())


def hash_to_g2(message: bytes, tag: bytes) -> bytes:
    """Hash a message to a point (RFC 9380, section 8.8.2, BLS12381G2_XMD:SHA-256_SSWU_RO_).

    Args:
        message: Any bytes.
        tag: The domain separation tag.

    Returns:
        96 bytes, compressed.
    """
    return bytes(G2Point.hash_to_curve(message, tag).to_compressed_bytes())


def _pair(keys: list[G1Point], messages: Sequence[bytes], signature: bytes, suite: bytes) -> bool:
    """Whether the product of e(key, H(message)) is e(generator, signature)."""
    try:
        point = _signature(signature)
    except SignatureInvalid:
        return False
    hashes = [G2Point.hash_to_curve(message, suite) for message in messages]
    return bool(GT.pairing_check([*keys, _NEGATED_GENERATOR], [*hashes, point]))


def _signature(data: bytes) -> G2Point:
    if not _is_canonical(data, SIGNATURE_SIZE) and data != INFINITY_SIGNATURE:
        raise SignatureInvalid("A BLS signature is 96 bytes in the compressed form.", found=data)
    try:
        return G2Point.from_compressed_bytes(data)
    except ValueError as error:
        raise SignatureInvalid("A BLS signature is a point of the subgroup.", found=data) from error


def _is_canonical(data: bytes, size: int) -> bool:
    """Whether these are the flags of a compressed point that is not infinity, and coordinates inside the field."""
    if len(data) != size or data[0] & (_COMPRESSED | _INFINITY) != _COMPRESSED:
        return False
    parts = (bytes((data[0] & ~_FLAGS,)) + data[1:48], *((data[48:],) if size == SIGNATURE_SIZE else ()))
    return all(int.from_bytes(part, "big") < FIELD for part in parts)


def _scalar(private_key: bytes) -> Scalar:
    if len(private_key) != 32:
        raise SignatureLength("A private key has 32 bytes.", expected=32, found=len(private_key))
    if not 0 < int.from_bytes(private_key, "big") < ORDER:
        raise SignatureInvalid("A private key is not zero and below the group order.")
    return Scalar.from_be_bytes(private_key)
