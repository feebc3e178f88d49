"""docs/add-a-consensus.md: its diff is the real one, the files that it names are there, and every family has their shape."""

import re
from pathlib import Path

import pytest

from tests.docs.consensus_diff import DOCUMENT, FILES, NEW, OLD, ROOT, folder_diff, shown

LIGHT_CLIENTS = ROOT / "light_clients"
SHARED_PARTS = {"bft", "crypto", "proofs"}
ON_BFT = {"qbft", "ibft2", "ibft"}
FAMILIES = sorted(
    path.name for path in LIGHT_CLIENTS.iterdir() if (path / "__init__.py").exists() and path.name not in SHARED_PARTS
)


def test_the_diff_is_the_real_one():
    assert shown() == folder_diff(), "run `python -m tests.docs.consensus_diff`"


def test_the_diff_is_of_whole_folders():
    only_old = {path.name for path in (LIGHT_CLIENTS / OLD).glob("*.py")} - set(FILES)
    only_new = {path.name for path in (LIGHT_CLIENTS / NEW).glob("*.py")} - set(FILES)
    assert (only_old, only_new) == ({"signed.py"}, set())


def test_every_file_that_is_named_is_there():
    text = DOCUMENT.read_text(encoding="utf-8").partition("## How little")[0]
    named = re.findall(r"`((?:light_clients|tests)/[\w/.]+)`", text)
    assert len(named) > 5
    assert [name for name in named if not Path(ROOT, name).exists()] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_the_same_file_names(family):
    expected = {"__init__.py", "types.py", "codec.py", "verify.py"}
    if family not in ON_BFT:
        expected.add("misbehaviour.py")
    found = {path.name for path in (LIGHT_CLIENTS / family).glob("*.py")}
    assert expected <= found
