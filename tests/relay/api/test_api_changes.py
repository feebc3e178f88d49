"""Changes through the public interface: each once under its key, each with a leaf, none blocks another."""

import threading
import time

import orjson
import pytest
from sqlalchemy import select

from relay.client import HubRefused
from relay.store.tables import api_answers, evidence_queue, operations
from relay.web.changes import KEPT_S, LEAF, Changes
from tests.support.api_world import ApiWorld, problem

RETIRE = "/v1/chains/alpha/retire"


@pytest.fixture
def world(tmp_path):
    world = ApiWorld(tmp_path)
    yield world
    world.close()


def rows(world, table):
    with world.hub.store.read() as connection:
        return connection.execute(select(table)).all()


def asked(world, path=RETIRE, key="k", token="", **arguments):
    return world.ask("POST", path, token or world.owner(), headers={"idempotency-key": key}, **arguments)


def test_asking_twice_under_a_key_does_it_once(world):
    first, second = asked(world), asked(world)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert len(rows(world, operations)) == 1


def test_another_request_under_the_same_key_is_refused(world):
    asked(world, "/v1/lanes/aaaaaaaa/pause", json={"key": "a"})
    assert problem(asked(world, "/v1/lanes/aaaaaaaa/pause", json={"key": "b"}), 409) == "IdempotencyKeyReused"
    assert problem(asked(world), 409) == "IdempotencyKeyReused"
    assert len(rows(world, operations)) == 1


def test_keys_of_two_callers_are_two(world):
    asked(world)
    assert asked(world, token=world.token("officer")).status_code == 202
    assert len(rows(world, operations)) == 2


def test_a_key_is_forgotten_after_a_day(world):
    asked(world)
    world.now += KEPT_S + 1
    asked(world)
    assert len(rows(world, operations)) == 2
    assert len(rows(world, api_answers)) == 1


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_cannot_be_one_is_refused(world, key):
    problem(asked(world, key=key.encode()), 422)


def test_without_a_key_each_is_one(world):
    for _ in range(2):
        world.ask("POST", RETIRE, world.owner())
    assert len(rows(world, operations)) == 2


def test_an_operation_tells_what_failed_in_the_commands_own_words(world):
    now = world.done(asked(world))
    assert (now["state"], now["error"]["name"]) == ("failed", "NotNow")
    assert "default is active" in now["error"]["text"]


def test_an_operation_has_the_result_that_the_command_prints(world, monkeypatch):
    monkeypatch.setattr("relay.web.api.chain_acts.retire_chain", lambda _, name: {"name": name, "hash": b"\x01"})
    now = world.done(asked(world))
    assert (now["state"], now["result"], now["error"]) == ("done", {"name": "alpha", "hash": "0x01"}, None)


def test_every_change_leaves_notes_for_the_evidence_log(world):
    identifier = world.done(asked(world))["id"]
    noted = [row for row in rows(world, evidence_queue) if row.kind == LEAF]
    assert len(noted) == 2
    assert all(identifier.encode() in bytes(row.fields) and b"chain.retire" in bytes(row.fields) for row in noted)
    asked(world, "/v1/webhooks", key="w", json={"url": "https://example.org/x"})
    assert len([row for row in rows(world, evidence_queue) if row.kind == LEAF]) == 3


def test_a_long_operation_blocks_nobody(world, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr("relay.web.api.chain_acts.retire_chain", lambda *_: gate.wait(60) and {})
    running = [asked(world, key=str(number)) for number in range(4)]
    assert world.get("/v1/chains").status_code == 200
    state = world.get(f"/v1/operations/{running[0].json()['id']}", world.owner()).json()["state"]
    gate.set()
    assert state == "running"
    assert {world.done(answer)["state"] for answer in running} == {"done"}


def test_too_many_operations_are_told_to_come_later(world, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr("relay.web.changes.WAITING_MAX", 0)
    world.app.state.changes = Changes(world.hub.store, lambda: world.now)
    monkeypatch.setattr("relay.web.api.chain_acts.retire_chain", lambda *_: gate.wait(60) and {})
    running = [asked(world, key=str(number)) for number in range(4)]
    answer = asked(world, key="one-too-many")
    gate.set()
    assert problem(answer, 429) == "TooManyOperations"
    assert answer.headers["retry-after"] == "5"
    for taken in running:
        world.done(taken)
    deadline = time.monotonic() + 60
    while (again := asked(world, key="one-too-many")).status_code == 429 and time.monotonic() < deadline:
        time.sleep(0.05)  # the room is given back just after the state is written
    assert again.status_code == 202  # nothing was kept of the refusal


def test_an_operation_that_a_stopped_hub_left_says_so(world):
    values = {"id": "op_" + "1" * 24, "kind": "lane.open", "caller": "owner", "state": "running"}
    world.hub.add(operations, **values, created_at=1.0, finished_at=0.0)
    world.app.state.changes.recover()
    found = world.get(f"/v1/operations/{values['id']}", world.owner()).json()
    assert (found["state"], found["error"]["name"]) == ("failed", "Interrupted")


def test_operations_of_others_are_not_shown_to_an_application(world):
    identifier = asked(world).json()["id"]
    assert problem(world.get(f"/v1/operations/{identifier}", world.token("application")), 404) == "NotFound"
    assert world.get(f"/v1/operations/{identifier}", world.token("auditor")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff", 400),
        (b"[" * 5_000, 400),
        (orjson.dumps({"source": "alpha"}), 422),
        (orjson.dumps({"source": "alpha", "destination": "beta", "to": "mailbox", "text": "x", "count": "1"}), 422),
        (orjson.dumps({"source": "alpha", "destination": "beta", "to": "mailbox", "text": "x", "file": "/x"}), 422),
        (b'{"source":"alpha","destination":"beta","to":"mailbox","text":"\\ud800"}', 422),
    ],
)
def test_a_body_that_cannot_be_used_is_a_problem(world, body, status):
    headers = {"content-type": "application/json"}
    problem(world.ask("POST", "/v1/messages", world.owner(), content=body, headers=headers), status)


def test_the_client_asks_again_under_the_same_key_where_the_connection_breaks(world, monkeypatch):
    import httpx

    monkeypatch.setattr("relay.hub_calls.LOOK_S", 0)
    inner, broken = world.bridge.handle_request, []

    def break_once(request):
        answer = inner(request)
        if request.method == "POST" and not broken:
            broken.append(request)
            raise httpx.ReadError("gone")
        return answer

    monkeypatch.setattr(world.bridge, "handle_request", break_once)
    with world.client(world.owner()) as hub, pytest.raises(HubRefused) as told:
        hub.change(RETIRE)
    assert told.value.name == "NotNow"
    assert len(broken) == 1
    assert len(rows(world, operations)) == 1
