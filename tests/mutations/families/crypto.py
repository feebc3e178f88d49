"""Signatures of every scheme with their keys and messages, and certificate chains that sign a message."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from light_clients.crypto import bls, ed25519, p256, secp256k1, sm2
from light_clients.crypto.certificates import read_certificate, read_revocation_list, verify_chain, verify_message
from light_clients.errors import SignatureInvalid
from tests.mutations.families.engine import FamilySubject
from tests.support.certificate_authority import ALGORITHMS, FROM, Issued, Key, issue, revocation_list, root

MESSAGES = (b"vote at height 12", b"vote at height 13")
Verify = Callable[[bytes, bytes, bytes], bool]


def subjects() -> list[FamilySubject]:
    """One for each scheme, one for a committee, one for a chain of each kind of key."""
    return [
        _signature("ed25519", ed25519.verify, _ed25519),
        _signature("p256", lambda key, message, der: p256.verify(key, message, der, low_s=True), _p256),
        _signature("secp256k1", lambda *parts: secp256k1.verify(parts[0], _digest(parts[1]), parts[2]), _secp256k1),
        _signature("sm2", sm2.verify, _sm2),
        _committee(),
        *(_chain(scheme) for scheme in ALGORITHMS),
    ]


def _digest(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()


def _ed25519(label: str, message: bytes) -> tuple[bytes, bytes, bytes]:
    key = Ed25519PrivateKey.from_private_bytes(_digest(label.encode()))
    return key.public_key().public_bytes_raw(), message, key.sign(message)


def _p256(label: str, message: bytes) -> tuple[bytes, bytes, bytes]:
    key = Key(label)
    return key.public, message, key.sign(message)


def _secp256k1(label: str, message: bytes) -> tuple[bytes, bytes, bytes]:
    private = _digest(label.encode())
    key = secp256k1.PrivateKey(private).public_key.format(compressed=True)
    return key, message, secp256k1.sign(private, _digest(message))[:64]


def _sm2(label: str, message: bytes) -> tuple[bytes, bytes, bytes]:
    private = _digest(label.encode())
    return sm2.public_key_of(private), message, sm2.sign(private, message)


def _signature(part: str, verify: Verify, make: Callable[[str, bytes], tuple[bytes, bytes, bytes]]) -> FamilySubject:
    def judge(value: Any) -> object:
        key, message, signature = value
        if not verify(key, message, signature):
            raise SignatureInvalid("The door answers no.")
        return key, message

    value = make("mutations one", MESSAGES[0])
    others = [make("mutations one", MESSAGES[1]), make("mutations two", MESSAGES[0])]
    return FamilySubject("crypto", part, value, judge, others)


def _committee() -> FamilySubject:
    """The keys in any order are the same committee."""
    privates = [_digest(b"mutations member %d" % number)[1:].rjust(32, b"\0") for number in range(5)]

    def make(chosen: list[bytes], message: bytes) -> tuple[list[bytes], bytes, bytes]:
        signature = bls.aggregate([bls.sign(private, message) for private in chosen])
        return [bls.public_key_of(private).encoded for private in chosen], message, signature

    def judge(value: Any) -> object:
        keys, message, signature = value
        if not bls.fast_aggregate_verify(bls.decode_public_keys(keys), message, signature):
            raise SignatureInvalid("The door answers no.")
        return sorted(keys), message

    value = make(privates[:4], MESSAGES[0])
    return FamilySubject(
        "crypto", "bls", value, judge, [make(privates[:4], MESSAGES[1]), make(privates[1:], MESSAGES[0])]
    )


def _chain(scheme: str) -> FamilySubject:
    """A member below an authority below a trusted root; another member was taken back, another root is not trusted."""
    top = root(f"mutations root {scheme}", scheme)
    middle = issue(top, f"mutations middle {scheme}", authority=True)
    member = issue(middle, "member", organisation="org1.example", units=("peer",))
    neighbour = issue(middle, "neighbour", organisation="org1.example", units=("admin",), serial=99)
    false_top = root(f"mutations false root {scheme}", scheme, subject=top.subject)
    false_middle = issue(false_top, "false middle", authority=True, subject=middle.subject)
    false = issue(false_middle, "member", key=Key("thief", scheme), organisation="org1.example", units=("admin",))
    trusted = [read_certificate(top.der)]
    taken_back = [read_revocation_list(revocation_list(middle, [99]))]

    def judge(value: Any) -> object:
        leaf, between, message, signature = value
        certificate = read_certificate(leaf)
        verify_chain(certificate, trusted, [read_certificate(der) for der in between], FROM + 1, taken_back)
        if not verify_message(certificate, message, signature, low_s=True):
            raise SignatureInvalid("The door answers no.")
        return certificate.subject, certificate.public_key, certificate.serial, message

    return FamilySubject(
        "crypto",
        f"certificates {scheme}",
        _signed(member, middle, MESSAGES[0]),
        judge,
        [
            _signed(member, middle, MESSAGES[1]),
            _signed(neighbour, middle, MESSAGES[0]),
            _signed(false, false_middle, MESSAGES[0]),
            _signed(member, false_top, MESSAGES[0]),
        ],
    )


def _signed(member: Issued, above: Issued, message: bytes) -> tuple[bytes, list[bytes], bytes, bytes]:
    return member.der, [above.der], message, member.key.sign(message)
