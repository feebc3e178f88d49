"""X.509: does a certificate's key belong to whom it says, by a root that we trust, at a time that we name?

Checks, in order, for the certificate and every authority above it (RFC 5280, section 6.1, for P-256 and SM2 keys):

1. The certificate that is asked about is no authority itself, unless the caller allows that.
2. No critical extension is unknown, and there are no name constraints.
3. The time lies within its validity, where a time is given.
4. An issuer is found: its subject is, byte for byte, the issuer that the certificate names, and the key identifiers agree
   where both stand. Roots are those given, compared by their bytes; their own signatures say nothing and are not checked.
5. The issuer may sign certificates: basic constraints and key usage.
6. No more authorities stand below it than it and we allow.
7. The issuer signed the certificate, with the algorithm of its key.
8. No revocation list by that issuer names the certificate. A list that carries the name and key of that issuer and is
   not signed by it lets nothing pass under it. How old a list is, is not judged: what was taken back stays so.

The search goes breadth first and looks at each authority once, so its work is bounded by the number of authorities.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Final

from light_clients.crypto import p256, sm2
from light_clients.crypto.errors import (
    CertificateAlgorithmMismatch,
    CertificateChainTooLong,
    CertificateExpired,
    CertificateExtensionUnknown,
    CertificateIsAuthority,
    CertificateNotYetValid,
    CertificateRefused,
    CertificateRevoked,
    CertificateSignatureInvalid,
    IssuerUnknown,
    NotAnAuthority,
    RevocationListInvalid,
)
from light_clients.crypto.x509_reader import read_certificate, read_revocation_list
from light_clients.crypto.x509_types import Certificate, RevocationList, Scheme
from light_clients.errors import SignatureInvalid

MOST_AUTHORITIES: Final = 8
"""Authorities in a chain, its root included."""


def verify_message(certificate: Certificate, message: bytes, signature_der: bytes, *, low_s: bool = False) -> bool:
    """Tell whether the key of a certificate signed a message; what the certificate is worth is not asked.

    Args:
        certificate: Whose key.
        message: Any bytes; hashed as the key's scheme does.
        signature_der: `SEQUENCE { r, s }` in strict DER.
        low_s: Whether an s in the upper half of P-256's group is refused; SM2 has no such rule.

    Returns:
        True for a valid signature, False for anything else.
    """
    return _is_signed(certificate.scheme, certificate.public_key, message, signature_der, low_s=low_s)


def verify_chain(
    certificate: Certificate,
    roots: Sequence[Certificate],
    intermediates: Sequence[Certificate] = (),
    at: int | None = None,
    revocation_lists: Sequence[RevocationList] = (),
    *,
    allow_authority: bool = False,
    most_authorities: int = MOST_AUTHORITIES,
) -> None:
    """Accept a certificate that a root vouches for.

    Args:
        certificate: The one that is asked about.
        roots: Authorities that are trusted.
        intermediates: Authorities that may stand between; not trusted by standing here.
        at: Unix seconds at which all have to be valid; None where no time is to be judged.
        revocation_lists: What authorities took back; lists of authorities outside the chain are passed over.
        allow_authority: Whether the certificate itself may be an authority's.
        most_authorities: Authorities above the certificate, its root included.

    Raises:
        CertificateRefused: The leaf that says why; where several issuers come into question, why the first of them did not do.
    """
    if certificate.is_authority and not allow_authority:
        raise CertificateIsAuthority("An authority's certificate signs certificates and nothing else.")
    _check_alone(certificate, at)
    trusted = frozenset(roots)
    candidates = tuple(dict.fromkeys((*roots, *intermediates)))
    reached: set[Certificate] = set()
    layer = [certificate]
    first_refusal: CertificateRefused | None = None
    for below in range(most_authorities):
        above = []
        for subject, issuer in product(layer, candidates):
            if issuer in reached or not _names(subject, issuer):
                continue
            try:
                _check_issued(subject, issuer, below, at, revocation_lists)
            except CertificateRefused as refusal:
                first_refusal = first_refusal or refusal
                continue
            if issuer in trusted:
                return
            reached.add(issuer)
            above.append(issuer)
        layer = above
    if first_refusal is not None:
        raise first_refusal
    if layer:
        raise CertificateChainTooLong(
            "More authorities stand above the certificate than allowed.", expected=most_authorities
        )
    raise IssuerUnknown("No chain leads from the certificate to a trusted root.")


def _names(subject: Certificate, issuer: Certificate) -> bool:
    """Check 4: whether the subject names this issuer."""
    wanted, there = subject.authority_key_id, issuer.subject_key_id
    return subject.issuer_der == issuer.subject_der and (wanted is None or there is None or wanted == there)


def _check_alone(certificate: Certificate, at: int | None) -> None:
    """Checks 2 and 3."""
    if certificate.extensions_unknown:
        raise CertificateExtensionUnknown(
            "A certificate restricts itself in a way that is not understood.", found=certificate.extensions_unknown[0]
        )
    if at is not None and at < certificate.not_before:
        raise CertificateNotYetValid("A certificate is not valid yet.", expected=certificate.not_before, found=at)
    if at is not None and at > certificate.not_after:
        raise CertificateExpired("A certificate is not valid any more.", expected=certificate.not_after, found=at)


def _check_issued(
    subject: Certificate, issuer: Certificate, below: int, at: int | None, revocation_lists: Sequence[RevocationList]
) -> None:
    """Checks 2, 3 and 5 to 8 for one step of a chain; `below` authorities stand under the issuer."""
    _check_alone(issuer, at)
    if not issuer.is_authority or not _may(issuer, "key_cert_sign"):
        raise NotAnAuthority("The issuer's certificate does not allow it to sign certificates.")
    if issuer.path_length is not None and below > issuer.path_length:
        raise CertificateChainTooLong(
            "More authorities stand below one than it allows.", expected=issuer.path_length, found=below
        )
    if subject.signature_scheme != issuer.scheme:
        raise CertificateAlgorithmMismatch(
            "The signature on a certificate is not of the issuer's kind of key.",
            expected=issuer.scheme,
            found=subject.signature_scheme,
        )
    if not _is_issued_by(subject, issuer):
        raise CertificateSignatureInvalid("The issuer did not sign the certificate.")
    for revocation_list in revocation_lists:
        if _is_list_of(revocation_list, issuer) and subject.serial in revocation_list.serials:
            raise CertificateRevoked("The issuer took the certificate back.", found=subject.serial)


def _is_list_of(revocation_list: RevocationList, issuer: Certificate) -> bool:
    """Whether a list carries the name and key of an authority, which then must have signed it."""
    wanted, there = revocation_list.authority_key_id, issuer.subject_key_id
    if revocation_list.issuer_der != issuer.subject_der or not (wanted is None or there is None or wanted == there):
        return False
    if (
        revocation_list.signature_scheme != issuer.scheme
        or not _may(issuer, "crl_sign")
        or not _is_signed(issuer.scheme, issuer.public_key, revocation_list.tbs, revocation_list.signature)
    ):
        raise RevocationListInvalid("A revocation list is not signed by the authority that it names.")
    return True


@lru_cache(maxsize=4096)
def _is_issued_by(subject: Certificate, issuer: Certificate) -> bool:
    """Check 7, remembered: a chain's certificates recur in every block."""
    return _is_signed(issuer.scheme, issuer.public_key, subject.tbs, subject.signature)


def _may(issuer: Certificate, use: str) -> bool:
    return issuer.key_usage is None or use in issuer.key_usage


def _is_signed(scheme: Scheme, public_key: bytes, message: bytes, signature: bytes, *, low_s: bool = False) -> bool:
    if scheme == "p256-sha256":
        return p256.verify(public_key, message, signature, low_s=low_s)
    try:
        return sm2.verify(public_key, message, sm2.signature_from_der(signature))
    except SignatureInvalid:
        return False


__all__ = [
    "MOST_AUTHORITIES",
    "Certificate",
    "RevocationList",
    "read_certificate",
    "read_revocation_list",
    "verify_chain",
    "verify_message",
]
