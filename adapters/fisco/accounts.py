"""Accounts of both suites: a secp256k1 key with keccak-256, or an SM2 key with SM3.

The address is the last 20 bytes of the suite's hash of the public key's 64 bytes. A signature as transactions carry it: secp256k1
r (32 bytes), s (low) and v = 0 or 1; SM2 r, s and the public key, since nobody can recover it (FISCO BCOS 2.9.1
`libdevcrypto/SM2Signature`, 3.x `bcos-crypto/signature/sm2`).
"""

from __future__ import annotations

from coincurve import PrivateKey

from adapters.protocol import Misconfigured
from light_clients.crypto import secp256k1, sm2
from light_clients.errors import LightClientError
from schemas.suites import SUITES

ECDSA_SIZE, SM2_SIZE = 65, 128


def public_key(private_key: bytes, suite: str) -> bytes:
    """The public key of a private one, 64 bytes.

    Raises:
        Misconfigured: the key is none.
    """
    try:
        if suite == "sm":
            return sm2.public_key_of(private_key)
        if len(private_key) == 32:
            return PrivateKey(private_key).public_key.format(compressed=False)[1:]
    except (LightClientError, ValueError):
        pass
    curve = "SM2" if suite == "sm" else "secp256k1"
    raise Misconfigured(f"The private key is no {curve} key of 32 bytes; give another.")


def address_of(private_key: bytes, suite: str) -> bytes:
    """The account of a private key, 20 bytes.

    Raises:
        Misconfigured: the key is none.
    """
    return address_of_public(public_key(private_key, suite), suite)


def address_of_public(key: bytes, suite: str) -> bytes:
    """The account of a public key of 64 bytes, 20 bytes."""
    return SUITES[suite].hash(key)[12:]


def sign(private_key: bytes, digest: bytes, suite: str) -> bytes:
    """Sign a digest of 32 bytes as a transaction carries it: 65 bytes, or 128 with SM2.

    Raises:
        Misconfigured: the key is none.
    """
    key = public_key(private_key, suite)
    if suite == "sm":
        return sm2.sign(private_key, digest) + key
    return secp256k1.sign_seal(private_key, digest)


def signer_of(digest: bytes, signature: bytes, suite: str) -> bytes | None:
    """The account that signed a digest, or None where the signature is nobody's.

    Args:
        digest: 32 bytes.
        signature: as `sign` gives it.
        suite: `evm` or `sm`.
    """
    if suite == "sm":
        if len(signature) != SM2_SIZE or not sm2.verify(signature[64:], digest, signature[:64]):
            return None
        return address_of_public(signature[64:], suite)
    if len(signature) != ECDSA_SIZE or signature[32:64] > secp256k1.HALF_ORDER:
        return None
    try:
        return secp256k1.recover_sealer(digest, signature)
    except LightClientError:
        return None
