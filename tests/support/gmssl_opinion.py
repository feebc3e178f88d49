"""SM2 by gmssl, a second implementation: slow, plain, and with one trap."""

from __future__ import annotations

from gmssl import sm2


def gmssl_verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether gmssl accepts a signature, with the standard's user id.

    Args:
        key: 64 bytes, x and y.
        message: what was signed.
        signature: 64 bytes, r and s.
    """
    judge = sm2.CryptSM2("", key.hex())
    judge.public_key = key.hex()  # it takes every leading 0 and 4 of a key that begins with 04 for the mark of a point
    return bool(judge.verify_with_sm3(signature.hex(), message))
