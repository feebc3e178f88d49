"""What `GET /metrics` says of a hub whose database is known row by row."""

import math
import os
import re
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from relay import attestations
from relay.errors import NotFound
from relay.metrics import lags
from relay.metrics.exposition import Exposition
from relay.metrics.names import COUNTER, GAUGE, METRICS, sample_names
from relay.metrics.tallies import KNOWN_REFUSALS
from relay.processes import Process, record, start_time
from relay.store.tables import (
    claims,
    endpoint_health,
    evidence_queue,
    heartbeats,
    incidents,
    refusals,
    transactions,
    verifiers,
    waits,
)
from relay.web import application
from tests.support.filled_hub import LANE, NOW
from tests.support.told_metrics import Scraped, Told, filled_hub

NAME = "alpha>beta#default"


@pytest.fixture
def hub(tmp_path):
    hub = filled_hub(tmp_path)
    yield hub
    hub.store.close()


@pytest.fixture
def scraped(hub):
    return Scraped(hub, NOW)


def two_ledgers(hub, **lane):
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane(**lane)


def put(hub, table, *conditions, **values):
    with hub.store.write() as connection:
        connection.execute(update(table).where(*conditions).values(**values))


def transaction(hub, number, **values):
    row = {
        "chain": "alpha",
        "purpose": "deliver",
        "lane_id": LANE,
        "first": number,
        "last": number,
        "target": b"\x01" * 20,
        "data": b"",
        "gas": 100,
        "fee": "10",
        "state": "queued",
        "created_at": NOW,
    }
    hub.add(transactions, id=number, **{**row, **values})


def test_a_hub_without_anything_answers(scraped):
    told = scraped.ask()
    assert told.get("relayhub_claims_open") == 0
    assert told.get("relayhub_evidence_queue_length") == 0
    assert told.get("relayhub_ready") == 0
    ((labels, value),) = told.all("relayhub_build_info").items()
    assert value == 1
    assert {"hub", "sqlite", "development"} < set(labels)


def test_every_family_has_the_type_and_the_text_of_the_list(scraped):
    told = scraped.ask()
    for metric in METRICS:
        family = told.families[metric.name.removesuffix("_total") if metric.kind == COUNTER else metric.name]
        assert (family.type, family.documentation) == (metric.kind, metric.text)


def test_a_lane_in_numbers(hub, scraped):
    counters = {"final": 20, "claimed": 18, "attested": 15, "submitted": 12, "delivered": 10}
    back = {"outcome_claimed": 9, "outcome_attested": 8, "settle_submitted": 7, "settled": 6}
    two_ledgers(hub, **counters, **back, executed=6, failed=2, expired=1, refused=1)
    hub.message(7, sent_at=NOW - 300)
    hub.message(11, sent_at=NOW - 90)
    told = scraped.ask()
    in_stage = {"final": 2, "proved": 3, "attested": 3, "submitted": 2, "delivered": 1}
    in_stage |= {"outcome_proved": 1, "outcome_attested": 1, "settle_submitted": 1}
    assert told.all("relayhub_lane_in_stage") == {(NAME, stage): number for stage, number in in_stage.items()}
    assert told.all("relayhub_lane_messages_total") == {
        (NAME, "final"): 20,
        (NAME, "delivered"): 10,
        (NAME, "settled"): 6,
    }
    assert told.all("relayhub_lane_outcomes_total") == {
        (NAME, "executed"): 6,
        (NAME, "failed"): 2,
        (NAME, "expired"): 1,
        (NAME, "refused"): 1,
    }
    assert told.get("relayhub_lane_backlog", lane=NAME) == 10
    assert told.get("relayhub_lane_oldest_undelivered_age_seconds", lane=NAME) == 90
    assert told.get("relayhub_lane_oldest_unsettled_age_seconds", lane=NAME) == 300
    assert told.get("relayhub_lane_conserved", lane=NAME) == 1
    assert told.get(
        "relayhub_lane_info",
        lane=NAME,
        source="alpha",
        destination="beta",
        channel="default",
        trust="committee",
        state="active",
    )


def test_a_stage_that_a_lane_skips_holds_nothing(hub, scraped):
    two_ledgers(hub, trust="light-client", final=9, claimed=9, submitted=4, delivered=2, executed=2)
    told = scraped.ask()
    held = {stage: number for (_, stage), number in told.all("relayhub_lane_in_stage").items() if number}
    assert held == {"proved": 5, "submitted": 2, "delivered": 2}


def test_a_lane_with_nothing_on_its_way_has_no_age(hub, scraped):
    two_ledgers(hub, final=3, claimed=3, attested=3, submitted=3, delivered=3, settled=3, executed=3)
    hub.message(3)
    told = scraped.ask()
    assert told.get("relayhub_lane_oldest_undelivered_age_seconds", lane=NAME) == 0
    assert told.get("relayhub_lane_oldest_unsettled_age_seconds", lane=NAME) == 0
    assert sum(told.all("relayhub_lane_in_stage").values()) == 0


@pytest.mark.parametrize("broken", [{"executed": 2}, {"delivered": 4, "executed": 4}, {"settled": 4}])
def test_outcomes_that_do_not_add_up_are_seen(hub, scraped, broken):
    good = {"final": 3, "delivered": 3, "settled": 3, "executed": 3}
    two_ledgers(hub, **{**good, **broken})
    assert scraped.ask().get("relayhub_lane_conserved", lane=NAME) == 0


def test_lanes_that_are_over_are_left_out(hub, scraped):
    two_ledgers(hub, state="retired")
    hub.lane(lane_id=b"\x01" * 32, channel="second", state="abandoned")
    hub.lane(lane_id=b"\x02" * 32, channel="third", state="frozen")
    told = scraped.ask()
    assert list(told.all("relayhub_lane_backlog")) == [("alpha>beta#third",)]


NAMES = ('say "hi"', "back\\slash", "上海 → 北京", "a>b#c", "é" * 32, "{x}", "'", "a b", "+Inf", "\U0001f980")


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_kind_come_back_as_they_are(hub, scraped, name):
    hub.chain(name, 1)
    hub.chain("beta", 2)
    hub.lane(source=name, channel=name)
    hub.operator(name, 9, organisation=name)
    told = scraped.ask()
    assert told.get("relayhub_ledger_tip_height", ledger=name) == 12
    assert told.get("relayhub_operator_info", operator=name, organisation=name, state="active") == 1
    (labels,) = [dict(labels) for (metric, labels) in told.values if metric == "relayhub_lane_info"]
    assert (labels["source"], labels["channel"]) == (name, name)


def test_a_line_break_or_a_wait_from_a_stranger_breaks_no_line(hub, scraped):
    hub.chain("alpha", 1)
    hub.add(endpoint_health, chain="alpha", url='http://x\n"y"\\z', since=NOW - 5, seen_at=NOW, reason="r")
    assert scraped.ask().get("relayhub_endpoint_resting_seconds", ledger="alpha", endpoint='http://x\n"y"\\z') == 5


def test_two_lanes_never_have_one_name(hub, scraped):
    hub.chain("a>b", 1)
    hub.chain("c", 2)
    hub.chain("a", 3)
    hub.chain("b>c", 4)
    hub.lane(source="a>b", destination="c")
    hub.lane(lane_id=b"\x01" * 32, source="a", destination="b>c")
    assert len(scraped.ask().all("relayhub_lane_backlog")) == 2


def test_a_ledger_in_numbers(hub, scraped):
    certificates = [{"name": "b", "not_after": int(NOW) + 900}, {"name": "a", "not_after": int(NOW) + 90}]
    hub.chain("alpha", 1, certificates=certificates, wallet_at=NOW, balance="123456789012345678901234567890")
    hub.chain("beta", 2, client_expires_at=0, tip_at=0, state="frozen", client_height=15, client_time=int(NOW) + 3)
    told = scraped.ask()
    assert told.get("relayhub_ledger_tip_height", ledger="alpha") == 12
    assert told.get("relayhub_client_height", ledger="alpha") == 10
    assert told.get("relayhub_client_behind_blocks", ledger="alpha") == 2
    assert told.get("relayhub_ledger_tip_age_seconds", ledger="alpha") == 1
    assert told.get("relayhub_client_age_seconds", ledger="alpha") == 0
    assert told.get("relayhub_client_expiry_timestamp_seconds", ledger="alpha") == NOW + 86_400
    assert told.get("relayhub_certificate_expiry_timestamp_seconds", ledger="alpha") == NOW + 90
    assert told.get("relayhub_wallet_balance_base_units", ledger="alpha") == pytest.approx(1.2345678901234568e29)
    assert told.get("relayhub_ledger_frozen", ledger="alpha") == 0
    assert told.get("relayhub_ledger_frozen", ledger="beta") == 1
    assert told.get("relayhub_client_behind_blocks", ledger="beta") == 0
    assert told.get("relayhub_client_age_seconds", ledger="beta") == 0, "a clock that lags makes no negative age"
    for name in ("client_expiry_timestamp", "ledger_tip_age", "certificate_expiry_timestamp", "wallet_runway"):
        assert told.get(f"relayhub_{name}_seconds", ledger="beta") is None


def test_a_retired_ledger_is_left_out(hub, scraped):
    hub.chain("alpha", 1, state="retired")
    assert not scraped.ask().all("relayhub_ledger_tip_height")


def test_credentials_of_an_endpoint_are_never_shown(hub, scraped):
    hub.chain("alpha", 1)
    url = "https://me:secret@node.example:8545/path?key=secret#secret"
    hub.add(endpoint_health, chain="alpha", url=url, since=NOW - 5, seen_at=NOW, reason="secret")
    told = scraped.ask()
    assert list(told.all("relayhub_endpoint_resting_seconds")) == [("https://node.example:8545/path", "alpha")]
    assert b"secret" not in scraped.exposition.text()


def test_the_runway_is_the_one_of_status(hub, scraped):
    from relay.store.reader import Reader
    from relay.views.status import chain_status

    hub.chain("alpha", 1, wallet_at=NOW, balance=str(10**9))
    transaction(hub, 1, state="mined", sent_at=NOW - 7_200, gas_used=50, fee="1000")
    transaction(hub, 2, state="mined", sent_at=NOW - 600, fee="500")
    transaction(hub, 3, state="mined", sent_at=NOW - 90_000, fee="1000000")
    with Reader(hub.store.url) as reader:
        row = reader.rows("SELECT * FROM chains")[0]
        days = chain_status(reader, row, [], NOW)["runway_days"]
    runway_s = scraped.ask().get("relayhub_wallet_runway_seconds", ledger="alpha")
    assert runway_s / 86_400 == pytest.approx(days, abs=0.06)
    assert runway_s == pytest.approx(10**9 / ((50 * 1000 + 100 * 500) / 7_200))


def test_a_wallet_from_which_nothing_was_spent_lasts_for_ever_and_an_empty_one_is_empty(hub, scraped):
    hub.chain("alpha", 1, wallet_at=NOW)
    hub.chain("beta", 2, wallet_at=NOW, balance="0")
    transaction(hub, 1, chain="beta", state="mined", sent_at=NOW - 60)
    told = scraped.ask()
    assert told.get("relayhub_wallet_runway_seconds", ledger="alpha") == math.inf
    assert told.get("relayhub_wallet_runway_seconds", ledger="beta") == 0


def test_transactions_are_counted_when_they_end(hub, scraped):
    hub.chain("alpha", 1, wallet_at=NOW)
    for number in range(1, 6):
        transaction(hub, number, purpose="settle" if number == 5 else "deliver")
    transaction(hub, 6, state="mined", sent_at=NOW - 100)
    told = scraped.ask()
    assert told.all("relayhub_transactions_open") == {
        ("alpha", "deliver", "queued"): 4,
        ("alpha", "settle", "queued"): 1,
    }
    assert not told.all("relayhub_transactions_total"), "what ended before is not counted"
    put(hub, transactions, transactions.c.id == 1, state="sent", sent_at=NOW)
    put(hub, transactions, transactions.c.id == 2, state="mined", sent_at=NOW, gas_used=70)
    put(hub, transactions, transactions.c.id == 5, state="mined", sent_at=NOW)
    put(hub, transactions, transactions.c.id == 3, state="void")
    transaction(hub, 7, state="mined", sent_at=NOW, gas_used=5)
    transaction(hub, 8, state="reverted", sent_at=NOW)
    with hub.store.write() as connection:
        connection.execute(delete(transactions).where(transactions.c.id == 4))
    told = scraped.ask()
    assert told.all("relayhub_transactions_open") == {("alpha", "deliver", "sent"): 1}
    ended = {("alpha", "deliver", "mined"): 2, ("alpha", "settle", "mined"): 1}
    ended |= {("alpha", "deliver", "void"): 1, ("alpha", "deliver", "reverted"): 1}
    assert told.all("relayhub_transactions_total") == ended
    assert told.all("relayhub_gas_total") == {("alpha", "deliver"): 75, ("alpha", "settle"): 100}
    assert told.all("relayhub_fees_base_units_total") == {("alpha", "deliver"): 750, ("alpha", "settle"): 1000}
    assert scraped.ask().all("relayhub_transactions_total") == ended, "nothing is counted twice"


def test_the_rate_of_a_busy_wallet_is_taken_over_what_is_known(hub, scraped):
    hub.chain("alpha", 1, wallet_at=NOW, balance=str(10**6))
    for number in range(1, 311):
        transaction(hub, number, state="mined", sent_at=NOW - 620 + 2 * number, gas=1, fee="1")
    known_s = 620 - 2 * 11
    assert scraped.ask().get("relayhub_wallet_runway_seconds", ledger="alpha") == pytest.approx(10**6 / (300 / known_s))


def test_light_clients_on_ledgers_by_the_worst_one_that_lanes_use(hub, scraped):
    hub.chain("alpha", 1, client_height=50)
    hub.chain("beta", 2)
    row = {"peer": "alpha", "chain": "beta", "client_time": int(NOW) - 60}
    hub.add(verifiers, kind="light-client", address=b"\x0a" * 20, client_height=40, expires_at=int(NOW) + 500, **row)
    hub.add(
        verifiers, kind="light-client", address=b"\x0b" * 20, client_height=30, expires_at=1 << 62, frozen=True, **row
    )
    hub.add(verifiers, kind="light-client", address=b"\x0c" * 20, client_height=1, expires_at=1, **row)
    hub.add(verifiers, kind="both", address=b"\x0d" * 20, light_client=b"\x0b" * 20, **row)
    hub.lane(destination_verifier=b"\x0a" * 20)
    told = scraped.ask()
    assert told.get("relayhub_contract_client_height", ledger="beta", peer="alpha") == 40
    assert told.get("relayhub_contract_client_frozen", ledger="beta", peer="alpha") == 0
    hub.lane(lane_id=b"\x01" * 32, channel="second", destination_verifier=b"\x0d" * 20)
    hub.lane(lane_id=b"\x02" * 32, channel="third", destination_verifier=b"\x0c" * 20, state="retired")
    told = scraped.ask()
    assert told.get("relayhub_contract_client_height", ledger="beta", peer="alpha") == 30
    assert told.get("relayhub_contract_client_behind_blocks", ledger="beta", peer="alpha") == 20
    assert told.get("relayhub_contract_client_age_seconds", ledger="beta", peer="alpha") == 60
    assert told.get("relayhub_contract_client_frozen", ledger="beta", peer="alpha") == 1
    assert told.get("relayhub_contract_client_expiry_timestamp_seconds", ledger="beta", peer="alpha") == NOW + 500


def test_operators_and_their_silence(hub, scraped):
    two_ledgers(hub)
    hub.operator("ana", 11, seen_at=NOW - 2, signed_at=NOW - 3)
    hub.operator("bao", 12, seen_at=NOW - 40, signed_at=NOW - 3)
    hub.operator("chidi", 13, seen_at=NOW - 1, signed_at=NOW - 500)
    hub.operator("dora", 14, state="struck")
    claim = {"lane_id": LANE, "direction": 0, "head": LANE, "height": 1, "block_hash": LANE, "epoch": 1}
    hub.add(claims, first=1, nonce=1, digest=b"1" * 32, state="attested", created_at=NOW, attested_at=NOW - 20, **claim)
    hub.add(claims, first=2, nonce=2, digest=b"2" * 32, state="open", created_at=NOW, **claim)
    hub.add(claims, first=2, nonce=2, digest=b"3" * 32, state="void", created_at=NOW, **claim)
    told = scraped.ask()
    assert told.all("relayhub_operator_silent") == {("ana",): 0, ("bao",): 1, ("chidi",): 1, ("dora",): 0}
    assert told.get("relayhub_operator_seen_age_seconds", operator="bao") == 40
    assert told.get("relayhub_operator_signed_age_seconds", operator="chidi") == 500
    assert told.get("relayhub_operator_signed_age_seconds", operator="dora") == math.inf
    assert told.get("relayhub_claims_open") == 1


def test_what_waits(hub, scraped):
    two_ledgers(hub)
    row = {"party": "hub", "text": "free text", "next_at": NOW}
    hub.add(waits, kind="chain", id="alpha", code="chain_stalled", since=NOW - 100, **row)
    hub.add(waits, kind="lane", id="aa" * 32, code="lane_paused", since=NOW - 10, **row)
    hub.add(waits, kind="lane", id="bb" * 32, code="lane_paused", since=NOW - 70, **row)
    hub.add(waits, kind="client", id="0x00@beta", code="light_client_behind", since=NOW + 9, **row)
    told = scraped.ask()
    assert told.get("relayhub_ledger_waiting_seconds", ledger="alpha", reason="chain_stalled") == 100
    assert told.get("relayhub_waits", kind="lane", reason="lane_paused") == 2
    assert told.get("relayhub_wait_age_seconds", kind="lane", reason="lane_paused") == 70
    assert told.get("relayhub_wait_age_seconds", kind="client", reason="light_client_behind") == 0
    assert b"free text" not in scraped.exposition.text()


def test_refusals_are_counted_from_the_beginning_of_the_process(hub, scraped):
    row = {"at": NOW, "party": "x", "subject": "y", "text": "z"}
    hub.add(refusals, name="FalseHead", **row)
    assert scraped.ask().get("relayhub_refusals_total", reason="FalseHead") == 0
    for name in ("FalseHead", "FalseHead", "ClaimVoid", "Strange"):
        hub.add(refusals, name=name, **row)
    told = scraped.ask()
    assert told.get("relayhub_refusals_total", reason="FalseHead") == 2
    assert told.get("relayhub_refusals_total", reason="ClaimVoid") == 1
    assert told.get("relayhub_refusals_total", reason="Strange") == 1
    assert told.get("relayhub_refusals_total", reason="SignerUnknown") == 0
    assert scraped.ask().get("relayhub_refusals_total", reason="FalseHead") == 2


def test_every_refusal_that_the_hub_makes_has_a_meaning():
    made = set()
    for path in (attestations, application):
        made |= set(re.findall(r'(?:_Refusal\(|REFUSED, )\s*"(\w+)"', Path(path.__file__).read_text(encoding="utf-8")))
    made |= {"FalseHead", "OperatorEquivocation"}
    assert made == set(KNOWN_REFUSALS)


def test_names_of_refusals_are_finitely_many(hub, scraped):
    scraped.ask()
    for number in range(100):
        hub.add(refusals, at=NOW, name=f"Made{number}", party="x", subject="y", text="z")
    told = scraped.ask().all("relayhub_refusals_total")
    assert len(told) == 65
    assert sum(told.values()) == 100
    assert told["other",] > 0


def test_incidents_are_counted_ever(hub, scraped):
    for number in range(3):
        hub.add(incidents, at=NOW, name="misbehaviour", subject=f"chain {number}", text="t", evidence=b"e" * 10_000)
    assert scraped.ask().get("relayhub_incidents_total", kind="misbehaviour") == 3
    hub.add(incidents, at=NOW, name="operator_false_head", subject="s", text="t", evidence=b"")
    told = scraped.ask()
    assert told.all("relayhub_incidents_total") == {("misbehaviour",): 3, ("operator_false_head",): 1}


def test_processes_and_heartbeats(hub, scraped):
    me = os.getpid()
    hub.home.run.mkdir()
    alive = [Process("supervisor", me, start_time(me)), Process("web", me, start_time(me), 4)]
    record(hub.home, [*alive, Process("worker-1", 0, 0, 7, "ended")], ready=True)
    hub.add(heartbeats, process="watch", pid=1, at=NOW - 3)
    told = scraped.ask()
    assert told.get("relayhub_ready") == 1
    assert told.all("relayhub_process_up") == {("supervisor",): 1, ("web",): 1, ("worker-1",): 0}
    assert told.all("relayhub_process_restarts_total") == {("supervisor",): 0, ("web",): 4, ("worker-1",): 7}
    assert told.get("relayhub_heartbeat_age_seconds", process="watch") == 3
    (hub.home.run / "processes.json").write_text("{")
    assert scraped.ask().get("relayhub_ready") == 0


def test_the_evidence_log_and_what_waits_for_it(hub, scraped):
    for number in range(4):
        hub.add(evidence_queue, at=NOW - 50 + number, kind="claim", fields=b"")
    with hub.store.write() as connection:
        connection.execute(delete(evidence_queue).where(evidence_queue.c.id == 1))
    told = scraped.ask()
    assert told.get("relayhub_evidence_log_leaves") is None
    assert told.get("relayhub_evidence_queue_length") == 3
    assert told.get("relayhub_evidence_queue_age_seconds") == 49
    checkpoint = hub.home.folder / "evidence" / "log" / "checkpoint"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("relayhub/hub\n123456\nroot\n\n— relayhub/hub sig\n")
    os.utime(checkpoint, (NOW - 30, NOW - 30))
    told = scraped.ask()
    assert told.get("relayhub_evidence_log_leaves") == 123_456
    assert told.get("relayhub_evidence_checkpoint_age_seconds") == 30


@pytest.mark.parametrize("content", ["", "relayhub/hub", "relayhub/hub\nmany\n", "\n\n"])
def test_a_checkpoint_that_cannot_be_read_is_left_out(hub, scraped, content):
    checkpoint = hub.home.folder / "evidence" / "log" / "checkpoint"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text(content)
    assert scraped.ask().get("relayhub_evidence_log_leaves") is None


def test_an_answer_is_kept_for_a_second(hub):
    exposition = Exposition(hub.store.url, "hub", development=False)
    first = exposition.text()
    assert exposition.text() is first
    exposition._made_at -= 2
    assert exposition.text() is not first


def test_without_a_home_there_are_no_processes(hub):
    told = Told(Exposition(hub.store.url, "hub", development=False).text())
    assert told.get("relayhub_ready") is None


def test_a_database_that_is_gone_is_an_error_and_no_half_answer(hub, tmp_path):
    exposition = Exposition(f"sqlite:///{tmp_path / 'gone.db'}", "hub", development=False)
    for _ in range(2):
        with pytest.raises(NotFound, match="no database"):
            exposition.text()


def test_names_follow_the_rules():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert metric.name.startswith("relayhub_")
        assert metric.name.endswith("_total") == (metric.kind == COUNTER)
        assert not metric.name.endswith(("_ms", "_minutes", "_milliseconds", "_kb"))
        assert not {"le", "id", "message", "hash", "text"} & set(metric.labels)
        assert metric.text.endswith(".")
        if metric.kind == GAUGE and "timestamp" in metric.name:
            assert metric.name.endswith("_timestamp_seconds")
    assert "relayhub_stage_seconds_bucket" in sample_names()
    assert sorted(lags.BUCKETS_S) == list(lags.BUCKETS_S)
