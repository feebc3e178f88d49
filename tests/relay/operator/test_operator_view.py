"""One ledger as an operator sees it: lies are found out by proof, left, and read again; a restart goes on where it was."""

import dataclasses

import pytest

from adapters.memory import faults_at
from adapters.protocol import Unreachable
from light_clients.errors import HeightNotRetained, PinMismatch, RlpTruncated
from relay.following import Lied
from relay.operator import view as view_module
from schemas.primitives import LaneId
from tests.relay.operator.test_operator_judge import Scene


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path, endpoints=2)
    yield scene
    scene.close()


def chronicle(scene, source="alpha", destination="beta", direction=0):
    name = destination if direction else source
    return scene.views[name].chronicles[scene.hub.lane_ids[source, destination], direction]


def faults(scene, name="alpha", endpoint=0):
    return faults_at(scene.hub.urls[name][endpoint])


def sent_head(scene):
    return scene.hub.ledgers["alpha"].gateway.lanes[scene.hub.lane_ids["alpha", "beta"]].outbox_head


@pytest.mark.parametrize("lie", ["events_lie", "events_dropped", "events_reordered"])
def test_a_lie_is_found_out_left_and_read_again_elsewhere(scene, lie):
    scene.look()
    scene.send(3)
    setattr(faults(scene), lie, True)
    with pytest.raises(Lied):
        scene.look("alpha")
    assert chronicle(scene).nonce == 0
    scene.look("alpha")  # the other endpoint
    assert (chronicle(scene).nonce, chronicle(scene).head) == (3, sent_head(scene))


def test_a_false_proof_is_found_out_and_asked_for_again(scene, monkeypatch):
    scene.look()
    scene.send(3)
    ledger = scene.views["alpha"].ledger
    evidence = ledger.evidence

    def spoiled(*words):
        return [
            dataclasses.replace(item, storage_proof=(*item.storage_proof[:-1], item.storage_proof[-1][:-1] + b"\x00"))
            for item in evidence(*words)
        ]

    monkeypatch.setattr(ledger, "evidence", spoiled)
    with pytest.raises(Lied) as told:
        scene.look("alpha")
    assert told.value.name == "ProofNodeHashMismatch"
    assert chronicle(scene).nonce == 0
    monkeypatch.setattr(ledger, "evidence", evidence)
    scene.look("alpha")
    assert chronicle(scene).head == sent_head(scene)


def test_events_that_come_twice_do_no_harm(scene):
    scene.look()
    scene.send(3)
    faults(scene).events_doubled = True
    scene.look("alpha")
    assert chronicle(scene).head == sent_head(scene)


def test_a_hidden_event_is_found_out_by_the_sealed_bloom_filter(scene):
    scene.look()
    scene.send(1)
    faults(scene).events_dropped = True  # the only event: nothing seems to have happened
    with pytest.raises(Lied) as told:
        scene.look("alpha")
    assert told.value.name == "HeadMismatch"
    scene.look("alpha")
    assert (chronicle(scene).nonce, chronicle(scene).head) == (1, sent_head(scene))


def no_blooms(monkeypatch):
    """As on a ledger whose headers have no bloom filter."""

    def refuse(*_):
        raise RlpTruncated("no header of an EVM")

    monkeypatch.setattr(view_module, "may_have_moved", refuse)


def test_without_blooms_a_block_whose_events_were_hidden_is_read_again(scene, monkeypatch):
    no_blooms(monkeypatch)
    scene.look()
    scene.send(1)
    faults(scene).events_dropped = True
    scene.look("alpha")
    assert chronicle(scene).nonce == 0
    faults(scene).events_dropped = False
    scene.send(1)
    with pytest.raises(Lied) as told:
        scene.look("alpha")
    assert told.value.name == "EventDoesNotFold"
    scene.look("alpha")
    assert (chronicle(scene).nonce, chronicle(scene).head) == (2, sent_head(scene))


def test_without_blooms_a_hidden_event_is_found_out_when_histories_are_proved_again(scene, monkeypatch):
    no_blooms(monkeypatch)
    scene.look()
    scene.send(1)
    faults(scene).events_dropped = True
    scene.look("alpha")
    monkeypatch.setattr(view_module, "PROVE_AGAIN_BLOCKS", 3)
    scene.hub.ledgers["alpha"].mine(5)
    with pytest.raises(Lied) as told:
        scene.look("alpha")
    assert told.value.name == "HeadMismatch"
    scene.look("alpha")
    assert chronicle(scene).nonce == 1


def test_an_event_with_a_false_height_is_found_out_and_read_again(scene):
    scene.look()
    scene.send(2)
    scene.send(1)
    scene.look("alpha")
    known, height = chronicle(scene), scene.views["alpha"].state.height
    known.heights[2] -= 1  # what an endpoint might have said
    key = (known.lane_id, 0)
    scene.views["alpha"]._proofs.clear()
    with pytest.raises(Lied):
        scene.views["alpha"].prove([key], height - 1)
    assert known.nonce == 0
    scene.look("alpha")
    scene.views["alpha"].prove([key], height - 1)
    assert scene.views["alpha"].proved(key, height - 1) == 2


def test_blocks_without_events_of_the_gateway_are_not_asked_about(scene, monkeypatch):
    scene.look()
    asked = []
    ledger = scene.views["alpha"].ledger
    events = ledger.events
    monkeypatch.setattr(ledger, "events", lambda *words: asked.append(words) or events(*words))
    scene.hub.ledgers["alpha"].mine(20)
    scene.look("alpha")
    assert asked == []
    scene.send(1)
    scene.look("alpha")
    assert len(asked) == 1
    assert chronicle(scene).nonce == 1


def test_a_proof_is_fetched_once_for_a_block(scene, monkeypatch):
    scene.look()
    scene.send(2)
    asked = []
    ledger = scene.views["alpha"].ledger
    evidence = ledger.evidence
    monkeypatch.setattr(ledger, "evidence", lambda *words: asked.append(words) or evidence(*words))
    scene.look("alpha")
    key = (scene.hub.lane_ids["alpha", "beta"], 0)
    for _ in range(3):
        scene.views["alpha"].prove([key, key], scene.views["alpha"].state.height)
    assert len(asked) == 1


def test_proofs_that_are_kept_have_a_bound(scene, monkeypatch):
    monkeypatch.setattr(view_module, "PROOFS_KEPT", 4)
    scene.look()
    for _ in range(12):
        scene.send(1)
        scene.look("alpha")
    assert len(scene.views["alpha"]._proofs) <= 4
    assert chronicle(scene).nonce == 12


def test_a_restart_goes_on_from_the_checkpoint(scene):
    scene.look()
    scene.send(3)
    scene.send(2)
    scene.look()
    view, key = scene.views["alpha"], (scene.hub.lane_ids["alpha", "beta"], 0)
    heads = list(chronicle(scene).heads)
    scene.database.save_checkpoints(view.config.identity, [view.checkpoint(key, 3)])
    for item in scene.views.values():
        item.save()
    scene.reopen()
    known = chronicle(scene)
    assert (known.base_nonce, known.base_head, known.nonce) == (3, heads[2], 3)
    assert scene.views["alpha"].state.height == view.state.height
    scene.look()
    assert chronicle(scene).heads == heads[3:]
    (offer,) = [item for item in scene.offers() if item.claim.nonce == 5]
    assert scene.judge(offer)


def test_a_restart_without_a_look_saved_begins_at_the_pin(scene):
    scene.send(3)
    scene.look()
    scene.reopen()
    assert scene.views["alpha"].state is None
    scene.look()
    assert chronicle(scene).nonce == 3


def test_a_checkpoint_in_the_middle_of_a_block_reads_that_block_again(scene):
    scene.look()
    scene.send(4)
    scene.look()
    view, key = scene.views["alpha"], (scene.hub.lane_ids["alpha", "beta"], 0)
    point = view.checkpoint(key, 2)
    assert point.height == chronicle(scene).heights[1]
    scene.database.save_checkpoints(view.config.identity, [point])
    view.save()
    scene.reopen()
    scene.look()
    assert (chronicle(scene).base_nonce, chronicle(scene).nonce) == (2, 4)


def test_histories_at_rest_are_proved_and_their_checkpoint_moves_on(scene, monkeypatch):
    monkeypatch.setattr(view_module, "PROVE_AGAIN_BLOCKS", 3)
    scene.look()
    scene.hub.ledgers["alpha"].mine(5)
    scene.look("alpha")
    height = scene.views["alpha"].state.height
    points = scene.database.checkpoints(scene.views["alpha"].config.identity)
    assert {(point.direction, point.nonce, point.height) for point in points} == {(0, 0, height), (1, 0, height)}


def test_a_lane_that_an_endpoint_kept_silent_about_is_found_when_openings_are_read_again(scene, monkeypatch):
    ledger = scene.views["alpha"].ledger
    events = ledger.events
    monkeypatch.setattr(ledger, "events", lambda *_: [])
    scene.look("alpha")
    assert scene.views["alpha"].chronicles == {}
    monkeypatch.setattr(ledger, "events", events)
    scene.send(2)
    scene.look("alpha")
    assert scene.views["alpha"].chronicles == {}
    scene.views["alpha"].read_openings_again()
    scene.look("alpha")
    assert chronicle(scene).nonce == 2


def test_an_invented_lane_is_not_taken_up(scene, monkeypatch):
    ledger = scene.views["alpha"].ledger
    events = ledger.events

    def with_lies(first, last, gateway):
        found = events(first, last, gateway)
        return [
            dataclasses.replace(event, channel="another") if hasattr(event, "channel") else event for event in found
        ]

    monkeypatch.setattr(ledger, "events", with_lies)
    with pytest.raises(Lied) as told:
        scene.look("alpha")
    assert told.value.name == "LaneIdMismatch"
    assert scene.views["alpha"].chronicles == {}
    assert scene.book.get(scene.hub.lane_ids["alpha", "beta"]) is None


def test_another_pin_than_the_ledgers_is_refused(scene):
    view = scene.view("alpha", pinned_hash="0x" + "12" * 32)
    with pytest.raises(PinMismatch):
        view.look(int(scene.hub.context.clock()))
    assert view.state is None


def test_no_endpoint_that_answers_is_an_error_and_changes_nothing(scene):
    scene.look()
    scene.send(1)
    for endpoint in (0, 1):
        faults(scene, endpoint=endpoint).unreachable = True
    with pytest.raises(Unreachable):
        scene.look("alpha")
    assert chronicle(scene).nonce == 0
    for endpoint in (0, 1):  # the guard asks the one whose rest ends first
        faults(scene, endpoint=endpoint).unreachable = False
    scene.look("alpha")
    assert chronicle(scene).nonce == 1


def test_a_height_outside_of_the_window_is_not_answered(scene):
    scene.look()
    scene.hub.ledgers["alpha"].mine(300)
    scene.look("alpha")
    with pytest.raises(HeightNotRetained):
        scene.views["alpha"].block_hash(1, (LaneId(b"\x07" * 32), 0))
