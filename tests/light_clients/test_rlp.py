"""RLP: the official encodings, the `rlp` library as oracle, and every form that is not canonical."""

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from light_clients import rlp
from light_clients.errors import RlpNotCanonical, RlpRefused, RlpTooDeep, RlpTrailingBytes, RlpTruncated
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=6), max_leaves=30)


def as_item(value):
    if isinstance(value, list):
        return [as_item(element) for element in value]
    if isinstance(value, str) and not value.startswith("#"):
        return value.encode()
    number = int(value[1:]) if isinstance(value, str) else value
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


@pytest.mark.parametrize(("name", "case"), shared_json("rlp/rlptest.json").items())
def test_official_encodings_both_ways(name, case):
    item, encoded = as_item(case["in"]), unhex(case["out"])
    assert rlp.encode(item) == encoded
    assert rlp.decode(encoded) == item


@given(ITEMS)
def test_agrees_with_the_oracle(item):
    encoded = oracle.encode(item)
    assert rlp.encode(item) == encoded
    assert rlp.decode(encoded) == item


@given(st.binary(max_size=80))
def test_accepts_exactly_what_the_oracle_writes_again(data):
    try:
        item = rlp.decode(data)
    except RlpRefused:
        with pytest.raises(oracle.exceptions.DecodingError):
            oracle.decode(data, strict=True)
    else:
        assert oracle.encode(item) == data


@given(ITEMS, st.data())
def test_a_flipped_byte_is_refused_or_is_another_item(item, data):
    encoded = bytearray(rlp.encode(item))
    index = data.draw(st.integers(0, len(encoded) - 1))
    encoded[index] ^= data.draw(st.integers(1, 255))
    try:
        found = rlp.decode(bytes(encoded))
    except RlpRefused:
        return
    assert found != item
    assert rlp.encode(found) == bytes(encoded)


BAD = {
    "nothing": (RlpTruncated, ""),
    "string cut": (RlpTruncated, "83646f"),
    "one byte announced and none there": (RlpTruncated, "81"),
    "list cut": (RlpTruncated, "c883636174"),
    "string longer than its list": (RlpTruncated, "c28363"),
    "list longer than its list": (RlpTruncated, "c2c280"),
    "long string cut": (RlpTruncated, "b838" + "00" * 55),
    "long list cut": (RlpTruncated, "f838" + "00" * 55),
    "length of a string cut": (RlpTruncated, "b938"),
    "length of a list cut": (RlpTruncated, "fb0000"),
    "length larger than memory": (RlpTruncated, "bf" + "ff" * 8),
    "byte with a prefix": (RlpNotCanonical, "8100"),
    "byte 0x7f with a prefix": (RlpNotCanonical, "817f"),
    "byte with a prefix in a list": (RlpNotCanonical, "c28101"),
    "short string in the long form": (RlpNotCanonical, "b837" + "61" * 55),
    "short list in the long form": (RlpNotCanonical, "f837" + "61" * 55),
    "string's length with a leading zero": (RlpNotCanonical, "b90038" + "61" * 56),
    "list's length with a leading zero": (RlpNotCanonical, "f90038" + "61" * 56),
    "byte after a string": (RlpTrailingBytes, "83646f6700"),
    "byte after a list": (RlpTrailingBytes, "c000"),
    "33 lists": (RlpTooDeep, "c0"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_by_name(name):
    error, encoded = BAD[name]
    data = unhex(encoded)
    if error is RlpTooDeep:
        for _ in range(rlp.MAXIMUM_DEPTH):
            data = rlp.encode_list([data])
    with pytest.raises(error):
        rlp.decode(data)


def test_the_deepest_lists_are_read():
    data = b"\xc0"
    for _ in range(rlp.MAXIMUM_DEPTH - 1):
        data = rlp.encode_list([data])
    assert rlp.encode(rlp.decode(data)) == data


def test_a_megabyte_of_brackets_is_refused_without_a_crash():
    with pytest.raises(RlpRefused):
        rlp.decode(b"\xc1" * 1_000_000)


def test_a_list_is_asked_for_and_a_string_comes():
    assert rlp.decode_list(b"\xc1\x05") == [b"\x05"]
    with pytest.raises(RlpNotCanonical):
        rlp.decode_list(b"\x05")


@given(st.integers(0, 2**256 - 1))
def test_integers_both_ways(value):
    encoded = rlp.encode_integer(value)
    assert encoded == oracle.encode(value)
    assert rlp.decode_integer(rlp.decode(encoded)) == value


@pytest.mark.parametrize("item", [b"\x00", b"\x00\x01", b"\x01" * 33, [b"\x01"]])
def test_integers_with_leading_zero_too_long_or_lists(item):
    with pytest.raises(RlpNotCanonical):
        rlp.decode_integer(item)


def test_lists_one_after_the_other_are_cut_apart():
    lists = [b"\xc0", rlp.encode([b"a" * 60]), b"\xc1\x01"]
    assert rlp.split_lists(b"".join(lists)) == lists


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", RlpTruncated),
        (b"\xc1", RlpTruncated),
        (b"\xc0\xf8", RlpTruncated),
        (b"\xc0\x01", RlpNotCanonical),
        (b"\x83abc", RlpNotCanonical),
    ],
)
def test_what_is_no_list_after_a_list_is_refused(data, error):
    with pytest.raises(error):
        rlp.split_lists(data)
