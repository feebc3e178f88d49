"""What is read out of an X.509 certificate or revocation list (RFC 5280, sections 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

Scheme = Literal["p256-sha256", "sm2-sm3"]
"""What a key signs with: ECDSA over P-256 with SHA-256, or SM2 with SM3."""

Name = tuple[tuple[str, str], ...]
"""Attributes in order: object identifier in dots, and text."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of version 3 with a P-256 or SM2 key; two are equal where their bytes are.

    Attributes:
        der: the whole certificate.
        tbs: the part that is signed.
        signature: `SEQUENCE { r, s }` in DER.
        signature_scheme: what the issuer signed with.
        serial: the number that the issuer gave, positive.
        subject: whose key it is.
        issuer: who vouches for that.
        subject_der: the subject as it is encoded, by which names are compared.
        issuer_der: the issuer as it is encoded.
        not_before: Unix seconds, the first of validity.
        not_after: Unix seconds, the last of validity.
        public_key: P-256: 65 bytes, 0x04 first; SM2: 64 bytes.
        scheme: what the key signs with.
        is_authority: whether basic constraints say that the key signs certificates.
        path_length: how many authorities may stand below; None for any number.
        key_usage: names as in `KEY_USAGES`; None where the certificate does not restrict them.
        subject_key_id: the key's name, where the certificate has it.
        authority_key_id: the issuer key's name, where the certificate has it.
        extensions_unknown: object identifiers of critical extensions, and of name constraints, that are not understood.
    """

    der: bytes
    tbs: bytes = field(compare=False, repr=False)
    signature: bytes = field(compare=False, repr=False)
    signature_scheme: Scheme = field(compare=False)
    serial: int = field(compare=False)
    subject: Name = field(compare=False)
    issuer: Name = field(compare=False)
    subject_der: bytes = field(compare=False, repr=False)
    issuer_der: bytes = field(compare=False, repr=False)
    not_before: int = field(compare=False)
    not_after: int = field(compare=False)
    public_key: bytes = field(compare=False, repr=False)
    scheme: Scheme = field(compare=False)
    is_authority: bool = field(compare=False)
    path_length: int | None = field(compare=False)
    key_usage: frozenset[str] | None = field(compare=False)
    subject_key_id: bytes | None = field(compare=False, repr=False)
    authority_key_id: bytes | None = field(compare=False, repr=False)
    extensions_unknown: tuple[str, ...] = field(compare=False)

    def _texts(self, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        return tuple(text for name, text in self.subject if name == oid.dotted_string)

    @property
    def organisation(self) -> str | None:
        """The subject's O; None where it has none or several."""
        found = self._texts(NameOID.ORGANIZATION_NAME)
        return found[0] if len(found) == 1 else None

    @property
    def organisational_units(self) -> tuple[str, ...]:
        """The subject's OUs, in order."""
        return self._texts(NameOID.ORGANIZATIONAL_UNIT_NAME)

    @property
    def common_name(self) -> str | None:
        """The subject's CN; None where it has none or several."""
        found = self._texts(NameOID.COMMON_NAME)
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A full list of version 2 of what one authority took back.

    Attributes:
        der: the whole list.
        tbs: the part that is signed.
        signature: `SEQUENCE { r, s }` in DER.
        signature_scheme: what the issuer signed with.
        issuer_der: the issuer's name as it is encoded.
        authority_key_id: the issuer key's name, where the list has it.
        this_update: Unix seconds: when it was made.
        serials: numbers of the certificates that were taken back.
    """

    der: bytes
    tbs: bytes = field(compare=False, repr=False)
    signature: bytes = field(compare=False, repr=False)
    signature_scheme: Scheme = field(compare=False)
    issuer_der: bytes = field(compare=False, repr=False)
    authority_key_id: bytes | None = field(compare=False, repr=False)
    this_update: int = field(compare=False)
    serials: frozenset[int] = field(compare=False)
