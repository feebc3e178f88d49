"""An operator that does not sign tells the hub why: every code brought about for real, read off the status of the hub."""

import pytest
from sqlalchemy import select, update

from adapters.memory import faults_at
from adapters.memory.headers import make_header
from relay.cli import main
from relay.operator import follower
from relay.operator.process import Operator
from relay.operator.standing import CERTIFICATE
from relay.operator.view import LedgerView
from relay.reasons import explain
from relay.statements import CODES, WELL
from relay.store.tables import claims, incidents, lanes
from relay.views.status import hub_status
from relay.views.status_text import render
from tests.support.operator_world import OperatorWorld, wait_until

SCENES = {}
SECRET = "https://user:secret@10.0.0.7"


def scene(function):
    """Register a scene under its name, which is the code."""
    SCENES[function.__name__] = function
    return function


@pytest.fixture
def world(tmp_path):
    with OperatorWorld(tmp_path) as world:
        yield world


def said(world, name="one", chain="alpha"):
    """What the hub shows that an operator says of a ledger; None before its first word."""
    rows = {row["name"]: row for row in hub_status(world.hub.home)["operators"]}
    return next((item for item in rows[name]["says"] if item["chain"] == chain), None)


def says(world, code, name="one", chain="alpha"):
    return lambda: (found := said(world, name, chain)) is not None and found["code"] == code


def own_endpoint(world, chain="alpha"):
    """An endpoint of the operator's own, and its switches; the hub's stays honest."""
    url = world.hub.urls[chain][0].rpartition("/")[0] + "/own"
    return faults_at(url), world.chain(chain, endpoints=[url])


def send(world):
    world.hub.send("alpha", "beta", b"hello")
    world.look()


def well(world, **changes):
    """An operator that says that it is well."""
    operator = world.start("one", **changes)
    wait_until(says(world, WELL), "it says that it is well")
    return operator


def start_at(world, offset):
    """An operator whose clock is `offset[0]` seconds ahead."""
    operator = Operator(world.write("one"), clock=lambda: world.hub.context.clock() + offset[0])
    world.run("one", operator)
    return operator


@scene
def operator_client_frozen(world, _):
    operator, ledger = well(world), world.hub.ledgers["alpha"]
    ledger.mine()
    seen = operator._followers[bytes(ledger.word)]
    wait_until(lambda: seen._view.state.height >= ledger.height, "it accepts the block")
    ledger.reorganise(1)
    ledger.mine(2)


@scene
def operator_client_expired(world, _):
    offset = [0]
    start_at(world, offset)
    wait_until(says(world, WELL), "it says that it is well")
    offset[0] = 400 * 24 * 3600


@scene
def operator_client_misconfigured(world, _):
    world.start("one", chains=[world.chain("alpha", pinned_hash="0x" + "66" * 32), world.chain("beta")])


@scene
def operator_header_refused(world, _):
    """The newest block as one validator alone would seal it."""
    well(world)
    ledger = world.hub.ledgers["alpha"]
    mined = ledger._append

    def unsealed(*arguments, **named):
        mined(*arguments, **named)
        block = ledger.blocks[-1]
        ledger.blocks[-1] = type(block)(
            **{name: getattr(block, name) for name in block.__dataclass_fields__}
            | {"header": make_header(block.content, ledger.validator_keys[:1])}
        )

    ledger._append = unsealed
    ledger.mine(1)


@scene
def operator_endpoint_down(world, _):
    faults, alpha = own_endpoint(world)
    faults.unreachable = True
    world.start("one", chains=[alpha, world.chain("beta")])


@scene
def operator_endpoint_lies(world, _):
    faults, alpha = own_endpoint(world)
    faults.events_lie = True
    world.start("one", chains=[alpha, world.chain("beta")])
    send(world)


@scene
def operator_behind(world, monkeypatch):
    monkeypatch.setattr(follower, "BEHIND_AFTER_S", 0.2)
    faults, alpha = own_endpoint(world)
    well(world, chains=[alpha, world.chain("beta")])
    faults.stalled_at = world.hub.ledgers["alpha"].height
    send(world)


@scene
def operator_clock_behind(world, _):
    start_at(world, [-4000])
    world.hub.mine()


@scene
def operator_refuses_claim(world, _):
    world.start("one", chains=[world.chain("beta")])
    send(world)


@scene
def operator_disputes_claim(world, _):
    send(world)
    with world.hub.context.store.write() as connection:
        connection.execute(update(claims).where(claims.c.direction == 0).values(head=b"\x66" * 32))
    world.start("one")


@scene
def operator_failed(world, monkeypatch):
    def fails(*_):
        raise RuntimeError(f"{SECRET} fell over")

    monkeypatch.setattr(LedgerView, "look", fails)
    world.start("one")


def test_there_is_a_scene_for_every_code():
    """But for certificates, which a ledger of another kind refuses: test_operator_certificates.py."""
    assert sorted([*SCENES, CERTIFICATE]) == sorted(set(CODES) - {WELL})


@pytest.mark.parametrize("code", sorted(SCENES))
def test_the_operator_says_so_and_the_hub_shows_it(world, monkeypatch, capsys, code):
    SCENES[code](world, monkeypatch)
    wait_until(says(world, code), f"it says {code}")
    monkeypatch.undo()
    status = hub_status(world.hub.home)
    (alarm,) = [item for item in status["alarms"] if item["code"] == code and "alpha" in item["text"]]
    assert (alarm["subject"], alarm["name"], alarm["party"]) == ("operator", "one", "operator house one")
    assert alarm["text"].startswith("It says that ")
    assert "secret" not in str(status["operators"]), "where an operator's node is, is told to nobody"
    assert code in render(status, alarm["since"])
    assert explain(code).kind == ("incident" if code == "operator_disputes_claim" else "alarm")
    assert main(["explain", code, "--language", "zh"]) == 0
    assert explain(code).zh in capsys.readouterr().out.replace("\n", "")
    assert world.states().count("attested") == 0


def test_what_is_over_is_taken_back(world):
    faults, alpha = own_endpoint(world)
    faults.unreachable = True
    world.start("one", chains=[alpha, world.chain("beta")])
    wait_until(says(world, "operator_endpoint_down"), "it says that its node is gone")
    assert said(world, chain="beta")["code"] == WELL
    faults.unreachable = False
    wait_until(says(world, WELL), "it says that it is well again")
    assert said(world)["height"] > 0
    assert [item for item in hub_status(world.hub.home)["alarms"] if item["code"].startswith("operator_end")] == []


def test_a_false_claim_is_loud(world, logged):
    operator_disputes_claim(world, None)
    wait_until(says(world, "operator_disputes_claim"), "it says that the claim is false")
    with world.hub.context.store.read() as connection:
        (incident,) = connection.execute(select(incidents)).all()
        honest = connection.execute(select(lanes.c.final_head).where(lanes.c.source == "alpha")).scalar_one()
    assert incident.name == "operator_disputes_claim"
    shown = said(world)["contradiction"]
    assert shown["claim"]["head"] == "0x" + "66" * 32
    assert shown["own_head"] == "0x" + bytes(honest).hex()
    assert bytes(honest).hex().encode() in incident.evidence
    assert b"66" * 32 in incident.evidence
    assert "claim_disputed" in [entry["event"] for entry in logged]
    assert world.signers() == set()


def test_one_that_is_away_while_others_make_a_quorum_is_silent_until_it_signs(world):
    """The alarm for real: two operators carry a message, the third was never started."""

    def silent():
        return [alarm["name"] for alarm in hub_status(world.hub.home)["alarms"] if alarm["code"] == "operator_silent"]

    world.start("one")
    world.start("two")
    send(world)
    wait_until(lambda: world.states().count("attested") == 1, "two make a quorum")
    assert "three" in silent()
    world.stop("one")
    world.start("three")
    send(world)
    wait_until(lambda: world.states().count("attested") == 2, "the third takes the place of the first")
    wait_until(lambda: "three" not in silent(), "it is no longer silent")
