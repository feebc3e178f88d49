"""The database is gone and the evidence log is not: leaves are found again, the log contradicts nothing, receipts hold."""

import json

import pytest
from sqlalchemy import insert

from light_clients.proofs.rfc6962 import verify_consistency
from relay.backup.from_log import learn_from_log
from relay.backup.registered import keep_registry
from relay.cli import main
from relay.errors import BadInput, NotFound
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.checkpoints import LOG_KEY
from relay.evidence.decisions import note_incident
from relay.evidence.outbox import note
from relay.evidence.recorder import open_recorder
from relay.evidence.records import NewRecord, Records
from relay.evidence.verify import verify
from relay.store.tables import evidence_leaves, incidents, messages
from tests.relay.backup.test_rebuild import OUT, lose, rebuilt
from tests.support.hub_evidence import anchors_read, audited, leaves_of, log_of, receipt_file, record
from tests.support.memory_hub import RECEIVER

OWNER = Caller("税务局")


def published(hub):
    """The newest checkpoint: its size, its root, and the note."""
    log = log_of(hub.home)
    return log.size, log.root(log.size), log.checkpoint()


@pytest.fixture
def recorded(hub, monkeypatch):
    """A hub with five settled messages in its log, and three more on their way."""
    # What it carried before looks like another relayer's, which has the first try for so long.
    monkeypatch.setattr("relay.steps.rivals.SHORTEST_S", 0.0)
    for number in range(5):
        hub.send(*OUT, b"before %d" % number, receiver=RECEIVER)
    hub.settle_down()
    for number in range(3):
        hub.send(*OUT, b"on its way %d" % number, receiver=RECEIVER)
    hub.mine()
    hub.turn()
    record(hub)
    keep_registry(hub.home, hub.context.store)
    return hub


def test_the_log_goes_on_without_contradicting_what_was_published(recorded):
    hub = recorded
    size, root, signed = published(hub)
    leaves = hub.rows(evidence_leaves)
    lose(hub)
    made = rebuilt(hub)
    assert (made.log.found, made.log.leaves) == (True, size)
    assert hub.rows(evidence_leaves) == leaves
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    record(hub)
    log = log_of(hub.home)
    assert log.size > size
    verify_consistency(root, size, log.root(log.size), log.size, log.consistency(size, log.size))
    numbers = [leaf.number for leaf in leaves_of(hub.home)]
    assert numbers == sorted(set(numbers)), "no number is given twice"
    assert audited(hub.home, signed).findings == []


def test_receipts_hold_of_messages_from_before_and_after(recorded):
    hub = recorded
    anchors = anchors_read(hub.home)
    lose(hub)
    rebuilt(hub)
    before = [row for row in hub.rows(messages) if row.nonce <= 5]
    assert len(before) == 5
    for row in before:
        judged = verify(receipt_file(hub.home, row.message_id), anchors)
        assert judged.failed == (), "made of what was recorded before the database was gone"
    hub.settle_down(rounds=80, hurry=True)
    record(hub)
    for row in hub.rows(messages):
        assert verify(receipt_file(hub.home, row.message_id), anchors).failed == ()


def test_what_the_recorder_had_appended_is_published_and_found(recorded):
    hub = recorded
    hub.settle_down()
    recorder = open_recorder(hub.home, hub.home.load(), hub.context.store)
    appended = recorder.append()
    size = recorder.log.size
    recorder.close()  # killed before its checkpoint
    lose(hub)
    made = rebuilt(hub)
    assert appended > 0
    assert made.log.leaves == size + appended == len(hub.rows(evidence_leaves))


def test_incidents_come_back_with_their_evidence(recorded):
    hub = recorded
    with hub.context.store.write() as connection:
        for at, evidence in ((7.5, b'{"header_a": "0x01"}'), (8.5, b"gone")):
            said = {
                "name": "misbehaviour",
                "subject": "chain alpha",
                "text": "两个区块 are final.",
                "evidence": evidence,
            }
            connection.execute(insert(incidents).values(at=at, **said))
            note_incident(connection, **said)
    record(hub)
    known = hub.rows(incidents)
    (path,) = [
        path for path in (hub.home.evidence / "objects").rglob("*") if path.is_file() and path.read_bytes() == b"gone"
    ]
    path.unlink()
    lose(hub)
    made = rebuilt(hub)
    found = hub.rows(incidents)
    assert [(row.name, row.subject, row.text) for row in found] == [(row.name, row.subject, row.text) for row in known]
    assert [row.evidence for row in found] == [b'{"header_a": "0x01"}', b""]
    assert made.log.incidents == 2
    assert "misbehaviour (chain alpha) is lost" in made.missing[-1]


def test_records_come_back_and_what_was_erased_stays_erased(recorded):
    hub = recorded
    records = Records(hub.context.store, hub.home.evidence)
    rule = AccessRule.parse("税务局", "public")
    contents = [
        NewRecord("一".encode(), "档案"),
        NewRecord(b"erased", "x"),
        NewRecord(b"erased from the log only", "y"),
    ]
    kept, erased, half = (item for batch in records.put(contents, rule) for item in batch)
    records.erase(erased.commitment.hex(), OWNER)
    with hub.context.store.write() as connection:  # a crash between the database and the disk
        note(connection, "erasure", (half.commitment, "税务局"))
    record(hub)
    lose(hub)
    made = rebuilt(hub)
    assert made.log.records == 1
    again = Records(hub.context.store, hub.home.evidence)
    with again.open(kept.commitment.hex(), Caller()) as (found, stored):
        assert (found.name, b"".join(stored.chunks())) == ("档案", "一".encode())
    with pytest.raises(NotFound):
        again.find(erased.commitment.hex())
    assert again.find(half.commitment.hex()).erased_at is not None


def test_a_hub_without_a_log_is_told_that_a_new_one_begins(hub, capsys):
    keep_registry(hub.home, hub.context.store)
    lose(hub)
    assert main(["rebuild", "--home", str(hub.home.folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["evidence"] == {"found": False, "leaves": 0, "last_number": 0, "incidents": 0, "records": 0}


class TestRefused:
    def test_without_the_logs_key_nothing_is_made(self, recorded):
        (recorded.home.keys / f"{LOG_KEY}.json").unlink()
        lose(recorded)
        with pytest.raises(NotFound, match=LOG_KEY):
            rebuilt(recorded)
        assert not (recorded.home.keys / f"{LOG_KEY}.json").exists()

    def test_a_damaged_log_registers_nothing_and_a_second_try_succeeds(self, recorded):
        hub = recorded
        bundle = next(path for path in (hub.home.evidence / "log" / "tile" / "entries").rglob("*") if path.is_file())
        whole = bundle.read_bytes()
        bundle.write_bytes(whole[:-1])
        lose(hub)
        with pytest.raises(BadInput, match="is damaged"):
            rebuilt(hub)
        bundle.write_bytes(whole)
        made = rebuilt(hub)
        assert made.log.leaves == len(hub.rows(evidence_leaves))

    def test_twice_is_as_once(self, recorded):
        hub = recorded
        lose(hub)
        rebuilt(hub)
        leaves = hub.rows(evidence_leaves)
        learn_from_log(hub.home, hub.context.config, hub.context.store, lambda _: None)
        assert hub.rows(evidence_leaves) == leaves


def test_by_command(recorded, capsys):
    hub = recorded
    size = log_of(hub.home).size
    lose(hub)
    assert main(["rebuild", "--home", str(hub.home.folder)]) == 0
    said = capsys.readouterr()
    assert "Registered again: 2 ledgers, 2 lanes, 3 operators." in said.out
    assert "Read from the ledgers: 8 messages" in said.out
    assert f"{size} leaves" in said.out
    assert "webhooks" in said.out.partition("Not made anew:")[2]
    assert f"evidence log: {size} of {size} leaves" in said.err
    assert "alpha is read up to block" in said.err
    assert main(["rebuild", "--home", str(hub.home.folder)]) == 2
    assert "has 2 ledgers already" in capsys.readouterr().err
