"""The payload codec: deterministic both ways, strict, safe against strangers, readable on one line."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.json_schemas import ADAPTERS
from schemas.payloads import (
    CallPayload,
    DocumentPayload,
    RawPayload,
    TextPayload,
    decode_payload,
    describe_payload,
    encode_payload,
)
from schemas.primitives import Bytes32, SchemaError

KNOWN = {
    "0040": RawPayload(data=b""),
    "00420102": RawPayload(data=b"\x01\x02"),
    "0160": TextPayload(text=""),
    "0166e8b7a8e993be": TextPayload(text="跨链"),
    "0164f09f918b": TextPayload(text="👋"),
    "0282637061798218640a": CallPayload(method="pay", arguments=[100, 10]),
    "0282617880": CallPayload(method="x"),
    "0282617884f5f461612b": CallPayload(method="x", arguments=[True, False, "a", -12]),
    "035820" + "5a" * 32: DocumentPayload(record=Bytes32(b"\x5a" * 32)),
    "02826178811bffffffffffffffff": CallPayload(method="x", arguments=[2**64 - 1]),
    "0282617881c249010000000000000000": CallPayload(method="x", arguments=[2**64]),
}
NOT_DETERMINISTIC = {
    "length of bytes in one byte too many": "0058020102",
    "length of text in two bytes too many": "0179000161",
    "length of the outer array": "029802617880",
    "length of the arguments": "028261789800",
    "small integer in one byte": "02826178811817",
    "integer in eight bytes": "02826178811b0000000000000018",
    "negative integer in one byte": "02826178813800",
    "big integer that fits 64 bits": "0282617881c24101",
    "big integer with a leading zero": "0282617881c24a00010000000000000000",
    "negative big integer that fits": "0282617881c34100",
    "big integer without digits": "0282617881c240",
}
WRONG_SHAPE = {
    "raw that is a text": "006161", "text that is bytes": "014161", "text that is a number": "0101", "call that is a text": "026161",
    "call of one part": "02816178", "call of three parts": "028361788000", "arguments that are a text": "0282617860",
    "document that is a text": "036161", "document that is a call": "0382617880", "document of 31 bytes": "03581f" + "5a" * 31,
    "document of 33 bytes": "035821" + "5a" * 33, "kind 4": "046161", "kind 255": "ff6161",
}  # fmt: skip
NOT_WELL_FORMED = {
    "method of bytes": "0282417880", "method of a number": "02820180", "empty method": "02826080", "method of 257": "0282790101" + "61" * 257 + "80",
    "argument of bytes": "02826178814100", "argument that is an array": "028261788180", "257 arguments": "02826178990101" + "00" * 257,
    "integer of 257 bits": "0282617881c2582101" + "00" * 32, "negative integer of 257 bits": "0282617881c3582101" + "00" * 32,
}  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
calls = st.builds(
    CallPayload,
    method=texts.filter(lambda text: len(text) >= 1),
    arguments=st.lists(texts | st.booleans() | st.integers(-(2**256), 2**256 - 1), max_size=6),
)
documents = st.builds(DocumentPayload, record=st.binary(min_size=32, max_size=32).map(Bytes32))
payloads = st.builds(RawPayload, data=st.binary(max_size=300)) | st.builds(TextPayload, text=texts) | calls | documents


@pytest.mark.parametrize("text", KNOWN)
def test_known_payloads_have_known_bytes(text):
    assert encode_payload(KNOWN[text]).hex() == text
    decoded = decode_payload(bytes.fromhex(text))
    assert decoded == KNOWN[text]
    assert type(decoded) is type(KNOWN[text])


@given(payloads)
def test_a_payload_round_trips_in_bytes_and_in_json(payload):
    data = encode_payload(payload)
    assert decode_payload(data) == payload
    assert encode_payload(decode_payload(data)) == data
    adapter = ADAPTERS["payload"]
    assert adapter.validate_json(adapter.dump_json(payload)) == payload


@given(payloads, st.data())
def test_a_truncated_or_extended_payload_is_refused(payload, data):
    whole = encode_payload(payload)
    with pytest.raises(SchemaError):
        decode_payload(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(SchemaError, match="follow"):
        decode_payload(whole + data.draw(st.binary(min_size=1, max_size=3)))


def test_no_bytes_are_no_payload():
    with pytest.raises(SchemaError, match="an empty payload has no kind"):
        decode_payload(b"")


@pytest.mark.parametrize("name", NOT_DETERMINISTIC)
def test_another_encoding_of_the_same_value_is_refused(name):
    with pytest.raises(SchemaError, match="not in deterministic CBOR"):
        decode_payload(bytes.fromhex(NOT_DETERMINISTIC[name]))


@pytest.mark.parametrize("name", WRONG_SHAPE)
def test_another_shape_is_refused(name):
    with pytest.raises(SchemaError, match="no payload of kind"):
        decode_payload(bytes.fromhex(WRONG_SHAPE[name]))


@pytest.mark.parametrize("name", NOT_WELL_FORMED)
def test_a_call_that_is_not_well_formed_is_refused(name):
    with pytest.raises(SchemaError, match="the call is not well formed"):
        decode_payload(bytes.fromhex(NOT_WELL_FORMED[name]))


def test_an_integer_of_many_digits_is_refused_and_shown_as_bytes():
    data = bytes.fromhex("0282617881c2591000") + b"\xff" * 4096
    with pytest.raises(SchemaError, match="256-bit word"):
        decode_payload(data)
    assert describe_payload(data) == "0x" + data.hex()


@pytest.mark.parametrize("value", [2**256, -(2**256) - 1])
def test_a_call_is_not_made_with_an_integer_that_fits_no_word(value):
    with pytest.raises(ValidationError, match="256-bit word"):
        CallPayload(method="x", arguments=[value])


@pytest.mark.parametrize("value", [1.5, None, b"x", [1]])
def test_a_call_is_not_made_with_another_type(value):
    with pytest.raises(ValidationError):
        CallPayload(method="x", arguments=[value])


def test_strangers_bytes_are_read_or_refused_and_nothing_else():
    source = random.Random(20261123)
    read = 0
    for _ in range(20_000):
        data = bytes([source.randrange(4)]) + source.randbytes(source.randrange(20))
        try:
            payload = decode_payload(data)
        except SchemaError:
            continue
        assert encode_payload(payload) == data
        read += 1
    assert read > 10


def test_mutated_payloads_are_read_or_refused_and_nothing_else():
    source = random.Random(20261124)
    whole = [bytes.fromhex(text) for text in KNOWN]
    for _ in range(20_000):
        data = bytearray(source.choice(whole))
        for _ in range(source.randrange(1, 4)):
            data[source.randrange(len(data))] = source.randrange(256)
        try:
            payload = decode_payload(bytes(data))
        except SchemaError:
            continue
        assert encode_payload(payload) == bytes(data)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (TextPayload(text="跨链 👋🏽"), "跨链 👋🏽"),
        (TextPayload(text="👨‍👩‍👧"), "👨‍👩‍👧"),
        (TextPayload(text="a\x1b[2Jb\nc\u202ed\u2028e"), "a\\x1b[2Jb\\nc\\u202ed\\u2028e"),
        (CallPayload(method="pay", arguments=["元", 5, True]), "pay('元', 5, True)"),
        (CallPayload(method="p\x07"), "p\\x07()"),
        (RawPayload(data=b"\x01\xff"), "0x01ff"),
        (DocumentPayload(record=Bytes32(b"\x5a" * 32)), "document 0x" + "5a" * 32),
    ],
)
def test_a_payload_is_shown_on_one_harmless_line(payload, shown):
    assert describe_payload(encode_payload(payload)) == shown


def test_bytes_of_no_kind_are_shown_in_hexadecimal():
    assert describe_payload(b"\xff\x00") == "0xff00"
    assert describe_payload(b"") == "0x"
