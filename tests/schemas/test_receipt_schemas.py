"""The JSON Schemas in docs/ are those of the code; every receipt and log note of the vectors that has the form fits, and no other."""

import json

import jsonschema_rs
import pytest

from schemas.receipt_schemas import FILES, FOLDER, schema_of, write_all
from tests.support.vectors import VECTORS

VECTORS_OF = {"receipt.schema.json": "receipts", "log-note.schema.json": "log_notes"}
PARTIAL = ("format--no-outcome", "format--not-complete")
"""Receipts of the right form that say themselves, or show, that they are not complete."""


@pytest.mark.parametrize("name", FILES)
def test_the_schema_on_disk_is_the_codes(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == schema_of(name)


def test_they_are_written_where_they_are_wanted(tmp_path):
    write_all(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        name: schema_of(name) for name in FILES
    }


@pytest.mark.parametrize("name", FILES)
def test_every_vector_of_the_right_form_fits_and_no_other(name):
    validator = jsonschema_rs.validator_for(json.loads(schema_of(name)))
    wrong = []
    for path in sorted((VECTORS / VECTORS_OF[name]).glob("*.json")):
        formed = "format--" not in path.stem or path.stem in PARTIAL
        if validator.is_valid(json.loads(path.read_text(encoding="utf-8"))) != formed:
            wrong.append(path.name)
    assert wrong == []
