"""TLS to a node: the files, and a handshake that says in a sentence what is wrong before anything is sent.

gRPC's library says of a failed handshake little more than that the node is unavailable. So the first connection, and each one
after a failure, is tried by hand: authority, name and time of the node's certificate, and whether the node takes ours.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from adapters.chainmaker.credentials import Credential, check_validity, read_credential, read_pem
from adapters.chainmaker.options import ChainMakerOptions
from adapters.protocol import CertificateState, MemberRefused, Misconfigured, Unreachable
from light_clients.crypto.certificates import read_certificate
from light_clients.errors import LightClientError

_EXPIRED, _NOT_YET, _NAME = 10, 9, 62
"""OpenSSL's `X509_V_ERR_…` of a failed verification: what is over, what has not begun, what has another name."""
_FIRST_FRAME_S = 2.0
_ALERT = re.compile(r"alert|bad certificate|unknown ca|certificate (expired|required|revoked|unknown)", re.IGNORECASE)


@dataclass(frozen=True)
class TlsFiles:
    """What a secure channel is made of.

    Attributes:
        roots: PEM of the authorities of the nodes.
        name: that the nodes' certificates have.
        own: our certificate and key; None where the nodes ask for none.
        own_paths: their files.
        own_key: PEM of our key.
    """

    roots: bytes
    name: str
    own: Credential | None
    own_paths: tuple[str, str] = ("", "")
    own_key: bytes = field(default=b"", repr=False)

    def check(self) -> None:
        """Refuse our own certificate where it is not valid now.

        Raises:
            Misconfigured: it is not; the text says what to do.
        """
        if self.own is not None:
            check_validity(self.own.name, self.own.certificate)


def read_tls(options: ChainMakerOptions) -> TlsFiles:
    """Read the TLS files.

    Raises:
        Misconfigured: a file is missing, or they do not fit each other.
    """
    if not options.tls_roots:
        raise Misconfigured("The option tls_roots names no file; give the authorities of the nodes' TLS certificates.")
    roots = read_pem(Path(options.tls_roots), "tls_roots")
    if b"-----BEGIN CERTIFICATE-----" not in roots:
        raise Misconfigured(f"The file {options.tls_roots} of the option tls_roots holds no certificate in PEM.")
    if bool(options.tls_certificate) != bool(options.tls_key):
        raise Misconfigured("The options tls_certificate and tls_key go together; give both or neither.")
    if not options.tls_certificate:
        return TlsFiles(roots, options.tls_name, None)
    certificate, key = Path(options.tls_certificate), Path(options.tls_key)
    own = read_credential(certificate, key, "tls_certificate")
    if own.certificate.scheme != "p256-sha256":
        raise MemberRefused(
            f"The TLS certificate {certificate} has an SM2 key, which gRPC's library cannot use; take one with a P-256 key."
        )
    return TlsFiles(roots, options.tls_name, own, (str(certificate), str(key)), read_pem(key, "tls_key"))


def tls_paths(options: ChainMakerOptions) -> list[Path]:
    """The files that `read_tls` reads."""
    return [Path(path) for path in (options.tls_roots, options.tls_certificate, options.tls_key) if path]


def try_handshake(host: str, port: int, files: TlsFiles, label: str, timeout_s: float) -> CertificateState:
    """Shake hands with a node and hang up; nothing is sent.

    Returns:
        Until when the node's certificate is valid.

    Raises:
        Misconfigured: its certificate is over, of another authority or another name, or it does not take ours.
        Unreachable: nobody listens, or no TLS is spoken.
    """
    files.check()
    context = _context(files, label)
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=files.name) as secure,
        ):
            encoded = secure.getpeercert(binary_form=True) or b""
            _check_welcome(secure, files, label, timeout_s)
    except ssl.SSLCertVerificationError as error:
        raise MemberRefused(_advice(error, files, label), endpoint=label) from error
    except ssl.SSLError as error:
        if _ALERT.search(str(error)):
            raise _not_taken(files, label, error.reason) from error
        raise Unreachable(f"{label} does not speak TLS ({error.reason}); check the port.", endpoint=label) from error
    except TimeoutError as error:
        raise Unreachable(f"{label} does not answer a TLS handshake in time.", endpoint=label) from error
    except OSError as error:
        raise Unreachable(f"{label} cannot be reached ({error.strerror or error}).", endpoint=label) from error
    return _state_of(encoded, label)


def _check_welcome(secure: ssl.SSLSocket, files: TlsFiles, label: str, timeout_s: float) -> None:
    """Wait for the first byte: only then does a server of TLS 1.3 say, or show by hanging up, that it does not take ours."""
    secure.settimeout(min(_FIRST_FRAME_S, timeout_s))
    try:
        if not secure.recv(1):
            raise _not_taken(files, label, "it hung up")
    except TimeoutError:
        return  # it waits for us to speak first


def _not_taken(files: TlsFiles, label: str, why: str | None) -> Misconfigured:
    return MemberRefused(
        f"{label} does not take our TLS certificate {files.own.name if files.own else '(none)'} ({why}); use one of an "
        "authority that the node trusts.",
        endpoint=label,
    )


def _context(files: TlsFiles, label: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    try:
        context.load_verify_locations(cadata=files.roots.decode("ascii", "replace"))
        if files.own is not None:
            context.load_cert_chain(*files.own_paths)
    except (ssl.SSLError, OSError) as error:
        raise MemberRefused(
            f"The TLS files for {label} cannot be used ({error}); check tls_roots, tls_certificate and tls_key.",
            endpoint=label,
        ) from error
    return context


def _advice(error: ssl.SSLCertVerificationError, files: TlsFiles, label: str) -> str:
    if error.verify_code == _EXPIRED:
        return f"The TLS certificate of {label}, or its authority's, is over; its operator has to renew it."
    if error.verify_code == _NOT_YET:
        return f"The TLS certificate of {label} is not valid yet; check this machine's clock."
    if error.verify_code == _NAME:
        return (
            f"The TLS certificate of {label} is not for the name {files.name!r}; set the option tls_name to a name in it, "
            "or correct the endpoint."
        )
    return (
        f"The TLS certificate of {label} is by an authority that is not in tls_roots ({error.verify_message}); "
        "add the authority of its organisation, or correct the endpoint."
    )


def _state_of(encoded: bytes, label: str) -> CertificateState:
    try:
        return CertificateState(f"TLS certificate of {label}", read_certificate(encoded).not_after)
    except LightClientError as error:
        raise MemberRefused(f"The TLS certificate of {label} cannot be read ({error}).", endpoint=label) from error
