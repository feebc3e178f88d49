"""An outcome: message, status and result change its id; other statuses and longer results are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.json_schemas import ADAPTERS
from schemas.outcome import Outcome, Settled, Status, outcome_id
from schemas.primitives import LaneId, MessageId, OutcomeId, SchemaError
from schemas.suites import EVM, SM

MESSAGE = MessageId(b"\x21" * 32)
LANE = LaneId(b"\x11" * 32)


def test_every_field_changes_the_id(suite):
    rows = [(MESSAGE, status, b"ok") for status in Status] + [
        (MessageId(b"\x22" * 32), 1, b"ok"),
        (MESSAGE, 1, b""),
        (MESSAGE, 1, b"oK"),
    ]
    assert len({outcome_id(suite, *row) for row in rows}) == len(rows)


def test_the_suite_changes_the_id():
    assert outcome_id(EVM, MESSAGE, 1, b"") != outcome_id(SM, MESSAGE, 1, b"")


@given(st.sampled_from(Status), st.binary(max_size=256))
def test_an_outcome_has_the_id_of_its_fields_and_round_trips_in_json(status, result):
    outcome = Outcome(MESSAGE, status, result)
    assert outcome.outcome_id(EVM) == outcome_id(EVM, MESSAGE, int(status), result)
    assert type(outcome.outcome_id(EVM)) is OutcomeId
    adapter = ADAPTERS["outcome"]
    again = adapter.validate_json(adapter.dump_json(outcome))
    assert again == outcome
    assert type(again.status) is Status


@pytest.mark.parametrize("status", [0, 5, -1, 256, 2**64])
def test_another_status_is_refused(suite, status):
    with pytest.raises(SchemaError, match="status must be 1 to 4"):
        outcome_id(suite, MESSAGE, status, b"")


@pytest.mark.parametrize("status", [True, 1.0, "1", None])
def test_a_status_that_only_equals_one_is_refused(suite, status):
    with pytest.raises(SchemaError, match="must be an integer"):
        outcome_id(suite, MESSAGE, status, b"")
    with pytest.raises(ValidationError):
        ADAPTERS["outcome"].validate_python({"message_id": MESSAGE.hex0x(), "status": status, "result": "0x"})


def test_a_result_of_256_bytes_is_the_longest(suite):
    assert outcome_id(suite, MESSAGE, 1, b"r" * 256) != outcome_id(suite, MESSAGE, 1, b"r" * 255)
    with pytest.raises(SchemaError, match="result has 257 bytes; at most 256"):
        outcome_id(suite, MESSAGE, 1, b"r" * 257)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_message_id_of_another_size_is_refused(suite, size):
    with pytest.raises(SchemaError, match="message_id must be 32 bytes"):
        outcome_id(suite, b"\x01" * size, 1, b"")


def test_a_settled_entry_recomputes_both_ids(suite, message):
    entry = Settled(message.without_payload(), Status.FAILED, b"why")
    expected = outcome_id(suite, message.message_id(suite, LANE), 2, b"why")
    assert entry.outcome_id(suite, LANE) == expected
    assert entry.outcome_id(suite, LaneId(b"\x12" * 32)) != expected


def test_a_settled_entry_round_trips_in_json(message):
    entry = Settled(message.without_payload(), Status.REFUSED, b"")
    adapter = ADAPTERS["settled"]
    assert adapter.validate_json(adapter.dump_json(entry)) == entry
