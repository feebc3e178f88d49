"""P-256: Wycheproof, the ecdsa package as second opinion, low s, keys."""

import hashlib

import ecdsa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from light_clients.crypto import p256
from light_clients.crypto.der import signature_from_der, signature_to_der
from light_clients.crypto.errors import PublicKeyInvalid
from tests.support.certificate_authority import Key
from tests.support.shared_vectors import shared
from tests.vector_table import wycheproof

KEY = Key("p256 door")
OTHER = Key("another")
MESSAGE = b"a block"
SIGNATURE = KEY.sign(MESSAGE)


def with_other_s(der):
    """The other signature of the same key over the same message."""
    numbers = signature_from_der(der)
    return signature_to_der(numbers[:32] + (p256.ORDER - int.from_bytes(numbers[32:])).to_bytes(32))


def test_wycheproof():
    rows = [row for row in wycheproof.items(shared("wycheproof")) if "secp256r1" in row.name]
    assert len(rows) == 242 + 131
    assert [row for row in rows if not row.passed] == []


@given(st.binary(max_size=200))
def test_agrees_with_the_ecdsa_package(message):
    theirs = ecdsa.SigningKey.from_string(KEY.private, ecdsa.NIST256p, hashlib.sha256)
    assert theirs.verifying_key.to_string("uncompressed") == KEY.public
    assert p256.verify(KEY.public, message, theirs.sign_deterministic(message, sigencode=ecdsa.util.sigencode_der))
    theirs.verifying_key.verify(KEY.sign(message), message, sigdecode=ecdsa.util.sigdecode_der)


def test_only_this_key_and_this_message():
    assert p256.verify(KEY.public, MESSAGE, SIGNATURE)
    assert not p256.verify(OTHER.public, MESSAGE, SIGNATURE)
    assert not p256.verify(KEY.public, MESSAGE + b"\0", SIGNATURE)


def test_high_s_is_the_callers_to_refuse():
    high = with_other_s(SIGNATURE)
    assert p256.verify(KEY.public, MESSAGE, SIGNATURE, low_s=True)
    assert p256.verify(KEY.public, MESSAGE, high)
    assert not p256.verify(KEY.public, MESSAGE, high, low_s=True)


def test_order_is_the_curves():
    assert ecdsa.NIST256p.order == p256.ORDER
    assert int.from_bytes(p256.HALF_ORDER) == ecdsa.NIST256p.order // 2


def test_the_largest_low_s_is_low():
    # u1 = 0 for a digest of zero is out of reach, so the boundary is built: a key for which r and s = half order verify
    digest, half = int.from_bytes(hashlib.sha256(MESSAGE).digest()), int.from_bytes(p256.HALF_ORDER)
    curve = ecdsa.NIST256p
    for s, low in ((half, True), (half + 1, False)):
        r_point = curve.generator * 7
        r = int(r_point.x()) % curve.order
        public = (r_point * s + curve.generator * (-digest % curve.order)) * pow(r, -1, curve.order)
        key = b"\x04" + int(public.x()).to_bytes(32) + int(public.y()).to_bytes(32)
        der = signature_to_der(r.to_bytes(32) + s.to_bytes(32))
        assert p256.verify(key, MESSAGE, der)
        assert p256.verify(key, MESSAGE, der, low_s=True) is low


@pytest.mark.parametrize(
    "key",
    [
        b"",
        KEY.public[1:],
        KEY.public + b"\0",
        b"\x02" + KEY.public[1:33],
        b"\x06" + KEY.public[1:],
        b"\x04" + bytes(64),
        KEY.public[:64] + bytes((KEY.public[64] ^ 1,)),
        b"\0" * 65,
    ],
)
def test_what_is_no_key_verifies_nothing(key):
    with pytest.raises(PublicKeyInvalid):
        p256.check_public_key(key)
    assert not p256.verify(key, MESSAGE, SIGNATURE)


def test_a_key_is_a_key():
    p256.check_public_key(KEY.public)


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:-1], SIGNATURE + b"\0", signature_from_der(SIGNATURE)])
def test_a_signature_is_strict_der(signature):
    assert not p256.verify(KEY.public, MESSAGE, signature)


def test_random_nonces_are_accepted_too():
    pair = ec.derive_private_key(int.from_bytes(KEY.private), ec.SECP256R1())
    assert p256.verify(KEY.public, MESSAGE, pair.sign(MESSAGE, ec.ECDSA(SHA256())))
