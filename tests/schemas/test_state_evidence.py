"""State evidence: its JSON form, as it lies in the database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.evidence import StateEvidence

ADAPTER = TypeAdapter(StateEvidence)
nodes = st.lists(st.binary(max_size=40), max_size=4).map(tuple)


@given(st.integers(0, 2**64 - 1), st.binary(max_size=100), nodes, nodes)
def test_state_evidence_round_trips_in_json(height, header, account_proof, storage_proof):
    evidence = StateEvidence(height, header, account_proof, storage_proof)
    assert ADAPTER.validate_json(ADAPTER.dump_json(evidence)) == evidence


@pytest.mark.parametrize(
    "change", [{"height": 1.5}, {"header": 7}, {"account_proof": "0x00"}, {"storage_proof": [7]}, {"more": 1}]
)
def test_another_form_is_refused(change):
    shown = {"height": "1", "header": "0x01", "account_proof": [], "storage_proof": []}
    ADAPTER.validate_python(shown)
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({**shown, **change})
