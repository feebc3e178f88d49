"""The hub's HTTP interface: what it offers, how long it waits, what it takes, and how it says no."""

import asyncio
import time

import httpx
import orjson
import pytest
from sqlalchemy import select, update

from light_clients.crypto.secp256k1 import address_of, sign
from relay.errors import BadInput, HubError, NotNow
from relay.store.tables import attestations, claims, operators
from relay.web import waiting
from relay.web.application import ATTESTATIONS_MAX, BODY_MAX_BYTES, create_app
from relay.web.server import choose_port, listen
from schemas.primitives import hex0x
from tests.support.memory_hub import NAMES, VERIFIER, MemoryHub


class World:
    """A memory hub behind its HTTP application, without a socket."""

    def __init__(self, folder):
        self.hub = MemoryHub(folder)
        self.store = self.hub.context.store
        self.now = time.time()
        self.app = create_app(self.store, "hub", development=True, clock=lambda: self.now)
        self.propose()

    def propose(self):
        """Each lane gets one more claim."""
        for source, destination in self.hub.lane_ids:
            self.hub.send(source, destination, b"hello")
        self.hub.mine()
        for name in NAMES:
            self.hub.work("chain", name)
        for lane_id in self.hub.lane_ids.values():
            self.hub.work("lane", lane_id.hex())

    def session(self, steps):
        """Run steps of a client in one event loop."""

        async def run():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://hub", timeout=60) as client:
                return await steps(client)

        return asyncio.run(run())

    def get(self, path, **query):
        return self.session(lambda client: client.get(path, params=query))

    def post(self, content):
        return self.session(lambda client: client.post("/v1/attestations", content=content))

    def claims(self, **query):
        answer = self.get("/v1/claims", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["claims"]

    def rows(self, table):
        with self.store.read() as connection:
            return connection.execute(select(table)).all()

    def change(self, statement):
        with self.store.write() as connection:
            connection.execute(statement)

    def attestation(self, name="one"):
        row, key = self.rows(claims)[0], self.hub.signers[name]
        item = next(item for item in self.claims() if item["cursor"] == row.id)
        return {
            "claim": item["claim"],
            "epoch": "1",
            "signer": hex0x(address_of(key)),
            "signature": hex0x(sign(key, row.digest)),
        }

    def signer(self, name):
        return hex0x(address_of(self.hub.signers[name]))


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr("relay.attestations._wake_lane", lambda _: None)
    world = World(tmp_path)
    yield world
    world.hub.close()


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """One world for the tests that change nothing."""
    world = World(tmp_path_factory.mktemp("still"))
    yield world
    world.hub.close()


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert "Traceback" not in answer.text
    assert body["detail"].endswith(".")
    return body["title"]


def test_open_claims_come_in_order_with_the_place_where_they_are_judged(still):
    items = still.claims()
    assert [item["cursor"] for item in items] == [row.id for row in still.rows(claims)]
    item, row = items[0], still.rows(claims)[0]
    assert item["claim"]["lane_id"] == hex0x(row.lane_id)
    assert item["claim"]["nonce"] == "1"
    assert (item["epoch"], item["suite"], item["place"]["epoch"]) == ("1", "evm", "1")
    source = next(names[0] for names, lane_id in still.hub.lane_ids.items() if bytes(lane_id) == row.lane_id)
    verifying = still.hub.ledgers["beta" if source == "alpha" else "alpha"]
    assert item["place"]["chain"] == verifying.word.hex0x()
    assert item["place"]["gateway"] == hex0x(verifying.gateway.address)
    assert item["place"]["verifier"] == hex0x(VERIFIER)


def test_the_cursor_and_the_limit_page_through_the_claims(still):
    first = still.claims(limit=1)
    assert len(first) == 1
    rest = still.claims(after=first[0]["cursor"])
    assert [item["cursor"] for item in rest] == [row.id for row in still.rows(claims)][1:]
    assert still.claims(after=rest[-1]["cursor"]) == []


def test_claims_that_are_not_open_are_not_offered(world):
    world.change(update(claims).where(claims.c.id == world.rows(claims)[0].id).values(state="void"))
    assert len(world.claims()) == 1


def test_waiters_of_a_long_poll_get_a_claim_when_it_comes_and_share_the_looks(world, monkeypatch):
    looks = []
    look = waiting.NewestClaim.look
    monkeypatch.setattr(waiting.NewestClaim, "look", lambda self: looks.append(time.monotonic()) or look(self))
    after = world.rows(claims)[-1].id

    async def steps(client):
        begun = time.monotonic()
        polls = [asyncio.create_task(client.get("/v1/claims", params={"after": after, "wait": 25})) for _ in range(8)]
        await asyncio.sleep(0.3)
        assert not any(poll.done() for poll in polls)
        await asyncio.to_thread(world.propose)
        return [answer.json()["claims"] for answer in await asyncio.gather(*polls)], time.monotonic() - begun

    answers, took_s = world.session(steps)
    assert all(answer[0]["cursor"] == after + 1 for answer in answers)
    assert took_s < 25
    assert len(looks) <= took_s / waiting.LOOK_EVERY_S + 1  # eight waiters look no oftener than one


def test_a_long_poll_without_news_ends_empty_after_its_time(still):
    begun = time.monotonic()
    assert still.claims(after=still.rows(claims)[-1].id, wait=0.2) == []
    assert time.monotonic() - begun >= 0.2


def test_an_operator_that_was_down_is_offered_what_it_did_not_sign(world):
    last = world.rows(claims)[-1].id
    assert world.claims(after=last, signer=world.signer("one")) == []  # nothing is two seconds old
    world.now += 10
    assert len(world.claims(after=last, signer=world.signer("one"))) == 2
    assert world.claims(after=last, signer=world.signer("one")) == []  # not again at once
    world.now += 10
    world.post(orjson.dumps(world.attestation("one")))
    (again,) = world.claims(after=last, signer=world.signer("one"))
    assert again["cursor"] == world.rows(claims)[1].id
    assert len(world.claims(after=last, signer=world.signer("two"))) == 2


def test_strangers_are_offered_nothing_again_and_are_not_noted(still):
    still.now += 10  # the claims are old enough by now
    assert still.claims(after=still.rows(claims)[-1].id, signer="0x" + "11" * 20) == []
    assert all(row.seen_at == 0 for row in still.rows(operators))


def test_asking_is_noted_once_a_second(world):
    world.claims(signer=world.signer("one"))
    first = world.now
    world.now += 0.5
    world.claims(signer=world.signer("one"))
    assert {row.name: row.seen_at for row in world.rows(operators)} == {"one": first, "two": 0, "three": 0}
    world.now += 0.6
    world.claims(signer=world.signer("one"))
    assert next(row.seen_at for row in world.rows(operators) if row.name == "one") == world.now


@pytest.mark.parametrize(
    "query",
    [
        {"after": "-1"},
        {"after": "x"},
        {"after": str(2**63)},
        {"after": "١"},
        {"limit": "0"},
        {"limit": "1001"},
        {"wait": "25.1"},
        {"wait": "-1"},
        {"wait": "nan"},
        {"wait": "soon"},
        {"signer": "0xzz"},
        {"signer": ""},
        {"signer": "0x" + "11" * 65},
    ],
)
def test_a_query_that_cannot_be_is_refused_in_one_sentence(still, query):
    assert problem(still.get("/v1/claims", **query), 400) == "QueryInvalid"


def test_one_attestation_or_a_list_is_taken(world):
    answer = world.post(orjson.dumps(world.attestation("one")))
    assert answer.json() == {"verdicts": [{"result": "accepted"}]}
    answer = world.post(orjson.dumps([world.attestation("one"), world.attestation("two")]))
    assert answer.json() == {"verdicts": [{"result": "already"}, {"result": "accepted"}]}
    assert world.rows(claims)[0].state == "attested"


def test_a_refusal_is_told_by_its_name(world):
    item = world.attestation("one") | {"epoch": "2"}
    (verdict,) = world.post(orjson.dumps(item)).json()["verdicts"]
    assert (verdict["result"], verdict["name"]) == ("refused", "EpochMismatch")


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item | {"epoch": "x"},
        lambda item: item | {"extra": 1},
        lambda item: item | {"signature": "0x1"},
        lambda item: item | {"signer": "0x"},
        lambda item: item | {"claim": None},
        lambda item: item | {"claim": item["claim"] | {"direction": 2}},
        lambda item: item | {"claim": item["claim"] | {"nonce": "-1"}},
        lambda item: item | {"claim": item["claim"] | {"nonce": str(2**64)}},
        lambda item: item | {"claim": item["claim"] | {"head": "0x" + "00" * 32}},
        lambda item: item | {"claim": item["claim"] | {"lane_id": "0x11"}},
        lambda item: {key: item[key] for key in ("claim", "epoch", "signer")},
        lambda item: [item],
        lambda _: 7,
        lambda _: None,
    ],
)
def test_an_attestation_that_cannot_be_read_spoils_no_other(world, change):
    good = world.attestation("one")
    verdicts = world.post(orjson.dumps([change(world.attestation("two")), good])).json()["verdicts"]
    assert [verdict["result"] for verdict in verdicts] == ["refused", "accepted"]
    assert verdicts[0]["name"] == "AttestationMalformed"
    assert len(world.rows(attestations)) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"NaN", b"[" * 2000])
def test_a_body_that_is_no_json_is_refused(still, body):
    assert problem(still.post(body), 400) == "BodyNotJson"


def test_a_body_that_is_too_large_is_refused(still):
    assert problem(still.post(b"[" + b" " * BODY_MAX_BYTES + b"]"), 413) == "BodyTooLarge"


def test_too_many_attestations_are_refused(still):
    assert problem(still.post(orjson.dumps([{}] * (ATTESTATIONS_MAX + 1))), 413) == "TooMany"
    assert len(still.post(orjson.dumps([{}] * ATTESTATIONS_MAX)).json()["verdicts"]) == ATTESTATIONS_MAX


def test_what_is_not_there_is_a_problem_too(still):
    assert problem(still.get("/v2/claims"), 404) == "NotFound"
    assert problem(still.get("/v1/attestations"), 405) == "MethodNotAllowed"


def test_a_database_that_fails_shows_no_stack_trace(still, monkeypatch):
    def fail(*_, **__):
        raise BadInput("The database cannot be written: the disk is full.", "Free some disk space; nothing was lost.")

    monkeypatch.setattr("relay.web.application.collect", fail)
    assert problem(still.post(b"[]"), 503) == "BadInput"


def test_a_database_that_fails_while_operators_wait_is_told_to_each(still, monkeypatch):
    looks = []

    def fail(_):
        looks.append(1)
        raise BadInput("The database cannot be opened: it is gone.", "Check the path and its permissions.")

    monkeypatch.setattr(waiting.NewestClaim, "look", fail)

    async def steps(client):
        polls = [client.get("/v1/claims", params={"after": 1000, "wait": 20}) for _ in range(3)]
        return await asyncio.gather(*polls)

    for answer in still.session(steps):
        assert problem(answer, 503) == "BadInput"
    assert len(looks) == 1


def test_nobody_looks_when_nobody_waits(still, monkeypatch):
    looks = []
    look = waiting.NewestClaim.look
    monkeypatch.setattr(waiting.NewestClaim, "look", lambda self: looks.append(1) or look(self))

    async def steps(client):
        await client.get("/v1/claims", params={"after": 1000, "wait": 0.2})
        await asyncio.sleep(0.1)
        seen = len(looks)
        await asyncio.sleep(0.3)
        return seen

    assert still.session(steps) == len(looks) > 0


def test_an_unexpected_error_shows_nothing_of_itself(still, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("relay.web.application.collect", fail)
    answer = still.post(b"[]")
    assert problem(answer, 500) == "Unexpected"
    assert "secret" not in answer.text


def test_health_and_status(still):
    assert still.get("/healthz").json() == {"ok": True}
    status = still.get("/v1/status").json()
    assert (status["hub"], status["development"], status["open_claims"]) == ("hub", True, 2)
    assert [chain["name"] for chain in status["chains"]] == sorted(NAMES)
    assert {lane["final"] for lane in status["lanes"]} == {"1"}
    assert {operator["name"] for operator in status["operators"]} == {"one", "two", "three"}
    assert "signature" not in still.get("/v1/status").text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "localhost", "hub.example"])
def test_it_listens_on_loopback_only(host):
    with pytest.raises(BadInput):
        listen(host, 0)


def test_a_port_that_is_taken_or_impossible_is_told_in_one_line():
    with listen("127.0.0.1", 0) as taken:
        with pytest.raises(NotNow) as told:
            listen("127.0.0.1", taken.getsockname()[1])
        assert isinstance(told.value, HubError)
        assert "\n" not in str(told.value)
    with pytest.raises(NotNow):
        listen("127.0.0.1", 70_000)


def test_the_port_of_the_last_start_is_taken_again_if_it_is_free(still):
    home, config = still.hub.home, still.hub.context.config
    free = config.model_copy(update={"web_port": 0})
    home.run.mkdir(parents=True, exist_ok=True)
    (home.run / "web.port").unlink(missing_ok=True)
    assert choose_port(home, free) == 0
    with listen("127.0.0.1", 0) as busy:
        (home.run / "web.port").write_text(str(busy.getsockname()[1]))
        assert choose_port(home, free) == 0
    assert choose_port(home, free) == int((home.run / "web.port").read_text())
    assert choose_port(home, config.model_copy(update={"web_port": 8123})) == 8123
    (home.run / "web.port").write_text("no number")
    assert choose_port(home, free) == 0
