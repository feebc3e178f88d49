"""Reading the vectors under tests/vectors."""

import json
from pathlib import Path

VECTORS = Path(__file__).parents[1] / "vectors"


def load_json(*parts):
    """The content of one JSON vector, named by its path under tests/vectors."""
    return json.loads(VECTORS.joinpath(*parts).read_text(encoding="utf-8"))


def unhex(text):
    """Bytes of hexadecimal text with 0x."""
    return bytes.fromhex(text.removeprefix("0x"))


def unhex_all(texts):
    """Bytes of each text of a list."""
    return tuple(unhex(text) for text in texts)
