"""Certificate authorities for tests: P-256 and SM2 chains and revocation lists, every key derived from a label.

The same labels give the same bytes: keys are hashes of labels, signatures need no randomness, serial numbers are hashes.
`issue` takes every field that a test wants to be wrong.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from light_clients.crypto import sm2
from light_clients.crypto.der import signature_from_der, signature_to_der
from light_clients.crypto.p256 import HALF_ORDER, ORDER

FROM, UNTIL = 1_767_225_600, 2_082_758_400
"""2026-01-01 and 2036-01-01 (Unix seconds): validity where nothing else is said."""
ALGORITHMS = {
    "p256-sha256": bytes.fromhex("300a06082a8648ce3d040302"),
    "sm2-sm3": bytes.fromhex("300a06082a811ccf55018375"),
}
KEY_PREFIXES = {
    "p256-sha256": bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    "sm2-sm3": bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200"),
}
USAGE_BITS = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign",
)  # fmt: skip
ATTRIBUTES = {"C": "550406", "ST": "550408", "L": "550407", "O": "55040a", "OU": "55040b", "CN": "550403"}


def tlv(tag: int, *parts: bytes) -> bytes:
    """One DER element."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 + len(digits))) + digits + content


def integer(number: int) -> bytes:
    """A DER INTEGER that is not negative."""
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def time(at: int) -> bytes:
    """A DER UTCTime, GeneralizedTime from 2050."""
    moment = datetime.fromtimestamp(at, UTC)
    form, tag = ("%y%m%d%H%M%SZ", 0x17) if moment.year < 2050 else ("%Y%m%d%H%M%SZ", 0x18)
    return tlv(tag, moment.strftime(form).encode())


def name(*attributes: tuple[str, str]) -> bytes:
    """A DER Name of attributes such as ``("O", "org1.example")``."""
    return tlv(
        0x30,
        *(
            tlv(0x31, tlv(0x30, tlv(0x06, bytes.fromhex(ATTRIBUTES[kind])), tlv(0x0C, text.encode())))
            for kind, text in attributes
        ),
    )


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """A DER Extension; the identifier is the hexadecimal content of its element."""
    return tlv(0x30, tlv(0x06, bytes.fromhex(oid)), b"\x01\x01\xff" if critical else b"", tlv(0x04, value))


@dataclass(frozen=True)
class Key:
    """A key pair that follows from a label."""

    label: str
    scheme: str = "p256-sha256"

    @cached_property
    def private(self) -> bytes:
        """32 bytes."""
        return hashlib.sha256(b"relayhub test certificate " + self.label.encode()).digest()

    @cached_property
    def _pair(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.private, "big"), ec.SECP256R1())

    @cached_property
    def public(self) -> bytes:
        """65 bytes with 0x04 first for P-256, 64 for SM2: as `Certificate.public_key`."""
        if self.scheme == "sm2-sm3":
            return sm2.public_key_of(self.private)
        return self._pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def point(self) -> bytes:
        """65 bytes."""
        return self.public if len(self.public) == 65 else b"\x04" + self.public

    @property
    def identifier(self) -> bytes:
        """The subject key identifier, 32 bytes as Fabric and ChainMaker make it."""
        return hashlib.sha256(self.point).digest()

    def sign(self, message: bytes) -> bytes:
        """A DER signature over a message, low s for P-256."""
        if self.scheme == "sm2-sm3":
            return signature_to_der(sm2.sign(self.private, message))
        numbers = signature_from_der(self._pair.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
        if numbers[32:] > HALF_ORDER:
            numbers = numbers[:32] + (ORDER - int.from_bytes(numbers[32:], "big")).to_bytes(32, "big")
        return signature_to_der(numbers)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key and subject."""

    key: Key
    der: bytes
    subject: bytes

    @property
    def pem(self) -> bytes:
        """The certificate in PEM, lines of 64."""
        return pem(self.der, "CERTIFICATE")


def pem(der: bytes, label: str) -> bytes:
    """DER in PEM."""
    text = base64.b64encode(der)
    lines = [text[place : place + 64] for place in range(0, len(text), 64)]
    return b"\n".join((f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----".encode(), b""))


def root(label: str, scheme: str = "p256-sha256", *, organisation: str | None = None, **wrong) -> Issued:
    """A root that signs itself; `wrong` as in `issue`."""
    return issue(None, label, scheme, organisation=organisation, authority=True, **wrong)


def issue(
    issuer: Issued | None,
    label: str,
    scheme: str | None = None,
    *,
    organisation: str | None = None,
    units: Sequence[str] = (),
    authority: bool = False,
    path_length: int | None = None,
    usage: Sequence[str] | None = ("default",),
    not_before: int = FROM,
    not_after: int = UNTIL,
    serial: int | None = None,
    key: Key | None = None,
    subject: bytes | None = None,
    issuer_name: bytes | None = None,
    subject_key_id: bytes | None = b"default",
    authority_key_id: bytes | None = b"default",
    extensions: Sequence[bytes] = (),
    algorithm: bytes | None = None,
    outer_algorithm: bytes | None = None,
    key_info: bytes | None = None,
    version: bytes = b"\xa0\x03\x02\x01\x02",
    signature: bytes | None = None,
) -> Issued:
    """A certificate.

    Args:
        issuer: who signs; None: it signs itself.
        label: its key, its common name and, where none is given, its serial number.
        scheme: of its key; the issuer's where none is given.
        organisation: O, left out where None.
        units: OUs, in order.
        authority: basic constraints and key usage of an authority.
        path_length: of the basic constraints.
        usage: names as in `light_clients.crypto.x509_extensions.KEY_USAGES`; None leaves the extension out.
        not_before: Unix seconds.
        not_after: Unix seconds.
        serial: where it is not to follow from the label.
        key: where it is not to follow from the label.
        subject: DER name in place of the one from label, organisation and units.
        issuer_name: DER name in place of the issuer's.
        subject_key_id: in place of the key's identifier; None leaves the extension out.
        authority_key_id: in place of the issuer's identifier; None leaves the extension out.
        extensions: further ones, from `extension`.
        algorithm: AlgorithmIdentifier in place of the one of the issuer's key.
        outer_algorithm: the one beside the signature, where it differs from `algorithm`.
        key_info: SubjectPublicKeyInfo in place of the key's.
        version: the element of the version.
        signature: in place of the true one.
    """
    key = key or Key(label, scheme or (issuer.key.scheme if issuer else "p256-sha256"))
    signer = issuer.key if issuer else key
    subject = subject or name(
        *((("O", organisation),) if organisation else ()), *(("OU", unit) for unit in units), ("CN", label)
    )
    algorithm = algorithm or ALGORITHMS[signer.scheme]
    if usage == ("default",):
        usage = ("key_cert_sign", "crl_sign") if authority else ("digital_signature", "content_commitment")
    serial = serial or int.from_bytes(hashlib.sha256(b"serial " + label.encode()).digest()[:15], "big") + 1
    items = [_constraints(authority, path_length)]
    if usage is not None:
        items.append(_usage(usage))
    if subject_key_id is not None:
        items.append(extension("551d0e", tlv(0x04, key.identifier if subject_key_id == b"default" else subject_key_id)))
    if authority_key_id is not None:
        items.append(_authority_key(signer.identifier if authority_key_id == b"default" else authority_key_id))
    tbs = tlv(
        0x30,
        version,
        integer(serial),
        algorithm,
        issuer_name or (issuer.subject if issuer else subject),
        tlv(0x30, time(not_before), time(not_after)),
        subject,
        key_info or KEY_PREFIXES[key.scheme] + key.point,
        tlv(0xA3, tlv(0x30, *items, *extensions)),
    )
    signature = signer.sign(tbs) if signature is None else signature
    return Issued(key, tlv(0x30, tbs, outer_algorithm or algorithm, tlv(0x03, b"\0", signature)), subject)


def revocation_list(
    issuer: Issued,
    serials: Sequence[int],
    *,
    at: int = FROM,
    authority_key_id: bytes | None = b"default",
    issuer_name: bytes | None = None,
    signer: Key | None = None,
    extensions: Sequence[bytes] = (),
    entry_extensions: Sequence[bytes] = (),
    algorithm: bytes | None = None,
    outer_algorithm: bytes | None = None,
    version: bytes = b"\x02\x01\x01",
    entries: Sequence[bytes] = (),
    bare: bool = False,
) -> bytes:
    """A revocation list in DER: what the authority took back; the other arguments as in `issue`.

    `entries` are added to those of the serial numbers as they are; `bare` leaves all extensions out.
    """
    signer = signer or issuer.key
    algorithm = algorithm or ALGORITHMS[signer.scheme]
    further = tlv(0x30, *entry_extensions) if entry_extensions else b""
    entries = [*(tlv(0x30, integer(serial), time(at), further) for serial in serials), *entries]
    items = [extension("551d14", integer(1)), *extensions]
    if authority_key_id is not None:
        items.append(_authority_key(issuer.key.identifier if authority_key_id == b"default" else authority_key_id))
    tbs = tlv(
        0x30,
        version,
        algorithm,
        issuer_name or issuer.subject,
        time(at),
        time(at + 86_400),
        tlv(0x30, *entries) if entries else b"",
        b"" if bare else tlv(0xA0, tlv(0x30, *items)),
    )
    return tlv(0x30, tbs, outer_algorithm or algorithm, tlv(0x03, b"\0", signer.sign(tbs)))


def _constraints(authority: bool, path_length: int | None) -> bytes:
    content = (b"\x01\x01\xff" if authority else b"") + (integer(path_length) if path_length is not None else b"")
    return extension("551d13", tlv(0x30, content), critical=True)


def _usage(names: Sequence[str]) -> bytes:
    bits = sum(0x80 >> USAGE_BITS.index(item) for item in names)
    unused = (bits & -bits).bit_length() - 1 if bits else 0
    return extension("551d0f", tlv(0x03, bytes((unused, bits)) if bits else b"\0"), critical=True)


def _authority_key(identifier: bytes) -> bytes:
    return extension("551d23", tlv(0x30, tlv(0x80, identifier)))
