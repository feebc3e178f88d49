"""X.509 certificates and revocation lists: bytes in, their fields out (RFC 5280, sections 4 and 5).

The library `cryptography` reads times and extensions and holds the rest to DER. What a signature covers, names, the algorithm
and the key are taken from the DER here: the library knows no SM2 key (GB/T 32918.5-2017, curve 1.2.156.10197.1.301), and names
are compared byte for byte.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from light_clients.crypto import p256, sm2
from light_clients.crypto.asn1 import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    TEXTS,
    DerUnreadable,
    Element,
    object_identifier,
    pem_or_der,
    read_all,
    read_elements,
)
from light_clients.crypto.errors import (
    CertificateKeyUnsupported,
    CertificateUnreadable,
    PublicKeyInvalid,
    RevocationListUnreadable,
)
from light_clients.crypto.x509_types import Certificate, Name, RevocationList, Scheme

Kind = TypeVar("Kind", bound=x509.ExtensionType)
LARGEST_CERTIFICATE = 16 * 1024
LARGEST_REVOCATION_LIST = 1024 * 1024
"""Bytes, PEM or DER."""

ALGORITHMS: Final[dict[bytes, Scheme]] = {
    bytes.fromhex("300a06082a8648ce3d040302"): "p256-sha256",
    bytes.fromhex("300a06082a811ccf55018375"): "sm2-sm3",
}
"""AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758, section 3.2) and of SM2 with SM3 (GM/T 0006-2012)."""

KEYS: Final[dict[bytes, Scheme]] = {
    bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"): "p256-sha256",
    bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004"): "sm2-sm3",
}
"""SubjectPublicKeyInfo of an uncompressed key up to its coordinates, and what it signs with."""

KEY_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
"""Extensions that may be critical: they are kept here, or say nothing about who may sign a block."""

_UNREADABLE = (
    DerUnreadable,
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    Warning,
)
"""What reading raises: our own, the library's, and its warnings where Python is told to make errors of them."""


@lru_cache(maxsize=1024)
def read_certificate(data: bytes) -> Certificate:
    """Read a certificate; its signature is not looked at.

    Args:
        data: PEM (one block) or DER, at most 16 KiB.

    Returns:
        The certificate.

    Raises:
        CertificateUnreadable: The bytes are no certificate of version 3 with a known signature algorithm, in strict DER.
        CertificateKeyUnsupported: The key is not an uncompressed point of P-256 or SM2.
    """
    if len(data) > LARGEST_CERTIFICATE:
        raise CertificateUnreadable("A certificate has at most 16 KiB.", found=len(data))
    try:
        return _read_certificate(pem_or_der(data, "CERTIFICATE"))
    except _UNREADABLE as error:
        raise CertificateUnreadable("The bytes are no X.509 certificate of version 3.", found=data) from error


@lru_cache(maxsize=16)
def read_revocation_list(data: bytes) -> RevocationList:
    """Read a revocation list; its signature is not looked at.

    Args:
        data: PEM (one block) or DER, at most 1 MiB.

    Returns:
        The list.

    Raises:
        RevocationListUnreadable: The bytes are no revocation list of version 2 in strict DER, or it is not a full list of
            its issuer's own certificates.
    """
    if len(data) > LARGEST_REVOCATION_LIST:
        raise RevocationListUnreadable("A revocation list has at most 1 MiB.", found=len(data))
    try:
        return _read_revocation_list(pem_or_der(data, "X509 CRL"))
    except _UNREADABLE as error:
        raise RevocationListUnreadable("The bytes are no full X.509 revocation list.") from error


def _read_certificate(der: bytes) -> Certificate:
    tbs, scheme, signature = _signed_parts(der)
    version, serial, algorithm, issuer, _validity, subject, key, _extensions = read_elements(
        tbs.content, (0xA0, INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, 0xA3)
    )
    _check_algorithm(algorithm, scheme)
    if version.content != b"\x02\x01\x02":
        raise DerUnreadable
    if not 0 < len(serial.content) <= 20 or serial.content[0] > 0x7F or not any(serial.content):
        raise DerUnreadable  # the library would only warn
    names = _name(subject), _name(issuer)
    library = x509.load_der_x509_certificate(der)
    extensions = library.extensions
    public_key, key_scheme = _public_key(key)
    constraints = _extension(extensions, x509.BasicConstraints)
    usage = _extension(extensions, x509.KeyUsage)
    subject_key = _extension(extensions, x509.SubjectKeyIdentifier)
    return Certificate(
        der=der,
        tbs=tbs.encoded,
        signature=signature,
        signature_scheme=scheme,
        serial=library.serial_number,
        subject=names[0],
        issuer=names[1],
        subject_der=subject.encoded,
        issuer_der=issuer.encoded,
        not_before=int(library.not_valid_before_utc.timestamp()),
        not_after=int(library.not_valid_after_utc.timestamp()),
        public_key=public_key,
        scheme=key_scheme,
        is_authority=constraints is not None and constraints.ca,
        path_length=None if constraints is None else constraints.path_length,
        key_usage=None if usage is None else frozenset(name for name in KEY_USAGES if getattr(usage, name)),
        subject_key_id=None if subject_key is None else subject_key.digest,
        authority_key_id=_authority_key_id(extensions),
        extensions_unknown=tuple(
            item.oid.dotted_string
            for item in extensions
            if (item.critical and item.oid not in UNDERSTOOD) or item.oid == ExtensionOID.NAME_CONSTRAINTS
        ),
    )


def _read_revocation_list(der: bytes) -> RevocationList:
    tbs, scheme, signature = _signed_parts(der)
    version, algorithm, issuer = read_elements(tbs.content, (INTEGER, SEQUENCE, SEQUENCE), more=True)
    _check_algorithm(algorithm, scheme)
    if version.content != b"\x01":
        raise DerUnreadable
    library = x509.load_der_x509_crl(der)
    extensions = library.extensions
    if any(item.critical for item in extensions) or any(
        item.critical for entry in library for item in entry.extensions
    ):
        raise DerUnreadable  # a part of a list, or of another issuer's certificates
    return RevocationList(
        der=der,
        tbs=tbs.encoded,
        signature=signature,
        signature_scheme=scheme,
        issuer_der=issuer.encoded,
        authority_key_id=_authority_key_id(extensions),
        this_update=int(library.last_update_utc.timestamp()),
        serials=frozenset(entry.serial_number for entry in library),
    )


def _signed_parts(der: bytes) -> tuple[Element, Scheme, bytes]:
    """What is signed, the scheme of the signature, and the signature."""
    (whole,) = read_elements(der, (SEQUENCE,))
    tbs, algorithm, signature = read_elements(whole.content, (SEQUENCE, SEQUENCE, BIT_STRING))
    if algorithm.encoded not in ALGORITHMS or signature.content[:1] != b"\0":
        raise DerUnreadable
    return tbs, ALGORITHMS[algorithm.encoded], signature.content[1:]


def _check_algorithm(inner: Element, scheme: Scheme) -> None:
    """The algorithm inside what is signed is the one outside (RFC 5280, sections 4.1.1.2 and 5.1.1.2)."""
    if ALGORITHMS.get(inner.encoded) != scheme:
        raise DerUnreadable


def _public_key(element: Element) -> tuple[bytes, Scheme]:
    prefix, coordinates = element.encoded[:-64], element.encoded[-64:]
    scheme = KEYS.get(prefix)
    if scheme is None:
        raise CertificateKeyUnsupported(
            "The key of a certificate is an uncompressed point of P-256 or SM2.", found=prefix
        )
    public_key = b"\x04" + coordinates if scheme == "p256-sha256" else coordinates
    try:
        (p256 if scheme == "p256-sha256" else sm2).check_public_key(public_key)
    except PublicKeyInvalid as error:
        raise CertificateKeyUnsupported("The key of a certificate is not on its curve.", found=public_key) from error
    return public_key, scheme


def _name(name: Element) -> Name:
    """Every attribute in order; a value that is no text in hexadecimal (the library would warn of lengths that do not matter)."""
    found = []
    for group in read_all(name.content):
        if group.tag != SET:
            raise DerUnreadable
        for attribute in read_all(group.content):
            kind, value = read_all(attribute.content)
            if (attribute.tag, kind.tag) != (SEQUENCE, OBJECT_IDENTIFIER):
                raise DerUnreadable
            text = value.content.decode(TEXTS[value.tag]) if value.tag in TEXTS else value.content.hex()
            found.append((object_identifier(kind.content), text))
    return tuple(found)


def _extension(extensions: x509.Extensions, kind: type[Kind]) -> Kind | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _authority_key_id(extensions: x509.Extensions) -> bytes | None:
    found = _extension(extensions, x509.AuthorityKeyIdentifier)
    return None if found is None else found.key_identifier
