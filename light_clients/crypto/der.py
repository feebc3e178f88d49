"""DER of ECDSA and SM2 signatures: one encoding for each pair of integers, everything else is refused.

Sources: ITU-T X.690 (2021), sections 8.3, 8.9, 10.1 (definite form, fewest octets); RFC 3279, section 2.2.3
(`SEQUENCE { r INTEGER, s INTEGER }`); GB/T 35276-2017, section 7.3, has the same form for SM2.
"""

from __future__ import annotations

from light_clients.crypto.errors import SignatureEncodingInvalid
from light_clients.errors import SignatureLength

SEQUENCE, INTEGER = 0x30, 0x02
LARGEST = 72
"""The longest encoding of two integers below 2^256: 2 and twice 2 + 33 bytes."""


def signature_from_der(der: bytes) -> bytes:
    """Read a signature over a 256-bit curve.

    Args:
        der: `SEQUENCE { r, s }`, both positive and below 2^256; at most 72 bytes.

    Returns:
        r and s, 32 bytes each, big-endian.

    Raises:
        SignatureEncodingInvalid: The bytes are not the one DER encoding of two such integers.
    """
    if not 8 <= len(der) <= LARGEST or der[0] != SEQUENCE or der[1] != len(der) - 2:
        raise SignatureEncodingInvalid(
            "A signature is a DER sequence of two integers, and nothing follows it.", found=der
        )
    r, place = _integer(der, 2)
    s, place = _integer(der, place)
    if place != len(der):
        raise SignatureEncodingInvalid("A signature has two integers and no more.", found=der)
    return r + s


def signature_to_der(signature: bytes) -> bytes:
    """Encode a signature over a 256-bit curve.

    Args:
        signature: r and s, 32 bytes each, big-endian.

    Returns:
        `SEQUENCE { r, s }`.

    Raises:
        SignatureLength: The signature is not 64 bytes.
    """
    if len(signature) != 64:
        raise SignatureLength("A signature has 64 bytes: r and s.", expected=64, found=len(signature))
    body = b"".join(_encoded(part) for part in (signature[:32], signature[32:]))
    return bytes((SEQUENCE, len(body))) + body


def _integer(der: bytes, place: int) -> tuple[bytes, int]:
    """The 32 bytes of the positive integer at this place, and the place after it."""
    if place + 2 > len(der) or der[place] != INTEGER:
        raise SignatureEncodingInvalid("A signature has two integers.", found=der)
    start, end = place + 2, place + 2 + der[place + 1]
    digits = der[start:end]
    if not digits or end > len(der) or digits[0] > 0x7F:
        raise SignatureEncodingInvalid("An integer of a signature is whole and positive.", found=der)
    if digits[0] == 0 and (len(digits) == 1 or digits[1] < 0x80):
        raise SignatureEncodingInvalid("An integer of a signature is not zero and has no needless bytes.", found=der)
    digits = digits.removeprefix(b"\0")
    if len(digits) > 32:
        raise SignatureEncodingInvalid("An integer of a signature is below 2^256.", found=der)
    return digits.rjust(32, b"\0"), end


def _encoded(number: bytes) -> bytes:
    digits = number.lstrip(b"\0") or b"\0"
    padded = b"\0" + digits if digits[0] > 0x7F else digits
    return bytes((INTEGER, len(padded))) + padded
