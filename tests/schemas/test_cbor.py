"""The reader of CBOR: RFC 8949's own examples of the forms it knows, and a refusal for each form it does not."""

import pytest

from schemas.cbor import load
from schemas.primitives import SchemaError

KNOWN = {
    "00": 0, "01": 1, "0a": 10, "17": 23, "1818": 24, "1819": 25, "1864": 100, "1903e8": 1000, "1a000f4240": 1000000,
    "1b000000e8d4a51000": 1000000000000, "1bffffffffffffffff": 18446744073709551615,
    "c249010000000000000000": 18446744073709551616, "3bffffffffffffffff": -18446744073709551616,
    "c349010000000000000000": -18446744073709551617, "20": -1, "29": -10, "3863": -100, "3903e7": -1000,
    "f4": False, "f5": True, "40": b"", "4401020304": b"\x01\x02\x03\x04", "60": "", "6161": "a", "6449455446": "IETF",
    "62225c": '"\\', "62c3bc": "ü", "63e6b0b4": "水", "64f0908591": "𐅑", "80": [], "83010203": [1, 2, 3],
    "8301820203820405": [1, [2, 3], [4, 5]],
}  # fmt: skip
FOREIGN = {
    "null": "f6", "undefined": "f7", "simple value": "f0", "half float": "f93c00", "single float": "fa47c35000",
    "double float": "fb3ff199999999999a", "map": "a10102", "map of two": "a2410101410202", "simple value 2": "e24101", "date text": "c0613a", "date number": "c101", "decimal": "c48221196ab3",
    "decimal of a giant exponent": "c4821bffffffffffffffff01", "big float": "c5822003", "pattern": "d8236128", "shared value": "d81c80",
    "uuid": "d8254161", "address": "d901044161", "set": "d9010280", "big integer of a text": "c26161", "big integer of an integer": "c201",
}  # fmt: skip
INDEFINITE = {"bytes": "5f41014102ff", "text": "7f61616162ff", "array": "9f01ff", "map": "bf0102ff", "break": "ff"}
RESERVED = ["1c", "1d", "1e", "3c", "5c", "7d", "9e", "dc"]


@pytest.mark.parametrize("text", KNOWN)
def test_a_known_form_is_read(text):
    value = load(bytes.fromhex(text))
    assert value == KNOWN[text]
    assert type(value) is type(KNOWN[text])


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_form_is_refused(name):
    with pytest.raises(SchemaError, match="a type that payloads do not have"):
        load(bytes.fromhex(FOREIGN[name]))


@pytest.mark.parametrize("name", INDEFINITE)
def test_an_indefinite_length_is_refused(name):
    with pytest.raises(SchemaError, match="indefinite or reserved length"):
        load(bytes.fromhex(INDEFINITE[name]))


@pytest.mark.parametrize("text", RESERVED)
def test_a_reserved_length_is_refused(text):
    with pytest.raises(SchemaError, match="indefinite or reserved length"):
        load(bytes.fromhex(text) + bytes(8))


@pytest.mark.parametrize("text", [text for text in KNOWN if len(text) > 2])
def test_a_truncated_value_is_refused(text):
    whole = bytes.fromhex(text)
    for size in range(len(whole)):
        with pytest.raises(SchemaError, match="ends in the middle"):
            load(whole[:size])


@pytest.mark.parametrize("text", KNOWN)
def test_bytes_after_a_value_are_refused(text):
    with pytest.raises(SchemaError, match="1 bytes follow"):
        load(bytes.fromhex(text) + b"\x00")


@pytest.mark.parametrize("text", ["5bffffffffffffffff", "7b7fffffffffffffff", "9bffffffffffffffff", "9affffffff"])
def test_a_giant_length_is_refused_without_the_memory_for_it(text):
    with pytest.raises(SchemaError, match="ends in the middle"):
        load(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["61ff", "62c328", "63eda080", "61c3"])
def test_a_text_that_is_not_utf8_is_refused(text):
    with pytest.raises(SchemaError, match="not UTF-8"):
        load(bytes.fromhex(text))


def test_four_arrays_may_nest_and_no_more():
    assert load(b"\x81" * 4 + b"\x00") == [[[[0]]]]
    with pytest.raises(SchemaError, match="nests more than 4"):
        load(b"\x81" * 5 + b"\x00")


def test_tags_nest_no_deeper_than_arrays():
    with pytest.raises(SchemaError, match="nests more than 4"):
        load(b"\xc2" * 100_000 + b"\x40")
