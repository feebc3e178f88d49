"""Ed25519 verification (RFC 8032, section 5.1.7; the library is libsodium by PyNaCl).

CometBFT accepts by the rules of ZIP-215. libsodium is stricter: it refuses keys and nonce points of small order and
encodings that are not canonical. Whatever it accepts, ZIP-215 accepts too, so that the difference can stop a client and
never deceive it; docs/adr/0009-ed25519-is-verified-more-strictly-than-by-the-chain.md says what that costs.
"""

from __future__ import annotations

from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a key signed a message.

    Args:
        public_key: 32 bytes; another length is no key.
        message: Any bytes; hashed with SHA-512 by the scheme itself.
        signature: 64 bytes, R and S; another length is no signature.

    Returns:
        True for a signature that libsodium and therefore every rule in use accepts, False for anything else.
    """
    if len(public_key) != PUBLIC_KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except CryptoError:
        return False
    return True
