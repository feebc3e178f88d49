"""The demo's own parts: what a failed check does, what a person sees, and how messages are counted from proved heads."""

import io
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from adapters.protocol import HeadMoved, MessageDelivered, Position
from relay.demo import run
from relay.demo.balance import LaneBalance, Proved, balance
from relay.demo.checks import CheckFailed, Record
from relay.demo.command import _ignoring
from relay.demo.effects import read_received
from relay.demo.next_commands import program
from relay.demo.show import Plain, Silent, _table, audience, waits_of
from relay.errors import BadInput, Duplicate
from relay.observer import Entry, History, Track
from schemas.claim import Direction
from schemas.heads import fold, outbox_genesis, outcomes_genesis
from schemas.outcome import Status, outcome_id
from schemas.primitives import Head, LaneId, MessageId
from schemas.suites import EVM

LANE = LaneId(b"\x11" * 32)
NOWHERE = Position(1, b"\x01" * 32, b"\x02" * 32, 0)
ROW = SimpleNamespace(lane_id=bytes(LANE), source="alpha", destination="beta")
STATUSES = [Status.EXECUTED, Status.FAILED, Status.EXPIRED, Status.REFUSED, Status.EXECUTED]

STATUS = {
    "chains": [{"name": "alpha", "waits": [{"code": "wallet_empty", "party": "hub"}]}],
    "lanes": [
        {
            "source": "alpha",
            "destination": "beta",
            "channel": "default",
            "trust": "committee",
            "sent": 9,
            "proved": 8,
            "attested": 7,
            "submitted": 6,
            "delivered": 5,
            "settled": 4,
            "executed": 3,
            "failed": 1,
            "expired": 0,
            "refused": 1,
            "waits": [
                {"kind": "lane", "code": "operators_silent", "party": "operators org-1, org-2"},
                {"kind": "back", "code": "lane_paused", "party": "officers"},
            ],
        }
    ],
}


def message_id(number):
    return MessageId(EVM.hash(f"message {number}".encode()))


def outbox(count):
    head, entries = outbox_genesis(LANE), []
    for nonce in range(1, count + 1):
        head = fold(EVM, head, message_id(nonce))
        entries.append(Entry(nonce, None, message_id(nonce), head))
    return History(Track(LANE, Direction.OUTBOX, EVM, 0, outbox_genesis(LANE)), entries)


def outcomes(ids, statuses):
    head, entries = outcomes_genesis(EVM, LANE), []
    for nonce, (identifier, status) in enumerate(zip(ids, statuses, strict=True), 1):
        entry_id = outcome_id(EVM, identifier, status, b"")
        head = fold(EVM, head, entry_id)
        event = MessageDelivered(LANE, nonce, identifier, status, b"", NOWHERE)
        entries.append(Entry(nonce, event, entry_id, head))
    return History(Track(LANE, Direction.OUTCOMES, EVM, 0, outcomes_genesis(EVM, LANE)), entries)


def ledgers(sent, back, settled):
    moved = {LANE: HeadMoved(LANE, 3, settled, back.entries[settled - 1].head, NOWHERE)} if settled else {}
    source = Proved("alpha", 40, 41, {(LANE, Direction.OUTBOX): sent}, moved)
    return source, Proved("beta", 50, 51, {(LANE, Direction.OUTCOMES): back}, {})


IDS = [message_id(number) for number in range(1, 6)]


def test_a_balance_counts_what_is_settled_and_leaves_the_rest_in_flight():
    found = balance(ROW, *ledgers(outbox(7), outcomes(IDS, STATUSES), settled=4))
    assert found.endings == Counter(executed=1, failed=1, expired=1, refused=1)
    assert (found.sent, found.in_flight, found.conserved) == (7, 3, True)
    assert (found.outbox_height, found.outcome_height) == (41, 51)
    assert found.equation() == "7 sent = 1 executed + 1 failed + 1 expired + 1 refused + 3 in flight"
    assert found.as_json()["lane_id"] == LANE.hex0x()


def test_a_lane_without_settlements_is_all_in_flight():
    found = balance(ROW, *ledgers(outbox(2), outcomes([], []), settled=0))
    assert (found.sent, found.in_flight, sum(found.endings.values())) == (2, 2, 0)


def test_an_outcome_counted_twice_is_not_conserved():
    found = LaneBalance("alpha", "beta", LANE.hex0x(), 2, 1, Counter(executed=2))
    assert not found.conserved


def test_outcomes_of_other_messages_are_refused():
    swapped = [IDS[1], IDS[0]]
    with pytest.raises(BadInput, match="not those of what was sent"):
        balance(ROW, *ledgers(outbox(2), outcomes(swapped, STATUSES[:2]), settled=2))


def test_a_settled_head_that_is_not_of_the_proved_outcomes_is_refused():
    source, destination = ledgers(outbox(5), outcomes(IDS, STATUSES), settled=4)
    source.settled[LANE] = replace(source.settled[LANE], head=Head(b"\x07" * 32))
    with pytest.raises(BadInput, match="do not fold"):
        balance(ROW, source, destination)


def test_more_settled_than_proved_is_refused():
    source, destination = ledgers(outbox(5), outcomes(IDS, STATUSES), settled=5)
    destination.histories[LANE, Direction.OUTCOMES].entries.pop()
    with pytest.raises(BadInput, match="do not fold"):
        balance(ROW, source, destination)


def test_a_failed_check_ends_the_demo_and_keeps_its_name():
    record = Record(Silent())
    with record.act("first"):
        record.expect("sums", 4, 4)
    with pytest.raises(CheckFailed, match="sums again: expected 5; found 4"), record.act("second"):
        record.expect("sums again", 5, 4)
    assert record.failed.name == "sums again"
    first, second = record.as_json()
    assert first["checks"] == [{"name": "sums", "expected": "4", "found": "4", "ok": True}]
    assert second["checks"][0]["ok"] is False


def test_a_verdict_of_its_own_outweighs_equality():
    record = Record(Silent())
    with pytest.raises(CheckFailed):
        record.expect("same text, but not so", "x", "x", ok=False)


def test_plain_lines_for_logs():
    out = io.StringIO()
    plain = Plain(out)
    record = Record(plain)
    with record.act("Begin"):
        record.audience.say("something happens")
        record.expect("sums", 4, 4)
        plain.progress(STATUS)
        plain.progress(STATUS)
    with pytest.raises(CheckFailed):
        record.expect("fails", 1, 2)
    assert out.getvalue() == (
        "\n── Begin\n   something happens\n   ✓ sums: 4\n"
        "   … each lane: sent/proved/attested/submitted/delivered/settled\n"
        "   … alpha → beta 9/8/7/6/5/4; waits: wallet_empty, for hub (1); "
        "operators_silent, for operators org-1, org-2 (1); lane_paused, for officers (1)\n"
        "   ✗ fails: expected 1; found 2\n"
    )


def test_the_table_shows_stages_endings_and_for_whom_lanes_wait():
    console = Console(record=True, width=140, file=io.StringIO())
    console.print(_table(STATUS))
    text = console.export_text()
    for shown in ("alpha → beta", "delivered", "3/1/0/1", "operators_silent, for operators org-1, org-2", "(way back)"):
        assert shown in text


def test_waits_name_their_subject():
    assert waits_of(STATUS) == [
        "alpha: wallet_empty, for hub",
        "alpha → beta: operators_silent, for operators org-1, org-2",
        "alpha → beta (way back): lane_paused, for officers",
    ]


def test_json_is_silent_and_a_pipe_gets_plain_lines(capsys):
    assert type(audience(as_json=True)) is Silent
    assert type(audience(as_json=False)) is Plain
    assert capsys.readouterr().out == ""


def test_a_received_log_is_read_and_another_form_is_refused():
    from eth_abi.abi import encode

    data = encode(["bytes32", "bytes32", "bytes", "bytes"], [bytes(LANE), b"\x05" * 32, b"\x06" * 20, "文".encode()])
    assert read_received(data) == (b"\x05" * 32, "文".encode())
    with pytest.raises(ValueError, match="another form"):
        read_received(data[:64])


def test_a_folder_with_a_hub_is_left_alone(tmp_path, capsys):
    (tmp_path / "hub.toml").write_text('name = "mine"\n')
    with pytest.raises(Duplicate, match="There is a hub"):
        run(str(tmp_path), keep=False, as_json=True)
    assert [file.name for file in tmp_path.iterdir()] == ["hub.toml"]


def test_the_command_is_named_as_it_can_be_called(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program().endswith("bin/relayhub")
    (tmp_path / "relayhub").symlink_to(Path(program()).absolute())
    assert program() == "relayhub"


def test_signals_are_ignored_only_while_things_end():
    before = signal.getsignal(signal.SIGTERM)
    with _ignoring(signal.SIGTERM):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
