"""An operator of its own on a Clique ledger: it starts from the pin alone, waits for the depth, and freezes on two final branches."""

import json

import pytest

from light_clients.errors import HeaderUnconfirmed, Misbehaviour, PinMismatch
from relay.operator.view import UNCONFIRMED_LOOKS
from tests.relay.operator.test_operator_judge import Scene

DEPTH = 2


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path, clique=True)
    yield scene
    scene.close()


def height_of(scene):
    return scene.views["alpha"].state.height


def test_it_follows_up_to_the_depth_and_goes_on_after_a_restart(scene):
    ledger = scene.hub.ledgers["alpha"]
    ledger.mine(9)
    scene.look("alpha")
    assert height_of(scene) == ledger.height - DEPTH
    scene.views["alpha"].save()
    trail = scene.views["alpha"]._trail
    scene.reopen()
    assert (scene.views["alpha"]._trail, height_of(scene)) == (trail, ledger.height - DEPTH)
    ledger.mine(2)
    scene.look("alpha")
    assert height_of(scene) == ledger.height - DEPTH


def test_it_starts_at_a_pin_between_two_lists_of_signers(scene):
    ledger = scene.hub.ledgers["alpha"]
    ledger.mine(9)
    pinned = {"pinned_height": 6, "pinned_hash": "0x" + ledger.blocks[6].header.block_hash.hex(), "gateway_height": 0}
    scene.views["alpha"] = scene.view("alpha", **pinned)
    scene.look("alpha")
    assert height_of(scene) == ledger.height - DEPTH


def test_another_pin_is_refused(scene):
    scene.hub.ledgers["alpha"].mine(9)
    wrong = {"pinned_height": 6, "pinned_hash": "0x" + "11" * 32}
    with pytest.raises(PinMismatch):
        scene.view("alpha", **wrong).look(int(scene.hub.context.clock()))


def test_a_branch_below_the_depth_changes_nothing(scene):
    ledger = scene.hub.ledgers["alpha"]
    ledger.mine(9)
    scene.look("alpha")
    ledger.reorganise(DEPTH)
    ledger.mine(DEPTH + 2)
    scene.look("alpha")
    assert height_of(scene) == ledger.height - DEPTH
    assert not scene.views["alpha"].frozen


@pytest.mark.parametrize("blocks", [3, 9])
def test_two_final_branches_freeze_it_for_good(scene, blocks):
    ledger = scene.hub.ledgers["alpha"]
    ledger.mine(12)
    scene.look("alpha")
    parts = ledger.height - 8 + 1
    ledger.reorganise(8)
    ledger.mine(blocks)
    with pytest.raises(Misbehaviour) as found:
        scene.look("alpha")
    assert found.value.height == parts
    assert json.dumps(found.value.diagnostics())
    scene.reopen()
    assert scene.views["alpha"].frozen


def mix_branches(scene):
    """The endpoint answers the newest headers of two branches in a row; returns what makes it answer those of one."""
    ledger = scene.hub.ledgers["alpha"]
    ledger.mine(1)
    before = ledger.blocks[-1]
    ledger.reorganise(1)
    ledger.mine(2)
    after = ledger.blocks[-2]
    ledger.blocks[-2] = before
    return lambda: ledger.blocks.__setitem__(-2, after)


def test_an_answer_of_two_branches_is_no_lie(scene):
    ledger = scene.hub.ledgers["alpha"]
    ledger.mine(5)
    scene.look("alpha")
    one_branch = mix_branches(scene)
    with pytest.raises(HeaderUnconfirmed):
        scene.look("alpha")
    one_branch()
    scene.look("alpha")
    assert height_of(scene) == ledger.height - DEPTH


def test_an_endpoint_that_mixes_branches_without_end_is_left(scene, monkeypatch):
    scene.hub.ledgers["alpha"].mine(5)
    scene.look("alpha")
    mix_branches(scene)
    left = []
    monkeypatch.setattr(scene.views["alpha"].ledger, "leave_endpoint", lambda why: left.append(why) or False)
    for look in range(1, 2 * UNCONFIRMED_LOOKS + 1):
        with pytest.raises(HeaderUnconfirmed):
            scene.look("alpha")
        assert len(left) == look // UNCONFIRMED_LOOKS
    assert all(why.startswith("HeaderUnconfirmed") for why in left)
