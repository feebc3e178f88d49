"""Microseconds of each cryptographic door, and the ratios of what is composed of others."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from light_clients.crypto import bls, ed25519, p256, secp256k1, sm2
from light_clients.crypto.certificates import read_certificate, verify_chain
from schemas.sm3_fallback import sm3 as plain_sm3
from schemas.suites import keccak256, sm3
from tests.bench.best import best_us
from tests.support.certificate_authority import FROM, Key, issue, root

COMMITTEE = 512
BLOCK = bytes(range(256)) * 2 + bytes(20)
"""532 bytes, a full branch of a Merkle-Patricia trie."""
MESSAGE = b"a vote of about a hundred bytes".ljust(110, b".")


def measure() -> dict[str, float]:
    """Flat figures, the unit in the key."""
    return _signatures() | _sm2() | _committee() | _certificates() | _hashes()


def _signatures() -> dict[str, float]:
    pair = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"bench").digest())
    ed_key, ed_signature = pair.public_key().public_bytes_raw(), pair.sign(MESSAGE)
    p256_key = Key("bench")
    p256_public, p256_signature = p256_key.public, p256_key.sign(MESSAGE)
    private, digest = hashlib.sha256(b"bench").digest(), hashlib.sha256(MESSAGE).digest()
    public = secp256k1.PrivateKey(private).public_key.format(compressed=True)
    recoverable = secp256k1.sign(private, digest)
    return {
        "ed25519_verify_us": best_us(lambda: ed25519.verify(ed_key, MESSAGE, ed_signature)),
        "p256_verify_us": best_us(lambda: p256.verify(p256_public, MESSAGE, p256_signature)),
        "secp256k1_verify_us": best_us(lambda: secp256k1.verify(public, digest, recoverable[:64])),
        "secp256k1_recover_address_us": best_us(lambda: secp256k1.recover_address(digest, recoverable)),
    }


def _sm2() -> dict[str, float]:
    private = hashlib.sha256(b"bench").digest()
    public, signature = sm2.public_key_of(private), sm2.sign(private, MESSAGE)
    verify_us = best_us(lambda: sm2.verify(public, MESSAGE, signature), repeats=10, loops=100)
    key, digest, example = sm2.EXAMPLE
    fallback_us = best_us(lambda: sm2.verify_plainly(key, digest, example), repeats=5, loops=20)
    return {
        "sm2_verify_us": verify_us,
        "sm2_fallback_verify_us": fallback_us,
        "sm2_fallback_ratio_to_libcrypto": fallback_us / verify_us,
        "sm2_sign_us": best_us(lambda: sm2.sign(private, MESSAGE), repeats=5, loops=10),
    }


def _committee() -> dict[str, float]:
    privates = [hashlib.sha256(b"bench %d" % number).digest()[1:].rjust(32, b"\0") for number in range(COMMITTEE)]
    keys = [bls.public_key_of(private) for private in privates]
    encoded = [key.encoded for key in keys]
    total = sum(int.from_bytes(private) for private in privates) % bls.ORDER
    signature = bls.sign(total.to_bytes(32), MESSAGE)
    assert bls.fast_aggregate_verify(keys, MESSAGE, signature)
    return {
        "bls_fast_aggregate_verify_512_us": best_us(
            lambda: bls.fast_aggregate_verify(keys, MESSAGE, signature), repeats=7, loops=10
        ),
        "bls_verify_us": best_us(lambda: bls.verify(keys[0], MESSAGE, signature), repeats=7, loops=10),
        "bls_decode_512_keys_us": best_us(lambda: bls.decode_public_keys(encoded), repeats=3, loops=1),
    }


def _certificates() -> dict[str, float]:
    return _chain("p256", "p256-sha256") | _chain("sm2", "sm2-sm3")


def _chain(name: str, scheme: str) -> dict[str, float]:
    top = root("bench root", scheme)
    member = issue(top, "bench member")
    trusted, leaf = [read_certificate(top.der)], read_certificate(member.der)
    return {
        f"certificate_read_{name}_us": best_us(lambda: read_certificate.__wrapped__(member.der), loops=100),
        f"certificate_chain_again_{name}_us": best_us(lambda: verify_chain(leaf, trusted, (), FROM + 1)),
    }


def _hashes() -> dict[str, float]:
    return {
        "keccak_532_us": best_us(lambda: keccak256(BLOCK)),
        "sha256_532_us": best_us(lambda: hashlib.sha256(BLOCK).digest()),
        "sm3_532_us": best_us(lambda: sm3(BLOCK)),
        "sm3_fallback_532_us": best_us(lambda: plain_sm3(BLOCK), repeats=5, loops=20),
    }
