"""Keys of members: signing with P-256 and SHA-256 or SM2 and SM3, and reading key files.

Sources: SEC 1 v2, annex C.4 (EC PRIVATE KEY), RFC 5958 (PRIVATE KEY), GB/T 32918 and GM/T 0009 (SM2, user id
1234567812345678), RFC 5480 (names of curves).
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from light_clients.crypto import sm2
from light_clients.crypto.asn1 import OCTET_STRING, DerUnreadable, Element, read_all
from light_clients.crypto.der import signature_to_der
from light_clients.crypto.x509_types import Scheme
from light_clients.errors import LightClientError

P256: Scheme = "p256-sha256"
SM2: Scheme = "sm2-sm3"
CURVES: dict[bytes, Scheme] = {
    bytes.fromhex("2a8648ce3d030107"): "p256-sha256",
    bytes.fromhex("2a811ccf5501822d"): "sm2-sm3",
}
"""Object identifiers of curves (content octets) and what is signed with them."""

_PEM = re.compile(rb"-----BEGIN (?:EC |SM2 )?PRIVATE KEY-----(.+?)-----END", re.DOTALL)
_NUMBER_SIZE = 32


class KeyUnreadable(Exception):
    """A key file holds no private key of P-256 or SM2; the text says what it holds instead, never the key."""


@dataclass(frozen=True)
class SigningKey:
    """A private key and what it signs with; never shown.

    Attributes:
        scheme: its curve and hash.
        private: 32 bytes.
    """

    scheme: Scheme
    private: bytes = field(repr=False)

    @cached_property
    def _pair(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.private, "big"), ec.SECP256R1())

    @cached_property
    def public(self) -> bytes:
        """X ‖ Y, 64 bytes.

        Raises:
            KeyUnreadable: the number is no private key of the curve.
        """
        try:
            if self.scheme == SM2:
                return sm2.public_key_of(self.private)
            return self._pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
        except (ValueError, LightClientError) as error:
            raise KeyUnreadable("The number is no private key of its curve.") from error

    def sign(self, message: bytes) -> bytes:
        """Sign a message, which is hashed as the scheme says; the same bytes each time.

        Returns:
            `SEQUENCE { r, s }` in DER.
        """
        if self.scheme == SM2:
            return signature_to_der(sm2.sign(self.private, message))
        return self._pair.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))


def keys_of(private_key: bytes) -> list[SigningKey]:
    """The keys that 32 bytes may be, one for each curve on which they are one."""
    found = []
    for scheme in CURVES.values():
        key = SigningKey(scheme, private_key)
        try:
            _ = key.public
        except KeyUnreadable:
            continue
        found.append(key)
    return found


def read_private_key(data: bytes) -> SigningKey:
    """Read a key file.

    Args:
        data: PEM, unencrypted, of SEC 1 or PKCS 8.

    Raises:
        KeyUnreadable: it holds no such key.
    """
    match = _PEM.search(data)
    if match is None:
        raise KeyUnreadable("The file holds no unencrypted private key in PEM.")
    try:
        (outer,) = read_all(binascii.a2b_base64(match.group(1)))
        items = read_all(outer.content)
        # PKCS 8: a version, the algorithm with its curve, and the key of SEC 1 in an octet string.
        if len(items) >= 3 and items[2].tag == OCTET_STRING:
            curve = _curve_in(items[1].encoded)
            (inner,) = read_all(items[2].content)
            return SigningKey(curve, _number(read_all(inner.content)))
        return SigningKey(_curve_in(outer.content), _number(items))
    except (binascii.Error, ValueError, DerUnreadable) as error:
        raise KeyUnreadable("The private key is not of the form that SEC 1 or PKCS 8 have.") from error


def _number(items: tuple[Element, ...]) -> bytes:
    if len(items) < 2 or items[1].tag != OCTET_STRING or len(items[1].content) > _NUMBER_SIZE:
        raise DerUnreadable
    return items[1].content.rjust(_NUMBER_SIZE, b"\x00")


def _curve_in(encoded: bytes) -> Scheme:
    for identifier, scheme in CURVES.items():
        if identifier in encoded:
            return scheme
    raise KeyUnreadable("The private key is of another curve than P-256 and SM2.")
