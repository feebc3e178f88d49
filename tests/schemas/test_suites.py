"""The hash suites: known answers, tags, words."""

import hashlib

import pytest
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st

from schemas import sm3_fallback
from schemas.primitives import SchemaError
from schemas.suites import EVM, SM, SUITES, choose_sm3, integer_word, keccak256, sm3, suite_named
from tests.support.shared_vectors import shared_json

SM3_ANSWERS = shared_json("sm/sm3_golden.json")


@pytest.mark.parametrize("answer", SM3_ANSWERS, ids=lambda answer: f"{len(answer['in_ascii'])} bytes")
def test_sm3_known_answers(answer):
    assert sm3(answer["in_ascii"].encode()).hex() == answer["sm3"]


@pytest.mark.parametrize("size", [*range(54, 66), 119, 120, 128, 1000])
def test_sm3_without_openssl_agrees_with_it(size):
    data = bytes(number % 251 for number in range(size))
    assert sm3_fallback.sm3(data) == hashlib.new("sm3", data).digest()


@given(st.binary(max_size=500))
def test_sm3_without_openssl_agrees_on_anything(data):
    assert sm3_fallback.sm3(data) == hashlib.new("sm3", data).digest()


def test_openssl_without_sm3_is_replaced():
    def new(name, data=b""):
        raise ValueError(f"unsupported hash type {name}")

    assert choose_sm3(new) is sm3_fallback.sm3
    assert choose_sm3(hashlib.new) is not sm3_fallback.sm3
    assert choose_sm3(hashlib.new)(b"abc") == sm3_fallback.sm3(b"abc")


def test_keccak256_of_nothing_is_ethereums_not_sha3s():
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@given(st.binary(max_size=500))
def test_keccak256_agrees_with_another_library(data):
    assert keccak256(data) == keccak.new(digest_bits=256, data=data).digest()


def test_a_suite_is_found_by_its_name():
    assert suite_named("evm") is EVM
    assert suite_named("sm") is SM


@pytest.mark.parametrize("name", ["", "EVM", "sm3", "evm "])
def test_another_suite_is_refused(name):
    with pytest.raises(SchemaError, match="choose one of evm, sm"):
        suite_named(name)


def test_tags_differ_by_word_and_by_suite():
    words = ("lane", "message", "outcome", "attestation", "step", "outcomes")
    tags = {suite.tag(word) for suite in SUITES.values() for word in words}
    assert len(tags) == len(words) * len(SUITES)
    assert EVM.tag("lane") == keccak256(b"relayhub/evm/lane/v1")
    assert SM.tag("lane") == sm3(b"relayhub/sm/lane/v1")


@given(st.binary(max_size=300))
def test_the_remembered_hash_is_the_hash(data):
    for suite in SUITES.values():
        assert suite.hash_account(data) == suite.hash(data)
        assert suite.hash_account(data) == suite.hash(data)


def test_an_integer_is_a_word_of_32_bytes_big_end_first():
    assert integer_word(0x0102) == bytes(30) + b"\x01\x02"


@pytest.mark.parametrize("value", [-1, 2**256])
def test_an_integer_that_fits_no_word_is_refused(value):
    with pytest.raises(OverflowError):
        integer_word(value)
