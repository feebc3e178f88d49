"""The status page's data: deltas, the tally of the last hour, the shared look, the routes and the files."""

import asyncio
import json
import time
from itertools import pairwise

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from relay import tokens
from relay.errors import BadInput
from relay.store.reader import Reader
from relay.store.tables import attestations, claims, milestones, transactions, waits
from relay.views.overview import overview
from relay.views.since import first_since
from relay.web.application import create_app
from relay.web.page import board as board_module
from relay.web.page.board import Board
from relay.web.page.deltas import difference, is_empty, total
from relay.web.page.look import Look
from relay.web.page.tally import EVERY_LANE, Tally
from tests.support.filled_hub import LANE, NOW, FilledHub

OTHER = b"\x02" * 32
names = st.sampled_from("abc")
states = st.dictionaries(
    names, st.dictionaries(names, st.fixed_dictionaries({"x": st.integers(0, 2), "y": st.integers(0, 2)}))
)


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane(final=5, claimed=4, attested=4, submitted=3, delivered=3, settled=2, executed=2, failed=1, final_height=9)
    for nonce in range(1, 6):
        hub.message(nonce, sent_at=NOW - 100)
    yield hub
    hub.store.close()


def read(hub):
    with Reader(hub.store.url) as reader:
        return overview(reader, NOW)


def tally(hub, now=NOW, kept=None):
    kept = kept or Tally()
    with Reader(hub.store.url) as reader:
        kept.advance(reader, now, budget_s=60)
    assert kept.complete
    return kept


# --- deltas ---


def applied(state, delta):
    """What the page's script does with a delta (static/feed.js)."""
    state = {section: dict(items) for section, items in state.items()}
    for section, items in delta["gone"].items():
        for item in items:
            state.get(section, {}).pop(item, None)
    for section, items in delta["changed"].items():
        for item, fields in items.items():
            state.setdefault(section, {})[item] = {**state.get(section, {}).get(item, {}), **fields}
    return {section: items for section, items in state.items() if items}


def full(state):
    return {section: items for section, items in state.items() if items}


@given(st.lists(states, min_size=2, max_size=5))
def test_the_sum_of_deltas_leads_from_any_state_to_the_last(seen):
    deltas = [difference(old, new) for old, new in pairwise(seen)]
    assert applied(seen[0], total(deltas)) == full(seen[-1])
    state = seen[0]
    for delta in deltas:
        state = applied(state, delta)
    assert state == full(seen[-1])
    assert is_empty(difference(seen[-1], seen[-1]))


def test_a_delta_has_nothing_but_what_changed():
    old = {"lanes": {"a": {"sent": 1, "state": "active"}, "b": {"sent": 1}}}
    new = {"lanes": {"a": {"sent": 2, "state": "active"}, "c": {"sent": 3}}}
    assert difference(old, new) == {
        "gone": {"lanes": ["b"]},
        "changed": {"lanes": {"a": {"sent": 2}, "c": {"sent": 3}}},
    }


# --- the overview ---


def test_a_lane_and_a_ledger(hub):
    lane = read(hub)["lanes"][LANE.hex()]
    assert (lane["sent"], lane["delivered"], lane["settled"], lane["backlog"], lane["in_flight"]) == (5, 3, 2, 2, 3)
    assert (lane["conserved"], lane["oldest_at"], lane["head_height"], lane["expires_at"]) == (True, NOW - 100, 9, 0)
    chain = read(hub)["chains"]["alpha"]
    assert (chain["height"], chain["tip"], chain["simulated"], chain["expires_at"]) == (
        10,
        12,
        False,
        int(NOW) + 86_400,
    )


def test_two_looks_at_a_hub_where_nothing_happens_are_equal(hub):
    hub.operator("org-1", 3, seen_at=NOW, signed_at=NOW)
    hub.add(
        waits,
        kind="lane",
        id=LANE.hex(),
        code="lane_paused",
        party="officers",
        text="Paused.",
        since=NOW - 9,
        next_at=NOW,
        attempts=0,
    )
    with Reader(hub.store.url) as reader:
        assert is_empty(difference(overview(reader, NOW), overview(reader, NOW + 1)))


def test_operators_heights_and_what_they_left_unsigned(hub):
    for number in (3, 4):
        hub.operator(f"org-{number}", number, seen_at=NOW, signed_at=NOW)
    common = {"lane_id": LANE, "first": 1, "head": LANE, "block_hash": LANE, "epoch": 1}
    hub.add(
        claims,
        **common,
        id=1,
        direction=0,
        nonce=1,
        height=7,
        digest=b"\x01" * 32,
        state="attested",
        created_at=NOW - 60,
        attested_at=NOW,
    )
    hub.add(
        claims, **common, id=2, direction=1, nonce=1, height=8, digest=b"\x02" * 32, state="open", created_at=NOW - 60
    )
    hub.add(
        claims, **common, id=3, direction=0, nonce=2, height=9, digest=b"\x03" * 32, state="open", created_at=NOW - 1
    )
    for claim, number in ((1, 3), (1, 4), (2, 3)):
        hub.add(attestations, claim_id=claim, signer=bytes([number]) * 20, signature=b"", at=NOW)
    found = read(hub)["operators"]
    assert (found["org-3"]["heights"], found["org-3"]["unsigned"]) == ({"alpha": 7, "beta": 8}, 0)
    assert (found["org-4"]["heights"], found["org-4"]["unsigned"]) == ({"alpha": 7}, 1), (
        "a claim of a second ago is not overdue"
    )
    assert not found["org-3"]["silent"]


def test_what_was_spent_gives_the_runway(hub):
    common = {
        "chain": "alpha",
        "purpose": "deliver",
        "lane_id": LANE,
        "first": 1,
        "last": 1,
        "target": b"",
        "data": b"",
        "state": "mined",
    }
    for day in (2, 1, 0):
        at = NOW - 43_200 - day * 86_400
        hub.add(transactions, **common, gas=10**6, fee=str(5 * 10**10), sent_at=at, created_at=at)
    look = Look(hub.store.url, "hub", None, development=True, clock=lambda: NOW)
    chains = look.state()["chains"]
    assert chains["alpha"]["runway_s"] == pytest.approx(10 * 86_400, rel=0.01), "0.05 coins in half a day, of 1 coin"
    assert chains["beta"]["runway_s"] is None


# --- the tally ---


def test_messages_are_counted_by_minute_and_timed(hub):
    hub.milestone("delivered", 1, NOW - 7_200)
    hub.milestone("final", 5, NOW - 90)
    hub.milestone("delivered", 3, NOW - 80)
    hub.milestone("settled", 2, NOW - 20)
    found = tally(hub)
    figures = found.figures(LANE)
    assert figures["delivered_in_hour"] == 2, "the first came before the hour"
    assert figures["delivered_p50"] == pytest.approx(20, rel=0.03)
    assert figures["settled_p95"] == pytest.approx(80, rel=0.03)
    series = found.series(NOW)
    assert (sum(series["final"]), sum(series["delivered"]), sum(series["settled"])) == (5, 2, 2)
    assert len(series["minutes"]) == 60
    assert series["delivered"][series["minutes"].index(int((NOW - 80) // 60) * 60)] == 2
    assert series == found.series(NOW, LANE)
    assert found.series(NOW, OTHER)["delivered"] == [0] * 60
    assert found.series(NOW, OTHER)["delivered_p50"] == [None] * 60


def test_each_look_counts_only_what_is_new_and_forgets_what_is_old(hub):
    hub.milestone("delivered", 1, NOW - 60)
    found = tally(hub)
    tally(hub, NOW, found)
    hub.milestone("delivered", 3, NOW)
    tally(hub, NOW + 1, found)
    assert found.figures(LANE)["delivered_in_hour"] == 3
    assert tally(hub, NOW + 3_599, found).figures(LANE)["delivered_in_hour"] == 2
    assert tally(hub, NOW + 7_200, found).figures(LANE) == Tally().figures()
    assert tally(hub, NOW + 7_200, found).figures(EVERY_LANE) == Tally().figures()


def test_of_a_large_batch_some_messages_stand_for_all(hub):
    for nonce in range(6, 101):
        hub.message(nonce, sent_at=NOW - 100 + (nonce > 50) * 90)
    hub.milestone("delivered", 100, NOW)
    figures = tally(hub).figures(LANE)
    assert (figures["delivered_p50"], figures["delivered_p95"]) == (
        pytest.approx(100, rel=0.03),
        pytest.approx(100, rel=0.03),
    )
    assert tally(hub).series(NOW)["delivered"][-1] == 100


def test_a_milestone_of_another_clock_is_not_counted(hub):
    hub.milestone("delivered", 1, NOW + 86_400)
    hub.milestone("delivered", 3, NOW)
    assert tally(hub).figures(LANE)["delivered_in_hour"] == 2


def test_the_beginning_of_the_hour_is_found_among_many(hub):
    for number in range(100):
        hub.milestone("final", number + 1, NOW - 100 + number)
    with Reader(hub.store.url) as reader:
        assert first_since(reader, "milestones", "at", NOW - 30) == 71
        assert first_since(reader, "milestones", "at", NOW - 1_000) == 1
        assert first_since(reader, "milestones", "at", NOW + 1_000) == 101


# --- the board ---


class Looked:
    """A look that counts, over a state that a test changes."""

    def __init__(self):
        self.times = 0
        self.state = {"lanes": {"a": {"sent": 0}}}
        self.error = None

    def __call__(self):
        self.times += 1
        if self.error:
            raise self.error
        return {
            section: {item: dict(fields) for item, fields in items.items()} for section, items in self.state.items()
        }


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(board_module, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(board_module, "HEARTBEAT_S", 0.2)


def parsed(event):
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    return fields["event"], json.loads(fields["data"])


async def until(events, kind):
    async with asyncio.timeout(60):
        async for event in events:
            name, data = parsed(event)
            if name == kind:
                return data
    raise AssertionError(kind)


def test_viewers_share_looks_and_get_deltas(fast):
    async def run():
        looked = Looked()
        board = Board(looked)
        first = orjson.loads(await board.state())
        assert first["state"] == looked.state
        viewers = [board.events(first["id"]) for _ in range(50)]
        looked.state["lanes"]["a"]["sent"] = 7
        found = await asyncio.gather(*(until(viewer, "delta") for viewer in viewers))
        assert {json.dumps(item["changed"]) for item in found} == {'{"lanes": {"a": {"sent": 7}}}'}
        assert board.viewers == 50
        assert looked.times < 50
        for viewer in viewers:
            await viewer.aclose()
        assert board.viewers == 0
        await asyncio.sleep(0.1)
        times = looked.times
        await asyncio.sleep(0.2)
        assert looked.times == times, "nobody watches, so nobody looks"

    asyncio.run(run())


def test_who_was_away_gets_the_sum_or_loads_again(fast, monkeypatch):
    monkeypatch.setattr(board_module, "DELTAS_KEPT", 5)

    async def run():
        looked = Looked()
        board = Board(looked)
        ids = []
        for sent in range(1, 9):
            looked.state = {"lanes": {"a": {"sent": sent}, f"only-{sent}": {"sent": 0}}}
            ids.append(orjson.loads(await board.state())["id"])
            await asyncio.sleep(0.03)
        delta = await until(board.events(ids[-3]), "delta")
        assert delta["changed"] == {"lanes": {"a": {"sent": 8}, "only-8": {"sent": 0}}}
        assert set(delta["gone"]["lanes"]) == {"only-6", "only-7"}
        for stale in (ids[0], "", "nonsense", "00000000-8", ids[-1].partition("-")[0] + "-99", "é-٣"):
            assert await until(board.events(stale), "reload") == {}

    asyncio.run(run())


def test_a_quiet_hub_sends_heartbeats(fast):
    async def run():
        board = Board(Looked())
        events = board.events(orjson.loads(await board.state())["id"])
        assert [parsed(await anext(events))[0] for _ in range(3)] == ["beat"] * 3
        await events.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(
    "error", [BadInput("The database cannot be read.", "Run `relayhub doctor`."), RuntimeError("secret")]
)
def test_a_look_that_fails_is_told_and_is_over_by_itself(fast, error):
    async def run():
        looked = Looked()
        board = Board(looked)
        events = board.events(orjson.loads(await board.state())["id"])
        looked.error = error
        told = (await until(events, "delta"))["changed"]["trouble"]["look"]["text"]
        assert "secret" not in told
        assert told.endswith(".")
        looked.error = None
        assert (await until(events, "delta"))["gone"] == {"trouble": ["look"]}
        await events.aclose()

    asyncio.run(run())


# --- the routes ---


class Site:
    """The application behind no socket."""

    def __init__(self, hub):
        self.app = create_app(hub.store, "hub", development=True, clock=lambda: NOW, home=hub.home)

    def get(self, path, **headers):
        async def run():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://hub", timeout=60) as client:
                return await client.get(path, headers=headers)

        return asyncio.run(run())


@pytest.fixture
def site(hub):
    return Site(hub)


@pytest.mark.parametrize(
    "path", ["/", "/page", "/page/", "/page/static/main.js", "/page/static/vendor/cytoscape.LICENSE"]
)
def test_files_have_a_strict_policy(site, path):
    answer = site.get(path)
    assert answer.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = site.get(path, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.js", "../page.py", "%2e%2e/page.py", "vendor", "vendor/../../page.py", ""])
def test_no_other_file_is_served(site, name):
    answer = site.get(f"/page/static/{name}")
    assert answer.status_code == 404
    assert b"APIRouter" not in answer.content


def test_the_state_says_whose_hub_it_is(site):
    answer = site.get("/page/state")
    data = answer.json()
    assert data["now"] == NOW
    assert data["state"]["hub"]["hub"]["name"] == "hub"
    assert data["state"]["hub"]["hub"]["development"]
    assert data["state"]["evidence"]["log"] == {
        "there": False,
        "waiting": 0,
        "waiting_since": 0,
        "anchors": [],
        "witnesses": {},
    }
    assert set(data["state"]["lanes"]) == {LANE.hex()}
    assert answer.headers["cache-control"] == "no-store"


def test_a_trace_says_what_the_message_says(site):
    message = site.get("/page/trace/0xc002cccc").json()["messages"][0]
    assert (message["nonce"], message["says"], message["stage"]) == (2, "hi", "settled")
    assert [stage["stage"] for stage in message["stages"]][:2] == ["sent", "final"]
    assert site.get("/page/trace/ffffffff").status_code == 404
    assert site.get("/page/trace/ff").status_code == 400
    assert site.get("/page/trace/%E4%BD%A0%E5%A5%BD").status_code == 400
    assert site.get("/page/trace/c0").json()["title"] == "BadInput"


def test_numbers_that_a_script_would_round_are_text(hub, site):
    hub.message(6, expires_at=2**64 - 1, gas_limit=2**53)
    message = site.get("/page/trace/c006cccc").json()["messages"][0]
    assert (message["expires_at"], message["gas_limit"]) == (str(2**64 - 1), str(2**53))


def test_series_and_reasons(site):
    assert len(site.get("/page/series/all").json()["minutes"]) == 60
    assert site.get(f"/page/series/{LANE.hex()}").status_code == 200
    assert site.get("/page/series/nonsense").status_code == 400
    assert site.get("/page/reason/wallet_empty").json()["zh"]
    assert site.get("/page/reason/no-such-code").status_code == 404


def test_data_is_for_those_who_may_read(hub, site):
    made = tokens.create(hub.store, tokens.Role.AUDITOR, "auditor", now=NOW)
    for path in (
        "/page/state",
        "/page/events",
        "/page/trace/c002cccc",
        "/page/series/all",
        "/page/reason/wallet_empty",
    ):
        assert site.get(path).status_code == 401
        assert site.get(path, authorization="Bearer rht_wrong").status_code == 401
    assert site.get("/page/state", authorization=f"Bearer {made.text}").status_code == 200
    assert site.get("/").status_code == 200


def test_a_look_takes_the_time_that_it_is_given(hub):
    row = {"lane_id": LANE, "stage": "final", "at": NOW - 100, "height": 0, "reference": b""}
    with hub.store.write() as connection:
        connection.execute(insert(milestones), [row | {"nonce": number} for number in range(1, 3_001)])
    kept = Tally()
    with Reader(hub.store.url) as reader:
        kept.advance(reader, NOW, budget_s=0)
        assert not kept.complete
        began = time.monotonic()
        kept.advance(reader, NOW, budget_s=60)
        assert kept.complete
        assert time.monotonic() - began < 60
    assert sum(kept.series(NOW)["final"]) == 3_000
