"""The evidence log noted on ledgers on a schedule: by the newest published checkpoint, once, behind every message, over crashes."""

import base64

import cbor2
import pytest
from sqlalchemy import update

from adapters.memory.gateway import LogNote
from relay.evidence.checkpoints import Ed25519Signer
from relay.home import Home
from relay.reasons import explain
from relay.steps.log_anchor import GAS, KEPT_S
from relay.store.tables import evidence_queue, incidents, transactions
from relay.views.status import hub_status
from relay.views.status_text import render
from schemas.suites import keccak256
from tests.support.memory_hub import MemoryHub

SIGNER = Ed25519Signer("relayhub/hub", bytes(range(32)))


@pytest.fixture
def hub(tmp_path):
    hub = MemoryHub(tmp_path)
    yield hub
    hub.close()


def root_of(size):
    return keccak256(b"root of %d" % size)


def publish(hub, size):
    text = f"relayhub/hub\n{size}\n{base64.b64encode(root_of(size)).decode()}\n"
    folder = hub.home.evidence / "log"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint").write_text(text + "\n" + SIGNER.lines(text, None))


def look(hub, *names, blocks=2):
    """What a worker does when the schedule is looked at, and what follows."""
    for _ in range(blocks):
        hub.context.log_looks.clear()
        hub.chain_task(*(names or hub.names))
        hub.mine()
        hub.forget_times()
    hub.context.log_looks.clear()
    hub.chain_task(*(names or hub.names))


def let_time_pass(hub):
    """As if the interval were over."""
    with hub.context.store.write() as connection:
        connection.execute(update(transactions).values(created_at=0))


def notes(hub, name="alpha"):
    return hub.rows(transactions, transactions.c.purpose == "log", transactions.c.chain == name)


def noted(hub, name="alpha"):
    return hub.ledgers[name].gateway.logged_anchor(bytes(hub.context.chain(name).account))


def test_nothing_is_noted_before_there_is_a_log(hub):
    look(hub)
    publish(hub, 0)
    look(hub)
    assert [notes(hub, name) for name in hub.names] == [[], []]


def test_the_newest_checkpoint_is_noted_on_every_ledger(hub):
    publish(hub, 41)
    look(hub)
    for name in hub.names:
        (note,) = notes(hub, name)
        assert (note.state, note.last, note.lane_id, note.gas) == ("mined", 41, b"", GAS)
        assert noted(hub, name) == LogNote(41, root_of(41))


def test_once_an_interval_and_only_what_is_new(hub):
    publish(hub, 41)
    look(hub)
    publish(hub, 42)
    look(hub)
    assert noted(hub).size == 41
    let_time_pass(hub)
    look(hub)
    assert noted(hub) == LogNote(42, root_of(42))
    let_time_pass(hub)
    look(hub)
    assert [note.last for note in notes(hub)] == [41, 42][-len(notes(hub)) :]


def test_one_note_of_a_ledger_is_on_its_way_at_a_time(hub):
    publish(hub, 41)
    hub.chain_task("alpha")
    let_time_pass(hub)
    publish(hub, 42)
    hub.context.log_looks.clear()
    hub.chain_task("alpha")
    assert [note.last for note in notes(hub)] == [41]


def test_an_interval_of_zero_notes_nothing(hub):
    hub.home.save(hub.context.config.model_copy(update={"anchor_interval_s": 0}))
    hub.restart()
    publish(hub, 41)
    look(hub)
    assert notes(hub) == []


def test_a_hub_that_lost_its_database_goes_on_where_the_ledger_is(hub):
    publish(hub, 41)
    look(hub)
    with hub.context.store.write() as connection:
        connection.execute(transactions.delete())
    look(hub)
    assert notes(hub) == []
    publish(hub, 50)
    look(hub)
    assert noted(hub) == LogNote(50, root_of(50))


@pytest.mark.parametrize("size", [41, 43])
def test_a_log_that_contradicts_its_note_is_not_noted(hub, size):
    account = bytes(hub.context.chain("alpha").account)
    hub.ledgers["alpha"].gateway.notes[account] = LogNote(size, keccak256(b"another history"))
    publish(hub, 41)
    look(hub, "alpha")
    assert notes(hub) == []
    (told,) = hub.rows(incidents)
    assert (told.name, told.subject) == ("log_contradicts_anchor", "chain alpha")
    assert f"{size} leaves" in told.text
    assert explain(told.name).kind == "incident"
    (leaf,) = [row for row in hub.rows(evidence_queue) if row.kind == "incident"]
    assert cbor2.loads(leaf.fields)[:2] == ["log_contradicts_anchor", "chain alpha"]
    publish(hub, 50)
    assert len(hub.rows(incidents)) == 1
    hub.ledgers["alpha"].gateway.notes[account] = LogNote(60, keccak256(b"a third history"))
    look(hub, "alpha")
    assert len(hub.rows(incidents)) == 2


def test_a_gateway_without_notes_is_left_alone_and_messages_go_on(hub, monkeypatch):
    monkeypatch.setattr("adapters.memory.chain.answer", lambda *_: b"")
    publish(hub, 41)
    hub.send("alpha", "beta", b"hello")
    hub.settle_down()
    assert notes(hub) == []
    assert hub.journey("alpha", "beta").settled == 1


def test_a_checkpoint_that_cannot_be_read_notes_nothing(hub):
    publish(hub, 41)
    file = hub.home.evidence / "log" / "checkpoint"
    for broken in (b"", b"\xff", file.read_bytes()[:40], b"relayhub/hub\n-1\nAAAA\n\n"):
        file.write_bytes(broken)
        look(hub)
    assert notes(hub) == []


def test_what_a_ledger_refuses_is_tried_again_when_the_interval_is_over(hub):
    publish(hub, 41)
    hub.ledgers["alpha"].reverting = 1
    look(hub, "alpha")
    assert [note.state for note in notes(hub)] == ["reverted"]
    look(hub, "alpha")
    assert len(notes(hub)) == 1
    let_time_pass(hub)
    look(hub, "alpha")
    assert noted(hub).size == 41


def test_messages_and_notes_go_side_by_side_over_restarts(hub):
    for size in range(1, 6):
        publish(hub, size * 10)
        hub.send("alpha", "beta", b"%d" % size)
        hub.mine()
        hub.context.log_looks.clear()
        hub.turn()
        let_time_pass(hub)
        hub.restart()
    hub.settle_down(hurry=True)
    let_time_pass(hub)
    look(hub)
    hub.check()
    assert hub.journey("alpha", "beta").settled == 5
    assert noted(hub) == LogNote(50, root_of(50))


def test_old_notes_are_forgotten_and_the_last_one_stays(hub):
    for size in (1, 2, 3):
        publish(hub, size)
        look(hub, "alpha")
        let_time_pass(hub)
    publish(hub, 4)
    look(hub, "alpha")
    assert [note.last for note in notes(hub)] == [3, 4]
    assert KEPT_S >= 3_600


def test_the_status_shows_how_far_each_ledger_is(hub):
    shown = hub_status(Home(hub.home.folder))
    assert [chain["log_anchor"] for chain in shown["chains"]] == [None, None]
    assert "Evidence log anchored" not in render(shown, 0.0)
    publish(hub, 41)
    look(hub, "alpha")
    shown = hub_status(Home(hub.home.folder))
    anchor = shown["chains"][0]["log_anchor"]
    (note,) = notes(hub)
    assert (anchor["size"], anchor["root"]) == (41, "0x" + root_of(41).hex())
    assert (anchor["at"], anchor["transaction"]) == (note.sent_at, "0x" + note.hash.hex())
    assert shown["chains"][1]["log_anchor"] is None
    assert "Evidence log anchored: alpha at 41 leaves" in render(shown, note.sent_at)
