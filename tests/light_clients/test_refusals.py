"""What a refusal says — its sentence, what was expected, what was found — is recorded for every bad vector of the EVM families.

Logs, receipts and people read it; a change shows here and is recorded again by `python -m tests.vectors.make_refusals`.
"""

import json

import pytest

from tests.support.vectors import VECTORS
from tests.vectors.make_refusals import FOLDERS, RECORDED, refusal_of

EXPECTED = json.loads(RECORDED.read_text(encoding="utf-8"))
NAMES = sorted(
    path.relative_to(VECTORS).as_posix() for folder in FOLDERS for path in (VECTORS / folder / "bad").rglob("*.json")
)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_refusal_says(name):
    assert refusal_of(name) == EXPECTED[name]


def test_nothing_is_recorded_that_is_not_there():
    assert sorted(EXPECTED) == NAMES
