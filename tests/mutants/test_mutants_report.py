"""The report of `make mutants`: counts, the bar, and that every survivor has its explanation."""

import json

import pytest

import tests.mutants.__main__ as mutants
from tests.mutants.__main__ import Result, main, report

EXPLAINED = {"bft/client.py": {"new": "It is the same."}}


@pytest.mark.parametrize(
    ("total", "survivors", "good"),
    [
        (100, [], True),
        (100, [("bft/client.py", "old", "new")], True),
        (100, [("bft/client.py", "old", "other")], False),
        (100, [("bft/client.py", "old", "new")] * 3, False),
        (101, [("bft/client.py", "old", "new")] * 3, True),
    ],
)
def test_the_bar_and_the_explanations(total, survivors, good):
    text, found = report({"bft": Result(total, survivors)}, EXPLAINED)
    assert found is good
    assert f"| all | | {total} | {len(survivors)} |" in text
    assert ("Not explained yet." in text) == any(new == "other" for _, _, new in survivors)


def test_the_document_is_written_again_from_the_results(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(mutants, "EXPLAINED", tmp_path / "explained.toml")
    monkeypatch.setattr(mutants, "DOCUMENT", tmp_path / "mutants.md")
    (tmp_path / "explained.toml").write_text('["bft/client.py"]\nnew = "It is the same."\n')
    (tmp_path / "results.json").write_text(
        json.dumps({"bft": {"total": 200, "survivors": [["bft/client.py", "old", "new"]]}})
    )
    assert main(["--report"]) == 0
    assert "`old` → `new`\n  It is the same." in (tmp_path / "mutants.md").read_text()


def test_an_unknown_family_is_refused(capsys):
    assert main(["bitcoin"]) == 2
    assert "there are bft, clique" in capsys.readouterr().out


def test_every_file_that_is_mutated_is_there():
    folder = mutants.ROOT / "light_clients"
    assert [file for files in mutants.FILES.values() for file in files if not (folder / file).exists()] == []
    tests = mutants.ROOT / "tests" / "light_clients"
    assert [
        part for name in mutants.FILES for part in mutants.TESTS.get(name, (name,)) if not (tests / part).exists()
    ] == []
