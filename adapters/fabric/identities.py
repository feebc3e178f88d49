"""Members of a channel: who signs, as Fabric writes and signs it (Fabric 3.1 `msp/identities.go`, `bccsp/utils/ecdsa.go`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.fabric.stubs import relayhub_fabric_pb2 as messages

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (SEC 2, section 2.4.2)."""


def account_of(msp_id: str, certificate: bytes) -> bytes:
    """The account of a member in the hub's protocol, 33 bytes.

    Args:
        msp_id: its organisation, at most 255 bytes.
        certificate: DER.
    """
    name = msp_id.encode()
    return b"\0" + hashlib.sha256(bytes((len(name),)) + name + certificate).digest()


@dataclass(frozen=True)
class SigningIdentity:
    """A member with its key.

    Attributes:
        msp_id: its organisation.
        certificate: as it was issued.
        key: P-256.
    """

    msp_id: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @cached_property
    def serialized(self) -> bytes:
        """`SerializedIdentity`."""
        pem = self.certificate.public_bytes(Encoding.PEM)
        return messages.SerializedIdentity(mspid=self.msp_id, id_bytes=pem).SerializeToString()

    @cached_property
    def account(self) -> bytes:
        """33 bytes; see `account_of`."""
        return account_of(self.msp_id, self.certificate.public_bytes(Encoding.DER))

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256 of a message, DER, low s; the same message has the same signature (RFC 6979)."""
        signature = self.key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(signature)
        return encode_dss_signature(r, min(s, ORDER - s))


def key_of(private_key: bytes) -> ec.EllipticCurvePrivateKey:
    """The P-256 key of 32 bytes.

    Raises:
        ValueError: they are no key: of another size, zero, or not below the group's order.
    """
    if len(private_key) != 32:
        raise ValueError("a key has 32 bytes")
    return ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SECP256R1())
