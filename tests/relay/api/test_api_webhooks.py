"""Webhooks: signed, at least once, never to a private address, parked with a reason."""

import base64
import hashlib
import hmac
import http.server
import json
import threading

import pytest
from sqlalchemy import select, update

from relay import webhooks
from relay.errors import BadInput
from relay.store.tables import lanes, webhook_deliveries
from relay.store.tables import webhooks as table
from relay.views.webhooks import webhooks_text
from relay.webhook_targets import check_url, target_of
from relay.webhooks import ATTEMPTS_MAX, PARKED_PAUSE_S
from tests.support.api_world import ApiWorld, problem
from tests.support.filled_hub import LANE, RECEIVER, SENDER


class Receiver:
    """An application's server on loopback; `answers` are the statuses that it gives, the last one for ever."""

    def __init__(self):
        receiver = self
        self.answers, self.got = [200], []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((dict(self.headers.items()), body))
                status = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                self.send_response(status)
                if status == 302:
                    self.send_header("location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def world(tmp_path):
    world = ApiWorld(tmp_path)
    yield world
    world.close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def add(world, url, **filters):
    answer = world.ask("POST", "/v1/webhooks", world.owner(), json={"url": url, **filters})
    assert answer.status_code == 201, answer.text
    return answer.json()


def settle(world, delivered=3, settled=3):
    with world.hub.store.write() as connection:
        connection.execute(update(lanes).where(lanes.c.lane_id == LANE).values(delivered=delivered, settled=settled))


def turn(world):
    return webhooks.once(world.hub.store, world.now, development=True)


def url_of(receiver):
    return f"http://127.0.0.1:{receiver.port}/hook"


def test_each_message_is_told_once_it_is_delivered_and_once_it_is_settled(world, receiver):
    made = add(world, url_of(receiver))
    turn(world)
    assert receiver.got == []  # what was before is not told
    settle(world)
    while turn(world):
        pass
    told = [json.loads(body) for _, body in receiver.got]
    assert sorted((item["type"], item["data"]["nonce"]) for item in told) == [
        ("message.delivered", 3),
        ("message.settled", 2),
        ("message.settled", 3),
    ]
    assert {item["data"]["outcome"] for item in told if item["data"]["nonce"] == 2} == {"failed"}
    secret = base64.b64decode(made["secret"].removeprefix("whsec_"))
    for headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{right}"
        assert int(headers["webhook-timestamp"]) == int(world.now)
    shown = world.get("/v1/webhooks", world.owner()).json()["items"]
    assert [(item["state"], item["waiting"], item["parked"]) for item in shown] == [("active", 0, 0)]
    assert "secret" not in json.dumps(shown)


def test_what_is_refused_comes_again_under_the_same_id(world, receiver):
    receiver.answers = [500, 302, 200]
    add(world, url_of(receiver), sender="0x" + SENDER.hex(), lane_id="0x" + LANE.hex())
    settle(world, delivered=3, settled=1)
    for _ in range(8):
        turn(world)
        world.now += 3_600
    assert len(receiver.got) == 3  # the redirect was not followed
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    with world.hub.store.read() as connection:
        (row,) = connection.execute(select(webhook_deliveries)).all()
    assert (row.state, row.attempts, row.reason) == ("done", 3, "")


def test_a_hub_that_dies_after_posting_tells_again(world, receiver, monkeypatch):
    add(world, url_of(receiver))
    settle(world, delivered=3, settled=1)
    write = webhooks.write_result

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(webhooks, "write_result", die)
    with pytest.raises(KeyboardInterrupt):
        turn(world)
    monkeypatch.setattr(webhooks, "write_result", write)
    turn(world)
    first, second = (headers["webhook-id"] for headers, _ in receiver.got)
    assert first == second
    assert turn(world) == 0


def test_a_dead_receiver_is_parked_with_a_reason_and_taken_up_again(world, receiver):
    receiver.answers = [503]
    made = add(world, url_of(receiver))
    settle(world, delivered=3, settled=1)
    for _ in range(ATTEMPTS_MAX + 3):
        turn(world)
        world.now += 3_600
    assert len(receiver.got) == ATTEMPTS_MAX
    path = f"/v1/webhooks/{made['id']}"
    (delivery,) = world.get(f"{path}/deliveries", world.owner()).json()["items"]
    assert (delivery["state"], delivery["reason"]) == ("parked", "503 from 127.0.0.1")
    shown = world.get(path, world.owner()).json()
    assert (shown["parked"], shown["parked_reason"]) == (1, "503 from 127.0.0.1")
    assert shown["parked_until"] > world.now
    receiver.answers = [200]
    assert world.ask("POST", f"{path}/retry", world.owner()).json()["parked"] == 0
    turn(world)
    assert world.get(f"{path}/deliveries", world.owner()).json()["items"][0]["state"] == "done"


def test_of_the_parked_the_oldest_is_tried_once_a_day_and_brings_back_all(world, receiver):
    receiver.answers = [503]
    made = add(world, url_of(receiver))
    settle(world)
    for _ in range(ATTEMPTS_MAX):
        turn(world)
        world.now += 3_600
    (told,) = world.get("/v1/status", world.owner()).json()["webhooks"]
    assert (told["id"], told["host"], told["parked"]) == (made["id"], "127.0.0.1", 3)
    assert told["reason"] == "503 from 127.0.0.1"
    assert world.now < told["until"] <= world.now + PARKED_PAUSE_S
    line = webhooks_text([told], world.now)
    assert "3 parked since" in line
    assert "tried again in" in line
    assert f"/v1/webhooks/{made['id']}/retry" in line

    posted = len(receiver.got)
    for _ in range(4):
        world.now += PARKED_PAUSE_S / 2
        turn(world)
    assert len(receiver.got) == posted + 2  # one a day, whatever number waits
    receiver.answers = [200]
    world.now += PARKED_PAUSE_S
    while turn(world):
        pass
    assert len({headers["webhook-id"] for headers, _ in receiver.got[posted + 2 :]}) == 3
    assert len(receiver.got) == posted + 5
    assert world.get("/v1/status", world.owner()).json()["webhooks"] == []


def test_a_receiver_that_is_gone_is_asked_no_more(world, receiver):
    receiver.answers = [410]
    made = add(world, url_of(receiver))
    settle(world, delivered=3, settled=1)
    turn(world)
    shown = world.get(f"/v1/webhooks/{made['id']}", world.owner()).json()
    assert (shown["state"], shown["parked"], shown["parked_until"]) == ("parked", 1, None)
    (told,) = world.get("/v1/status", world.owner()).json()["webhooks"]
    assert (told["reason"], told["until"]) == ("The receiver says that it is gone (410).", None)
    assert "not tried again" in webhooks_text([told], world.now)
    settle(world)
    world.now += 10_000
    assert turn(world) == 0


def test_another_senders_and_lanes_messages_are_not_told(world, receiver):
    add(world, url_of(receiver), sender="0x" + RECEIVER.hex())
    add(world, url_of(receiver), lane_id="0x" + "11" * 32)
    settle(world)
    while turn(world):
        pass
    assert receiver.got == []


def test_a_webhook_is_its_owners(world):
    mine, other = world.token("application"), world.token("application")
    made = world.ask("POST", "/v1/webhooks", mine, json={"url": "https://example.org/x"}).json()
    path = f"/v1/webhooks/{made['id']}"
    assert world.get(path, mine).status_code == 200
    for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/retry"), ("GET", f"{path}/deliveries")):
        assert problem(world.ask(method, where, other), 404) == "NotFound"
    assert world.get("/v1/webhooks", other).json()["items"] == []
    assert world.ask("DELETE", path, mine).json()["state"] == "removed"
    assert problem(world.get(path, mine), 404) == "NotFound"
    with world.hub.store.read() as connection:
        assert bytes(connection.execute(select(table.c.secret)).scalar_one()) == b""


def test_the_secret_is_made_once_under_an_idempotency_key(world):
    headers = {"idempotency-key": "w"}
    answers = [
        world.ask("POST", "/v1/webhooks", world.owner(), json={"url": "https://example.org/x"}, headers=headers).json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(world.get("/v1/webhooks", world.owner()).json()["items"]) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "ftp://example.org/x",
        "https://",
        "//example.org",
        "https://user@example.org/",
        "https://example.org/#part",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "https://[fe80::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://example.org:99999/",
        "https://exa mple.org/",
        "https://例え.jp/",
    ],
)
def test_an_url_that_no_webhook_may_have_is_refused(url):
    with pytest.raises(BadInput):
        check_url(url, development=False)


def test_loopback_is_for_development_hubs():
    assert check_url("http://127.0.0.1:8000/x", development=True).port == 8000
    assert target_of("http://127.0.0.1:8000/x", development=True).address == "127.0.0.1"
    with pytest.raises(BadInput):
        check_url("http://10.0.0.1/x", development=True)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::1"], ["64:ff9b::a00:1"]])
def test_a_name_that_leads_inside_is_refused_whatever_it_is_called(addresses):
    with pytest.raises(BadInput):
        target_of("https://example.org/x", development=True, resolver=lambda *_: addresses)


def test_the_address_that_was_checked_is_the_one_that_is_used():
    target = target_of("https://example.org/x", development=False, resolver=lambda *_: ["1.1.1.1"])
    assert target.address == "1.1.1.1"
