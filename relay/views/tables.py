"""Tables in plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out rows in columns as wide as their widest cell (East Asian wide characters count as two)."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(_width(row[index]) for row in [list(headings), *cells]) for index in range(len(headings))]
    lines = [_line(list(headings), widths), *(_line(row, widths) for row in cells)]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(unicodedata.combining(character) > 0 for character in text)
    return len(text) + wide - marks
