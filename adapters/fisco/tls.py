"""TLS to nodes with a consortium's own authority: line 3 asks for a certificate of ours unless its configuration says otherwise.

The certificates that the platform's scripts make have no host names, so `tls_name` may be `any`: then the authority alone decides.
National TLS (GB/T 38636, two certificates) is not here: Python's OpenSSL does not speak it.
"""

from __future__ import annotations

import ssl
import time
from pathlib import Path

from cryptography import x509

from adapters.fisco.options import FiscoOptions
from adapters.jsonrpc import JsonRpc
from adapters.protocol import AdapterOptions, CertificateState, MemberRefused, Misconfigured
from adapters.transport import HttpTransport, TlsAccess, Transport

ANY_NAME = "any"


def read_tls(options: FiscoOptions) -> TlsAccess | None:
    """What the options say of TLS; None where they say nothing.

    Raises:
        Misconfigured: a file is missing or no certificate or key, or our certificate is not valid now; the text names the option.
    """
    if not options.tls_roots:
        if options.tls_certificate or options.tls_key:
            raise Misconfigured("Option tls_certificate needs tls_roots, the file of the ledger's authorities.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = options.tls_name != ANY_NAME
    try:
        context.load_verify_locations(cafile=options.tls_roots)
    except (OSError, ssl.SSLError) as error:
        raise MemberRefused(
            f"Option tls_roots: {options.tls_roots} is no file of PEM certificates ({_why(error)})."
        ) from error
    if options.tls_certificate:
        _check_valid(certificate_state(options.tls_certificate))
        try:
            context.load_cert_chain(options.tls_certificate, options.tls_key or None)
        except (OSError, ssl.SSLError) as error:
            raise MemberRefused(
                f"Options tls_certificate and tls_key: the files do not go together ({_why(error)})."
            ) from error
    return TlsAccess(context, "" if options.tls_name == ANY_NAME else options.tls_name)


def open_rpc(url: str, options: AdapterOptions, tls: TlsAccess | None, transport: Transport | None) -> JsonRpc:
    """An endpoint, met with the ledger's own authorities where they were named."""
    if transport is None and tls is not None and url.startswith("https:"):
        transport = HttpTransport(url, timeout_s=options.timeout_s, max_answer_bytes=options.max_answer_bytes, tls=tls)
    return JsonRpc(url, timeout_s=options.timeout_s, max_answer_bytes=options.max_answer_bytes, transport=transport)


def certificate_state(path: str) -> CertificateState:
    """Whose a certificate is, and until when.

    Raises:
        Misconfigured: the file is none in PEM.
    """
    try:
        certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise MemberRefused(f"Option tls_certificate: {path} is no PEM certificate ({_why(error)}).") from error
    name = certificate.subject.rfc4514_string()[:200]
    return CertificateState(name, int(certificate.not_valid_after_utc.timestamp()))


def _check_valid(state: CertificateState) -> None:
    if state.not_after < time.time():
        raise MemberRefused(
            f"Our TLS certificate {state.name} is no longer valid; ask the ledger's authority for a new one."
        )


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error))[:100]
