"""docs/add-a-chain.md: the example is shown as it is, is small, and does all that an adapter must do."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from adapters.conformance.checks import CHECKS
from adapters.conformance.suite import LedgerConformance

ROOT = Path(__file__).parents[2]
RIVER = ROOT / "docs" / "examples" / "river"
PAGE = (ROOT / "docs" / "add-a-chain.md").read_text(encoding="utf-8")
LINES = 150


def test_the_adapter_is_shown_whole_and_is_small():
    ledger = (RIVER / "river" / "ledger.py").read_text(encoding="utf-8")
    assert f"```python\n{ledger}```\n" in PAGE
    assert len(ledger.splitlines()) <= LINES


def test_the_entry_points_are_those_of_the_package():
    project = tomllib.loads((RIVER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert tomllib.loads(shown)["project"]["entry-points"] == project["entry-points"]


def test_every_kind_of_check_is_explained():
    table = PAGE.partition("| checks |")[2].partition("\n\n")[0]
    explained = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert explained == {check.name.partition(".")[0] for check in CHECKS}
    assert f"passed {len(CHECKS)} of {len(CHECKS)} checks" in PAGE


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    sys.path.insert(0, str(RIVER))
    try:
        from river import ADAPTER
        from river.world import RiverWorld

        world = RiverWorld(tmp_path_factory.mktemp("river"), ADAPTER.open)
        yield world
        world.close()
    finally:
        sys.path.remove(str(RIVER))


@pytest.mark.live
class TestRiver(LedgerConformance):
    """Every check that needs no proxy."""
