"""Members' certificates as files: found by key, judged before they are used, read again when a file changes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from adapters.fabric.identities import SigningIdentity, key_of
from adapters.fabric.options import NetworkFile, OrganisationEntry, mark_of, read_bytes
from adapters.protocol import CertificateState, MemberRefused, Misconfigured
from light_clients.crypto.certificates import read_certificate, read_revocation_list, verify_chain
from light_clients.crypto.errors import CertificateExpired, CertificateRefused, CertificateRevoked, IssuerUnknown
from light_clients.crypto.x509_types import Certificate

PEM_END = b"-----END CERTIFICATE-----"


@dataclass
class Members:
    """The certificates that an adapter signs with.

    Attributes:
        network: whose organisations are known.
        base: what its paths are relative to.
        reader: folder of the member that reads.
        certificates: folder of those that send, or None.
    """

    network: NetworkFile
    base: Path
    reader: Path
    certificates: Path | None
    _found: dict[bytes, tuple[tuple[tuple[int, int], ...], SigningIdentity, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def who_reads(self) -> SigningIdentity:
        """The member that reads.

        Raises:
            Misconfigured: its files cannot be used, or its certificate does not hold.
        """
        certificate, key = self.reader / "cert.pem", self.reader / "key.pem"
        mark = mark_of(certificate, key, *self._authorities())
        with self._lock:
            known = self._found.get(b"")
        if known is None or known[0] != mark:
            try:
                private = load_pem_private_key(read_bytes(key, "reader's key"), None)
            except (ValueError, TypeError, UnsupportedAlgorithm) as error:
                raise MemberRefused(f"The reader's key {key} is no private key in PEM; give another.") from error
            if not isinstance(private, ec.EllipticCurvePrivateKey):
                raise MemberRefused(f"The reader's key {key} is no P-256 key; give another.")
            found, ends = self._identity(_load(certificate), private, str(certificate))
            if _point(found.certificate) != _public(private):
                raise MemberRefused(
                    f"The reader's certificate {certificate} is not of its key; give those that belong together."
                )
            known = (mark, found, ends)
            with self._lock:
                self._found[b""] = known
        return _current(known[1], known[2])

    def who_sends(self, private_key: bytes) -> SigningIdentity:
        """The member of a key.

        Args:
            private_key: 32 bytes.

        Raises:
            Misconfigured: no certificate is of this key, or the one that is does not hold.
        """
        try:
            private = key_of(private_key)
        except ValueError:
            raise Misconfigured("The key is no P-256 key of 32 bytes; give the member's own.") from None
        public = _public(private)
        files = self._files()
        mark = mark_of(*files, *self._authorities())
        with self._lock:
            known = self._found.get(public)
        if known is not None and known[0] == mark:
            return _current(known[1], known[2])
        refusal: Misconfigured | None = None
        for path in files:
            certificate = _load(path)
            if _point(certificate) != public:
                continue
            try:
                found, ends = self._identity(certificate, private, str(path))
                _current(found, ends)
            except Misconfigured as error:
                refusal = error
                continue
            with self._lock:
                self._found[public] = (mark, found, ends)
            return found
        raise refusal or MemberRefused(
            f"No certificate in {self.certificates or '(option certificates is not set)'} is of this key; put the member's "
            "certificate there as a PEM file."
        )

    def listed(self) -> list[CertificateState]:
        """Every certificate, and until when it holds."""
        paths = [self.reader / "cert.pem", *self._files()]
        return [CertificateState(path.name, int(_load(path).not_valid_after_utc.timestamp())) for path in paths]

    def _files(self) -> list[Path]:
        """Certificates in the folder; private keys that lie beside them are passed over."""
        found = sorted(self.certificates.glob("*.pem")) if self.certificates else []
        return [path for path in found if b"PRIVATE KEY" not in read_bytes(path, "certificate")]

    def _authorities(self) -> list[Path]:
        return [
            self.base / name
            for each in self.network.organisations
            for name in (*each.roots, *each.intermediates, *each.revocation_lists)
        ]

    def _identity(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, name: str
    ) -> tuple[SigningIdentity, int]:
        """The identity of a certificate in the organisation that issued it, and until when it holds."""
        refusal = ""
        for organisation in self.network.organisations:
            try:
                self._check(certificate, organisation)
            except IssuerUnknown:
                continue
            except CertificateRevoked:
                refusal = f"The certificate {name} was revoked by {organisation.msp_id}; ask it for another."
                continue
            except CertificateExpired:
                ended = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
                refusal = f"The certificate {name} expired on {ended}; ask {organisation.msp_id} for another."
                continue
            except CertificateRefused as error:
                refusal = f"The certificate {name} is refused for {organisation.msp_id}: {error}"
                continue
            ends = int(certificate.not_valid_after_utc.timestamp())
            return SigningIdentity(organisation.msp_id, certificate, key), ends
        raise MemberRefused(
            refusal
            or f"The certificate {name} is of no organisation of the network file; check which authority issued it."
        )

    def _check(self, certificate: x509.Certificate, organisation: OrganisationEntry) -> None:
        roots = [item for name in organisation.roots for item in self._read_all(name)]
        between = [item for name in organisation.intermediates for item in self._read_all(name)]
        lists = [
            read_revocation_list(read_bytes(self.base / name, "revocation list"))
            for name in organisation.revocation_lists
        ]
        verify_chain(read_certificate(certificate.public_bytes(Encoding.DER)), roots, between, int(time.time()), lists)

    def _read_all(self, name: str) -> list[Certificate]:
        data = read_bytes(self.base / name, "file of authorities")
        parts = [part + PEM_END for part in data.split(PEM_END)[:-1]]
        return [read_certificate(part.strip()) for part in parts]


def _current(identity: SigningIdentity, ends: int) -> SigningIdentity:
    if ends < time.time():
        raise MemberRefused(
            f"The certificate of {identity.msp_id} that is used expired on "
            f"{identity.certificate.not_valid_after_utc:%Y-%m-%d}; put a new one in its place."
        )
    return identity


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_bytes(path, "certificate"))
    except ValueError as error:
        raise MemberRefused(f"{path} is no certificate in PEM; put one there or take it away.") from error


def _point(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
