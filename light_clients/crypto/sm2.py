"""SM2 signatures with SM3 (GB/T 32918.2-2016 and 32918.5-2017; the user's identity as GM/T 0009-2012, section 10, fixes it).

Verification is OpenSSL's where Python's libcrypto has SM2, plain arithmetic otherwise: chosen once, by the standard's own
example, which is also what both are tested with. Signing is always the plain arithmetic: it needs no randomness.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from light_clients.crypto import sm2_fallback
from light_clients.crypto.der import signature_from_der as _signature_from_der
from light_clients.crypto.der import signature_to_der
from light_clients.crypto.errors import PublicKeyInvalid
from light_clients.crypto.libcrypto import PLACES, Verifier, find_verifier
from light_clients.crypto.sm2_fallback import GENERATOR, ORDER, P
from light_clients.errors import SignatureInvalid, SignatureLength
from schemas.suites import sm3

USER_ID: Final = b"1234567812345678"
PUBLIC_KEY_SIZE = 64
"""x and y, 32 bytes each."""
SIGNATURE_SIZE = 64
"""r and s, 32 bytes each."""

_CURVE: Final = b"".join(number.to_bytes(32, "big") for number in (P - 3, sm2_fallback.B, *GENERATOR))

EXAMPLE: Final = (
    bytes.fromhex(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    ),
    bytes.fromhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"),
    bytes.fromhex(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    ),
)
"""Public key, digest and signature of GB/T 32918.5-2017, annex A.2."""


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a key signed a message.

    Args:
        public_key: 64 bytes: x and y.
        message: Any bytes; hashed with SM3 behind the identity of the key, ZA.
        signature: 64 bytes: r and s.

    Returns:
        True for a valid signature, False for anything else.
    """
    if len(signature) != SIGNATURE_SIZE:
        return False
    try:
        identity = _identity(public_key)
    except PublicKeyInvalid:
        return False
    return verifier()(public_key, sm3(identity + message), signature)


def check_public_key(public_key: bytes) -> None:
    """Refuse what is no public key.

    Args:
        public_key: 64 bytes: x and y.

    Raises:
        PublicKeyInvalid: The bytes are not the coordinates of a point of the curve.
    """
    _identity(public_key)


def signature_from_der(der: bytes) -> bytes:
    """Read a signature from its one DER encoding, as certificates and ChainMaker carry it.

    Args:
        der: `SEQUENCE { r, s }`.

    Returns:
        64 bytes: r and s.

    Raises:
        SignatureInvalid: The bytes are not the DER encoding of two positive integers below 2^256.
    """
    return _signature_from_der(der)


def sign(private_key: bytes, message: bytes) -> bytes:
    """Sign a message, deterministically; for development ledgers and tests.

    Args:
        private_key: 32 bytes.
        message: Any bytes.

    Returns:
        64 bytes: r and s.

    Raises:
        SignatureLength: The key is not 32 bytes.
        SignatureInvalid: The key is not between 1 and the group order less 2.
    """
    scalar = _scalar(private_key)
    digest = sm3(_identity(public_key_of(private_key)) + message)
    r, s = sm2_fallback.sign_digest(scalar, int.from_bytes(digest, "big"))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def public_key_of(private_key: bytes) -> bytes:
    """The public key of a private key.

    Args:
        private_key: 32 bytes.

    Returns:
        64 bytes: x and y.

    Raises:
        SignatureLength: The key is not 32 bytes.
        SignatureInvalid: The key is not between 1 and the group order less 2.
    """
    x, y = sm2_fallback.multiply_generator(_scalar(private_key))
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


@lru_cache(maxsize=1)
def verifier() -> Verifier:
    """The verifier of digests in use: libcrypto's where it passes the standard's example, else the plain arithmetic."""
    return find_verifier(PLACES, knows_example) or verify_plainly


def knows_example(candidate: Verifier) -> bool:
    """Tell whether a verifier accepts the standard's example and refuses it over another digest."""
    public_key, digest, signature = EXAMPLE
    return candidate(public_key, digest, signature) and not candidate(public_key, sm3(digest), signature)


def verify_plainly(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """The `Verifier` that needs no libcrypto."""
    x, y, r, s = (
        int.from_bytes(part, "big") for part in (public_key[:32], public_key[32:], signature[:32], signature[32:])
    )
    return sm2_fallback.verify_digest((x, y), int.from_bytes(digest, "big"), r, s)


@lru_cache(maxsize=1024)
def _identity(public_key: bytes) -> bytes:
    """ZA, 32 bytes (GB/T 32918.2, section 5.5)."""
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise PublicKeyInvalid("An SM2 key is 64 bytes: x and y.", found=public_key)
    if not sm2_fallback.is_on_curve(int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")):
        raise PublicKeyInvalid("An SM2 key is not on the curve.", found=public_key)
    return sm3((8 * len(USER_ID)).to_bytes(2, "big") + USER_ID + _CURVE + public_key)


def _scalar(private_key: bytes) -> int:
    if len(private_key) != 32:
        raise SignatureLength("A private key has 32 bytes.", expected=32, found=len(private_key))
    scalar = int.from_bytes(private_key, "big")
    if not 0 < scalar < ORDER - 1:
        raise SignatureInvalid("A private key is not zero and below the group order less one.")
    return scalar


__all__ = [
    "check_public_key",
    "public_key_of",
    "sign",
    "signature_from_der",
    "signature_to_der",
    "verify",
]
