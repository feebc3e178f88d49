"""Ed25519 by ZIP-215, the rules of CometBFT, in plain arithmetic; and signatures that only these rules accept.

Source: ZIP 215 (Zcash), section Specification: A and R may be encoded with y at or above the field's prime, S is below the
order, and the equation is checked with the cofactor. Affine coordinates, slow, for tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int]
IDENTITY = (0, 1)


def add(one: Point, other: Point) -> Point:
    """The complete addition of the curve (RFC 8032, section 5.1.4)."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def multiply(scalar: int, point: Point) -> Point:
    """A point so many times."""
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def encode(point: Point, *, above: bool = False) -> bytes:
    """y and the sign of x; above the prime where that is possible and asked for."""
    y = point[1] + P if above else point[1]
    return (y | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of an encoding, canonical or not; None where there is none."""
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255 % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return (P - x if x & 1 != sign else x) % P, y


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ZIP-215 accepts."""
    a, r, s = decode(public_key), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = challenge(signature[:32], public_key, message)
    return multiply(8, multiply(s, BASE)) == multiply(8, add(r, multiply(k, a)))


def challenge(r: bytes, public_key: bytes, message: bytes) -> int:
    """k of RFC 8032, section 5.1.7, below the order."""
    return int.from_bytes(hashlib.sha512(r + public_key + message).digest(), "little") % ORDER


def small_order() -> list[Point]:
    """The eight points whose order divides the cofactor."""
    point = next(
        torsion
        for y in range(2, 100)
        if (found := decode(y.to_bytes(32, "little"))) and multiply(4, torsion := multiply(ORDER, found)) != IDENTITY
    )
    return [multiply(number, point) for number in range(8)]


def only_zip215(message: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Name, public key and signature of cases that ZIP-215 accepts and that a stricter rule may refuse."""
    secret, nonce = 0x1234567 * 2**200 + 5, 0x7654321 * 2**200 + 3
    points = small_order()
    forms = [(place, point, above) for place, point in enumerate(points) for above in ({False, point[1] < 19})]
    honest = multiply(secret, BASE)
    for place, point, above in forms:
        form = f"{place}{' above the prime' if above else ''}"
        key = encode(point, above=above)
        yield f"key of small order {form}", key, _sign(key, 0, encode(multiply(nonce, BASE)), nonce, message)
        yield f"key and nonce of small order {form}", key, key + bytes(32)
        nonce_point = encode(point, above=above)
        yield f"nonce of small order {form}", encode(honest), _sign(encode(honest), secret, nonce_point, 0, message)
    for place, point in enumerate(points[1:], 1):
        mixed = encode(add(honest, point))
        yield f"key of mixed order {place}", mixed, _sign(mixed, secret, encode(multiply(nonce, BASE)), nonce, message)
        nonce_point = encode(add(multiply(nonce, BASE), point))
        yield (
            f"nonce of mixed order {place}",
            encode(honest),
            _sign(encode(honest), secret, nonce_point, nonce, message),
        )


def _sign(key: bytes, secret: int, nonce_point: bytes, nonce: int, message: bytes) -> bytes:
    s = (nonce + challenge(nonce_point, key, message) * secret) % ORDER
    return nonce_point + s.to_bytes(32, "little")


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
"""The generator (RFC 8032, section 5.1); x is even."""
