"""Folding ids into heads: order, completeness, sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.heads import fold, fold_all, genesis, outbox_genesis, outcomes_genesis
from schemas.primitives import LaneId, SchemaError
from schemas.suites import EVM, SM

LANE = LaneId(b"\x11" * 32)
IDS = [bytes([i]) * 32 for i in range(1, 6)]


def test_the_two_histories_of_a_lane_begin_apart(suite):
    assert genesis(suite, LANE, 0) == outbox_genesis(LANE) == LANE
    assert genesis(suite, LANE, 1) == outcomes_genesis(suite, LANE) != LANE


@pytest.mark.parametrize("direction", [2, 3, -1])
def test_another_direction_has_no_genesis(suite, direction):
    with pytest.raises(SchemaError, match="direction must be 0"):
        genesis(suite, LANE, direction)


def test_suites_fold_apart():
    assert fold(EVM, LANE, IDS[0]) != fold(SM, LANE, IDS[0])
    assert outcomes_genesis(EVM, LANE) != outcomes_genesis(SM, LANE)


def test_folding_many_is_folding_one_after_another(suite):
    head = LANE
    for entry_id in IDS:
        head = fold(suite, head, entry_id)
    assert fold_all(suite, LANE, IDS) == head


def test_folding_nothing_changes_nothing(suite):
    assert fold_all(suite, LANE, []) == LANE


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=8, unique=True), st.data())
def test_left_out_reordered_repeated_or_altered_is_seen(ids, data):
    honest = fold_all(EVM, LANE, ids)
    i = data.draw(st.integers(0, len(ids) - 2))
    left_out = ids[:i] + ids[i + 1 :]
    reordered = [*ids[:i], ids[i + 1], ids[i], *ids[i + 2 :]]
    repeated = [*ids[: i + 1], *ids[i:]]
    altered = [*ids[:i], bytes([ids[i][0] ^ 1]) + ids[i][1:], *ids[i + 1 :]]
    for wrong in (left_out, reordered, repeated, altered):
        assert fold_all(EVM, LANE, wrong) != honest


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_head_or_an_id_of_another_size_is_refused(suite, size):
    with pytest.raises(SchemaError, match="must be 32 bytes"):
        fold(suite, b"\x01" * size, IDS[0])
    with pytest.raises(SchemaError, match="id must be 32 bytes"):
        fold(suite, LANE, b"\x01" * size)
    with pytest.raises(SchemaError, match="id must be 32 bytes"):
        fold_all(suite, LANE, [IDS[0], b"\x01" * size])
