"""The table of vectors: every file of every folder is judged, or a row says why not; nothing that lies there is passed over."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.table import Table

from tests.vector_table.item import Item

README = "README.md"
WORKERS = 2
MAXIMUM_DAMAGED = 20
"""Files of one folder that are set aside before the rest of it is given up."""


def failed(family: str, name: str, why: str) -> Item:
    """A row for what should have been judged and was not."""
    return Item(family, name, "accepted", "unusable", why)


def judge_folder(folder: Path) -> list[Item]:
    """The rows of one folder; a file that cannot be read is set aside, so that the others are judged.

    Args:
        folder: such as ``tests/vectors/shared/cometbft``; the module of the same name reads it.
    """
    family = folder.name
    if importlib.util.find_spec(f"tests.vector_table.{family}") is None:
        return [failed(family, family, f"nobody reads this folder: write tests/vector_table/{family}.py")]
    module = importlib.import_module(f"tests.vector_table.{family}")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / family
        shutil.copytree(folder, copy)
        rows, damaged = _judge_readable(family, copy, module.items)
    rows += damaged
    return rows + [failed(family, name, "no row accounts for this file") for name in unaccounted(folder, rows)]


def unaccounted(folder: Path, rows: Sequence[Item]) -> list[str]:
    """Files below a folder with whose path the name of no row begins; README.md apart."""
    names = sorted(row.name for row in rows)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [file for file in files if Path(file).name != README and not any(name.startswith(file) for name in names)]


def judge_root(root: Path, tell: Callable[[str], None]) -> Iterator[list[Item]]:
    """The rows of all folders, in alphabetical order, judged in processes of their own.

    Args:
        root: folder of folders.
        tell: takes a line of progress.
    """
    strays = [failed("", path.name, "this file lies in no family's folder") for path in _strays(root)]
    if strays:
        yield strays
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    began = time.monotonic()
    with ProcessPoolExecutor(WORKERS) as pool:
        for number, (folder, rows) in enumerate(zip(folders, pool.map(judge_folder, folders), strict=True), 1):
            bad = sum(not row.passed for row in rows)
            tell(
                f"{number}/{len(folders)} {folder.name}: {len(rows)} rows, {bad} failed, {time.monotonic() - began:.0f} s"
            )
            yield rows


def show(rows: Sequence[Item], console: Console) -> None:
    """Print the rows, a summary for each family, and the last line."""
    table = Table(title="vectors")
    for column in ("family", "item", "expected", "found", "why"):
        table.add_column(column, overflow="fold")
    for row in rows:
        mark = "" if row.passed else "FAILED "
        table.add_row(
            row.family, row.name, row.expected, f"{mark}{row.found}", row.why, style="" if row.passed else "red"
        )
    console.print(table, markup=False)
    summary = Table(title="by family")
    columns = ("family", "accepted", "refused", "unusable", "failed")
    for column in columns:
        summary.add_column(column, justify="left" if column == "family" else "right")
    for family in dict.fromkeys(row.family for row in rows):
        mine = [row for row in rows if row.family == family]
        good = [row.found for row in mine if row.passed]
        counts = [good.count("accepted"), good.count("refused"), good.count("unusable"), len(mine) - len(good)]
        summary.add_row(family, *map(str, counts))
    console.print(summary)
    console.print(last_line(rows), highlight=False)


def last_line(rows: Sequence[Item]) -> str:
    """``N passed, N failed``."""
    passed = sum(row.passed for row in rows)
    return f"{passed} passed, {len(rows) - passed} failed"


def _judge_readable(
    family: str, folder: Path, items: Callable[[Path], Iterator[Item]]
) -> tuple[list[Item], list[Item]]:
    """Rows of the files that can be read, and one for each that cannot; what stops a reader is taken out of the folder."""
    damaged: list[Item] = []
    while True:
        try:
            return list(items(folder)), damaged
        except Exception as error:  # noqa: BLE001  (whatever stops a reader becomes a row, never a stack trace)
            file = _file_in_hand(error.__traceback__, folder)
            why = f"cannot be judged: {type(error).__name__}: {str(error)[:200]}"
            if file is None or len(damaged) == MAXIMUM_DAMAGED:
                return [], [*damaged, failed(family, family, why)]
            damaged.append(failed(family, file.relative_to(folder).as_posix(), why))
            file.unlink()


def _file_in_hand(traceback: TracebackType | None, folder: Path) -> Path | None:
    """The file that the innermost frame with one was reading."""
    found: Path | None = None
    while traceback is not None:
        for value in traceback.tb_frame.f_locals.values():
            if isinstance(value, Path) and value.is_relative_to(folder) and value.is_file():
                found = value
        traceback = traceback.tb_next
    return found


def _strays(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_file() and path.name != README)
