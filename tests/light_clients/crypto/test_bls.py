"""BLS12-381: the official suites, Wycheproof, py_ecc as second opinion, and every encoding that the library would let pass."""

import hashlib

import pytest
from py_arkworks_bls12381 import G1Point
from py_ecc.bls import G2ProofOfPossession
from py_ecc.bls.g2_primitives import G1_to_pubkey, G2_to_signature
from py_ecc.optimized_bls12_381 import FQ, FQ2, b, b2, curve_order, field_modulus, is_on_curve, multiply, normalize

from light_clients.crypto import bls
from light_clients.crypto.errors import PublicKeyInvalid
from light_clients.errors import SignatureInvalid, SignatureLength, SignatureRefused
from tests.support.shared_vectors import shared
from tests.vector_table import bls as table
from tests.vector_table import wycheproof

MESSAGE = hashlib.sha256(b"a header").digest()
PRIVATES = [hashlib.sha256(b"committee %d" % number).digest()[1:].rjust(32, b"\0") for number in range(8)]
KEYS = [bls.public_key_of(private) for private in PRIVATES]
SIGNATURES = [bls.sign(private, MESSAGE) for private in PRIVATES]
TOGETHER = bls.aggregate(SIGNATURES)
NEGATED = bytes((-KEYS[0].point).to_compressed_bytes())


def above(data):
    """x of the last 48 bytes plus the field's prime, where the flags leave room for it."""
    return (int.from_bytes(data[-48:]) + bls.FIELD).to_bytes(48)


def outside_g1():
    """A point of the curve and not of the subgroup, by py_ecc."""
    for x in range(1, 50):
        y = pow(x**3 + 4, (field_modulus + 1) // 4, field_modulus)
        point = (FQ(x), FQ(y), FQ(1))
        if is_on_curve(point, b) and multiply(point, curve_order)[2] != FQ(0):
            return G1_to_pubkey(point)
    raise AssertionError


def outside_g2():
    """A point of the twist and not of the subgroup, by py_ecc: (x, y) with x = 2."""
    for number in range(2, 50):
        x = FQ2([number, 0])
        square = x**3 + FQ2([4, 4])
        root = square ** ((field_modulus**2 + 7) // 16)
        for power in range(8):
            y = root * FQ2([1, 1]) ** (power * (field_modulus**2 - 1) // 8)
            point = (x, y, FQ2.one())
            if is_on_curve(point, b2):
                normalize(point)
                assert multiply(point, curve_order)[2] != FQ2.zero()
                return G2_to_signature(point)
    raise AssertionError


def test_official_suites():
    rows = list(table.items(shared("bls")))
    assert len(rows) >= 46
    assert [row for row in rows if not row.passed] == []


def test_wycheproof():
    rows = [row for row in wycheproof.items(shared("wycheproof")) if row.name.startswith("bls")]
    assert len(rows) == 17 + 9 + 44 + 13
    assert [row for row in rows if not row.passed] == []


def test_agrees_with_py_ecc():
    number = int.from_bytes(PRIVATES[0])
    assert G2ProofOfPossession.SkToPk(number) == KEYS[0].encoded
    assert G2ProofOfPossession.Sign(number, MESSAGE) == SIGNATURES[0]
    two = bls.aggregate(SIGNATURES[:2])
    assert G2ProofOfPossession.Aggregate(SIGNATURES[:2]) == two
    assert G2ProofOfPossession.FastAggregateVerify([key.encoded for key in KEYS[:2]], MESSAGE, two)
    assert bls.fast_aggregate_verify(KEYS[:2], MESSAGE, two)


def test_a_committee_signs_together():
    assert bls.fast_aggregate_verify(KEYS, MESSAGE, TOGETHER)
    assert bls.verify(KEYS[3], MESSAGE, SIGNATURES[3])
    assert bls.aggregate_verify(KEYS, [MESSAGE] * 8, TOGETHER)
    assert not bls.fast_aggregate_verify(KEYS[:-1], MESSAGE, TOGETHER)
    assert not bls.fast_aggregate_verify([*KEYS[:-1], KEYS[0]], MESSAGE, TOGETHER)
    assert not bls.fast_aggregate_verify(KEYS, MESSAGE[::-1], TOGETHER)
    assert not bls.fast_aggregate_verify(KEYS, MESSAGE, SIGNATURES[0])
    assert not bls.aggregate_verify(KEYS, [MESSAGE] * 7 + [b""], TOGETHER)


def test_another_suite_is_another_hash():
    other = bls.sign(PRIVATES[0], MESSAGE, suite=bls.BASIC)
    assert bls.verify(KEYS[0], MESSAGE, other, suite=bls.BASIC)
    assert not bls.verify(KEYS[0], MESSAGE, other)


def test_without_possession_proved_messages_are_distinct():
    messages = [bytes((number,)) for number in range(2)]
    for used, good in ((messages, True), ([MESSAGE] * 2, False)):
        rows = zip(PRIVATES, used, strict=False)
        signature = bls.aggregate([bls.sign(private, message, suite=bls.BASIC) for private, message in rows])
        assert bls.aggregate_verify(KEYS[:2], used, signature, suite=bls.BASIC) is good


def test_nobody_signs_nothing():
    for signature in (bls.INFINITY_SIGNATURE, TOGETHER):
        assert not bls.fast_aggregate_verify([], MESSAGE, signature)
        assert not bls.aggregate_verify([], [], signature)
    assert not bls.aggregate_verify(KEYS, [MESSAGE] * 7, TOGETHER)
    with pytest.raises(SignatureInvalid):
        bls.aggregate([])


def test_keys_that_cancel_each_other_sign_nothing():
    pair = bls.decode_public_keys([KEYS[0].encoded, NEGATED])
    assert not bls.fast_aggregate_verify(pair, MESSAGE, bls.INFINITY_SIGNATURE)


def test_infinity_is_a_signature_of_nobody():
    assert bls.aggregate([bls.INFINITY_SIGNATURE]) == bls.INFINITY_SIGNATURE
    assert not bls.fast_aggregate_verify(KEYS, MESSAGE, bls.INFINITY_SIGNATURE)


def test_a_committee_is_decoded_in_order():
    decoded = bls.decode_public_keys([key.encoded for key in KEYS])
    assert decoded == tuple(KEYS)
    assert len(set(decoded)) == 8
    assert bls.decode_public_keys([]) == ()


G1 = bytes(G1Point().to_compressed_bytes())
BAD_KEYS = {
    "nothing": b"",
    "47 bytes": KEYS[0].encoded[:-1],
    "49 bytes": KEYS[0].encoded + b"\0",
    "infinity": bls.INFINITY_KEY,
    "infinity with a number": b"\xc0" + bytes(46) + b"\x01",
    "infinity with a sign": b"\xe0" + bytes(47),
    "infinity without its flag": b"\x80" + bytes(47),
    "uncompressed": bytes((KEYS[0].encoded[0] & 0x7F,)) + KEYS[0].encoded[1:],
    "both flags": bytes((KEYS[0].encoded[0] | 0x40,)) + KEYS[0].encoded[1:],
    "x at the prime": (bls.FIELD | 1 << 383).to_bytes(48),
    "x above the prime": (int.from_bytes(outside_g1()) % 2**381 + bls.FIELD | 1 << 383).to_bytes(48),
    "off the curve": b"\x80" + bytes(46) + b"\x01",
    "outside the subgroup": outside_g1(),
}


@pytest.mark.parametrize("data", BAD_KEYS.values(), ids=BAD_KEYS)
def test_what_is_no_key(data):
    with pytest.raises(PublicKeyInvalid):
        bls.decode_public_key(data)
    with pytest.raises(SignatureRefused):
        bls.decode_public_keys([KEYS[0].encoded, data])


SIGNATURE = SIGNATURES[0]
BAD_SIGNATURES = {
    "nothing": b"",
    "95 bytes": SIGNATURE[:-1],
    "97 bytes": SIGNATURE + b"\0",
    "infinity with a number": b"\xc0" + bytes(94) + b"\x01",
    "infinity with a sign": b"\xe0" + bytes(95),
    "infinity without its flag": b"\x80" + bytes(95),
    "uncompressed": bytes((SIGNATURE[0] & 0x7F,)) + SIGNATURE[1:],
    "both flags": bytes((SIGNATURE[0] | 0x40,)) + SIGNATURE[1:],
    "other sign": bytes((SIGNATURE[0] ^ 0x20,)) + SIGNATURE[1:],
    "second coordinate above the prime": SIGNATURE[:48] + above(SIGNATURE),
    "first coordinate above the prime": b"\x9f" + b"\xff" * 47 + SIGNATURE[48:],
    "off the curve": SIGNATURE[:-1] + bytes((SIGNATURE[-1] ^ 1,)),
    "outside the subgroup": outside_g2(),
}


@pytest.mark.parametrize("data", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
def test_what_is_no_signature_of_this_key(data):
    assert not bls.verify(KEYS[0], MESSAGE, data)
    assert not bls.aggregate_verify(KEYS[:1], [MESSAGE], data)


@pytest.mark.parametrize("name", [name for name in BAD_SIGNATURES if name != "other sign"])
def test_what_is_no_signature_is_not_added_up(name):
    with pytest.raises(SignatureInvalid):
        bls.aggregate([SIGNATURE, BAD_SIGNATURES[name]])


@pytest.mark.parametrize("number", [0, bls.ORDER, 2**256 - 1])
def test_private_key_out_of_range(number):
    for use in (bls.public_key_of, lambda key: bls.sign(key, MESSAGE)):
        with pytest.raises(SignatureInvalid):
            use(number.to_bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_private_key_has_32_bytes(size):
    with pytest.raises(SignatureLength):
        bls.public_key_of(bytes(size))


def test_field_and_order_are_py_eccs():
    assert field_modulus == bls.FIELD
    assert curve_order == bls.ORDER
