"""Alarms: each of them for real from a database and a folder, with its code, in the same words everywhere; and none where all is well."""

import pytest
from sqlalchemy import update

from relay.processes import Process, record, start_time
from relay.reasons import explain
from relay.store.evidence_tables import evidence_queue
from relay.store.reader import Reader
from relay.store.tables import chains, claims, endpoint_health, lanes, transactions, verifiers
from relay.views.alarms import hub_alarms
from relay.views.silence import newest_quorum
from relay.views.spending import spent_per_day
from relay.views.status import hub_status
from relay.views.status_text import render
from relay.web.page.deltas import difference, is_empty
from relay.web.page.look import Look
from tests.support.filled_hub import LANE, NOW, FilledHub

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
ADDRESS = b"\x09" * 20


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane(final=5, delivered=3, settled=2, executed=2, failed=1)
    hub.operator("org-1", 3, seen_at=NOW, signed_at=NOW)
    yield hub
    hub.store.close()


def found(hub, now=NOW):
    with Reader(hub.store.url) as reader:
        return hub_alarms(reader, hub.home, now)


def change(hub, table, **values):
    with hub.store.write() as connection:
        connection.execute(update(table).values(**values))


def light_client(hub, **values):
    row = {"chain": "alpha", "address": ADDRESS, "kind": "light-client", "peer": "beta", "light_client": ADDRESS,
           "client_height": 5, "client_time": int(NOW) - 9 * HOUR_S, "expires_at": int(NOW) + HOUR_S}  # fmt: skip
    hub.add(verifiers, **{**row, **values})


def use_light_client(hub, **values):
    light_client(hub, **values)
    change(hub, lanes, source_verifier=ADDRESS)


def mined(hub, *, chain="alpha", sent_at=NOW - HOUR_S, fee=10**18, created_at=None, **values):
    row = {
        "purpose": "deliver",
        "lane_id": LANE,
        "first": 1,
        "last": 1,
        "target": b"",
        "data": b"",
        "gas": 2,
        "state": "mined",
    }
    created_at = sent_at if created_at is None else created_at
    hub.add(transactions, chain=chain, sent_at=sent_at, created_at=created_at, fee=str(fee), **{**row, **values})


def dead(hub, **values):
    hub.home.run.mkdir(exist_ok=True)
    record(hub.home, [Process("web", note="ended with exit code 2", **values)], ready=False)


CASES = {
    "a frozen ledger": (lambda hub: change(hub, chains, state="frozen"), "client_frozen", ("freeze", "chain", "alpha")),
    "a frozen lane": (lambda hub: change(hub, lanes, state="frozen"), "client_frozen", ("freeze", "lane", "alpha → beta")),
    "a frozen light client": (
        lambda hub: light_client(hub, frozen=True, expires_at=0), "light_client_frozen", ("freeze", "client", "beta @ alpha")),
    "a client that is over": (
        lambda hub: change(hub, chains, client_expires_at=int(NOW)), "client_expired", ("alarm", "chain", "alpha")),
    "a client near its end": (
        lambda hub: change(hub, chains, client_expires_at=int(NOW) + HOUR_S, client_time=int(NOW) - 2 * HOUR_S),
        "client_expires_soon", ("alarm", "chain", "alpha")),
    "a light client near its end": (use_light_client, "client_expires_soon", ("alarm", "client", "beta @ alpha")),
    "a light client that is over": (
        lambda hub: use_light_client(hub, expires_at=int(NOW) - 1), "light_client_expired", ("alarm", "client", "beta @ alpha")),
    "a certificate": (
        lambda hub: change(hub, chains, certificates=[{"name": "peer.pem", "not_after": int(NOW) + DAY_S}]),
        "certificate_ends", ("alarm", "chain", "alpha")),
    "a certificate that ended": (
        lambda hub: change(hub, chains, certificates=[{"name": "peer.pem", "not_after": int(NOW)}]),
        "certificate_ended", ("alarm", "chain", "alpha")),
    "a wallet": (mined, "runway_short", ("alarm", "chain", "alpha")),
    "an endpoint": (
        lambda hub: hub.add(endpoint_health, chain="alpha", url="http://127.0.0.1:1", since=NOW - 5, reason="busy 忙", seen_at=NOW),
        "endpoint_rests", ("alarm", "chain", "alpha")),
    "a lane that does not add up": (lambda hub: change(hub, lanes, executed=9), "not_conserved", ("alarm", "lane", "alpha → beta")),
    "more settled than delivered": (lambda hub: change(hub, lanes, settled=4), "not_conserved", ("alarm", "lane", "alpha → beta")),
    "more delivered than sent": (lambda hub: change(hub, lanes, final=2), "not_conserved", ("alarm", "lane", "alpha → beta")),
    "an operator that is away": (lambda hub: hub.operator("机构二", 4), "operator_silent", ("alarm", "operator", "机构二")),
    "a process that is down": (dead, "process_down", ("alarm", "process", "web")),
    "a recorder that is behind": (
        lambda hub: hub.add(evidence_queue, at=NOW - 31, kind="outcome", fields=b""), "evidence_behind", ("alarm", "evidence", "")),
}  # fmt: skip


def test_where_all_is_well_nothing_alarms(hub):
    light_client(hub)  # near its end, but no lane uses it
    change(hub, lanes, final=5)
    assert found(hub) == []


@pytest.mark.parametrize("case", CASES)
def test_each_cause_gives_one_alarm_that_is_explained(hub, case):
    cause, code, what = CASES[case]
    cause(hub)
    alarms = [alarm for alarm in found(hub) if alarm.name != "beta"]
    assert [(alarm.code, (alarm.kind, alarm.subject, alarm.name)) for alarm in alarms] == [(code, what)]
    assert explain(code).zh
    assert alarms[0].text.endswith((".", "忙"))
    shown = hub_status(hub.home, NOW)
    assert alarms[0].as_data() in shown["alarms"]
    assert f"{code}, for {alarms[0].party}" in render(shown, NOW)
    look = Look(hub.store.url, "hub", hub.home, development=True, clock=lambda: NOW)
    assert look.state()["alarms"][alarms[0].key]["code"] == code


@pytest.mark.parametrize("case", CASES)
def test_an_alarm_that_goes_on_changes_nothing_on_the_page(hub, case):
    CASES[case][0](hub)
    times = iter((NOW, NOW + 1))
    look = Look(hub.store.url, "hub", hub.home, development=True, clock=lambda: next(times))
    assert is_empty(difference(look.state()["alarms"], look.state()["alarms"]))


def test_two_of_a_kind_have_two_keys(hub):
    ends = [{"name": name, "not_after": int(NOW)} for name in ("a.pem", "b.pem")]
    change(hub, chains, certificates=ends)
    keys = [alarm.key for alarm in found(hub)]
    assert len(keys) == len(set(keys)) == 4


def test_a_retired_ledger_alarms_nobody(hub):
    change(hub, chains, state="retired", client_expires_at=1, certificates=[{"name": "x", "not_after": 1}])
    hub.add(endpoint_health, chain="alpha", url="u", since=NOW, reason="r", seen_at=NOW)
    mined(hub)
    assert found(hub) == []


def test_a_process_that_lives_and_keeps_failing_alarms(hub):
    import os

    dead(hub, pid=os.getpid(), started=start_time(os.getpid()))
    assert found(hub) == []
    dead(hub, pid=os.getpid(), started=start_time(os.getpid()), failing=True)
    assert [(alarm.code, alarm.text) for alarm in found(hub)] == [("process_down", "ended with exit code 2.")]
    assert "KEEPS FAILING (ended with exit code 2)" in render(hub_status(hub.home, NOW), NOW)


# --- what is read of large tables ---


def test_the_newest_quorum_is_that_of_all_claims(hub):
    with Reader(hub.store.url) as reader:
        assert newest_quorum(reader) == 0.0
    row = {
        "lane_id": LANE,
        "direction": 0,
        "first": 1,
        "head": b"",
        "height": 1,
        "block_hash": b"",
        "epoch": 1,
        "created_at": NOW,
    }
    for nonce, (state, at) in enumerate(
        (("attested", NOW - 5), ("attested", NOW - 9), ("open", None), ("void", NOW - 1))
    ):
        hub.add(claims, nonce=nonce, digest=bytes([nonce]) * 32, state=state, attested_at=at, **row)
    with Reader(hub.store.url) as reader:
        (all_of_them,) = reader.rows("SELECT MAX(attested_at) AS at FROM claims WHERE state = 'attested'")
        assert newest_quorum(reader) == all_of_them["at"] == NOW - 5


def test_spending_counts_what_was_mined_within_a_day(hub):
    for ago_s, state in (
        (3 * DAY_S, "mined"),
        (DAY_S + 1, "mined"),
        (7_200, "mined"),
        (10, "mined"),
        (5, "reverted"),
        (1, "sent"),
    ):
        mined(hub, sent_at=NOW - ago_s, fee=1_000, state=state)
    mined(hub, chain="beta", sent_at=NOW - 60, fee=7, gas_used=1)
    mined(
        hub, chain="beta", sent_at=NOW - 30, created_at=NOW - 1.5 * DAY_S, fee=7
    )  # waited for long before it was sent
    with Reader(hub.store.url) as reader:
        assert spent_per_day(reader, NOW) == {"alpha": 4_000 * DAY_S / 7_200, "beta": 21 * DAY_S / HOUR_S}
        assert spent_per_day(reader, NOW + 9 * DAY_S) == {}
