"""Connections to peers and orderers over gRPC with TLS: certificates are judged before anything is sent, files are read again.

A connection is first tried with a plain TLS handshake, because gRPC says of a bad certificate only that the node does not
answer. Files that changed since a connection was made lead to a new one.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from cryptography import x509

from adapters.fabric.options import NodeEntry, mark_of, read_bytes
from adapters.protocol import (
    AdapterError,
    AnswerTooLarge,
    BadAnswer,
    MemberRefused,
    Misconfigured,
    Rejected,
    Unreachable,
)

Answer = TypeVar("Answer")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
"""What a client of HTTP/2 says first, with empty settings (RFC 9113, section 3.4)."""

PAUSE_S = 0.3

_UNTRUSTED = (18, 19, 20, 21)
_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64
"""Codes of X509_verify_cert."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A client's certificate and key, where TLS is mutual."""

    certificate: Path
    key: Path


class Connection:
    """One peer or orderer. Safe to share between threads."""

    def __init__(
        self, node: NodeEntry, folder: Path, client: TlsFiles | None, timeout_s: float, max_bytes: int
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            node: where, and how its certificate is judged.
            folder: what its path is relative to.
            client: of the client, where TLS is mutual.
            timeout_s: seconds that one request may take.
            max_bytes: the largest answer.
        """
        self.node = node
        self.label = node.url
        self._scheme, _, self._target = node.url.partition("://")
        self._roots = folder / node.tls_roots
        self._client = client
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._mark: tuple[tuple[int, int], ...] = ()

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            if self._channel is not None:
                self._channel.close()
                self._channel = None

    def unary(self, method: str, request: bytes) -> bytes:
        """Ask one question.

        Raises:
            AdapterError: by kind.
        """

        def ask(channel: grpc.Channel) -> bytes:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            return call(request, timeout=self._timeout_s)

        return self._run(ask)

    def stream(self, method: str, requests: list[bytes], is_last: Callable[[bytes], bool]) -> list[bytes]:
        """Send requests and read answers up to the last one, or to the end.

        Raises:
            AdapterError: by kind; `BadAnswer` where the answers are larger than agreed.
        """

        def ask(channel: grpc.Channel) -> list[bytes]:
            method_call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
            call = method_call(iter(requests), timeout=self._timeout_s)
            found, size = [], 0
            try:
                for answer in call:
                    found.append(answer)
                    size += len(answer)
                    if size > self._max_bytes:
                        raise AnswerTooLarge(
                            f"{self.label} answers more than {self._max_bytes} bytes.", endpoint=self.label
                        )
                    if is_last(answer):
                        break
            finally:
                call.cancel()
            return found

        return self._run(ask)

    def _run(self, ask: Callable[[grpc.Channel], Answer]) -> Answer:
        try:
            return ask(self._open())
        except grpc.RpcError as error:
            raise self._sorted(error) from error

    def _sorted(self, error: grpc.RpcError) -> AdapterError:
        status: Any = error  # grpc raises calls that are errors too, which its types cannot say
        code = status.code() if hasattr(error, "code") else None
        said = status.details() if hasattr(error, "details") else None
        text = " ".join((said or "no reason").split())[:300]
        label = self.label
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in text:
            return AnswerTooLarge(f"{label} answers more than {self._max_bytes} bytes ({text}).", endpoint=label)
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Unreachable(f"{label} is busy ({text}); it is asked later.", endpoint=label, retry_after_s=1.0)
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
            self.close()
            return Unreachable(f"{label} does not answer ({text}).", endpoint=label)
        if code is grpc.StatusCode.UNIMPLEMENTED:
            return Misconfigured(f"{label} is no such node of Fabric ({text}); check its address.", endpoint=label)
        if code in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT):
            return Rejected(f"{label} refuses: {text}", endpoint=label)
        return BadAnswer(f"{label} fails ({code}: {text}).", endpoint=label)

    def _open(self) -> grpc.Channel:
        files = (self._roots, self._client.certificate, self._client.key) if self._client else (self._roots,)
        mark = mark_of(*files)
        with self._lock:
            if self._channel is not None and mark == self._mark:
                return self._channel
            if self._channel is not None:
                self._channel.close()
            self._channel = self._connect()
            self._mark = mark
            return self._channel

    def _connect(self) -> grpc.Channel:
        options: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", self._max_bytes),
            ("grpc.max_send_message_length", self._max_bytes),
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if self._scheme == "grpc":
            return grpc.insecure_channel(self._target, options)
        self._probe()
        key = read_bytes(self._client.key, "TLS key") if self._client else None
        certificate = read_bytes(self._client.certificate, "TLS certificate") if self._client else None
        roots = read_bytes(self._roots, "file of TLS roots")
        credentials = grpc.ssl_channel_credentials(roots, key, certificate)
        if self.node.tls_name:
            options.append(("grpc.ssl_target_name_override", self.node.tls_name))
        return grpc.secure_channel(self._target, credentials, options)

    def _probe(self) -> None:
        """Shake hands once, to say of a certificate what is wrong with it; once more where the node ends the connection."""
        host, _, port = self._target.rpartition(":")
        name = self.node.tls_name or host
        context = self._context()
        try:
            for pause_s in (PAUSE_S, 0.0):
                if self._is_greeted(context, (host.strip("[]"), int(port)), name):
                    return
                time.sleep(pause_s)
        except ssl.SSLCertVerificationError as error:
            raise MemberRefused(self._why(error, name), endpoint=self.label) from error
        except ssl.SSLError as error:
            if "ALERT" not in (error.reason or ""):
                raise Unreachable(f"{self.label} does not speak TLS ({error.reason}).", endpoint=self.label) from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self.label} does not answer ({error}).", endpoint=self.label) from error
        asks = "does not accept our TLS certificate" if self._client else "asks for a TLS certificate of ours"
        raise MemberRefused(
            f"{self.label} {asks}; give one of a member, with its key, in tls_certificate and tls_key.",
            endpoint=self.label,
        )

    def _is_greeted(self, context: ssl.SSLContext, address: tuple[str, int], name: str) -> bool:
        """Whether the node goes on after the handshake; one that refuses a client's certificate ends there (RFC 8446, 4.4.2)."""
        with (
            socket.create_connection(address, self._timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            try:
                secured.sendall(PREFACE)
                return bool(secured.recv(1))
            except (ConnectionError, ssl.SSLEOFError):
                return False

    def _context(self) -> ssl.SSLContext:
        roots = read_bytes(self._roots, "file of TLS roots")
        try:
            context = ssl.create_default_context(cadata=roots.decode())
            context.set_alpn_protocols(["h2"])
            if self._client:
                self._check_client(self._client)
                context.load_cert_chain(self._client.certificate, self._client.key)
        except (ssl.SSLError, ValueError) as error:
            raise MemberRefused(
                f"The TLS files for {self.label} cannot be used ({error}); give PEM files that belong together."
            ) from error
        except OSError as error:
            raise MemberRefused(f"A TLS file for {self.label} cannot be read ({error.strerror}).") from error
        return context

    def _check_client(self, client: TlsFiles) -> None:
        certificate = x509.load_pem_x509_certificate(read_bytes(client.certificate, "TLS certificate"))
        if certificate.not_valid_after_utc.timestamp() < time.time():
            raise MemberRefused(
                f"Our TLS certificate {client.certificate} expired on {certificate.not_valid_after_utc:%Y-%m-%d}; renew it."
            )

    def _why(self, error: ssl.SSLCertVerificationError, name: str) -> str:
        code = error.verify_code
        if code in (_EXPIRED, _NOT_YET):
            return f"The TLS certificate of {self.label} is not valid now (expired or not yet begun); its operator renews it."
        if code in (_OTHER_NAME, _OTHER_ADDRESS):
            return f"The TLS certificate of {self.label} is not for the name {name!r}; correct tls_name in the network file."
        if code in _UNTRUSTED:
            return (
                f"The TLS certificate of {self.label} is of another authority than {self._roots.name}; correct tls_roots "
                "in the network file."
            )
        return f"The TLS certificate of {self.label} is refused ({error.verify_message}); ask its operator."
