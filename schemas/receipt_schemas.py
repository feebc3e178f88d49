"""JSON Schemas of the files that strangers verify, in docs/: receipts and log notes (`make schemas`).

A schema says the form alone, and not every word of it: docs/evidence.md has the rest, check 1.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel

from schemas.log_note import LogNote
from schemas.receipt import Receipt

FILES: MappingProxyType[str, type[BaseModel]] = MappingProxyType(
    {"receipt.schema.json": Receipt, "log-note.schema.json": LogNote}
)
"""Names of the files, and what each describes."""
FOLDER = Path(__file__).parents[1] / "docs"


def schema_of(name: str) -> str:
    """The JSON Schema of one file as formatted text."""
    schema = FILES[name].model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_all(folder: Path) -> None:
    """Write every schema into the folder."""
    for name in FILES:
        (folder / name).write_text(schema_of(name), encoding="utf-8")


if __name__ == "__main__":  # pragma: no cover - `make schemas` runs it
    write_all(FOLDER)
