"""A claim: what it refuses, and its JSON form."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.claim import Claim, Direction
from schemas.json_schemas import ADAPTERS
from schemas.primitives import UINT64_MAX, BlockHash, Head, LaneId, SchemaError

words = st.binary(min_size=32, max_size=32).filter(any)


@given(words, st.sampled_from(Direction), st.integers(1, UINT64_MAX), words, st.integers(0, UINT64_MAX), words)
def test_a_claim_passes_its_check_and_round_trips_in_json(lane_id, direction, nonce, head, height, block_hash):
    claim = Claim(LaneId(lane_id), direction, nonce, Head(head), height, BlockHash(block_hash))
    claim.check()
    adapter = ADAPTERS["claim"]
    again = adapter.validate_json(adapter.dump_json(claim))
    assert again == claim
    assert (type(again.lane_id), type(again.head), type(again.block_hash)) == (LaneId, Head, BlockHash)
    shown = adapter.dump_python(claim, mode="json")
    assert shown["nonce"] == str(nonce)
    assert shown["height"] == str(height)


@pytest.mark.parametrize("direction", [2, 3, -1])
def test_another_direction_is_refused(claim, direction):
    with pytest.raises(SchemaError, match="direction must be 0"):
        replace(claim, direction=direction).check()


@pytest.mark.parametrize("direction", [True, False, 1.0, "1", None])
def test_a_direction_that_only_equals_one_is_refused(claim, direction):
    with pytest.raises(SchemaError, match="must be an integer"):
        replace(claim, direction=direction).check()
    shown = ADAPTERS["claim"].dump_python(claim, mode="json")
    with pytest.raises(ValidationError):
        ADAPTERS["claim"].validate_python({**shown, "direction": direction})


def test_a_claim_of_no_entry_is_refused(claim):
    with pytest.raises(SchemaError, match="its nonce must not be 0"):
        replace(claim, nonce=0).check()


@pytest.mark.parametrize("field", ["nonce", "height"])
@pytest.mark.parametrize("value", [-1, UINT64_MAX + 1, True, 1.0])
def test_what_is_no_counter_is_refused(claim, field, value):
    with pytest.raises(SchemaError, match=f"{field} must be an integer from 0"):
        replace(claim, **{field: value}).check()


@pytest.mark.parametrize(("field", "kind"), [("lane_id", "LaneId"), ("head", "Head"), ("block_hash", "BlockHash")])
@pytest.mark.parametrize(
    ("value", "reason"), [(bytes(32), "zero"), (b"\x01" * 31, "32 bytes"), (b"\x01" * 33, "32 bytes")]
)
def test_what_is_no_word_is_refused(claim, field, kind, value, reason):
    with pytest.raises(SchemaError, match=f"{kind} must.*{reason}"):
        replace(claim, **{field: value}).check()


def test_height_0_is_a_height(claim):
    replace(claim, height=0).check()
