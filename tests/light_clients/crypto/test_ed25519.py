"""Ed25519: Wycheproof, OpenSSL as second opinion, and what ZIP-215 accepts and we refuse (docs/adr/0009)."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from light_clients.crypto import ed25519
from tests.support import zip215
from tests.support.shared_vectors import shared
from tests.vector_table import wycheproof

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"relayhub test ed25519").digest())
PUBLIC = KEY.public_key().public_bytes_raw()
MESSAGE = b"a vote"
SIGNATURE = KEY.sign(MESSAGE)
CASES = list(zip215.only_zip215(MESSAGE))
REFUSED = [case for case in CASES if not case[0].startswith("key of mixed order")]
MIXED = [case for case in CASES if case[0].startswith("key of mixed order")]


def test_wycheproof():
    rows = [row for row in wycheproof.items(shared("wycheproof")) if row.name.startswith("ed25519")]
    assert len(rows) == 75
    assert [row for row in rows if not row.passed] == []


@given(st.binary(max_size=300))
def test_openssls_signatures_are_accepted_by_us_and_by_zip215(message):
    signature = KEY.sign(message)
    assert ed25519.verify(PUBLIC, message, signature)
    assert not ed25519.verify(PUBLIC, message + b"\0", signature)


def test_the_reference_knows_openssls_signature():
    assert zip215.verify(PUBLIC, MESSAGE, SIGNATURE)
    assert not zip215.verify(PUBLIC, MESSAGE + b"\0", SIGNATURE)


@pytest.mark.parametrize("place", range(64))
def test_no_byte_of_a_signature_may_change(place):
    changed = bytearray(SIGNATURE)
    changed[place] ^= 1
    assert not ed25519.verify(PUBLIC, MESSAGE, bytes(changed))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_has_32_bytes(size):
    assert not ed25519.verify((PUBLIC * 2)[:size], MESSAGE, SIGNATURE)


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_a_signature_has_64_bytes_and_lends_none_to_the_message(size):
    whole = SIGNATURE + MESSAGE
    assert not ed25519.verify(PUBLIC, whole[size:], whole[:size])


def test_s_is_below_the_order():
    s = int.from_bytes(SIGNATURE[32:], "little") + zip215.ORDER
    assert not ed25519.verify(PUBLIC, MESSAGE, SIGNATURE[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize(("name", "key", "signature"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_zip215_accepts_and_we_refuse(name, key, signature):
    assert zip215.verify(key, MESSAGE, signature)
    assert not ed25519.verify(key, MESSAGE, signature)


def test_how_many_cases_there_are():
    assert len(REFUSED) == 40
    assert len(MIXED) == 7


@pytest.mark.parametrize(("name", "key", "signature"), MIXED, ids=[case[0] for case in MIXED])
def test_a_key_of_mixed_order_signs_where_its_small_part_vanishes(name, key, signature):
    assert zip215.verify(key, MESSAGE, signature)
    small_part = zip215.multiply(zip215.ORDER, zip215.decode(key))
    vanishes = zip215.multiply(zip215.challenge(signature[:32], key, MESSAGE), small_part) == zip215.IDENTITY
    assert ed25519.verify(key, MESSAGE, signature) == vanishes
