"""What the documents name is there: stages, waiting reasons, make targets, files and sections that links point to."""

import re
from pathlib import Path

import pytest

from relay.journey import Stage
from relay.store.waits import Reason

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FIRST_CELL = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def section(name, title):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_journey_names_every_stage_in_order():
    assert FIRST_CELL.findall(section("journey.md", "Stages")) == [str(stage) for stage in Stage]


def test_the_journey_names_every_reason_to_wait():
    assert sorted(FIRST_CELL.findall(section("journey.md", "Waiting"))) == sorted(str(reason) for reason in Reason)


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target for path in DOCUMENTS for target in re.findall(r"`make ([a-z-]+)`", path.read_text(encoding="utf-8"))
    }
    assert {"demo", "test"} <= named <= targets


def anchors(path):
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(there), f"{target} has no such section"
