"""The JSON forms of the protocol's objects and their JSON Schemas (files in `schemas/json/`, made by `make schemas`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from schemas.attestation import Attestation, Place
from schemas.claim import Claim
from schemas.message import Message
from schemas.outcome import Outcome, Settled
from schemas.payloads import Payload

ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "message": TypeAdapter(Message),
    "outcome": TypeAdapter(Outcome),
    "settled": TypeAdapter(Settled),
    "claim": TypeAdapter(Claim),
    "place": TypeAdapter(Place),
    "attestation": TypeAdapter(Attestation),
    "payload": TypeAdapter(Payload),
}


def json_schema(name: str) -> str:
    """Return the JSON Schema of one object as formatted text."""
    schema = ADAPTERS[name].json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_all(folder: Path) -> None:
    """Write every schema into the folder, one file an object."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ADAPTERS:
        (folder / f"{name}.json").write_text(json_schema(name), encoding="utf-8")


if __name__ == "__main__":
    write_all(Path(__file__).parent / "json")
