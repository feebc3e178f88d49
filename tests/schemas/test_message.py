"""A message: every field changes its id, every bad value is refused, the payload may travel by hash."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.json_schemas import ADAPTERS
from schemas.message import Message
from schemas.primitives import UINT64_MAX, Bytes32, LaneId, MessageId, SchemaError
from schemas.suites import EVM, SM

LANE = LaneId(b"\x11" * 32)
CHANGES = {
    "nonce": 8,
    "sender": b"\x41" * 20,
    "receiver": b"\x42" * 20,
    "expires_at": 0,
    "gas_limit": 200_001,
    "callback_gas": 0,
    "payload_length": 1,
    "payload_hash": Bytes32(b"\x43" * 32),
}
COUNTERS = ["nonce", "expires_at", "gas_limit", "callback_gas", "payload_length"]
uint64s = st.integers(0, UINT64_MAX)
accounts = st.binary(min_size=1, max_size=64)


@st.composite
def messages(draw):
    suite = draw(st.sampled_from([EVM, SM]))
    return suite, Message.create(
        suite,
        nonce=draw(st.integers(1, UINT64_MAX)),
        sender=draw(accounts),
        receiver=draw(accounts),
        payload=draw(st.binary(max_size=200)),
        gas_limit=draw(uint64s),
        callback_gas=draw(uint64s),
        expires_at=draw(uint64s),
    )


@pytest.mark.parametrize("field", CHANGES)
def test_every_field_changes_the_id(suite, message, field):
    assert getattr(message, field) != CHANGES[field]
    changed = replace(message, **{field: CHANGES[field]})
    assert changed.message_id(suite, LANE) != message.message_id(suite, LANE)


@given(messages(), st.sampled_from(sorted(CHANGES)), st.data())
def test_one_flipped_bit_of_any_field_changes_the_id(made, field, data):
    suite, message = made
    value = getattr(message, field)
    if isinstance(value, int):
        flipped = value ^ (1 << data.draw(st.integers(0, 63)))
    else:
        raw = bytearray(value)
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        flipped = type(value)(raw) if isinstance(value, Bytes32) else bytes(raw)
    assert replace(message, **{field: flipped}).message_id(suite, LANE) != message.message_id(suite, LANE)


def test_lane_and_suite_change_the_id(message):
    ids = {message.message_id(suite, lane) for suite in (EVM, SM) for lane in (LANE, LaneId(b"\x12" * 32))}
    assert len(ids) == 4


def test_sender_and_receiver_do_not_change_places(suite, message):
    turned = replace(message, sender=message.receiver, receiver=message.sender)
    assert turned.message_id(suite, LANE) != message.message_id(suite, LANE)


def test_the_payload_by_hash_keeps_the_id(suite, message):
    bare = message.without_payload()
    bare.check(suite)
    assert bare.hash_only
    assert not message.hash_only
    assert bare.payload == b""
    assert bare.message_id(suite, LANE) == message.message_id(suite, LANE)
    assert type(bare.message_id(suite, LANE)) is MessageId


def test_an_empty_payload_is_whole(suite):
    message = Message.create(suite, nonce=1, sender=b"s", receiver=b"r", payload=b"", gas_limit=0)
    assert not message.hash_only
    assert message.payload_hash == suite.hash(b"")
    assert message.payload_length == message.callback_gas == message.expires_at == 0


@given(messages())
def test_a_made_message_passes_its_check_and_round_trips_in_json(made):
    suite, message = made
    message.check(suite)
    adapter = ADAPTERS["message"]
    again = adapter.validate_json(adapter.dump_json(message))
    assert again == message
    assert type(again.payload_hash) is Bytes32
    shown = adapter.dump_python(message, mode="json")
    assert all(isinstance(value, str) for value in shown.values())


def test_a_message_without_a_nonce_is_refused(suite, message):
    with pytest.raises(SchemaError, match="nonce must not be 0"):
        replace(message, nonce=0).check(suite)


@pytest.mark.parametrize("field", COUNTERS)
@pytest.mark.parametrize("value", [-1, UINT64_MAX + 1, True, 1.0, "1"])
def test_what_is_no_counter_is_refused(suite, message, field, value):
    with pytest.raises(SchemaError, match=f"{field} must be an integer from 0"):
        replace(message, **{field: value}).check(suite)


@pytest.mark.parametrize("field", ["sender", "receiver"])
@pytest.mark.parametrize("value", [b"", b"a" * 65])
def test_what_is_no_account_is_refused(suite, message, field, value):
    with pytest.raises(SchemaError, match=f"{field} must be 1 to 64 bytes"):
        replace(message, **{field: value}).check(suite)


@pytest.mark.parametrize("size", [31, 33])
def test_a_payload_hash_of_another_size_is_refused_even_without_the_payload(suite, message, size):
    with pytest.raises(SchemaError, match="must be 32 bytes"):
        replace(message.without_payload(), payload_hash=b"\x01" * size).check(suite)


@pytest.mark.parametrize("change", [1, -1])
def test_a_payload_of_another_length_is_refused(suite, message, change):
    with pytest.raises(SchemaError, match="bytes where payload_length says"):
        replace(message, payload_length=message.payload_length + change).check(suite)


def test_a_payload_of_another_hash_is_refused(suite, message):
    with pytest.raises(SchemaError, match="payload does not match payload_hash"):
        replace(message, payload=bytes(len(message.payload))).check(suite)


def test_an_empty_payload_with_another_hash_is_refused(suite, message):
    with pytest.raises(SchemaError, match="payload does not match payload_hash"):
        replace(message, payload=b"", payload_length=0).check(suite)


def test_a_message_is_checked_when_it_is_made(suite):
    with pytest.raises(SchemaError, match="receiver must be"):
        Message.create(suite, nonce=1, sender=b"s", receiver=b"", payload=b"", gas_limit=0)
