"""The diff of two families' folders as docs/add-a-consensus.md shows it. `python -m tests.docs.consensus_diff` writes it there."""

from __future__ import annotations

import difflib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "add-a-consensus.md"
BEGIN, END = "<!-- diff:begin -->\n", "<!-- diff:end -->\n"
OLD, NEW = "qbft", "ibft2"
FILES = ("__init__.py", "types.py", "verify.py", "codec.py")


def folder_diff() -> str:
    """The fenced diff of both folders, file by file, with a line of context."""
    lines: list[str] = []
    for name in FILES:
        old, new = (ROOT / "light_clients" / family / name for family in (OLD, NEW))
        lines += difflib.unified_diff(
            old.read_text(encoding="utf-8").splitlines(),
            new.read_text(encoding="utf-8").splitlines(),
            f"light_clients/{OLD}/{name}",
            f"light_clients/{NEW}/{name}",
            lineterm="",
            n=1,
        )
    return "\n".join(["```diff", *lines, "```", ""])


def shown() -> str:
    """What stands in the document."""
    return DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def main() -> None:
    """Write it into the document."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + folder_diff() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
