"""The status: heights, runway, expiry, conservation, the oldest message, what waits for whom."""

import json

import pytest

from relay.errors import BadInput, NotFound
from relay.home import Home
from relay.processes import Process, record
from relay.store.tables import endpoint_health, incidents, transactions, waits
from relay.views.status import hub_status
from relay.views.status_text import render, render_chain, render_chains, render_lanes, render_operators
from tests.support.filled_hub import LANE, NOW, FilledHub


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    yield hub
    hub.store.close()


@pytest.fixture
def busy(hub):
    """5 sent, 3 delivered (2 executed, 1 failed), 2 settled."""
    hub.chain("alpha", 1)
    hub.chain("beta", 2, consensus="development", balance="5", client_expires_at=0)
    hub.lane(final=5, claimed=4, attested=4, submitted=3, delivered=3, settled=2, executed=2, failed=1, final_height=9)
    for nonce in range(1, 6):
        hub.message(nonce, sent_at=NOW - 100 + nonce)
    return hub


def chain(data, name):
    return next(item for item in data["chains"] if item["name"] == name)


def test_no_hub(tmp_path):
    with pytest.raises(NotFound, match="no hub"):
        hub_status(Home(tmp_path / "none"))


def test_a_configuration_that_is_no_toml(hub):
    hub.home.config_file.write_text("name = [")
    with pytest.raises(BadInput):
        hub_status(hub.home)


def test_an_empty_hub(hub):
    data = hub_status(hub.home, NOW)
    assert (data["hub"], data["development"], data["chains"], data["lanes"], data["running"]) == (
        "hub",
        True,
        [],
        [],
        False,
    )
    text = render(data, NOW)
    assert "relayhub chain add" in text
    assert "delays are zero" in text
    assert "stopped (relayhub up)" in text


def test_a_ledger(busy):
    found = chain(hub_status(busy.home, NOW), "alpha")
    assert (found["height"], found["tip"], found["behind"]) == (10, 12, 2)
    assert found["trust"] == "committee"
    assert found["runway_days"] is None
    assert found["client_expires_in_s"] == 86_400
    assert found["tip_age_s"] == 1.0


@pytest.mark.parametrize(
    ("sent_at", "state", "runway"),
    [
        (NOW - 43_200, "mined", 10.0),  # 0.05 coins in half a day, and 1 coin is there
        (NOW - 60, "mined", 0.8),  # a rate is taken over an hour at least
        (NOW - 90_000, "mined", None),
        (NOW - 43_200, "sent", None),
    ],
)
def test_the_runway_follows_from_what_was_spent(busy, sent_at, state, runway):
    common = {
        "chain": "alpha",
        "purpose": "deliver",
        "lane_id": LANE,
        "first": 1,
        "last": 1,
        "target": b"",
        "data": b"",
    }
    for gas_used in (None, 10**6):
        busy.add(
            transactions, **common, gas=10**6, gas_used=gas_used, fee=str(25 * 10**9), sent_at=sent_at, state=state,
            created_at=NOW,
        )  # fmt: skip
    assert chain(hub_status(busy.home, NOW), "alpha")["runway_days"] == runway


def test_more_was_spent_than_an_integer_of_the_database_holds(busy):
    for number in range(3):
        busy.add(
            transactions, chain="alpha", purpose="deliver", lane_id=LANE, first=number, last=number, target=b"", data=b"",
            gas=10**8, gas_used=10**8, fee=str(10**11), sent_at=NOW - 43_200, state="mined", created_at=NOW,
        )  # fmt: skip
    assert 3 * 10**19 > 2**63
    assert chain(hub_status(busy.home, NOW), "alpha")["runway_days"] == 0.0  # minutes


def test_a_ledger_without_verifiable_consensus_says_so(busy):
    found = chain(hub_status(busy.home, NOW), "beta")
    assert (found["trust"], found["runway_days"], found["client_expires_in_s"]) == ("development", None, None)


def test_trouble_at_an_endpoint_is_shown(busy):
    busy.add(endpoint_health, chain="alpha", url="http://node", since=NOW - 5, seen_at=NOW, reason="does not answer")
    data = hub_status(busy.home, NOW)
    assert chain(data, "alpha")["endpoint_trouble"] == [
        {"url": "http://node", "since": NOW - 5, "reason": "does not answer"}
    ]
    assert "does not answer" in render(data, NOW)


def test_a_lane(busy):
    lane = hub_status(busy.home, NOW)["lanes"][0]
    assert (lane["sent"], lane["delivered"], lane["settled"], lane["backlog"], lane["in_flight"]) == (5, 3, 2, 2, 3)
    assert lane["lane_id"] == "0x" + LANE.hex()
    assert lane["head_height"] == 9
    assert lane["conserved"]


def test_the_oldest_message_is_the_first_that_is_not_settled(busy):
    assert hub_status(busy.home, NOW)["lanes"][0]["oldest_age_s"] == 97.0


def test_a_settled_lane_has_no_oldest_message(hub):
    hub.chain("alpha", 1)
    hub.lane(final=1, delivered=1, settled=1, executed=1)
    hub.message(1)
    assert hub_status(hub.home, NOW)["lanes"][0]["oldest_age_s"] is None


@pytest.mark.parametrize("counts", [{"executed": 3}, {"failed": 0}, {"settled": 4, "final": 4}])
def test_a_lane_that_does_not_conserve_is_named(hub, counts):
    hub.chain("alpha", 1)
    hub.lane(**{"final": 5, "delivered": 3, "settled": 2, "executed": 2, "failed": 1, **counts})
    data = hub_status(hub.home, NOW)
    assert not data["lanes"][0]["conserved"]
    assert "NOT CONSERVED" in render(data, NOW)


def test_what_waits_for_whom(busy):
    common = {"text": "Two of three have signed.", "since": NOW - 60, "next_at": NOW + 2}
    busy.add(waits, kind="lane", id=LANE.hex(), code="operators_silent", party="operators org-3", **common)
    busy.add(waits, kind="back", id=LANE.hex(), code="wallet_empty", party="chain alpha", **common)
    busy.add(waits, kind="chain", id="beta", code="endpoint_unreachable", party="chain beta", **common)
    busy.add(waits, kind="chain", id="elsewhere", code="chain_stalled", party="nobody", **common)
    data = hub_status(busy.home, NOW)
    assert {wait["code"] for wait in data["lanes"][0]["waits"]} == {"wallet_empty", "operators_silent"}
    assert [wait["code"] for wait in chain(data, "beta")["waits"]] == ["endpoint_unreachable"]
    assert chain(data, "alpha")["waits"] == []
    text = render(data, NOW)
    assert "lane alpha → beta: operators_silent, for operators org-3, since 1 min; next look in 2 s." in text
    assert "lane alpha → beta (way back): wallet_empty" in text


def test_operators_and_silence(hub):
    hub.operator("org-1", 1, seen_at=NOW - 2, signed_at=NOW - 3)
    hub.operator("org-2", 2, seen_at=NOW - 11)
    hub.operator("org-3", 3, seen_at=NOW - 11, state="struck")
    data = hub_status(hub.home, NOW)
    assert [operator["silent"] for operator in data["operators"]] == [False, True, False]
    text = render_operators(data["operators"], NOW)
    assert "SILENT" in text
    assert "struck" in text
    assert "never" in text


def test_processes_are_those_that_live(hub):
    hub.home.run.mkdir()
    record(hub.home, [Process("watch", 1, 5.0, 2, "ended with exit code 1")], ready=True)
    data = hub_status(hub.home, NOW)
    assert data["processes"][0]["alive"] is False
    assert data["ready"] is False
    assert "down (ended with exit code 1) (start 3)" in render(data, NOW)


def test_incidents_are_shown(hub):
    hub.add(incidents, at=NOW - 60, name="misbehaviour", subject="chain alpha", text="Two headers.", evidence=b"")
    assert "misbehaviour, chain alpha. Two headers." in render(hub_status(hub.home, NOW), NOW)


def test_everything_is_plain_json(busy):
    busy.operator("org-1", 1)
    json.dumps(hub_status(busy.home, NOW))


def test_texts_of_ledgers_and_lanes(busy):
    data = hub_status(busy.home, NOW)
    assert "eip155:1" in render_chains(data["chains"])
    assert "0x" + LANE.hex() in render_lanes(data["lanes"])
    assert "runway_days" in render_chain(data["chains"][0], NOW)
    assert render_chains([]).startswith("No ledgers")
    assert render_lanes([]).startswith("No lanes")
    assert render_operators([], NOW).startswith("No operators")
