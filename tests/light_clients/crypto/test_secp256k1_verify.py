"""secp256k1 by a known key: Wycheproof, the ecdsa package as second opinion, high s, forms of a key."""

import hashlib

import ecdsa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients.crypto.secp256k1 import HALF_ORDER, ORDER, sign, verify
from tests.support.shared_vectors import shared
from tests.vector_table import wycheproof

PRIVATE = hashlib.sha256(b"relayhub test key").digest()
THEIRS = ecdsa.SigningKey.from_string(PRIVATE, ecdsa.SECP256k1, hashlib.sha256)
KEY = THEIRS.verifying_key.to_string("uncompressed")
SHORT = THEIRS.verifying_key.to_string("compressed")
DIGEST = hashlib.sha256(b"digest").digest()
SIGNATURE = sign(PRIVATE, DIGEST)[:64]
HIGH = SIGNATURE[:32] + (ORDER - int.from_bytes(SIGNATURE[32:])).to_bytes(32)


def test_wycheproof():
    rows = [row for row in wycheproof.items(shared("wycheproof")) if "secp256k1" in row.name]
    assert len(rows) == 231 + 126
    assert [row for row in rows if not row.passed] == []


@given(st.binary(min_size=32, max_size=32))
def test_agrees_with_the_ecdsa_package(digest):
    signature = THEIRS.sign_digest_deterministic(digest)
    assert verify(KEY, digest, signature, allow_high_s=True)
    assert verify(KEY, digest, signature) == (signature[32:] <= HALF_ORDER)
    assert THEIRS.verifying_key.verify_digest(sign(PRIVATE, digest)[:64], digest)


@pytest.mark.parametrize("key", [KEY, SHORT])
def test_only_this_digest(key):
    assert verify(key, DIGEST, SIGNATURE)
    assert not verify(key, hashlib.sha256(DIGEST).digest(), SIGNATURE)


def test_high_s_is_refused_unless_allowed():
    assert not verify(KEY, DIGEST, HIGH)
    assert verify(KEY, DIGEST, HIGH, allow_high_s=True)


@pytest.mark.parametrize("s", [0, ORDER, 2**256 - 1, ORDER - 1])
@pytest.mark.parametrize("allow_high_s", [False, True])
def test_s_out_of_range(s, allow_high_s):
    assert not verify(KEY, DIGEST, SIGNATURE[:32] + s.to_bytes(32), allow_high_s=allow_high_s)


@pytest.mark.parametrize("r", [0, ORDER, 2**256 - 1])
def test_r_out_of_range(r):
    assert not verify(KEY, DIGEST, r.to_bytes(32) + SIGNATURE[32:])


@pytest.mark.parametrize(
    "key",
    [
        b"",
        KEY[1:],
        SHORT[:-1],
        bytes((6 + (KEY[64] & 1),)) + KEY[1:],
        b"\x04" + SHORT[1:],
        b"\x02" + KEY[1:],
        b"\x04" + bytes(64),
        b"\x02" + b"\xff" * 32,
    ],
)
def test_what_is_no_key_verifies_nothing(key):
    assert not verify(key, DIGEST, SIGNATURE)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_digest_has_32_bytes(size):
    assert not verify(KEY, (DIGEST * 2)[:size], SIGNATURE)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_has_64_bytes(size):
    assert not verify(KEY, DIGEST, (SIGNATURE * 2)[:size])
