"""The JSON Schemas on disk are those of the code, and every object keeps to its own."""

import json
import re
import runpy
from pathlib import Path

import pytest
from pydantic import ValidationError

import schemas.json_schemas as subject
from schemas.attestation import Attestation
from schemas.outcome import Outcome, Settled, Status
from schemas.payloads import TextPayload
from schemas.primitives import MessageId

FOLDER = Path(subject.__file__).parent / "json"


@pytest.fixture
def objects(message, claim, place):
    return {
        "message": message,
        "outcome": Outcome(MessageId(b"\x21" * 32), Status.EXECUTED, b"ok"),
        "settled": Settled(message, Status.FAILED, b""),
        "claim": claim,
        "place": place,
        "attestation": Attestation(claim, 1, b"\x37" * 20, b"\x38" * 65),
        "payload": TextPayload(text="跨链"),
    }


@pytest.mark.parametrize("name", subject.ADAPTERS)
def test_the_schema_on_disk_is_the_codes(name):
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == subject.json_schema(name)


def test_no_schema_on_disk_is_left_over():
    assert {path.stem for path in FOLDER.iterdir()} == set(subject.ADAPTERS)


def test_the_schemas_are_written_where_they_are_wanted(tmp_path):
    subject.write_all(tmp_path / "new" / "json")
    written = {path.name: path.read_bytes() for path in (tmp_path / "new" / "json").iterdir()}
    assert written == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_make_schemas_writes_beside_the_code(monkeypatch):
    written = {}
    monkeypatch.setattr(Path, "write_text", lambda path, text, encoding: written.update({path: text.encode(encoding)}))
    runpy.run_path(subject.__file__, run_name="__main__")
    assert written == {path: path.read_bytes() for path in FOLDER.iterdir()}


def mismatches(schema, value, definitions):
    """The few keywords that our schemas use, checked by hand."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "properties" in schema:
        found = [key for key in schema.get("required", []) if key not in value]
        for key, item in value.items():
            found += mismatches(schema["properties"][key], item, definitions)
        return found
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return [f"{value} is not {schema['pattern']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{value} is not in {schema['enum']}"]
    return []


@pytest.mark.parametrize("name", subject.ADAPTERS)
def test_an_object_in_json_fits_its_schema(objects, name):
    schema = json.loads(subject.json_schema(name))
    definitions = schema.get("$defs", {})
    value = subject.ADAPTERS[name].dump_python(objects[name], mode="json")
    branch = (
        definitions[schema["discriminator"]["mapping"][value["kind"]].rpartition("/")[2]]
        if "discriminator" in schema
        else schema
    )
    assert mismatches(branch, value, definitions) == []


@pytest.mark.parametrize("name", subject.ADAPTERS)
def test_a_field_too_many_or_too_few_is_refused(objects, name):
    adapter = subject.ADAPTERS[name]
    value = adapter.dump_python(objects[name], mode="json")
    assert adapter.validate_python(value) == objects[name]
    with pytest.raises(ValidationError, match=r"[Ee]xtra|[Uu]nexpected"):
        adapter.validate_python({**value, "more": "1"})
    for key in value:
        with pytest.raises(ValidationError):
            adapter.validate_python({field: item for field, item in value.items() if field != key})
