"""Certificate authorities of the simulator's organisations, and what they issue. Keys are new at each start, files have mode 600.

Members' certificates have Fabric's node units (OU = client, peer, admin or orderer), as `fabric-ca` and `cryptogen` make
them; certificates for TLS name the node's host name alone, not its address.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapters.fabric.identities import SigningIdentity
from adapters.fabric.simulator.configuration import ADMIN, CLIENT, ORDERER, PEER
from adapters.fabric.simulator.wire import message

DAY = timedelta(days=1)


def write_private(path: Path, data: bytes) -> Path:
    """Write a file that its owner alone may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
    return path


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key in PEM (PKCS 8)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(organisation: str, common_name: str, units: tuple[str, ...] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
    attributes += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True)
class Authority:
    """A root that issues certificates.

    Attributes:
        certificate: its own.
        key: P-256.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, organisation: str, common_name: str) -> Authority:
        """A root that signs itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(organisation, common_name)
        builder = _builder(name, name, key.public_key(), key.public_key(), datetime.now(UTC) + 3650 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        usage = _usage(key_cert_sign=True, crl_sign=True)
        return cls(builder.add_extension(usage, critical=True).sign(key, SHA256()), key)

    @property
    def pem(self) -> bytes:
        """Its certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(
        self,
        organisation: str,
        common_name: str,
        public_key: ec.EllipticCurvePublicKey,
        *,
        units: tuple[str, ...] = (),
        hosts: tuple[str, ...] = (),
        not_after: datetime | None = None,
    ) -> x509.Certificate:
        """A certificate of somebody's key; with `hosts` one for TLS.

        Args:
            organisation: O.
            common_name: CN.
            public_key: P-256.
            units: OUs.
            hosts: names that a TLS server has; an empty one makes it a certificate for TLS clients alone.
            not_after: in 90 days where nothing is said.
        """
        builder = _builder(
            self.certificate.subject,
            _name(organisation, common_name, units),
            public_key,
            self.key.public_key(),
            not_after or datetime.now(UTC) + 90 * DAY,
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        if hosts:
            names = [x509.DNSName(host) for host in hosts if host]
            usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            if names:
                builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, SHA256())

    def revocation_list(self, serials: list[int]) -> bytes:
        """What it took back, PEM."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(now).next_update(now + 30 * DAY)
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
            builder = builder.add_revoked_certificate(entry)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        builder = builder.add_extension(x509.CRLNumber(len(serials) + 1), critical=False)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


@dataclass
class Organisation:
    """An organisation: a root for its members, another one for TLS, and whom it took back.

    Attributes:
        msp_id: its membership id.
        domain: the end of its nodes' host names.
        members: issues certificates of members.
        tls: issues certificates for TLS.
        revoked: serial numbers of members' certificates that were taken back.
    """

    msp_id: str
    domain: str
    members: Authority
    tls: Authority
    revoked: list[int] = field(default_factory=list)

    @classmethod
    def new(cls, msp_id: str, domain: str) -> Organisation:
        """An organisation with new authorities."""
        return cls(msp_id, domain, Authority.new(domain, f"ca.{domain}"), Authority.new(domain, f"tlsca.{domain}"))

    def member(
        self,
        role: str,
        label: str,
        public_key: ec.EllipticCurvePublicKey | None = None,
        not_after: datetime | None = None,
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey | None]:
        """A member's certificate, with its key where that is a new one."""
        key = None if public_key else ec.generate_private_key(ec.SECP256R1())
        public = public_key or (key.public_key() if key else self.members.key.public_key())
        certificate = self.members.issue(
            self.domain, f"{label}@{self.domain}", public, units=(role,), not_after=not_after
        )
        return certificate, key

    def identity(self, role: str, label: str, not_after: datetime | None = None) -> SigningIdentity:
        """A new member with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, _ = self.member(role, label, key.public_key(), not_after)
        return SigningIdentity(self.msp_id, certificate, key)

    @property
    def content(self) -> bytes:
        """`FabricMSPConfig`."""
        rules = [message((1, self.members.pem), (2, role)) for role in (CLIENT, PEER, ADMIN, ORDERER)]
        revocations = [(5, self.members.revocation_list(self.revoked))] if self.revoked else []
        return message(
            (1, self.msp_id),
            (2, self.members.pem),
            *revocations,
            (8, message((1, "SHA2"), (2, "SHA256"))),
            (9, self.tls.pem),
            (11, message((1, 1), *enumerate(rules, 2))),
        )


def _builder(
    issuer: x509.Name,
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    not_after: datetime,
) -> x509.CertificateBuilder:
    begin = min(datetime.now(UTC), not_after) - DAY
    builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(subject).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(not_after)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    return builder.add_extension(identifier, critical=False)


def _usage(**given: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})
