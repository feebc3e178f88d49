"""Certificate authorities of the simulator: P-256 and SM2 certificates and revocation lists in the form of ChainMaker's own.

Keys are made anew at every start. Source: RFC 5280 (certificates and lists), GM/T 0015 (the same with SM2).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.chainmaker.keys import P256, SM2, SigningKey, keys_of
from light_clients.crypto.x509_types import Scheme

YEAR_S = 365 * 24 * 3600
_ALGORITHMS = {P256: bytes.fromhex("300a06082a8648ce3d040302"), SM2: bytes.fromhex("300a06082a811ccf55018375")}
_KEY_PREFIXES = {
    P256: bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
    SM2: bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200"),
}
_CURVES = {P256: bytes.fromhex("06082a8648ce3d030107"), SM2: bytes.fromhex("06082a811ccf5501822d")}
_ATTRIBUTES = {"C": "550406", "ST": "550408", "L": "550407", "O": "55040a", "OU": "55040b", "CN": "550403"}
_USAGES = {"sign": b"\x06\xc0", "tls": b"\x03\xf8", "authority": b"\x01\x06"}
"""Unused bits and bits of the key usage, as ChainMaker's generator sets them."""
_TLS_PURPOSES = bytes.fromhex("301406082b0601050507030106082b06010505070302")


@dataclass(frozen=True)
class Issued:
    """A certificate with its key; `subject` is its DER name."""

    key: SigningKey
    der: bytes
    subject: bytes
    serial: int

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return pem(self.der, "CERTIFICATE")

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM, as SEC 1 has it."""
        curve = tlv(0xA0, _CURVES[self.key.scheme])
        public = tlv(0xA1, tlv(0x03, b"\x00\x04" + self.key.public))
        return pem(tlv(0x30, b"\x02\x01\x01", tlv(0x04, self.key.private), curve, public), "EC PRIVATE KEY")


def new_key(scheme: Scheme) -> SigningKey:
    """A fresh key."""
    while True:
        for key in keys_of(secrets.token_bytes(32)):
            if key.scheme == scheme:
                return key


def authority(scheme: Scheme, organisation: str) -> Issued:
    """A root of an organisation, valid for ten years."""
    return issue(None, new_key(scheme), organisation, "root-cert", f"ca.{organisation}", years=10)


def issue(
    issuer: Issued | None,
    key: SigningKey,
    organisation: str,
    unit: str,
    common_name: str,
    *,
    names: Sequence[str] = (),
    usage: str = "sign",
    years: float = 5,
    began_s_ago: int = 3600,
    public: bytes | None = None,
) -> Issued:
    """A certificate.

    Args:
        issuer: who signs; None: it signs itself and is an authority.
        key: whose it is.
        organisation: O.
        unit: OU, which is the role in ChainMaker.
        common_name: CN.
        names: DNS names beside 127.0.0.1, for TLS.
        usage: `sign` or `tls`.
        years: from now until it ends; negative for one that is over.
        began_s_ago: seconds since it began.
        public: X ‖ Y of somebody's key, of which only that is known.
    """
    signer, now, serial = (issuer.key if issuer else key), int(time.time()), secrets.randbits(62) + 1
    ends = now + int(years * YEAR_S)
    subject = _name(
        ("C", "CN"), ("ST", "Beijing"), ("L", "Beijing"), ("O", organisation), ("OU", unit), ("CN", common_name)
    )
    point = public or key.public
    extensions = [_extension("551d0f", tlv(0x03, _USAGES["authority" if issuer is None else usage]), critical=True)]
    if issuer is None:
        extensions.append(_extension("551d13", tlv(0x30, b"\x01\x01\xff"), critical=True))
    if usage == "tls":
        extensions.append(_extension("551d25", _TLS_PURPOSES))
    extensions.append(_extension("551d0e", tlv(0x04, hashlib.sha256(b"\x04" + point).digest())))
    above = hashlib.sha256(b"\x04" + signer.public).digest()
    extensions.append(_extension("551d23", tlv(0x30, tlv(0x80, above))))
    if names:
        alternatives = [tlv(0x82, name.encode()) for name in names]
        extensions.append(_extension("551d11", tlv(0x30, *alternatives, tlv(0x87, bytes((127, 0, 0, 1))))))
    unsigned = tlv(
        0x30,
        b"\xa0\x03\x02\x01\x02",
        _integer(serial),
        _ALGORITHMS[signer.scheme],
        issuer.subject if issuer else subject,
        tlv(0x30, _time(min(now, ends) - began_s_ago), _time(ends)),
        subject,
        _KEY_PREFIXES[key.scheme] + b"\x04" + point,
        tlv(0xA3, tlv(0x30, *extensions)),
    )
    der = tlv(0x30, unsigned, _ALGORITHMS[signer.scheme], tlv(0x03, b"\x00" + signer.sign(unsigned)))
    return Issued(key, der, subject, serial)


def revocation_list(issuer: Issued, serials: Sequence[int]) -> bytes:
    """What an authority takes back, in PEM."""
    now = int(time.time())
    entries = [tlv(0x30, _integer(serial), _time(now)) for serial in serials]
    above = _extension("551d23", tlv(0x30, tlv(0x80, hashlib.sha256(b"\x04" + issuer.key.public).digest())))
    number = _extension("551d14", _integer(1))
    algorithm = _ALGORITHMS[issuer.key.scheme]
    unsigned = tlv(
        0x30,
        b"\x02\x01\x01",
        algorithm,
        issuer.subject,
        _time(now),
        _time(now + YEAR_S),
        tlv(0x30, *entries),
        tlv(0xA0, tlv(0x30, above, number)),
    )
    return pem(tlv(0x30, unsigned, algorithm, tlv(0x03, b"\x00" + issuer.key.sign(unsigned))), "X509 CRL")


def pem(der: bytes, label: str) -> bytes:
    """DER in PEM, lines of 64."""
    text = base64.b64encode(der)
    lines = [text[place : place + 64] for place in range(0, len(text), 64)]
    return b"\n".join((f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----".encode(), b""))


def tlv(tag: int, *parts: bytes) -> bytes:
    """One DER element."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 + len(digits))) + digits + content


def _integer(number: int) -> bytes:
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _time(at: int) -> bytes:
    return tlv(0x17, datetime.fromtimestamp(at, UTC).strftime("%y%m%d%H%M%SZ").encode())


def _name(*attributes: tuple[str, str]) -> bytes:
    sets = [
        tlv(0x31, tlv(0x30, tlv(0x06, bytes.fromhex(_ATTRIBUTES[kind])), tlv(0x0C, text.encode())))
        for kind, text in attributes
    ]
    return tlv(0x30, *sets)


def _extension(identifier: str, value: bytes, *, critical: bool = False) -> bytes:
    return tlv(0x30, tlv(0x06, bytes.fromhex(identifier)), b"\x01\x01\xff" if critical else b"", tlv(0x04, value))
