"""`make vectors`: judge every vector, print the table; its last line is ``N passed, N failed``.

python -m tests.vector_table                  the vectors of this repository
python -m tests.vector_table folder           another folder of the same layout; also VECTORS=folder
python -m tests.vector_table --json [folder]  a row of JSON a line instead of the table
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from tests.support.shared_vectors import SHARED
from tests.vector_table.table import judge_root, last_line, show

WIDTH = 160


def main(arguments: Sequence[str]) -> int:
    """Judge and print; 1 where something failed or nothing was there."""
    parser = argparse.ArgumentParser(prog="make vectors", description="Judge every vector of a folder.")
    parser.add_argument("folder", nargs="?", default=os.environ.get("VECTORS") or str(SHARED), help="folder of folders")
    parser.add_argument("--json", action="store_true", help="print a row of JSON a line")
    chosen = parser.parse_args(arguments)
    root = Path(chosen.folder)
    if not root.is_dir():
        print(f"There is no folder {root}; name one that holds a folder for each family.\n0 passed, 1 failed")
        return 1
    rows = [row for part in judge_root(root, lambda line: print(line, file=sys.stderr, flush=True)) for row in part]
    if chosen.json:
        for row in rows:
            print(json.dumps({**asdict(row), "passed": row.passed}, ensure_ascii=False))
        print(last_line(rows))
    else:
        show(rows, Console(width=None if sys.stdout.isatty() else WIDTH, soft_wrap=False))
    return 0 if rows and all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
