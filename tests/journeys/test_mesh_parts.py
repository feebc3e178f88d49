"""The mesh demo's own parts: which ledgers it starts, what it refuses, and what its picture shows."""

import json
from collections import Counter
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from relay.demo import run
from relay.demo.balance import LaneBalance
from relay.demo.mesh import ledgers as ledgers_module
from relay.demo.mesh.ledgers import KINDS, Kind, Ledger, chosen
from relay.demo.mesh.picture import draw, picture
from relay.demo.mesh.world import MeshWorld
from relay.demo.show import Silent
from relay.errors import BadInput, NotNow
from relay.home import Home

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def installed(monkeypatch):
    """Say which programs are installed."""

    def say(*programs):
        monkeypatch.setattr(ledgers_module.shutil, "which", lambda name: f"/bin/{name}" if name in programs else None)

    return say


def names(kinds):
    return [kind.name for kind in kinds]


def test_all_kinds_are_chosen_where_everything_is_installed(installed):
    installed("go", "node")
    assert chosen() == (list(KINDS), [])


def test_what_is_not_installed_is_left_out_and_said(installed):
    installed("node")
    possible, missing = chosen()
    assert names(missing) == ["clique", "cometbft"]
    assert names(possible) == [kind.name for kind in KINDS if kind.needs != "go"]
    installed()
    assert names(chosen(["fabric", "qbft"])[1]) == ["fabric"]


def test_named_kinds_come_in_the_order_of_the_picture(installed):
    installed("node")
    assert names(chosen(["fabric", "qbft"])[0]) == ["qbft", "fabric"]


@pytest.mark.parametrize(
    ("given", "keep", "told"),
    [
        ("qbft,corda", False, "There is no ledger 'corda'"),
        ("qbft,fisco-2", True, "is not kept"),
        ("all", True, "is not kept"),
        ("qbft", False, "needs two ledgers"),
        ("qbft, ", False, "There is no ledger ''"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(given, keep, told, tmp_path):
    with pytest.raises(BadInput, match=told):
        run(str(tmp_path / "hub"), keep=keep, as_json=True, ledgers=given)
    assert not (tmp_path / "hub").exists()


def test_a_mesh_of_one_kind_that_is_left_is_refused(installed, tmp_path):
    installed()
    with pytest.raises(BadInput, match="needs two ledgers"):
        run(str(tmp_path), keep=False, as_json=True, ledgers="qbft,fabric,clique")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes a kind of ledger whose process is these lines of Python."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(text):
        (tmp_path / "a_ledger_of_the_test.py").write_text(text)
        return Kind("one", "One ledger", ("a_ledger_of_the_test",), "a suite")

    return make


def test_a_ledger_says_in_one_line_how_it_is_spoken_to(program, tmp_path):
    said = {"adapter": "fabric", "consensus": "fabric", "endpoints": ["a", "b"], "chaincodes": ["gateway"]}
    kind = program(
        f"import time\nprint('warming up')\nprint({json.dumps(json.dumps(said))}, flush=True)\ntime.sleep(600)\n",
    )
    ledger = Ledger(kind, tmp_path / "one")
    ledger.start()
    try:
        assert ledger.said == {**said, "gateway": "gateway", "verifier": "gateway"}
        assert ledger.pid > 0
    finally:
        ledger.stop()
    assert ledger.pid == 0


def test_a_front_of_the_evm_says_its_url_alone(program, tmp_path):
    kind = program('print(\'{"url": "http://127.0.0.1:1/"}\', flush=True)\nimport time; time.sleep(600)\n')
    ledger = Ledger(kind, tmp_path / "one")
    ledger.start()
    ledger.stop()
    assert ledger.said["endpoints"] == ["http://127.0.0.1:1/"]
    assert (ledger.said["adapter"], ledger.said["consensus"]) == ("evm", "auto")


@pytest.mark.parametrize("text", ["raise SystemExit('no port is free')", "print('{half of it', flush=True)"])
def test_a_ledger_that_does_not_start_names_its_log(program, text, tmp_path):
    ledger = Ledger(program(text), tmp_path / "one")
    with pytest.raises(NotNow, match="One ledger did not start") as refused:
        ledger.start()
    assert str(ledger.log) in str(refused.value)
    ledger.stop()
    assert ledger.log.exists()


def test_a_ledger_that_never_started_has_no_process(program, tmp_path):
    ledger = Ledger(program(""), tmp_path / "one")
    ledger.stop()
    assert ledger.pid == 0


def mesh(tmp_path, *wanted):
    kinds = [kind for kind in KINDS if kind.name in wanted]
    return MeshWorld(Home(tmp_path), Silent(), kinds)


def item(source, destination, executed, in_flight=0, sent=3):
    return LaneBalance(source, destination, "0x11", sent, in_flight, Counter(executed=executed))


def test_the_picture_has_a_line_for_each_lane_and_a_box_for_each_ledger(tmp_path):
    world = mesh(tmp_path, "qbft", "fisco-2", "fabric")
    balances = [item(*pair, 3) for pair in world.pairs]
    root = ET.parse(draw(world, balances)).getroot()
    assert draw(world, balances) == tmp_path / "mesh.svg"
    lines = [path.findtext(f"{SVG}title") for path in root.iter(f"{SVG}path")]
    assert lines == [f"{item.source} → {item.destination}: {item.equation()}" for item in balances]
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts[0] == "3 ledgers, 6 lanes, 18 messages: trust level committee, suite evm on every lane"
    for ledger in world.ledgers.values():
        assert ledger.kind.title.partition(" (")[0] in texts
        assert ledger.kind.suite in texts
    assert len(list(root.iter(f"{SVG}rect"))) == 4


def test_a_lane_that_is_not_conserved_is_broken_in_the_picture(tmp_path):
    world = mesh(tmp_path, "qbft", "fabric")
    root = ET.fromstring(picture(world, [item("qbft", "fabric", 3), item("fabric", "qbft", 1)]))
    assert ["stroke-dasharray" in path.attrib for path in root.iter(f"{SVG}path")] == [False, True]


def test_the_way_back_does_not_lie_on_the_way_there(tmp_path):
    world = mesh(tmp_path, "qbft", "fabric")
    root = ET.fromstring(picture(world, [item("qbft", "fabric", 3), item("fabric", "qbft", 3)]))
    there, back = [path.attrib["d"].split("Q")[1].split()[:2] for path in root.iter(f"{SVG}path")]
    assert there != back


def test_names_with_signs_of_markup_do_not_break_the_picture():
    kind = SimpleNamespace(title="<one> & only (a note)", suite="a < b")
    world = SimpleNamespace(ledgers={"a&b": SimpleNamespace(kind=kind), "c<d": SimpleNamespace(kind=kind)})
    root = ET.fromstring(picture(world, [item("a&b", "c<d", 3)]))
    assert next(path.findtext(f"{SVG}title") for path in root.iter(f"{SVG}path")).startswith("a&b → c<d: 3 sent")
