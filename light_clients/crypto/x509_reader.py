"""X.509 certificates and revocation lists: bytes in, their fields out (RFC 5280, sections 4 and 5).

The library `cryptography` reads times and holds the whole to DER. What a signature covers, the algorithm, the key, names and the
extensions that decide are taken from the DER here: the library knows no SM2 key (GB/T 32918.5-2017, curve
1.2.156.10197.1.301), names are compared byte for byte, and what it only warns of shall not depend on who listens.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography import x509

from light_clients.crypto import p256, sm2
from light_clients.crypto.asn1 import (
    BIT_STRING,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    TEXTS,
    UTC_TIME,
    DerUnreadable,
    Element,
    object_identifier,
    pem_or_der,
    positive_integer,
    read_all,
    read_elements,
)
from light_clients.crypto.errors import (
    CertificateKeyUnsupported,
    CertificateUnreadable,
    PublicKeyInvalid,
    RevocationListUnreadable,
)
from light_clients.crypto.x509_extensions import (
    Extension,
    authority_key_id,
    basic_constraints,
    key_usage,
    read_extensions,
    subject_key_id,
    unknown,
)
from light_clients.crypto.x509_types import Certificate, Name, RevocationList, Scheme

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

_UNREADABLE = (DerUnreadable, ValueError)
"""What reading raises: our own, and the library's where it finds no DER."""


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
    version, serial, algorithm, issuer, _validity, subject, key, wrapped = read_elements(
        tbs.content, (0xA0, INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, 0xA3)
    )
    _check_algorithm(algorithm, scheme)
    if version.content != b"\x02\x01\x02":
        raise DerUnreadable
    number = positive_integer(serial.content)
    if number == 0:
        raise DerUnreadable
    names = _name(subject), _name(issuer)
    extensions = read_extensions(*read_elements(wrapped.content, (SEQUENCE,)))
    is_authority, path_length = basic_constraints(extensions)
    library = x509.load_der_x509_certificate(der)
    public_key, key_scheme = _public_key(key)
    return Certificate(
        der=der,
        tbs=tbs.encoded,
        signature=signature,
        signature_scheme=scheme,
        serial=number,
        subject=names[0],
        issuer=names[1],
        subject_der=subject.encoded,
        issuer_der=issuer.encoded,
        not_before=int(library.not_valid_before_utc.timestamp()),
        not_after=int(library.not_valid_after_utc.timestamp()),
        public_key=public_key,
        scheme=key_scheme,
        is_authority=is_authority,
        path_length=path_length,
        key_usage=key_usage(extensions),
        subject_key_id=subject_key_id(extensions),
        authority_key_id=authority_key_id(extensions),
        extensions_unknown=unknown(extensions),
    )


def _read_revocation_list(der: bytes) -> RevocationList:
    tbs, scheme, signature = _signed_parts(der)
    version, algorithm, issuer = read_elements(tbs.content, (INTEGER, SEQUENCE, SEQUENCE), more=True)
    _check_algorithm(algorithm, scheme)
    if version.content != b"\x01":
        raise DerUnreadable
    extensions, entries = _list_parts(read_all(tbs.content)[3:])
    if any(item.critical for item in extensions.values()):
        raise DerUnreadable  # a part of a list, or of another issuer's certificates
    serials = frozenset(_revoked(entry) for entry in entries)
    library = x509.load_der_x509_crl(der)
    return RevocationList(
        der=der,
        tbs=tbs.encoded,
        signature=signature,
        signature_scheme=scheme,
        issuer_der=issuer.encoded,
        authority_key_id=authority_key_id(extensions),
        this_update=int(library.last_update_utc.timestamp()),
        serials=serials,
    )


def _list_parts(parts: tuple[Element, ...]) -> tuple[dict[str, Extension], tuple[Element, ...]]:
    """The extensions and the entries of a list, from what stands behind its issuer: one time or two, entries, extensions."""
    rest = [part for part in parts if part.tag not in (UTC_TIME, GENERALIZED_TIME)]
    extensions: dict[str, Extension] = {}
    if rest and rest[-1].tag == 0xA0:
        extensions = read_extensions(*read_elements(rest.pop().content, (SEQUENCE,)))
    return extensions, read_all(rest[0].content) if rest else ()


def _revoked(entry: Element) -> int:
    """The serial number of an entry (section 5.3)."""
    serial, _time, *further = read_all(entry.content)
    if entry.tag != SEQUENCE or serial.tag != INTEGER or len(further) > 1:
        raise DerUnreadable
    if any(item.critical for part in further for item in read_extensions(part).values()):
        raise DerUnreadable  # of another issuer's certificates
    return positive_integer(serial.content)


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
