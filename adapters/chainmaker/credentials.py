"""Certificates and keys in files: read again when they change, and judged before anything is sent with them.

A certificate is refused here, in one sentence, that is not valid now, whose key is another one, or that has no organisation. What
only the chain knows (whether it takes the organisation, whether it froze or revoked the certificate) it says itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from adapters.chainmaker.keys import KeyUnreadable, SigningKey, keys_of, read_private_key
from adapters.chainmaker.names import account_address
from adapters.protocol import CertificateState, MemberRefused, Misconfigured
from light_clients.crypto.certificates import Certificate, read_certificate
from light_clients.errors import LightClientError

MAXIMUM_FILE_SIZE = 1024 * 1024
GRACE_S = 3.0
"""How long files that are being replaced may not fit each other."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Credential:
    """A certificate and the key that goes with it.

    Attributes:
        name: of the certificate's file.
        pem: the certificate as it is sent.
        certificate: the same, read.
        key: its private key.
    """

    name: str
    pem: bytes
    certificate: Certificate
    key: SigningKey = field(repr=False)

    @property
    def organisation(self) -> str:
        """The member's organisation, which its certificate states."""
        return self.certificate.organisation or ""

    @property
    def role(self) -> str:
        """The member's role: the certificate's first OU, in capitals."""
        return next(iter(self.certificate.organisational_units), "").upper()

    @property
    def account(self) -> bytes:
        """The member's account, 20 bytes."""
        return account_address(self.key.public)

    @property
    def state(self) -> CertificateState:
        """Until when it is valid."""
        return CertificateState(self.name, self.certificate.not_after)

    def check(self, now: float | None = None) -> None:
        """Refuse a certificate that is not valid now.

        Args:
            now: Unix seconds; the clock's where none are given.

        Raises:
            Misconfigured: it is over, or has not begun; the text says what to do.
        """
        check_validity(self.name, self.certificate, now)


class Watched(Generic[Value]):
    """Something made of files, made again when one of them changes; safe to share between threads.

    While files are being replaced they may not fit each other: what was made before counts for `GRACE_S` more.
    """

    def __init__(self, paths: Callable[[], list[Path]], make: Callable[[], Value]) -> None:
        self._paths, self._make = paths, make
        self._lock = threading.Lock()
        self._mark: tuple[object, ...] | None = None
        self._value: Value | None = None
        self._unfit_since: float | None = None

    def get(self) -> Value:
        """What the files say now.

        Raises:
            Misconfigured: a file is missing or cannot be read.
        """
        mark = tuple(_mark(path) for path in self._paths())
        with self._lock:
            if self._value is None:
                self._value, self._mark = self._make(), mark
            elif self._mark != mark:
                self._renew(self._value, mark)
            return self._value

    def _renew(self, before: Value, mark: tuple[object, ...]) -> None:
        """Make it again; `before` stays for a while where that fails."""
        now = time.monotonic()
        try:
            self._value, self._mark, self._unfit_since = self._make(), mark, None
        except Misconfigured:
            self._unfit_since = now if self._unfit_since is None else self._unfit_since
            if now - self._unfit_since >= GRACE_S:
                raise
            self._value = before


def read_pem(path: Path, what: str) -> bytes:
    """Read a file.

    Raises:
        Misconfigured: it is missing, or larger than any certificate.
    """
    try:
        if path.stat().st_size > MAXIMUM_FILE_SIZE:
            raise MemberRefused(f"The file {path} of the option {what} is larger than 1 MiB; name a PEM file.")
        return path.read_bytes()
    except OSError as error:
        raise MemberRefused(
            f"The file {path} of the option {what} cannot be read ({error.strerror}); correct the path or its rights."
        ) from error


def read_member_certificate(path: Path, what: str) -> Certificate:
    """Read a member's certificate from its file.

    Raises:
        Misconfigured: there is none, or it has no organisation.
    """
    data = read_pem(path, what)
    try:
        certificate = read_certificate(_first_certificate(data))
    except LightClientError as error:
        raise MemberRefused(
            f"The file {path} of the option {what} holds no P-256 or SM2 certificate in PEM ({error})."
        ) from error
    if not certificate.organisation:
        raise MemberRefused(f"The certificate {path} of the option {what} names no organisation (O); take a member's.")
    return certificate


def read_credential(certificate_path: Path, key_path: Path, what: str) -> Credential:
    """Read a certificate and its key.

    Raises:
        Misconfigured: one cannot be read, or the key is another certificate's.
    """
    certificate = read_member_certificate(certificate_path, what)
    try:
        key = read_private_key(read_pem(key_path, what))
        public = key.public
    except KeyUnreadable as error:
        raise MemberRefused(f"The file {key_path} of the option {what} is no key: {error}") from error
    if key.scheme != certificate.scheme or public != certificate.public_key[-64:]:
        raise MemberRefused(
            f"The key {key_path} does not belong to the certificate {certificate_path}; name the key that was made with it."
        )
    return Credential(certificate_path.name, _first_certificate(read_pem(certificate_path, what)), certificate, key)


def credential_files(folder: Path, what: str) -> list[Path]:
    """The certificates of a folder, by name.

    Raises:
        Misconfigured: there is no such folder.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in (".crt", ".pem", ".cert"))
    except OSError as error:
        raise Misconfigured(
            f"The folder {folder} of the option {what} cannot be read ({error.strerror}); correct the path."
        ) from error


def member_for(private_key: bytes, folder: Path) -> Credential | None:
    """The member of a folder whose certificate has this key; of several that have begun the one that is valid longest.

    Raises:
        Misconfigured: the folder, or a certificate in it, cannot be read.
    """
    keys = keys_of(private_key)
    found: list[Credential] = []
    for path in credential_files(folder, "certificates"):
        certificate = read_member_certificate(path, "certificates")
        for key in keys:
            if (certificate.scheme, certificate.public_key[-64:]) == (key.scheme, key.public):
                pem = _first_certificate(read_pem(path, "certificates"))
                found.append(Credential(path.name, pem, certificate, key))
    now = time.time()
    return max(found, key=lambda item: (item.certificate.not_before <= now, item.certificate.not_after), default=None)


def check_validity(name: str, certificate: Certificate, now: float | None = None) -> None:
    """Refuse a certificate that is not valid now; arguments as in `Credential.check`.

    Raises:
        Misconfigured: it is over, or has not begun; the text says what to do.
    """
    moment = time.time() if now is None else now
    if moment > certificate.not_after:
        raise MemberRefused(
            f"The certificate {name} ended at {_date(certificate.not_after)}; put a renewed one in its place."
        )
    if moment < certificate.not_before:
        raise MemberRefused(
            f"The certificate {name} is not valid before {_date(certificate.not_before)}; check this machine's clock."
        )


def _first_certificate(data: bytes) -> bytes:
    """The first certificate of a PEM file, without what stands around it; other data as they are."""
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    start = data.find(begin)
    stop = data.find(end, start)
    return data[start : stop + len(end)] + b"\n" if start >= 0 and stop >= 0 else data


def _mark(path: Path) -> object:
    try:
        told = path.stat()
    except OSError:
        return (str(path), None)
    return (str(path), told.st_mtime_ns, told.st_size, told.st_ino)


def _date(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
