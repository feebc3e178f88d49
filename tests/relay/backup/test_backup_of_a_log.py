"""Backup and restore of a hub with a real evidence log: the copy is whole while the log grows, and what goes on contradicts nothing."""

import json
import stat

import pytest

from light_clients.proofs.rfc6962 import verify_consistency
from relay.backup.archive import Writing
from relay.backup.restoring import restore
from relay.backup.saving import save
from relay.cli import main
from relay.errors import BadInput
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.records import NewRecord, Records
from relay.evidence.verify import verify
from relay.home import Home
from relay.store.tables import evidence_leaves, messages
from tests.support.hub_evidence import anchors_read, audited, leaves_of, log_of, receipt_file, record
from tests.support.memory_hub import RECEIVER

OUT = ("alpha", "beta")


def go_on(hub, home):
    """The hub goes on in another folder."""
    hub.context.close()
    hub.home = home
    hub.restart()


@pytest.fixture
def recorded(hub, monkeypatch):
    """A hub with some settled messages, all of it in its log, and a record."""
    # What it carried after the copy looks like another relayer's, which has the first try for some of the wall clock's seconds.
    monkeypatch.setattr("relay.steps.rivals._stand_off_s", lambda *_: 0.0)
    for number in range(4):
        hub.send(*OUT, b"before %d" % number, receiver=RECEIVER)
    hub.settle_down()
    rule = AccessRule.parse("税务局", "public")
    list(Records(hub.context.store, hub.home.evidence).put([NewRecord("记录".encode(), "档案")], rule))
    record(hub)
    return hub


def test_a_restored_log_is_whole_and_its_receipts_and_records_hold(recorded, tmp_path):
    hub = recorded
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "copy.tar", with_keys=True)
    made = restore(tmp_path / "copy.tar", Home(tmp_path / "other"))
    assert made.evidence == "copy"
    other = Home(made.home)
    assert log_of(other).checkpoint() == log_of(hub.home).checkpoint()
    assert audited(other, trusted=hub.home).findings == []
    anchors = anchors_read(hub.home)
    go_on(hub, other)
    for row in hub.rows(messages):
        assert verify(receipt_file(other, row.message_id), anchors).failed == ()
    records = Records(hub.context.store, other.evidence)
    (known,) = records.listed(Caller("税务局"))
    with records.open(known.commitment.hex(), Caller()) as (found, stored):
        assert (found.name, b"".join(stored.chunks())) == ("档案", "记录".encode())
    assert stat.S_IMODE((other.evidence / "log").stat().st_mode) == 0o755, "what a web server serves"
    assert stat.S_IMODE((other.evidence / "private").stat().st_mode) == 0o700
    assert not (other.evidence / "log" / ".writer" / "journal").exists()


def test_a_copy_made_while_the_log_grows_is_whole(recorded, tmp_path, monkeypatch):
    """The recorder publishes between any two files of the copy."""
    hub = recorded
    add, sizes = Writing.add, []

    def grow(self, name, path):
        add(self, name, path)
        if len(sizes) < 12:
            hub.send(*OUT, b"meanwhile", receiver=RECEIVER)
            hub.mine()
            hub.turn()
            record(hub)
            sizes.append(log_of(hub.home).size)

    monkeypatch.setattr(Writing, "add", grow)
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "copy.tar", with_keys=True)
    monkeypatch.setattr(Writing, "add", add)
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]
    other = Home(restore(tmp_path / "copy.tar", Home(tmp_path / "other")).home)
    report = audited(other, trusted=hub.home)
    assert report.findings == []
    assert report.checkpoint.size < sizes[-1]
    go_on(hub, other)
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    record(hub)
    numbers = [leaf.number for leaf in leaves_of(other)]
    assert numbers == sorted(set(numbers)), "what is in both copies is recorded once"
    assert len(hub.rows(evidence_leaves)) == len(numbers)
    assert audited(other).findings == []


def test_the_folder_that_outlived_the_database_goes_on_where_it_was(recorded, tmp_path, capsys):
    hub = recorded
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "copy.tar", with_keys=True)
    for number in range(5):
        hub.send(*OUT, b"since %d" % number, receiver=RECEIVER)
    hub.settle_down()
    record(hub)
    newer = log_of(hub.home)
    signed, size, root = newer.checkpoint(), newer.size, newer.root(newer.size)
    capsys.readouterr()
    words = ["restore", str(tmp_path / "copy.tar"), "--home", str(tmp_path / "other")]
    assert main([*words, "--evidence", str(hub.home.evidence), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["evidence"] == "given"
    other = Home(tmp_path / "other")
    go_on(hub, other)
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    record(hub)
    log = log_of(other)
    assert log.size > size
    assert len(hub.rows(evidence_leaves)) == log.size, "also what was recorded after the copy is found"
    verify_consistency(root, size, log.root(log.size), log.size, log.consistency(size, log.size))
    assert audited(other, signed).findings == []


def test_a_log_that_is_put_back_and_grown_again_is_found_out(recorded, tmp_path, capsys):
    """What the command warns of: the copy's log contradicts what was published since."""
    hub = recorded
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "copy.tar", with_keys=True)
    hub.send(*OUT, b"published", receiver=RECEIVER)
    hub.settle_down()
    signed = record(hub)
    assert main(["restore", str(tmp_path / "copy.tar"), "--home", str(tmp_path / "other")]) == 0
    assert "contradict" in capsys.readouterr().out
    go_on(hub, Home(tmp_path / "other"))
    for number in range(4):
        hub.send(*OUT, b"grown %d" % number, receiver=RECEIVER)
    hub.settle_down(rounds=80, hurry=True)
    record(hub)
    assert audited(hub.home, signed).findings != []


def test_a_folder_without_a_log_is_refused(recorded, tmp_path):
    hub = recorded
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "copy.tar", with_keys=True)
    with pytest.raises(BadInput, match="no evidence log"):
        restore(tmp_path / "copy.tar", Home(tmp_path / "other"), evidence=hub.home.evidence / "objects")
    assert not (tmp_path / "other").exists()
