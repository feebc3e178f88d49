"""Certificates of a simulated network, made anew at each start: an authority, the nodes' one, and one for clients."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NODE_NAME = "node.fisco.simulator"
_DAYS = 365
Signer = tuple[ec.EllipticCurvePrivateKey, x509.Name]


def make_certificates(folder: Path, *, client_days: int = _DAYS) -> dict[str, str]:
    """Write the authority's, the nodes' and a client's certificates and keys (mode 600).

    Args:
        folder: made where it is missing.
        client_days: days from now until the client's certificate ends; negative for one that has ended.

    Returns:
        The adapter's options of TLS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = _issue(folder, "ca", "FISCO simulator authority", None, _DAYS)
    _issue(folder, "node", NODE_NAME, root, _DAYS)
    _issue(folder, "sdk", "client", root, client_days)
    return {
        "tls_roots": str(folder / "ca.crt"),
        "tls_certificate": str(folder / "sdk.crt"),
        "tls_key": str(folder / "sdk.key"),
        "tls_name": NODE_NAME,
    }


def server_context(folder: Path) -> ssl.SSLContext:
    """What a node listens with: its certificate, and the authority whose clients it takes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "node.crt", folder / "node.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _issue(folder: Path, file: str, name: str, issuer: Signer | None, days: int) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing_key, issuer_name = issuer or (key, subject)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2 * _DAYS))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
    )
    certificate = builder.sign(signing_key, hashes.SHA256())
    (folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path = folder / f"{file}.key"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return key, subject
