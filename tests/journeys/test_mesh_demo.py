"""`relayhub demo --ledgers …` as somebody runs it: four kinds of ledgers, a lane between every two, and the picture of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytestmark = [pytest.mark.live, pytest.mark.stack]

RELAYHUB = str(Path(sys.executable).parent / "relayhub")
GENEROUS_S = 900
NAMES = ("qbft", "chainmaker", "fisco-3", "fabric")
PAIRS = {(a, b) for a in NAMES for b in NAMES if a != b}
ENDINGS = {"executed": 1, "failed": 1, "expired": 1, "refused": 0, "in_flight": 0}


def test_every_message_over_a_mesh_of_unlike_ledgers_ends_as_it_must(tmp_path):
    if shutil.which("node") is None:
        pytest.fail("Fabric's chaincode runs in Node: install Node.js, then run make setup.")
    home = tmp_path / "hub"
    done = subprocess.run(
        [RELAYHUB, "demo", "--ledgers", ",".join(NAMES), "--json", "--home", str(home)],
        check=False,
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    shown = json.loads(done.stdout)
    assert (shown["ok"], shown["failed"]) == (True, None)
    checks = {check["name"]: check for act in shown["acts"] for check in act["checks"]}
    assert checks["nothing is delivered without a quorum"]["found"] == "0"
    assert checks["everything is stopped"]["ok"]
    lanes = {(lane["source"], lane["destination"]): lane for lane in shown["lanes"]}
    assert set(lanes) == PAIRS
    for pair, lane in lanes.items():
        assert {name: lane[name] for name in ENDINGS} == ENDINGS, pair
        assert (lane["sent"], lane["conserved"]) == (3, True), pair
    check_picture(home / "mesh.svg")


def check_picture(path):
    """It is XML, and a line with its numbers is there for each lane, and a box for each ledger."""
    root = ET.parse(path).getroot()
    name = "{http://www.w3.org/2000/svg}"
    told = [path.findtext(f"{name}title") for path in root.iter(f"{name}path")]
    assert sorted(told) == sorted(
        f"{a} → {b}: 3 sent = 1 executed + 1 failed + 1 expired + 0 refused + 0 in flight" for a, b in PAIRS
    )
    assert len(list(root.iter(f"{name}rect"))) == 1 + len(NAMES)
