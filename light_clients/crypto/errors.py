"""The refusals of the cryptographic doors that the common tree does not have.

Refused
├─ SignatureRefused    PublicKeyInvalid · SignatureEncodingInvalid
└─ CertificateRefused  form:    CertificateUnreadable · CertificateKeyUnsupported · CertificateAlgorithmMismatch
                                · CertificateExtensionUnknown
                       time:    CertificateExpired · CertificateNotYetValid
                       issuer:  IssuerUnknown · NotAnAuthority · CertificateChainTooLong
                                · CertificateSignatureInvalid
                       revoked: CertificateRevoked · RevocationListUnreadable · RevocationListInvalid

A verification that only says yes or no answers with a bool and raises none of these.
"""

from __future__ import annotations

from light_clients.errors import Refused, SignatureInvalid, SignatureRefused


class PublicKeyInvalid(SignatureRefused):
    """A public key is not the one encoding of a point that may sign."""


class SignatureEncodingInvalid(SignatureInvalid):
    """A signature is not the one DER encoding of two positive integers."""


class CertificateRefused(Refused):
    """A certificate that does not show what it should."""


class CertificateUnreadable(CertificateRefused):
    """The bytes are no X.509 certificate of version 3, readable in one way only."""


class CertificateKeyUnsupported(CertificateRefused):
    """The key of the certificate is neither of P-256 nor of SM2."""


class CertificateAlgorithmMismatch(CertificateRefused):
    """The algorithm of the signature is not the one of the key that should have made it."""


class CertificateExtensionUnknown(CertificateRefused):
    """A critical extension is not understood here, so that what it restricts cannot be kept."""


class CertificateExpired(CertificateRefused):
    """The time lies after the validity of a certificate."""


class CertificateNotYetValid(CertificateRefused):
    """The time lies before the validity of a certificate."""


class IssuerUnknown(CertificateRefused):
    """No chain leads from the certificate to a trusted root."""


class NotAnAuthority(CertificateRefused):
    """The issuer's certificate does not allow it to sign certificates."""


class CertificateIsAuthority(CertificateRefused):
    """An authority's certificate stands where one of a member is asked for."""


class CertificateChainTooLong(CertificateRefused):
    """More authorities stand between the certificate and its root than are allowed."""


class CertificateSignatureInvalid(CertificateRefused):
    """The signature on a certificate is not by the issuer that it names."""


class CertificateRevoked(CertificateRefused):
    """The issuer took the certificate back."""


class RevocationListUnreadable(CertificateRefused):
    """The bytes are no X.509 revocation list, readable in one way only."""


class RevocationListInvalid(CertificateRefused):
    """A revocation list is not signed by the authority that it names."""
