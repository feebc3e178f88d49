"""ECDSA over P-256 with SHA-256 (FIPS 186-5, section 6.4.2; SEC 1 v2, section 4.1.4; the library is `cryptography`).

Fabric and ChainMaker sign so. A signature has one encoding (strict DER); whether a high s is refused is the caller's to
say: Fabric's signers and verifiers want the low one, certificates come with either.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from light_clients.crypto.der import signature_from_der
from light_clients.crypto.errors import PublicKeyInvalid
from light_clients.errors import SignatureInvalid

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the group (SEC 2 v2, section 2.4.2)."""

HALF_ORDER = (ORDER // 2).to_bytes(32, "big")
"""The largest low s."""

PUBLIC_KEY_SIZE = 65
"""0x04, x (32 bytes), y (32 bytes)."""

_ALGORITHM = ECDSA(SHA256())


def verify(public_key: bytes, message: bytes, signature: bytes, *, low_s: bool = False) -> bool:
    """Tell whether a key signed a message.

    Args:
        public_key: 65 bytes, the uncompressed point.
        message: Any bytes; hashed with SHA-256 here.
        signature: `SEQUENCE { r, s }` in strict DER.
        low_s: Whether an s in the upper half of the group is refused.

    Returns:
        True for a valid signature, False for anything else.
    """
    try:
        numbers = signature_from_der(signature)
        key = _key(public_key)
    except (SignatureInvalid, PublicKeyInvalid):
        return False
    if low_s and numbers[32:] > HALF_ORDER:
        return False
    try:
        key.verify(signature, message, _ALGORITHM)
    except InvalidSignature:
        return False
    return True


def check_public_key(public_key: bytes) -> None:
    """Refuse what is no public key.

    Args:
        public_key: 65 bytes, the uncompressed point.

    Raises:
        PublicKeyInvalid: The bytes are not the uncompressed encoding of a point of the curve.
    """
    _key(public_key)


@lru_cache(maxsize=1024)
def _key(public_key: bytes) -> EllipticCurvePublicKey:
    if len(public_key) != PUBLIC_KEY_SIZE or public_key[0] != 4:
        raise PublicKeyInvalid("A P-256 key is 65 bytes: 0x04, x and y.", found=public_key)
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public_key)
    except ValueError as error:
        raise PublicKeyInvalid("A P-256 key is not on the curve.", found=public_key) from error
