"""What the public interface shows: the fields of the command line, in pages."""

import itertools
import json

import pytest

from relay.store.tables import incidents, waits
from relay.views.messages import IN_FLIGHT, OUTCOMES, STATES, Wanted, list_messages, range_of, stage_of
from relay.views.status import hub_status
from relay.views.trace import trace
from relay.web.api.description import text
from tests.support.api_world import ApiWorld, problem
from tests.support.filled_hub import LANE, NOW, RECEIVER, SENDER, message_id, transaction


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = ApiWorld(tmp_path_factory.mktemp("reads"))
    world.hub.lane(lane_id=b"\xab" * 32, source="beta", destination="alpha", final=2, claimed=2)
    for nonce in (1, 2):
        world.hub.message(
            nonce,
            lane_id=b"\xab" * 32,
            message_id=bytes([0xE0, nonce]) + b"\xee" * 30,
            sender=RECEIVER,
            sent_at=NOW - 40,
            transaction=transaction(5, nonce),
        )
    for number in range(3):
        wait = {"code": "c", "party": "p", "text": "t", "since": number, "next_at": 0.0, "attempts": 0}
        world.hub.add(waits, kind="chain", id=f"chain-{number}", **wait)
        world.hub.add(incidents, at=number, name="n", subject="s", text=f"{number}", evidence=b"")
    world.hub.operator("org-1", 9)
    yield world
    world.close()


def pages(world, path, limit, **query):
    """Every item, page by page, with a check that no page is too long."""
    cursor, items = {}, []
    for _ in range(100):
        answer = world.get(path, limit=limit, **query, **cursor).json()
        assert len(answer["items"]) <= limit
        items += answer["items"]
        if answer["next_cursor"] is None:
            return items
        cursor = {"cursor": answer["next_cursor"]}
    raise AssertionError("no end")


def test_it_shows_what_the_command_line_shows(world):
    status = json.loads(json.dumps(hub_status(world.hub.home, NOW)))
    assert world.get("/v1/status").json() == status
    assert pages(world, "/v1/chains", 500) == status["chains"]
    assert pages(world, "/v1/lanes", 500) == status["lanes"]
    assert pages(world, "/v1/operators", 500) == status["operators"]
    assert pages(world, "/v1/alarms", 1) == status["alarms"] != []
    assert world.get("/v1/chains/alpha").json() == status["chains"][0]
    assert world.get(f"/v1/lanes/{LANE.hex()}").json() == status["lanes"][0]
    identifier = message_id(1).hex()
    found = json.loads(json.dumps(trace(world.hub.home, identifier)))
    assert world.get(f"/v1/messages/0x{identifier}").json()["items"] == found
    assert world.get(f"/v1/messages/{transaction(2, 2).hex()}").json()["items"][0]["nonce"] == 2


@pytest.mark.parametrize(
    ("path", "count"),
    [("chains", 2), ("lanes", 2), ("messages", 5), ("waits", 3), ("incidents", 3), ("messages?state=in_flight", 4)],
)
def test_pages_of_every_size_show_the_same(world, path, count):
    path, _, filters = path.partition("?")
    query = dict([filters.split("=")]) if filters else {}
    whole = pages(world, f"/v1/{path}", 500, **query)
    assert len(whole) == count
    for limit in (1, 2, 3):
        assert pages(world, f"/v1/{path}", limit, **query) == whole


def test_messages_come_newest_first_and_of_a_lane_in_order(world):
    sent = [item["sent_at"] for item in pages(world, "/v1/messages", 2)]
    assert sent == sorted(sent, reverse=True)
    lane = pages(world, "/v1/messages", 2, lane="0x" + LANE.hex())
    assert [item["nonce"] for item in lane] == [1, 2, 3]
    assert [item["outcome"] for item in lane] == ["executed", "failed", None]
    assert [item["stage"] for item in lane] == ["settled", "delivered", "final"]


FILTERS = {
    "lane": ("0x" + LANE.hex(), "0x" + "ab" * 32, "0x" + "11" * 32),
    "state": (None, *STATES),
    "outcome": (None, *OUTCOMES),
    "sender": (None, "0x" + SENDER.hex(), "0x" + RECEIVER.hex()),
    "since": (None, NOW - 39.5, NOW - 38),
    "until": (None, NOW - 38),
}


def fits(item, query):
    settled = item["stage"] == "settled"
    return (
        (query.get("lane") in (None, item["lane_id"]))
        and (query.get("state") in (None, item["stage"]) or (query.get("state") == IN_FLIGHT and not settled))
        and (query.get("outcome") in (None, item["outcome"]))
        and (query.get("sender") in (None, item["sender"]))
        and item["sent_at"] >= query.get("since", 0)
        and item["sent_at"] < query.get("until", 1e12)
    )


def test_filters_in_every_pair_agree_with_a_look_at_everything(world):
    whole = pages(world, "/v1/messages", 500)
    for first, second in itertools.combinations(FILTERS, 2):
        for one, two in itertools.product(FILTERS[first], FILTERS[second]):
            query = {name: value for name, value in ((first, one), (second, two)) if value is not None}
            found = {item["message_id"] for item in pages(world, "/v1/messages", 2, **query)}
            assert found == {item["message_id"] for item in whole if fits(item, query)}, query


def test_a_states_range_and_a_messages_stage_agree(world):
    with_counters = {"final": 9, "claimed": 8, "attested": 8, "submitted": 7, "delivered": 5, "outcome_claimed": 4}
    lane = with_counters | {"outcome_attested": 4, "settle_submitted": 2, "settled": 1}
    for nonce in range(1, 12):
        states = [s for s in STATES if s != IN_FLIGHT and range_of(lane, s)[0] < nonce <= range_of(lane, s)[1]]
        assert states == [stage_of(lane, nonce)]


def test_a_page_looks_at_so_many_rows_and_goes_on_behind_its_cursor(world, monkeypatch):
    from relay.store.reader import Reader

    monkeypatch.setattr("relay.views.messages.SCANNED_MAX", 2)
    with Reader(world.hub.store.url) as reader:
        cursor, found, rounds = None, [], 0
        while rounds == 0 or cursor is not None:
            items, cursor = list_messages(reader, Wanted(lane=LANE, since=NOW - 39.5, until=NOW - 38.5), 10, cursor)
            found, rounds = found + items, rounds + 1
    assert [item["nonce"] for item in found] == [1]
    assert rounds > 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("chains/nothing", 404),
        ("chains/" + "%00", 404),
        ("lanes/00000000", 404),
        ("lanes/a", 422),
        ("messages/c0ffee", 404),
        ("messages/" + message_id(1).hex()[:2] + "0", 422),
        ("messages?limit=0", 422),
        ("messages?sate=settled", 422),
        ("waits?cursor=0&=null", 422),
        ("status?x=", 422),
        ("messages?limit=501", 422),
        ("messages?limit=x", 422),
        ("messages?cursor=zz", 422),
        ("messages?cursor=" + "00" * 40, 404),
        ("messages?lane=0x12", 422),
        ("messages?state=done", 422),
        ("messages?since=nan", 422),
        ("messages?since=inf", 422),
        ("lanes?cursor=" + "00" * 32, 404),
        ("operations/op_" + "0" * 24, 404),
        ("nothing", 404),
    ],
)
def test_what_cannot_be_shown_is_a_problem_in_one_sentence(world, path, status):
    problem(world.get(f"/v1/{path}"), status)


def test_cursors_with_wild_numbers_end_the_list_and_break_nothing(world):
    for digits in ("f" * 96, "7ff8000000000000" + "00" * 40, "7ff0000000000000" + "ff" * 40, "0" * 96):
        assert world.get("/v1/messages", cursor=digits).status_code == 200
    for digits in ("f" * 80, "0" * 80):
        assert world.get("/v1/messages", cursor=digits, lane="0x" + LANE.hex()).status_code == 200


def test_another_method_is_not_allowed(world):
    answer = world.ask("PUT", "/v1/chains")
    assert problem(answer, 405) == "MethodNotAllowed"
    assert answer.headers["allow"]


def test_the_kept_description_is_this_one():
    from pathlib import Path

    kept = Path(__file__).parents[3] / "docs" / "openapi.json"
    assert kept.read_text() == text(), "run: python -m relay.web.api.description > docs/openapi.json"


def test_the_typed_client_reads_everything(world):
    with world.client() as hub:
        assert [chain.name for chain in hub.chains()] == ["alpha", "beta"]
        assert hub.chain("beta").chain_id == "eip155:2"
        assert [lane.source for lane in hub.lanes(source="beta")] == ["beta"]
        assert hub.lane(LANE.hex()).settled == 1
        assert len(list(hub.messages(lane="0x" + LANE.hex()))) == 3
        assert hub.trace(message_id(2).hex())[0].outcome.status == "failed"
        assert [operator.name for operator in hub.operators()] == ["org-1"]
        assert len(list(hub.waits())) == len(list(hub.incidents())) == 3
        assert [alarm.code for alarm in hub.alarms()] == ["operator_silent"]
        assert "evm" in [adapter.name for adapter in hub.adapters()]
        assert hub.status().hub == "hub"
