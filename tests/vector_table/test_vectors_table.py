"""The table of vectors: all of them pass, nothing is passed over, and what is spoilt is noticed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.shared_vectors import SHARED, shared
from tests.vector_table.item import Item
from tests.vector_table.table import judge_folder, last_line, unaccounted
from tests.vector_table.verdicts import verdict_in

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.name for path in SHARED.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", FOLDERS)
def test_every_item_of_every_folder_is_as_it_should_be(name):
    rows = judge_folder(SHARED / name)
    assert [row for row in rows if not row.passed] == []
    assert sum(row.found != "unusable" for row in rows) > 0
    assert {row.family for row in rows} == {name}


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "tests.vector_table", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def some(tmp_path):
    """Two folders of vectors that a test may spoil."""
    for name in ("clique", "tlog"):
        shutil.copytree(shared(name), tmp_path / name)
    return tmp_path


def test_the_last_line_counts_and_the_summary_names_every_family(some):
    done = run(VECTORS=str(some))
    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.rstrip("\n").splitlines()[-1] == "286 passed, 0 failed"
    assert "by family" in done.stdout
    assert re.search(r"clique\W+4\W+2\W+1\W+0\b", done.stdout)
    assert "1/2 clique" in done.stderr


def test_a_folder_may_be_an_argument_and_rows_may_be_json(some):
    done = run("--json", str(some))
    *rows, last = done.stdout.splitlines()
    assert last == "286 passed, 0 failed"
    read = [json.loads(row) for row in rows]
    assert len(read) == 286
    assert set(read[0]) == {"family", "name", "expected", "found", "why", "passed"}


def test_a_corrupted_vector_is_noticed(some):
    file = some / "clique" / "goerli_1.json"
    file.write_text(file.read_text().replace('"0x5c530ffd"', '"0x5c530ffe"'))
    done = run(str(some))
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "285 passed, 1 failed"
    assert "FAILED refused" in done.stdout


def test_a_file_that_cannot_be_read_is_a_failed_row_and_the_others_are_judged(some):
    (some / "tlog" / "transparency_dev" / "inclusion" / "1" / "happy-path.json").write_text('{"leafIdx": ')
    (some / "clique" / "rinkeby_30000.json").write_text('{"number": "0x1"}')
    done = run("--json", str(some))
    failed = [row for row in map(json.loads, done.stdout.splitlines()[:-1]) if not row["passed"]]
    assert [(row["family"], row["name"]) for row in failed] == [
        ("clique", "rinkeby_30000.json"),
        ("tlog", "transparency_dev/inclusion/1/happy-path.json"),
    ]
    assert "JSONDecodeError" in failed[1]["why"]
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "282 passed, 2 failed"


def test_a_file_of_another_layout_or_of_nobody_is_noticed(some):
    (some / "tlog" / "stray.json").write_text("[1, 2]")
    (some / "newcomer").mkdir()
    (some / "newcomer" / "vector.json").write_text("{}")
    (some / "alone.json").write_text("{}")
    done = run("--json", str(some))
    failed = [row for row in map(json.loads, done.stdout.splitlines()[:-1]) if not row["passed"]]
    assert sorted((row["family"], row["name"]) for row in failed) == [
        ("", "alone.json"),
        ("newcomer", "newcomer"),
        ("tlog", "stray.json"),
    ]
    assert done.returncode == 1


def test_a_file_that_no_row_names_is_unaccounted_for(tmp_path):
    for name in ("README.md", "a.json", "deep/b.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    rows = [Item("x", "a.json 1", "accepted", "accepted")]
    assert unaccounted(tmp_path, rows) == ["deep/b.json"]
    assert unaccounted(tmp_path, [*rows, Item("x", "deep/b.json", "refused", "refused", "Name")]) == []


def test_no_folder_at_all_fails_in_one_sentence(tmp_path):
    done = run(str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"
    assert done.stderr == ""
    assert run(str(tmp_path)).returncode == 1


def test_the_last_line_counts_what_did_not_pass():
    good, bad = Item("x", "a", "accepted", "accepted"), Item("x", "b", "refused", "accepted")
    assert last_line([good, bad, bad]) == "1 passed, 2 failed"


@pytest.mark.parametrize(
    ("vector", "verdict"),
    [
        ({"valid": True}, "accepted"),
        ({"ok": False}, "refused"),
        ({"wantErr": True}, "refused"),
        ({"wantErr": False}, "accepted"),
        ({"verdict": "INVALID"}, "refused"),
        ({"expected": "SUCCESS"}, "accepted"),
        ({"error": "SealForeign"}, "refused"),
        ({"result": {"balance": 1}}, None),
        ({}, None),
    ],
)
def test_verdicts_that_vectors_bring(vector, verdict):
    assert verdict_in(vector) == verdict
