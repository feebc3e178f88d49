"""A hub over in-process QBFT ledgers: its receipts hold in another process that knows nothing of it, by its anchors alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from sqlalchemy import delete, select, update

from relay.errors import BadInput, NotFound, NotNow
from relay.evidence.receipts import make_receipt
from relay.evidence.verify import verify
from relay.store.tables import evidence_leaves, evidence_queue, messages, operators, outcomes
from relay.store.verifiers import Kind
from relay.views.evidence import BEHIND_S
from relay.views.status import hub_status
from relay.views.status_text import render
from tests.support.hub_evidence import anchors_read, leaves_of, receipt_file, record
from tests.support.memory_hub import RECEIVER, REVERTING, MemoryHub

SENT = 7


def run(hub, *, messages_sent=SENT):
    for number in range(messages_sent):
        receiver = REVERTING if number == 1 else RECEIVER
        hub.send("alpha", "beta", f"付款 {number}".encode(), receiver=receiver)
    hub.settle_down()


def row_of(hub, nonce, table=messages):
    return next(row for row in hub.rows(table) if row.nonce == nonce)


@pytest.fixture
def hub(make_hub):
    return make_hub(batch_limit=3)


def relayhub(folder, *words):
    """The command in another process, without a hub."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RELAYHUB")}
    environment["PYTHONPATH"] = str(Path.cwd())
    return subprocess.run(
        [sys.executable, "-m", "relay.cli", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_receipts_of_every_message_hold_by_the_hubs_anchors(tmp_path, kind):
    hub = MemoryHub(tmp_path, kind=kind, batch_limit=3)
    try:
        run(hub)
        record(hub)
        anchors = anchors_read(hub.home)
        for row in hub.rows(messages):
            receipt = make_receipt(hub.home, row.message_id.hex())
            judged = verify(receipt.model_dump_json().encode(), anchors)
            assert judged.failed == ()
            assert receipt.outcome.status == (2 if row.nonce == 2 else 1)
            assert receipt.message.payload == row.payload
            assert (receipt.out.quorum is None) == (kind is Kind.LIGHT_CLIENT)
    finally:
        hub.close()


def test_a_stranger_verifies_in_another_process_without_a_hub(hub, tmp_path):
    run(hub)
    record(hub)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    identifier = row_of(hub, 4).message_id.hex()
    made = relayhub(elsewhere, "receipt", identifier, "--home", str(hub.home.folder))
    assert made.returncode == 0, made.stderr
    (elsewhere / "r.json").write_text(made.stdout, encoding="utf-8")
    trusted = relayhub(elsewhere, "anchors", "--home", str(hub.home.folder))
    assert "another way" in trusted.stderr
    (elsewhere / "anchors.toml").write_text(trusted.stdout, encoding="utf-8")
    hub.home.folder.rename(tmp_path / "gone")
    judged = relayhub(elsewhere, "verify", "r.json", "--anchors", "anchors.toml")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert f"message 0x{identifier} was executed" in judged.stdout
    assert " 20. checkpoint       holds" in judged.stdout
    bad = made.stdout.replace('"status":1', '"status": 3').replace('"status": 1', '"status": 3')
    (elsewhere / "bad.json").write_text(bad, encoding="utf-8")
    told = relayhub(elsewhere, "verify", "bad.json", "--anchors", "anchors.toml", "--json")
    assert told.returncode == 2
    assert json.loads(told.stdout)["failed"] == ["outcome"]


def test_a_transaction_names_a_message_where_it_has_one(hub):
    run(hub, messages_sent=1)
    record(hub)
    row = row_of(hub, 1)
    for transaction in (row.transaction, row_of(hub, 1, outcomes).transaction):
        assert make_receipt(hub.home, transaction.hex()).message_id == row.message_id


def test_a_transaction_of_several_messages_names_them(hub):
    run(hub, messages_sent=3)
    record(hub)
    with pytest.raises(BadInput, match="3 messages"):
        make_receipt(hub.home, row_of(hub, 1, outcomes).transaction.hex())


def test_what_is_not_settled_says_so_and_gives_what_there_is(hub):
    hub.send("alpha", "beta", b"on its way")
    hub.mine()
    hub.turn()
    hub.turn()
    record(hub)
    identifier = row_of(hub, 1).message_id.hex()
    with pytest.raises(NotNow, match="not settled yet") as error:
        make_receipt(hub.home, identifier)
    assert "--partial" in error.value.next_step
    receipt = make_receipt(hub.home, identifier, partial=True)
    assert (receipt.complete, receipt.outcome, receipt.back) == (False, None, None)
    judged = verify(receipt.model_dump_json().encode(), anchors_read(hub.home))
    assert judged.failed == ("format",)


def test_leaves_that_are_not_in_the_log_yet_are_waited_for(hub):
    record(hub)
    run(hub, messages_sent=1)
    identifier = row_of(hub, 1).message_id.hex()
    with pytest.raises(NotNow, match="not in the evidence log yet"):
        make_receipt(hub.home, identifier)
    recorder = Timer(0.5, record, [hub])
    recorder.start()
    told = relayhub(hub.home.folder, "receipt", identifier, "--home", str(hub.home.folder))
    recorder.join()
    assert json.loads(told.stdout)["complete"], told.stderr


def test_a_message_older_than_the_log(hub):
    run(hub, messages_sent=1)
    record(hub)
    with hub.context.store.write() as connection:
        connection.execute(delete(evidence_leaves))
    with pytest.raises(NotFound, match="older than the log"):
        make_receipt(hub.home, row_of(hub, 1).message_id.hex())


def test_nobody_knows_it(hub):
    with pytest.raises(NotFound, match="No message or transaction"):
        make_receipt(hub.home, "ab" * 32)


def test_a_signer_that_was_struck_since_counts_no_more(hub):
    run(hub, messages_sent=1)
    record(hub)
    receipt = receipt_file(hub.home, row_of(hub, 1).message_id)
    with hub.context.store.write() as connection:
        connection.execute(update(operators).where(operators.c.name != "one").values(state="struck"))
    judged = verify(receipt, anchors_read(hub.home))
    assert judged.failed == ("out.quorum", "back.quorum")


def test_a_batch_costs_a_leaf_each_time_and_not_each_message(hub):
    for number in range(30):
        hub.send("alpha", "beta", str(number).encode())
    hub.settle_down()
    record(hub)
    kinds = [leaf.kind for leaf in leaves_of(hub.home)]
    assert kinds.count("claim") == kinds.count("attested") == 2 * 30 // 3
    assert kinds.count("proved") + kinds.count("settled") < 30


def test_the_status_says_how_the_log_stands_and_raises_its_alarm(hub):
    run(hub, messages_sent=1)
    with hub.context.store.read() as connection:
        at = connection.execute(select(evidence_queue.c.at).limit(1)).scalar_one()
    early = hub_status(hub.home, at + 1)["evidence"]
    assert (early["leaves"], early["alarms"]) == (None, [])
    late = hub_status(hub.home, at + BEHIND_S + 10)
    assert [alarm["code"] for alarm in late["evidence"]["alarms"]] == ["evidence_behind"]
    assert "evidence log: evidence_behind" in render(late, at + 60)
    record(hub)
    after = hub_status(hub.home, at + 3600)["evidence"]
    assert after["alarms"] == []
    assert after["leaves"] > 0
    assert after["waiting"] == 0
