"""Sized bytes, counters, accounts, names and chain names: what is taken, what is refused."""

import pickle
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import primitives as p

WORDS = [p.Word, p.ChainWord, p.LaneId, p.MessageId, p.OutcomeId, p.Head, p.BlockHash, p.Digest]


@pytest.mark.parametrize("kind", [p.Bytes32, *WORDS])
@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_a_word_of_another_size_is_refused(kind, size):
    with pytest.raises(p.SchemaError, match=f"{kind.__name__} must be 32 bytes, not {size}"):
        kind(b"\x01" * size)


@pytest.mark.parametrize("kind", WORDS)
def test_a_zero_word_is_refused(kind):
    with pytest.raises(p.SchemaError, match=f"{kind.__name__} must not be zero"):
        kind(bytes(32))


def test_a_plain_word_may_be_zero():
    assert p.Bytes32(bytes(32)) == bytes(32)


@pytest.mark.parametrize("position", [0, 15, 31])
def test_one_bit_is_enough_not_to_be_zero(position):
    data = bytearray(32)
    data[position] = 1
    assert p.Head(bytes(data)) == bytes(data)


def test_a_word_shows_its_type_and_value():
    word = p.Head(b"\xab" * 32)
    assert repr(word) == "Head(0x" + "ab" * 32 + ")"
    assert word.hex0x() == p.hex0x(word) == "0x" + "ab" * 32


def test_a_word_survives_pickling():
    word = p.Head(b"\xab" * 32)
    again = pickle.loads(pickle.dumps(word))
    assert type(again) is p.Head
    assert again == word


@given(st.binary(min_size=32, max_size=32).filter(any))
def test_a_word_round_trips_through_hexadecimal_and_json(data):
    word = p.Head(data)
    adapter = TypeAdapter(p.Head)
    assert p.Head.from_hex(word.hex0x()) == word
    assert p.Head.from_hex(word.hex().upper()) == word
    again = adapter.validate_json(adapter.dump_json(word))
    assert again == word
    assert type(again) is p.Head
    assert adapter.validate_python(data) == word
    assert adapter.dump_python(word) == word


@pytest.mark.parametrize("text", ["0x" + "11" * 31, "0x" + "11" * 33, "0x" + "00" * 32, "0x" + "1g" * 32, ""])
def test_a_word_in_json_must_be_32_bytes_of_hexadecimal_and_not_zero(text):
    with pytest.raises(ValidationError):
        TypeAdapter(p.Head).validate_python(text)


@pytest.mark.parametrize("value", [1, None, 1.5, ["11"]])
def test_a_word_in_json_must_be_text(value):
    with pytest.raises(ValidationError, match="Head must be hexadecimal text"):
        TypeAdapter(p.Head).validate_python(value)


@pytest.mark.parametrize("text", ["0x1", "1", "0xzz", "0X11", "0x 11", "0x11\n", " 0x11", "0x0x11", "１１"])
def test_what_is_not_hexadecimal_is_refused(text):
    with pytest.raises(p.SchemaError, match="not hexadecimal"):
        p.bytes_from_hex(text)


@given(st.binary(max_size=100))
def test_hexadecimal_round_trips(data):
    assert p.bytes_from_hex(p.hex0x(data)) == data
    assert p.bytes_from_hex(data.hex()) == data


@pytest.mark.parametrize("value", [0, 1, 2**63, 2**64 - 1])
def test_a_counter_of_64_bits_is_taken(value):
    assert p.uint64(value, "nonce") == value


@pytest.mark.parametrize("value", [-1, 2**64, 2**256, True, False, 1.0, "1", None])
def test_what_is_no_counter_of_64_bits_is_refused(value):
    with pytest.raises(p.SchemaError, match="nonce must be an integer from 0 to 18446744073709551615"):
        p.uint64(value, "nonce")


@given(st.integers(0, 2**64 - 1))
def test_a_counter_is_a_decimal_string_in_json(value):
    adapter = TypeAdapter(p.Uint64)
    assert adapter.dump_json(value) == f'"{value}"'.encode()
    assert adapter.validate_json(f'"{value}"') == value
    assert adapter.validate_python(value) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "01", "00", "1.0", "1e3", "0x1", " 1", "1\n", "١", "18446744073709551616", "9" * 21]
)
def test_a_counter_in_another_form_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(p.Uint64).validate_python(text)


@pytest.mark.parametrize("value", [True, 1.0, -1, 2**64, None])
def test_a_json_value_that_is_no_counter_is_refused(value):
    with pytest.raises(ValidationError, match="value must be an integer"):
        TypeAdapter(p.Uint64).validate_python(value)


@pytest.mark.parametrize("size", [1, 20, 33, 64])
def test_an_account_of_1_to_64_bytes_is_taken(size):
    assert p.account_bytes(b"a" * size, "sender") == b"a" * size
    assert TypeAdapter(p.Account).validate_python("0x" + "61" * size) == b"a" * size


@pytest.mark.parametrize("value", [b"", b"a" * 65, "a" * 20, 20, None, bytearray(20)])
def test_an_account_of_another_size_or_type_is_refused(value):
    with pytest.raises(p.SchemaError, match="sender must be 1 to 64 bytes"):
        p.account_bytes(value, "sender")


@pytest.mark.parametrize("text", ["0x", "0x" + "61" * 65, "0x6"])
def test_an_account_in_json_has_the_same_limits(text):
    with pytest.raises(ValidationError):
        TypeAdapter(p.Account).validate_python(text)


@pytest.mark.parametrize("kind", [p.HexBytes, p.Account, p.Result])
def test_bytes_in_json_must_be_text(kind):
    with pytest.raises(ValidationError, match="must be hexadecimal text"):
        TypeAdapter(kind).validate_python(5)


@given(st.binary(max_size=256))
def test_a_result_round_trips_in_json(data):
    adapter = TypeAdapter(p.Result)
    assert adapter.validate_json(adapter.dump_json(data)) == data
    assert adapter.validate_python(data) == data


def test_a_result_of_257_bytes_is_refused():
    with pytest.raises(ValidationError, match="at most 256"):
        TypeAdapter(p.Result).validate_python("0x" + "00" * 257)


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None, b"\x01"])
def test_only_an_integer_is_an_exact_integer(value):
    with pytest.raises(p.SchemaError, match="must be an integer"):
        p.exact_integer(value)


@pytest.mark.parametrize("name", ["relayhub", "枢纽", "канал Ω", "é", "a b", "👋🏽", "h" * 64, "贸" * 21 + "c"])
def test_a_name_in_any_script_is_taken(name):
    assert p.name_text(name, "channel") == name


@pytest.mark.parametrize("name", ["h" * 65, "贸" * 21 + "cc", "é" * 32 + "a"])
def test_a_name_is_measured_in_bytes(name):
    with pytest.raises(p.SchemaError, match="bytes in UTF-8; at most 64"):
        p.name_text(name, "channel")


@pytest.mark.parametrize("name", ["", None, b"main", 5])
def test_a_name_must_not_be_empty_or_no_text(name):
    with pytest.raises(p.SchemaError, match="channel must not be empty"):
        p.name_text(name, "channel")


@pytest.mark.parametrize("name", ["e\u0301", "\u212b", "가\u11a8", "\uf900"])
def test_a_name_that_is_not_nfc_is_refused(name):
    assert unicodedata.normalize("NFC", name) != name
    with pytest.raises(p.SchemaError, match="is not in Unicode NFC"):
        p.name_text(name, "channel")


@pytest.mark.parametrize(
    "character",
    ["\x00", "\n", "\x1b", "\x7f", "\u200b", "\u202e", "\u2028", "\u2029", "\ufeff", "\ud800", "\ue000", "\uffff"],
)
def test_a_name_with_a_character_that_nobody_sees_is_refused(character):
    with pytest.raises(p.SchemaError, match="control, invisible or unassigned"):
        p.name_text(f"ma{character}in", "channel")


@pytest.mark.parametrize("name", [" main", "main ", "\u00a0main", "main\u3000"])
def test_a_name_with_a_space_at_an_end_is_refused(name):
    with pytest.raises(p.SchemaError, match="begins or ends with a space"):
        p.name_text(name, "channel")


def test_names_that_look_alike_are_different_names():
    latin, cyrillic = "main", "mаin"
    assert latin != cyrillic
    assert p.name_text(latin, "channel").encode() != p.name_text(cyrillic, "channel").encode()


@pytest.mark.parametrize("name", ["eip155:1337", "cosmos:hub-1", "fabric:Trade_1", "abc:" + "x" * 32, "abcdefgh:1"])
def test_a_chain_name_of_caip2_is_taken(name):
    assert p.ChainId(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "eip155", ":1", "eip155:", "ei:1", "abcdefghi:1", "EIP155:1", "eip155:1:2", "eip155:" + "1" * 33, "fabric:a.b",
     "fabric:贸", "eip155:1\n", " eip155:1"],
)  # fmt: skip
def test_what_is_no_chain_name_of_caip2_is_refused(name):
    with pytest.raises(p.SchemaError, match="is no CAIP-2 chain name"):
        p.ChainId(name)


@pytest.mark.parametrize("reference", ["a.b", "x" * 33, "hashed-", "hashed-0123456789abcdef", "贸易链", ""])
def test_a_reference_that_caip2_cannot_hold_is_hashed(reference):
    name = p.ChainId.of("fabric", reference)
    namespace, _, hashed = name.partition(":hashed-")
    assert namespace == "fabric"
    assert len(hashed) == 16


def test_a_hashed_name_cannot_be_taken_by_a_ledger_that_calls_itself_so():
    honest = p.ChainId.of("fabric", "a.b")
    assert p.ChainId.of("fabric", honest.partition(":")[2]) != honest


def test_a_reference_that_fits_stays_as_it_is():
    assert p.ChainId.of("eip155", "1337") == "eip155:1337"


def test_two_ledgers_with_one_name_have_two_words():
    chain = p.ChainId("eip155:1337")
    assert chain.word(p.BlockHash(b"\x01" * 32)) != chain.word(p.BlockHash(b"\x02" * 32))


def test_two_names_with_one_first_block_have_two_words():
    block = p.BlockHash(b"\x01" * 32)
    assert p.ChainId("eip155:1337").word(block) != p.ChainId("eip155:1338").word(block)
