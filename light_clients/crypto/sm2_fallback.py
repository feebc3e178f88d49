"""SM2 signatures in plain arithmetic: signing always, verifying where OpenSSL's libcrypto offers none.

Sources: GB/T 32918.1-2016 (the curve's group, section 4 and annex A), GB/T 32918.2-2016 (sections 6 and 7: sign and verify),
GB/T 32918.5-2017 (the parameters of the recommended curve). Points in Jacobian coordinates, infinity with z = 0. Nothing
here runs in constant time: verification has no secret, and signing is for development ledgers and tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from schemas.suites import sm3

P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
"""The field; the curve is y² = x³ - 3x + B over it."""
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GENERATOR: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

Point = tuple[int, int, int]
"""Jacobian: (X, Y, Z) is the point (X / Z², Y / Z³); Z = 0 is infinity."""
INFINITY: Final[Point] = (1, 1, 0)


def is_on_curve(x: int, y: int) -> bool:
    """Tell whether both coordinates are in the field and satisfy the equation of the curve."""
    return x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0


def verify_digest(public_key: tuple[int, int], digest: int, r: int, s: int) -> bool:
    """Verify a signature (GB/T 32918.2, section 7.1, steps B1, B2, B5 to B7).

    Args:
        public_key: x and y of a point of the curve.
        digest: e, the hash of ZA and the message.
        r: The first half of the signature.
        s: The second half.

    Returns:
        Whether the signature is the key's.
    """
    if not (0 < r < ORDER and 0 < s < ORDER):
        return False
    t = (r + s) % ORDER
    if t == 0:
        return False
    found = _multiply_two(s, (*GENERATOR, 1), t, (*public_key, 1))
    if found[2] == 0:
        return False
    return (digest + _affine(found)[0]) % ORDER == r


def sign_digest(private_key: int, digest: int) -> tuple[int, int]:
    """Sign (GB/T 32918.2, section 6.1), with a nonce that follows from key and digest.

    Args:
        private_key: Between 1 and ORDER - 2.
        digest: e, the hash of ZA and the message.

    Returns:
        r and s.
    """
    nonces = derive_nonces(private_key, digest, ORDER)
    signature = None
    while signature is None:
        signature = sign_with_nonce(private_key, digest, next(nonces))
    return signature


def sign_with_nonce(private_key: int, digest: int, nonce: int) -> tuple[int, int] | None:
    """Steps A4 to A6 of signing for one nonce; none where the standard asks for another nonce."""
    r = (digest + multiply_generator(nonce)[0]) % ORDER
    s = pow(1 + private_key, -1, ORDER) * (nonce - r * private_key) % ORDER
    return None if r == 0 or r + nonce == ORDER or s == 0 else (r, s)


def derive_nonces(private_key: int, digest: int, order: int) -> Iterator[int]:
    """Nonces as RFC 6979, section 3.2, derives them, with HMAC-SM3; the order has 256 bits."""
    seed = private_key.to_bytes(32, "big") + (digest % order).to_bytes(32, "big")
    key, value = bytes(32), b"\1" * 32
    for mark in (b"\0", b"\1"):
        key = hmac_sm3(key, value + mark + seed)
        value = hmac_sm3(key, value)
    while True:
        value = hmac_sm3(key, value)
        nonce = int.from_bytes(value, "big")
        if 0 < nonce < order:
            yield nonce
        key = hmac_sm3(key, value + b"\0")
        value = hmac_sm3(key, value)


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC (RFC 2104, section 2) with SM3: blocks of 64 bytes, 32 bytes of result."""
    padded = (key if len(key) <= 64 else sm3(key)).ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in padded) + data)
    return sm3(bytes(byte ^ 0x5C for byte in padded) + inner)


def multiply_generator(scalar: int) -> tuple[int, int]:
    """The generator so many times; scalar between 1 and ORDER - 1. By a table, as whoever signs does nothing else."""
    total = INFINITY
    for place, multiples in enumerate(_generator_multiples()):
        total = _add(total, multiples[scalar >> 4 * place & 15])
    return _affine(total)


@lru_cache(maxsize=1)
def _generator_multiples() -> tuple[tuple[Point, ...], ...]:
    """For each of the 64 digits of a scalar, the lowest first: the generator as often as each value of the digit says."""
    table = []
    step: Point = (*GENERATOR, 1)
    for _ in range(64):
        multiples = [INFINITY]
        for _ in range(15):
            multiples.append((*_affine(_add(multiples[-1], step)), 1))
        table.append(tuple(multiples))
        step = _add(multiples[-1], step)
    return tuple(table)


def _multiply_two(first: int, point: Point, second: int, other: Point) -> Point:
    """The sum of first times point and second times other, bit by bit for both at once."""
    both = _add(point, other)
    steps = {(1, 0): point, (0, 1): other, (1, 1): both}
    total = INFINITY
    for place in range(255, -1, -1):
        total = _double(total)
        step = steps.get((first >> place & 1, second >> place & 1))
        if step is not None:
            total = _add(total, step)
    return total


def _double(point: Point) -> Point:
    """Twice a point, for a curve with a = -3."""
    x, y, z = point
    zz, yy = z * z % P, y * y % P
    slope = 3 * (x - zz) * (x + zz) % P
    middle = 4 * x * yy % P
    x3 = (slope * slope - 2 * middle) % P
    return x3, (slope * (middle - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add(point: Point, other: Point) -> Point:
    """The sum of two points."""
    x1, y1, z1 = point
    x2, y2, z2 = other
    if z1 == 0:
        return other
    if z2 == 0:
        return point
    z1z1, z2z2 = z1 * z1 % P, z2 * z2 % P
    u1, s1 = x1 * z2z2 % P, y1 * z2z2 * z2 % P
    h, slope = (x2 * z1z1 - u1) % P, (y2 * z1z1 * z1 - s1) % P
    if h == 0:
        return _double(point) if slope == 0 else INFINITY
    hh = h * h % P
    hhh, middle = hh * h % P, u1 * hh % P
    x3 = (slope * slope - hhh - 2 * middle) % P
    return x3, (slope * (middle - x3) - s1 * hhh) % P, z1 * z2 * h % P


def _affine(point: Point) -> tuple[int, int]:
    """The coordinates of a point that is not infinity."""
    inverse = pow(point[2], -1, P)
    square = inverse * inverse % P
    return point[0] * square % P, point[1] * square * inverse % P
