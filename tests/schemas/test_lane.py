"""A lane's id: every preimage counts, and what is no preimage is refused."""

import pytest

from schemas.lane import Lane
from schemas.primitives import ChainWord, LaneId, SchemaError
from schemas.suites import EVM, SM

CHANGES = {
    "hub": "relayhub2",
    "source": ChainWord(b"\x51" * 32),
    "source_gateway": b"\x52" * 20,
    "destination": ChainWord(b"\x53" * 32),
    "destination_gateway": b"\x54" * 20,
    "channel": "mаin",  # its second letter is Cyrillic
}


@pytest.mark.parametrize("field", CHANGES)
def test_every_preimage_changes_the_id(lane, lane_fields, field):
    assert Lane(**{**lane_fields, field: CHANGES[field]}).lane_id != lane.lane_id


def test_the_suite_changes_the_id(lane_fields):
    ids = {Lane(**{**lane_fields, "suite": suite}).lane_id for suite in (EVM, SM)}
    assert len(ids) == 2


def test_the_reverse_lane_is_another_lane(lane, lane_fields):
    turned = {
        "source": lane.destination,
        "source_gateway": lane.destination_gateway,
        "destination": lane.source,
        "destination_gateway": lane.source_gateway,
    }
    assert Lane(**{**lane_fields, **turned}).lane_id != lane.lane_id


def test_one_id_and_gateway_on_two_ledgers_are_two_lanes(lane, lane_fields):
    """The attack "two ledgers with one chain id and gateway address": the first block tells them apart."""
    assert Lane(**{**lane_fields, "source": CHANGES["source"]}).lane_id != lane.lane_id


def test_the_id_is_a_lane_id(lane):
    assert type(lane.lane_id) is LaneId


def test_bytes_do_not_move_between_preimages(lane_fields):
    first = Lane(**{**lane_fields, "hub": "ab", "channel": "c"})
    second = Lane(**{**lane_fields, "hub": "a", "channel": "bc"})
    assert first.lane_id != second.lane_id


@pytest.mark.parametrize("field", ["hub", "channel"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [("", "must not be empty"), ("n" * 65, "at most 64"), ("e\u0301", "NFC"), ("a\nb", "control"), (" a", "space")],
)
def test_a_name_that_is_none_is_refused(lane_fields, field, value, reason):
    shown = {"hub": "hub name", "channel": "channel"}[field]
    with pytest.raises(SchemaError, match=f"{shown}.*{reason}"):
        Lane(**{**lane_fields, field: value})


@pytest.mark.parametrize("field", ["source_gateway", "destination_gateway"])
@pytest.mark.parametrize("size", [0, 65])
def test_a_gateway_of_another_size_is_refused(lane_fields, field, size):
    with pytest.raises(SchemaError, match=f"{field.replace('_', ' ')} must be 1 to 64 bytes"):
        Lane(**{**lane_fields, field: b"g" * size})


@pytest.mark.parametrize("field", ["source", "destination"])
@pytest.mark.parametrize(
    ("value", "reason"), [(b"\x01" * 31, "32 bytes"), (b"\x01" * 33, "32 bytes"), (bytes(32), "zero")]
)
def test_a_chain_word_that_is_none_is_refused(lane_fields, field, value, reason):
    with pytest.raises(SchemaError, match=f"ChainWord must.*{reason}"):
        Lane(**{**lane_fields, field: value})
