"""The soak itself: a seed plays acts to the end, a defect that is planted is found, and a failure says how to have it again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tests.soak.__main__ as soak
from adapters.memory.gateway import Gateway
from tests.soak import seed as seeds
from tests.soak.chances import Menu

ROOT = Path(__file__).parents[2]


class Broken:
    """An act that finds something."""

    name = "memory"

    def __init__(self, seed):
        self.menu = Menu(None)
        self.menu.latest.append("a deed")
        self.closed = False
        made.append(self)

    def play(self):
        raise AssertionError("two effects")

    def close(self):
        self.closed = True


made: list[Broken] = []


def test_a_seed_plays_acts_and_counts_what_happened():
    report = seeds.run_seed(1, 0.1, ("memory",))
    assert report["failure"] is None
    assert report["acts"] == {"memory": 1}
    assert report["counts"]["messages"] > 0
    assert sum(report["deeds"].values()) >= 100


def test_what_is_planted_is_found_and_can_be_had_again(monkeypatch):
    deliver = Gateway.deliver

    def twice(self, frame, action):
        before = self.lanes[action.lane_id]
        deliver(self, frame, action)
        self.lanes[action.lane_id] = before  # the inbox forgets

    monkeypatch.setattr(Gateway, "deliver", twice)
    report = seeds.run_seed(1, 0.1, ("memory",))
    failure = report["failure"]
    assert failure is not None
    assert failure["act"] == "memory"
    assert failure["latest"]
    assert failure["again"] == f"python -m tests.soak.seed --act memory --act-seed {failure['seed']}"


def test_a_failed_act_ends_the_seed_and_leaves_nothing(monkeypatch):
    made.clear()
    monkeypatch.setitem(seeds.MAKERS, "memory", Broken)
    report = seeds.run_seed(7, 60.0, ("memory",))
    assert report["failure"]["error"] == "AssertionError: two effects"
    assert report["failure"]["latest"] == ["a deed"]
    assert [act.closed for act in made] == [True]


def test_seeds_run_as_processes_and_their_reports_are_summed(tmp_path, capsys):
    file = tmp_path / "report.json"
    code = soak.main(["--seed", "3", "--seeds", "2", "--each", "0.1", "--acts", "memory", "--json", str(file)])
    written = json.loads(file.read_text())
    assert code == 0
    assert [report["seed"] for report in written["seeds"]] == [3, 4]
    assert written["total"]["acts"] == {"memory": 2}
    assert written["total"]["failures"] == []
    said = capsys.readouterr().out
    assert "2 seeds" in said
    assert "Nothing false, nothing lost, nothing done twice, nothing stuck." in said


@pytest.mark.parametrize("ends", ["raise SystemExit(3)", "print('no report')"])
def test_a_seed_that_ends_without_a_report_has_failed(monkeypatch, ends):
    run = subprocess.run
    monkeypatch.setattr(
        soak.subprocess, "run", lambda _command, **options: run([sys.executable, "-c", ends], **options)
    )
    reports = soak.Soak(5, 0.1, "memory").run(seconds=60, seeds=1, jobs=1)
    total = soak.summed(reports)
    assert total["failures"][0]["of_seed"] == 5
    assert "without a report" in soak.told(total)


def test_what_is_missing_of_the_families_mutations_is_made_up_for(monkeypatch, capsys):
    def one(_soak, number, _seconds):
        counts = {"family_mutations": 400} if _soak.acts == "families" else {"messages": 1}
        return {"seed": number, "seconds": 1.0, "acts": {}, "deeds": {}, "counts": counts, "failure": None}

    monkeypatch.setattr(soak.Soak, "_seed", one)
    assert soak.main(["--seed", "3", "--seeds", "1", "--jobs", "2", "--mutations", "1000"]) == 0
    assert "1,600 family_mutations" in capsys.readouterr().out
    assert soak.main(["--seed", "3", "--seeds", "1"]) == 0
    assert "family_mutations" not in capsys.readouterr().out


def test_a_failed_family_ends_the_making_up(monkeypatch, capsys):
    failure = {"act": "families", "seed": 1, "error": "accepted", "again": "again"}

    def one(_soak, number, _seconds):
        return {"seed": number, "seconds": 1.0, "acts": {}, "deeds": {}, "counts": {}, "failure": failure}

    monkeypatch.setattr(soak.Soak, "_seed", one)
    assert soak.main(["--seed", "3", "--seeds", "1", "--mutations", "1000"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_every_family_is_spoilt_in_an_act(monkeypatch):
    monkeypatch.setattr("tests.soak.mutation_act.names", lambda: ["evm"])
    monkeypatch.setattr("tests.soak.mutation_act.FAMILY_MUTATIONS", 200)
    report = seeds.run_seed(1, 0.1, ("families",))
    assert report["failure"] is None
    assert report["counts"]["family_mutations"] >= 200
    assert "mutation of qbft header" in report["deeds"]
