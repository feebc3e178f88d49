"""secp256k1: sign a digest, recover the address that signed it (SEC 1 v2, section 4.1.6), verify; the library is coincurve.

Two forms travel: attestations and transactions end in v = 27 or 28 and must be low-s, so that one signature has one
encoding; seals of a header (Besu and GoQuorum QBFT) end in v = 0 or 1. The ledgers accept a high s in a seal, and a seal
is no part of a block hash and is counted by its signer, so a light client accepts it too.
"""

from __future__ import annotations

from functools import lru_cache

from coincurve import PrivateKey, PublicKey

from light_clients.crypto.der import signature_to_der
from light_clients.errors import SignatureHighS, SignatureInvalid, SignatureLength, SignatureRecoveryId
from schemas.suites import keccak256

SIGNATURE_SIZE = 65
"""r (32 bytes), s (32 bytes), v (1 byte)."""

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ORDER_BYTES = ORDER.to_bytes(32, "big")
"""The order of the group (SEC 2 v2, section 2.4.1)."""

HALF_ORDER = (ORDER // 2).to_bytes(32, "big")
"""Half of the group order, rounded down: the largest low s."""

KEY_FORMS = {(33, b"\x02"), (33, b"\x03"), (65, b"\x04")}
"""Length and first byte of a public key; the hybrid form of X9.62 (0x06, 0x07) is refused."""


def sign(private_key: bytes, digest: bytes) -> bytes:
    """Signs a digest, deterministically (RFC 6979).

    Args:
        private_key: 32 bytes.
        digest: 32 bytes, signed as they are.

    Returns:
        65 bytes: r, s (low) and v = 27 or 28.

    Raises:
        SignatureLength: The key or the digest is not 32 bytes.
        SignatureInvalid: The key is zero or not below the group order.
    """
    signature = sign_seal(private_key, digest)
    return signature[:64] + bytes((signature[64] + 27,))


def sign_seal(private_key: bytes, digest: bytes) -> bytes:
    """Signs a digest as a validator seals a header.

    Args:
        private_key: 32 bytes.
        digest: 32 bytes.

    Returns:
        65 bytes: r, s (low) and v = 0 or 1.

    Raises:
        SignatureLength: The key or the digest is not 32 bytes.
        SignatureInvalid: The key is zero or not below the group order.
    """
    if len(digest) != 32:
        raise SignatureLength("A digest to sign has 32 bytes.", expected=32, found=len(digest))
    return _key(private_key).sign_recoverable(digest, hasher=None)


def address_of(private_key: bytes) -> bytes:
    """The Ethereum address of a private key.

    Args:
        private_key: 32 bytes.

    Returns:
        20 bytes.

    Raises:
        SignatureLength: The key is not 32 bytes.
        SignatureInvalid: The key is zero or not below the group order.
    """
    return keccak256(public_key_of(private_key))[12:]


def public_key_of(private_key: bytes) -> bytes:
    """The public key of a private key.

    Args:
        private_key: 32 bytes.

    Returns:
        X and Y, 64 bytes.

    Raises:
        SignatureLength: The key is not 32 bytes.
        SignatureInvalid: The key is zero or not below the group order.
    """
    return _key(private_key).public_key.format(compressed=False)[1:]


def recover_address(digest: bytes, signature: bytes) -> bytes:
    """Recovers the signer of an attestation.

    Args:
        digest: 32 bytes.
        signature: 65 bytes: r, s (low) and v = 27 or 28.

    Returns:
        The signer's address, 20 bytes.

    Raises:
        SignatureLength: The signature is not 65 bytes, or the digest not 32.
        SignatureRecoveryId: v is neither 27 nor 28.
        SignatureHighS: s is above half of the group order.
        SignatureInvalid: r or s is out of range, or no key answers to them.
    """
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureLength("A signature has 65 bytes.", expected=SIGNATURE_SIZE, found=len(signature))
    if signature[64] not in (27, 28):
        raise SignatureRecoveryId("The last byte of a signature is 27 or 28.", found=signature[64])
    if signature[32:64] > HALF_ORDER:
        raise SignatureHighS("The s of a signature is in the upper half of the group.", found=signature[32:64])
    return _recover(digest, signature[:64] + bytes((signature[64] - 27,)))


def recover_sealer(digest: bytes, seal: bytes) -> bytes:
    """Recovers the validator that sealed a header.

    Args:
        digest: 32 bytes.
        seal: 65 bytes: r, s and v = 0 or 1.

    Returns:
        The validator's address, 20 bytes.

    Raises:
        SignatureLength: The seal is not 65 bytes, or the digest not 32.
        SignatureRecoveryId: v is neither 0 nor 1.
        SignatureInvalid: r or s is out of range, or no key answers to them.
    """
    if len(seal) != SIGNATURE_SIZE:
        raise SignatureLength("A seal has 65 bytes.", expected=SIGNATURE_SIZE, found=len(seal))
    if seal[64] > 1:
        raise SignatureRecoveryId("The last byte of a seal is 0 or 1.", found=seal[64])
    return _recover(digest, seal)


def verify(public_key: bytes, digest: bytes, signature: bytes, *, allow_high_s: bool = False) -> bool:
    """Tell whether a known key signed a digest (SEC 1 v2, section 4.1.4).

    Args:
        public_key: The point, 33 bytes (compressed) or 65 (uncompressed, 0x04 first).
        digest: 32 bytes, as they are.
        signature: 64 bytes: r and s.
        allow_high_s: Whether an s above half of the group order is accepted.

    Returns:
        True for a valid signature, False for anything else.
    """
    if (len(public_key), public_key[:1]) not in KEY_FORMS or len(digest) != 32 or len(signature) != 64:
        return False
    s = signature[32:]
    if s > HALF_ORDER:
        if not allow_high_s or s >= ORDER_BYTES:
            return False
        signature = signature[:32] + (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    try:
        return _known_key(public_key).verify(signature_to_der(signature), digest, hasher=None)
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _known_key(public_key: bytes) -> PublicKey:
    return PublicKey(public_key)


def _recover(digest: bytes, signature: bytes) -> bytes:
    if len(digest) != 32:
        raise SignatureLength("A signed digest has 32 bytes.", expected=32, found=len(digest))
    try:
        public_key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except ValueError as error:
        raise SignatureInvalid("No public key can be recovered from the signature.", found=signature) from error
    return keccak256(public_key.format(compressed=False)[1:])[12:]


def _key(private_key: bytes) -> PrivateKey:
    if len(private_key) != 32:
        raise SignatureLength("A private key has 32 bytes.", expected=32, found=len(private_key))
    try:
        return PrivateKey(private_key)
    except ValueError as error:
        raise SignatureInvalid("A private key is not zero and below the group order.") from error
