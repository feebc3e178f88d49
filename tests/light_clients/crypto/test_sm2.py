"""SM2: the standard's example, gmssl as second opinion, libcrypto and plain arithmetic side by side."""

import ctypes
import ctypes.util
import hashlib
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from light_clients.crypto import libcrypto, sm2, sm2_fallback
from light_clients.crypto.errors import PublicKeyInvalid
from light_clients.errors import SignatureInvalid, SignatureLength
from schemas.suites import sm3
from tests.support.gmssl_opinion import gmssl_verifies
from tests.support.shared_vectors import shared
from tests.vector_table import sm, wycheproof

VECTOR = json.loads(shared("sm/sm2_gbt32918_5.json").read_text())
PRIVATE = bytes.fromhex(VECTOR["private_key"])
KEY, DIGEST, SIGNATURE = sm2.EXAMPLE
MESSAGE = VECTOR["message_ascii"].encode()
ORDER = sm2_fallback.ORDER
BOTH = [libcrypto.find_verifier(libcrypto.PLACES, sm2.knows_example), sm2.verify_plainly]
PRIVATES = st.integers(1, ORDER - 2).map(lambda number: number.to_bytes(32))


def test_rows_of_the_vectors():
    rows = list(sm.items(shared("sm")))
    assert len(rows) >= 15
    assert [row for row in rows if not row.passed] == []


def test_hmac_sm3_of_wycheproof():
    rows = [row for row in wycheproof.items(shared("wycheproof")) if row.name.startswith("hmac_sm3")]
    assert len(rows) == 87
    assert [row for row in rows if not row.passed] == []


def test_the_example_is_the_standards():
    assert bytes.fromhex(VECTOR["public_x"] + VECTOR["public_y"]) == KEY
    assert bytes.fromhex(VECTOR["e"]) == DIGEST
    assert bytes.fromhex(VECTOR["r"] + VECTOR["s"]) == SIGNATURE
    assert sm2.public_key_of(PRIVATE) == KEY
    assert sm2.verify(KEY, MESSAGE, SIGNATURE)


def test_the_standards_nonce_gives_the_standards_signature():
    r, s = sm2_fallback.sign_with_nonce(int.from_bytes(PRIVATE), int.from_bytes(DIGEST), int(VECTOR["k"], 16))
    assert r.to_bytes(32) + s.to_bytes(32) == SIGNATURE


@settings(max_examples=15, deadline=None)
@given(PRIVATES, st.binary(max_size=100))
@example((891).to_bytes(32), b"a key that begins with 04")
def test_signatures_are_accepted_by_every_verifier(private, message):
    key, signature = sm2.public_key_of(private), sm2.sign(private, message)
    assert sm2.sign(private, message) == signature
    assert sm2.verify(key, message, signature)
    assert gmssl_verifies(key, message, signature)
    digest = sm3(sm2._identity(key) + message)
    for verifier in BOTH:
        assert verifier(key, digest, signature)
        assert not verifier(key, sm3(digest), signature)


@settings(max_examples=20, deadline=None)
@given(PRIVATES, st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_verifiers_agree_on_anything(private, digest, signature):
    key = sm2.public_key_of(private)
    assert len({verifier(key, digest, signature) for verifier in BOTH}) == 1


@pytest.mark.parametrize("verifier", BOTH, ids=["libcrypto", "plain"])
@pytest.mark.parametrize("place", range(0, 64, 3))
def test_no_byte_of_a_signature_may_change(verifier, place):
    changed = bytearray(SIGNATURE)
    changed[place] ^= 1
    assert not verifier(KEY, DIGEST, bytes(changed))


@pytest.mark.parametrize("verifier", BOTH, ids=["libcrypto", "plain"])
@pytest.mark.parametrize(
    "signature",
    [
        bytes(32) + SIGNATURE[32:],
        SIGNATURE[:32] + bytes(32),
        ORDER.to_bytes(32) + SIGNATURE[32:],
        SIGNATURE[:32] + ORDER.to_bytes(32),
        SIGNATURE[:32] + (ORDER - int.from_bytes(SIGNATURE[:32])).to_bytes(32),
        b"\xff" * 64,
        (1).to_bytes(32) * 2,
    ],
    ids=["r = 0", "s = 0", "r = n", "s = n", "r + s = n", "all ones", "r = s = 1"],
)
def test_numbers_out_of_range(verifier, signature):
    assert not verifier(KEY, DIGEST, signature)


def test_a_sum_at_infinity_is_no_signature():
    # s G + t P = 0 where t = -s / d: then r = t - s
    d = int.from_bytes(PRIVATE)
    s = 12345
    r = (-s * pow(d, -1, ORDER) - s) % ORDER
    signature = r.to_bytes(32) + s.to_bytes(32)
    for verifier in BOTH:
        assert not verifier(KEY, DIGEST, signature)


def test_r_plus_order_is_another_encoding_and_refused():
    # a key for which r is small enough that r + n fits into 32 bytes
    r, s, k_point = 5, 7, sm2_fallback.multiply_generator(9)
    digest = ((r - k_point[0]) % ORDER).to_bytes(32)
    # 9 G = s G + (r + s) P, so P = (9 - s) / (r + s) G
    key = sm2.public_key_of(((9 - s) * pow(r + s, -1, ORDER) % ORDER).to_bytes(32))
    good, above = ((number.to_bytes(32) + s.to_bytes(32)) for number in (r, r + ORDER))
    for verifier in BOTH:
        assert verifier(key, digest, good)
        assert not verifier(key, digest, above)


def test_the_same_point_on_both_sides_is_doubled():
    # key = generator: s G + t P takes the sum of equal points
    key = b"".join(number.to_bytes(32) for number in sm2_fallback.GENERATOR)
    signature = sm2.sign((1).to_bytes(32), MESSAGE)
    digest = sm3(sm2._identity(key) + MESSAGE)
    assert all(verifier(key, digest, signature) for verifier in BOTH)


@pytest.mark.parametrize("size", [0, 63, 65, 128])
def test_a_signature_has_64_bytes(size):
    assert not sm2.verify(KEY, MESSAGE, (SIGNATURE * 2)[:size])


BAD_KEYS = {
    "nothing": b"",
    "65 bytes": b"\x04" + KEY,
    "zero": bytes(64),
    "off the curve": KEY[:63] + bytes((KEY[63] ^ 1,)),
    "x above the field": (sm2_fallback.P + 1).to_bytes(32) + KEY[32:],
    "y above the field": KEY[:32] + b"\xff" * 32,
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
def test_what_is_no_key_verifies_nothing(key):
    with pytest.raises(PublicKeyInvalid):
        sm2.check_public_key(key)
    assert not sm2.verify(key, MESSAGE, SIGNATURE)


def test_a_key_is_a_key():
    sm2.check_public_key(KEY)


@pytest.mark.parametrize("number", [0, ORDER - 1, ORDER, 2**256 - 1])
def test_private_key_out_of_range(number):
    for use in (sm2.public_key_of, lambda key: sm2.sign(key, MESSAGE)):
        with pytest.raises(SignatureInvalid):
            use(number.to_bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_private_key_has_32_bytes(size):
    with pytest.raises(SignatureLength):
        sm2.public_key_of(bytes(size))


def test_der_of_a_signature():
    assert sm2.signature_from_der(sm2.signature_to_der(SIGNATURE)) == SIGNATURE
    with pytest.raises(SignatureInvalid):
        sm2.signature_from_der(SIGNATURE)


def test_nonces_stay_below_the_order_and_do_not_repeat():
    order = 2**255 + 1
    nonces = sm2_fallback.derive_nonces(7, 8, order)
    found = [next(nonces) for _ in range(40)]
    assert len(set(found)) == 40
    assert all(0 < nonce < order for nonce in found)
    assert next(sm2_fallback.derive_nonces(7, 9, order)) != found[0]
    assert next(sm2_fallback.derive_nonces(8, 8, order)) != found[0]


def test_a_nonce_that_gives_no_signature_is_passed_over(monkeypatch):
    nonce = 11
    digest = -sm2_fallback.multiply_generator(nonce)[0] % ORDER
    assert sm2_fallback.sign_with_nonce(5, digest, nonce) is None
    monkeypatch.setattr(sm2_fallback, "derive_nonces", lambda *_: iter((nonce, 12)))
    assert sm2_fallback.sign_digest(5, digest) == sm2_fallback.sign_with_nonce(5, digest, 12)


def test_r_plus_nonce_at_the_order_and_s_of_zero_give_no_signature():
    nonce = 11
    x = sm2_fallback.multiply_generator(nonce)[0]
    assert sm2_fallback.sign_with_nonce(5, (ORDER - nonce - x) % ORDER, nonce) is None
    r = nonce * pow(5, -1, ORDER) % ORDER  # k = r d, so s = 0
    assert sm2_fallback.sign_with_nonce(5, (r - x) % ORDER, nonce) is None


def test_a_key_of_hmac_longer_than_a_block_is_hashed():
    long = bytes(range(100))
    assert sm2_fallback.hmac_sm3(long, b"x") == sm2_fallback.hmac_sm3(sm3(long), b"x")


def test_libcrypto_is_in_use_here():
    assert sm2.verifier() is not sm2.verify_plainly


def test_no_libcrypto_is_found_where_there_is_none():
    assert libcrypto.find_verifier(("no such library", ctypes.util.find_library("c")), sm2.knows_example) is None


def test_a_libcrypto_that_does_not_know_the_example_is_passed_over():
    assert libcrypto.find_verifier(libcrypto.PLACES, lambda _: False) is None


def test_without_libcrypto_the_arithmetic_is_used(monkeypatch):
    sm2.verifier.cache_clear()
    monkeypatch.setattr(sm2, "PLACES", ())
    try:
        assert sm2.verifier() is sm2.verify_plainly
        assert sm2.verify(KEY, MESSAGE, SIGNATURE)
        assert not sm2.verify(KEY, MESSAGE + b"\0", SIGNATURE)
    finally:
        sm2.verifier.cache_clear()


def test_a_verifier_that_accepts_everything_or_nothing_does_not_know_the_example():
    assert sm2.knows_example(sm2.verify_plainly)
    assert not sm2.knows_example(lambda *_: True)
    assert not sm2.knows_example(lambda *_: False)


def test_libcrypto_refuses_a_key_that_is_not_on_the_curve():
    assert not BOTH[0](KEY[:63] + bytes((KEY[63] ^ 1,)), DIGEST, SIGNATURE)
    assert BOTH[0](KEY, DIGEST, SIGNATURE)


def test_a_refusal_leaves_no_error_for_the_next_caller():
    library = ctypes.CDLL(next(place for place in libcrypto.PLACES if place))
    library.ERR_peek_error.restype = ctypes.c_ulong
    assert not BOTH[0](KEY, DIGEST, b"\xff" * 64)
    assert library.ERR_peek_error() == 0


def test_many_keys_are_forgotten_again():
    for number in range(300):
        private = hashlib.sha256(number.to_bytes(2)).digest()
        key = sm2.public_key_of(private)
        assert not BOTH[0](key, DIGEST, SIGNATURE)
    assert BOTH[0](KEY, DIGEST, SIGNATURE)
