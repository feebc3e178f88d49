"""Evidence in the form of a consensus family goes through JSON unchanged; what is too much or too little is refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.evidence import FamilyEvidence

ADAPTER = TypeAdapter(FamilyEvidence)
GOOD = {"height": "7", "header": "0x01", "proof": "0x0203"}


def test_through_json():
    evidence = FamilyEvidence(7, b"\x01", b"\x02\x03")
    assert ADAPTER.validate_json(ADAPTER.dump_json(evidence)) == evidence


@pytest.mark.parametrize(
    "wrong", [{"more": 1}, {"height": -1}, {"height": 1 << 64}, {"proof": "xyz"}, {"header": None}]
)
def test_what_is_no_evidence(wrong):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(GOOD | wrong)
