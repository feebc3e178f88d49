"""Who signs: the member who asks, those whose keys are given to sign, and the administrators who endorse.

Files are read again when they change, so a renewed certificate counts from the next request on.
"""

from __future__ import annotations

import threading
from pathlib import Path

from adapters.chainmaker.credentials import (
    Credential,
    Watched,
    credential_files,
    member_for,
    read_credential,
    read_member_certificate,
)
from adapters.chainmaker.options import ChainMakerOptions
from adapters.protocol import CertificateState, MemberRefused, Misconfigured

LIGHT = "LIGHT"


_KEYS: dict[bytes, bytes] = {}
"""By account: keys that this process was given to sign with. A question is signed too, and the guard asks several endpoints, each
with an adapter of its own, on behalf of an account whose key only one of them was given."""
_KEYS_LOCK = threading.Lock()


class Members:
    """The members whose certificates the options name. Safe to share between threads."""

    def __init__(self, options: ChainMakerOptions) -> None:
        self._options = options
        certificate, key = Path(options.member_certificate), Path(options.member_key)
        self._reader = Watched(
            lambda: [certificate, key], lambda: read_credential(certificate, key, "member_certificate")
        )
        self._endorsers = Watched(self._endorser_files, self._read_endorsers)
        self._lock = threading.Lock()
        self._watched: dict[bytes, Watched[Credential]] = {}

    @property
    def folder(self) -> Path | None:
        """Where the certificates of those who sign stand."""
        return Path(self._options.certificates) if self._options.certificates else None

    def reader(self) -> Credential:
        """The member who asks questions.

        Raises:
            Misconfigured: its certificate or key cannot be used.
        """
        member = self._reader.get()
        member.check()
        if member.role == LIGHT:
            raise MemberRefused(
                f"The certificate {member.name} is of a light member, to whom nodes show its own organisation's transactions "
                "alone; take one with the role client."
            )
        return member

    def of_key(self, private_key: bytes) -> Credential:
        """The member whose key this is; its certificate is valid now.

        Raises:
            Misconfigured: there is no certificate for the key, or it is not valid.
        """
        with self._lock:
            watched = self._watched.setdefault(
                private_key, Watched(self._member_files, lambda: self._find(private_key))
            )
        member = watched.get()
        member.check()
        with _KEYS_LOCK:
            _KEYS[member.account] = private_key
        return member

    def of_account(self, account: bytes) -> Credential | None:
        """The member of an account, if its key was given to this process to sign with."""
        with _KEYS_LOCK:
            private_key = _KEYS.get(account)
        return self.of_key(private_key) if private_key else None

    def endorsers(self) -> list[Credential]:
        """Administrators who endorse deployments, one of each organisation or more.

        Raises:
            Misconfigured: there is none, or a certificate is not valid.
        """
        members = self._endorsers.get()
        if not members:
            raise Misconfigured(
                "A deployment is endorsed by administrators of most organisations; put their certificates and keys "
                "(NAME.crt, NAME.key) into a folder and name it in the option endorsers."
            )
        for member in members:
            member.check()
        return members

    def certificates(self) -> list[CertificateState]:
        """Every certificate that is used to sign, and until when it is valid.

        Raises:
            Misconfigured: one cannot be read.
        """
        folder = self.folder
        paths = credential_files(folder, "certificates") if folder else []
        states = [
            self._reader.get().state,
            *(member.state for member in self._endorsers.get()),
            *(CertificateState(path.name, read_member_certificate(path, "certificates").not_after) for path in paths),
        ]
        return list(dict.fromkeys(states))

    def _member_files(self) -> list[Path]:
        own = [Path(self._options.member_certificate), Path(self._options.member_key)]
        return own + (credential_files(self.folder, "certificates") if self.folder else [])

    def _find(self, private_key: bytes) -> Credential:
        if len(private_key) != 32:
            raise Misconfigured("A private key of ChainMaker has 32 bytes; give one of P-256 or SM2.")
        found = member_for(private_key, self.folder) if self.folder else None
        reader = self._reader.get()
        if found is None and reader.key.private == private_key:
            return reader
        if found is None:
            raise MemberRefused(
                "No certificate belongs to this key; have an organisation's authority certify it, and put the certificate "
                "(PEM) into the folder of the option certificates."
            )
        return found

    def _endorser_files(self) -> list[Path]:
        folder = Path(self._options.endorsers) if self._options.endorsers else None
        found = credential_files(folder, "endorsers") if folder else []
        return [part for path in found for part in (path, path.with_suffix(".key"))]

    def _read_endorsers(self) -> list[Credential]:
        files = self._endorser_files()
        pairs = zip(files[::2], files[1::2], strict=True)
        return [read_credential(certificate, key, "endorsers") for certificate, key in pairs]
