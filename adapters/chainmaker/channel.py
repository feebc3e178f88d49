"""A gRPC channel to one node, held to a time and to the size of an answer; only `AdapterError` leaves.

Answers come as bytes and are read elsewhere, so that what no message is is refused in one place. The channel is made again when the
TLS files change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import grpc

from adapters.chainmaker.credentials import Watched
from adapters.chainmaker.options import ChainMakerOptions
from adapters.chainmaker.tls import TlsFiles, read_tls, tls_paths, try_handshake
from adapters.protocol import (
    AdapterError,
    AnswerTooLarge,
    BadAnswer,
    CertificateState,
    MemberRefused,
    Misconfigured,
    Unreachable,
)
from adapters.transport import endpoint_label

SERVICE = "/api.RpcNode/"
DEVELOPMENT_SERVICE = "/relayhub.chainmaker.Development/"
MAXIMUM_REQUEST_BYTES = 64 * 1024 * 1024
_BUSY_S = 1.0
_BUSY = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
)
_FORBIDDEN = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


def _same(data: bytes) -> bytes:
    return data


def _status_of(error: Any) -> tuple[grpc.StatusCode, str]:
    """Status and text of a failed call; the library's errors are calls too, which its types do not say."""
    if not isinstance(error, grpc.Call):
        return grpc.StatusCode.UNKNOWN, str(error)
    status = error.code()
    return status, error.details() or status.name.lower()


class NodeChannel:
    """A connection to a node. Safe to share between threads.

    Attributes:
        label: the endpoint without credentials.
    """

    def __init__(self, url: str, options: ChainMakerOptions, *, timeout_s: float, max_answer_bytes: int) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            url: `grpcs://HOST:PORT`, or `grpc://HOST:PORT` without TLS.
            options: have the TLS files.
            timeout_s: seconds that one request may take.
            max_answer_bytes: the largest answer that is read.

        Raises:
            Misconfigured: the URL is of another form.
        """
        whole = url if "://" in url else f"grpcs://{url}"
        self.label = endpoint_label(whole)
        parts = urlsplit(whole) if self.label != "(unreadable URL)" else None
        if parts is None or parts.scheme not in ("grpcs", "grpc") or not parts.hostname or not parts.port:
            raise Misconfigured(f"{self.label!r} is no endpoint of ChainMaker; give grpcs://HOST:PORT.")
        self._host, self._port = parts.hostname, parts.port
        self._timeout_s, self._max_bytes = timeout_s, max_answer_bytes
        self._tls = Watched(lambda: tls_paths(options), lambda: read_tls(options)) if parts.scheme == "grpcs" else None
        self._lock = threading.RLock()
        self._channel: grpc.Channel | None = None
        self._files: TlsFiles | None = None
        self._node: CertificateState | None = None

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def ask(self, method: str, request: bytes) -> bytes:
        """Send one request and read the answer.

        Args:
            method: full path of the method.
            request: protobuf.

        Raises:
            AdapterError: by kind.
        """
        call = self._open().unary_unary(method, request_serializer=_same, response_deserializer=_same)
        try:
            answer: bytes = call(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise self._failure(error) from error
        return answer

    def ask_all(self, method: str, requests: list[bytes]) -> list[bytes | AdapterError]:
        """Send requests at once and read the answers in order; one that fails gives its error."""
        call = self._open().unary_unary(method, request_serializer=_same, response_deserializer=_same)
        ends = time.monotonic() + self._timeout_s
        waiting = [call.future(request, timeout=self._timeout_s) for request in requests]
        answers: list[bytes | AdapterError] = []
        size = 0
        for future in waiting:
            try:
                answer: bytes = future.result(timeout=max(0.0, ends - time.monotonic()) + 1.0)
            except grpc.RpcError as error:
                answers.append(self._failure(error))
                continue
            except (grpc.FutureTimeoutError, grpc.FutureCancelledError):
                answers.append(self._late())
                continue
            size += len(answer)
            answers.append(answer if size <= self._max_bytes else self._too_large())
        return answers

    def follow(self, method: str, request: bytes, count: int) -> Iterator[bytes]:
        """Read a stream of at most so many messages, all of them within one request's time and size.

        Raises:
            AdapterError: by kind.
        """
        call = self._open().unary_stream(method, request_serializer=_same, response_deserializer=_same)
        stream = call(request, timeout=self._timeout_s)
        size = 0
        try:
            for _, message in zip(range(count), stream, strict=False):
                size += len(message)
                if size > self._max_bytes:
                    raise self._too_large()
                yield message
        except grpc.RpcError as error:
            raise self._failure(error) from error
        finally:
            stream.cancel()

    def certificates(self) -> list[CertificateState]:
        """Our TLS certificate, and the node's as far as it was seen."""
        if self._tls is None:
            return []
        own = self._tls.get().own
        return [*([own.state] if own else []), *([self._node] if self._node else [])]

    def _open(self) -> grpc.Channel:
        """The channel, made after a handshake by hand where there is none or its files changed.

        Raises:
            Misconfigured: certificates do not fit, and this node was never reached.
            Unreachable: it was reached before, or nobody listens.
        """
        files = self._tls.get() if self._tls is not None else None
        if files is not None:
            files.check()
        with self._lock:
            if self._channel is not None and files is self._files:
                return self._channel
            if files is not None:
                self._node = self._shake_hands(files)
            stale, self._channel, self._files = self._channel, self._make(files), files
            if stale is not None:
                stale.close()
            return self._channel

    def _shake_hands(self, files: TlsFiles) -> CertificateState:
        try:
            return try_handshake(self._host, self._port, files, self.label, self._timeout_s)
        except Misconfigured as error:
            if self._node is None or isinstance(error, MemberRefused):
                raise
            raise Unreachable(str(error), endpoint=self.label) from error

    def _make(self, files: TlsFiles | None) -> grpc.Channel:
        options: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", self._max_bytes),
            ("grpc.max_send_message_length", MAXIMUM_REQUEST_BYTES),
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 2_000),
        ]
        host = f"[{self._host}]" if ":" in self._host else self._host
        target = f"{host}:{self._port}"
        if files is None:
            return grpc.insecure_channel(target, options=options)
        credentials = grpc.ssl_channel_credentials(
            root_certificates=files.roots,
            private_key=files.own_key or None,
            certificate_chain=files.own.pem if files.own else None,
        )
        return grpc.secure_channel(target, credentials, [*options, ("grpc.ssl_target_name_override", files.name)])

    def _failure(self, error: grpc.RpcError) -> AdapterError:
        """What a failed call means."""
        status, details = _status_of(error)
        text = "".join(character if character.isprintable() else " " for character in details[:200])
        if status is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
            return self._too_large()
        if status is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self._late()
        if status in _BUSY:
            self._forget()
            return Unreachable(f"{self.label} is not available ({text}).", endpoint=self.label)
        if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Unreachable(f"{self.label} is busy ({text}).", endpoint=self.label, retry_after_s=_BUSY_S)
        if status in _FORBIDDEN:
            return MemberRefused(
                f"{self.label} does not let us in ({text}); check member_certificate.", endpoint=self.label
            )
        if status is grpc.StatusCode.UNIMPLEMENTED:
            return Misconfigured(f"{self.label} is no ChainMaker node ({text}); give another.", endpoint=self.label)
        return BadAnswer(f"{self.label} failed ({status.name.lower()}: {text}).", endpoint=self.label)

    def _forget(self) -> None:
        """Let the next call shake hands again, so that a node that came back with another certificate is named."""
        with self._lock:
            stale, self._channel = self._channel, None
        if stale is not None:
            threading.Thread(target=stale.close, daemon=True).start()

    def _late(self) -> Unreachable:
        return Unreachable(f"{self.label} does not answer within {self._timeout_s:g} s.", endpoint=self.label)

    def _too_large(self) -> AnswerTooLarge:
        return AnswerTooLarge(
            f"{self.label} answers more than the {self._max_bytes} bytes agreed; ask for less.", endpoint=self.label
        )
