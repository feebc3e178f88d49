"""Who may ask the public interface, and what."""

import stat

import pytest
from sqlalchemy import select

from relay import tokens
from relay.errors import BadInput, NotFound, NotNow
from relay.store.tables import api_tokens
from relay.tokens import Role
from relay.web.access import COOKIE, owner_token_file
from relay.web.limits import Buckets, Rates
from relay.web.problems import Problem
from tests.support.api_world import ApiWorld, problem

READS = ("status", "chains", "chains/alpha", "lanes", "lanes/aaaaaaaa", "messages", "operators", "waits", "adapters")


@pytest.fixture
def world(tmp_path):
    world = ApiWorld(tmp_path)
    yield world
    world.close()


def test_without_tokens_everyone_reads_and_the_owner_alone_changes(world):
    for path in READS:
        assert world.get(f"/v1/{path}").status_code == 200, path
    assert problem(world.ask("POST", "/v1/chains/alpha/retire"), 401) == "TokenMissing"
    assert world.ask("POST", "/v1/chains/alpha/retire", world.owner()).status_code == 202


def test_with_a_token_made_nobody_reads_without_one(world):
    text = world.token("auditor")
    for path in READS:
        answer = world.get(f"/v1/{path}")
        assert problem(answer, 401) == "TokenMissing"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert world.get(f"/v1/{path}", text).status_code == 200


def test_revoked_tokens_leave_the_hub_closed(world):
    text = world.token("auditor")
    tokens.revoke(world.hub.store, text.split("_")[1], world.now)
    assert problem(world.get("/v1/chains", text), 401) == "TokenInvalid"
    assert problem(world.get("/v1/chains"), 401) == "TokenMissing"
    assert world.get("/v1/chains", world.owner()).status_code == 200


def test_a_hub_beyond_loopback_is_closed_also_before_the_first_token(tmp_path):
    world = ApiWorld(tmp_path, open_reading=False)
    assert problem(world.get("/v1/chains"), 401) == "TokenMissing"
    world.close()


def test_a_token_ends_at_its_time(world):
    text = world.token("auditor", expires_at=world.now + 10)
    world.now += 9
    assert world.get("/v1/chains", text).status_code == 200
    world.now += 1
    assert problem(world.get("/v1/chains", text), 401) == "TokenInvalid"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "a",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text.replace("rht", "rhx"),
        lambda text: "rht_" + "0" * 12 + text[16:],
        lambda _: "",
        lambda _: "rho_nonsense",
    ],
)
def test_a_token_that_is_not_quite_one_is_nobodys(world, change):
    answer = world.ask("GET", "/v1/chains", headers={"authorization": f"Bearer {change(world.token('officer'))}"})
    assert problem(answer, 401) == "TokenInvalid"


def test_another_scheme_is_refused(world):
    assert problem(world.ask("GET", "/v1/chains", headers={"authorization": "Basic eDp5"}), 401) == "TokenInvalid"


ROLES = {
    ("GET", "/v1/incidents"): {"operator", "officer", "auditor"},
    ("GET", "/v1/keys"): {"application", "officer", "auditor"},
    ("GET", "/v1/proposals"): {"operator", "officer", "auditor"},
    ("GET", "/v1/webhooks"): {"application", "officer"},
    ("POST", "/v1/chains/alpha/retire"): {"officer"},
    ("POST", "/v1/chains"): {"officer"},
    ("POST", "/v1/lanes"): {"officer"},
    ("POST", "/v1/operators"): {"officer"},
    ("POST", "/v1/proposals"): {"officer"},
    ("POST", "/v1/webhooks"): {"application", "officer"},
    ("POST", "/v1/messages"): {"application", "officer"},
}


def test_each_role_does_what_it_may_and_no_more(world):
    shown = {str(role): world.token(role) for role in Role}
    for (method, path), allowed in ROLES.items():
        for role, text in shown.items():
            answer = world.ask(method, path, text, **({"json": {}} if method == "POST" else {}))
            refused = answer.status_code == 403 and answer.json()["title"] == "RoleMissing"
            assert refused == (role not in allowed), (method, path, role, answer.text)


def test_every_operation_of_the_description_asks_who_it_is(world):
    world.token("auditor")
    described = world.app.state.changes and world.ask("GET", "/v1/openapi.json").json()
    for path, methods in described["paths"].items():
        for method in methods:
            concrete = path.replace("{name}", "alpha").replace("{lane}", "aaaaaaaa")
            concrete = concrete.replace("{webhook}", "wh_" + "0" * 24)
            concrete = concrete.replace("{id}", "op_" + "0" * 24 if "operations" in path else "c0ffee")
            answer = world.ask(method.upper(), concrete, **({"json": {}} if method == "post" else {}))
            assert problem(answer, 401) == "TokenMissing", (method, path)


def test_an_application_sends_from_its_own_key_alone(world):
    letter = {"source": "alpha", "destination": "beta", "to": "mailbox", "text": "hi"}
    unbound, bound = world.token("application"), world.token("application", key="mine")
    assert problem(world.ask("POST", "/v1/messages", unbound, json=letter), 403) == "KeyMissing"
    assert problem(world.ask("POST", "/v1/messages", bound, json=letter | {"key": "sender"}), 403) == "KeyForeign"
    assert "mine" in world.done(world.ask("POST", "/v1/messages", bound, json=letter))["error"]["text"]


def test_a_cookie_reads_and_never_changes(world):
    headers = {"cookie": f"{COOKIE}={world.token('officer')}"}
    assert world.ask("GET", "/v1/chains", headers=headers).status_code == 200
    assert problem(world.ask("POST", "/v1/chains/alpha/retire", headers=headers), 401) == "TokenMissing"


def test_the_database_has_no_secret_and_the_owners_file_is_his(world):
    text = world.token("officer")
    with world.hub.store.read() as connection:
        (row,) = connection.execute(select(api_tokens)).all()
    secret = text.split("_", 2)[2]
    assert all(secret not in str(value) and secret.encode() != value for value in row)
    assert row.digest == tokens.digest_of(secret)
    assert stat.S_IMODE(owner_token_file(world.hub.home).stat().st_mode) == 0o600


def test_tokens_are_listed_and_revoked_once(world):
    text = world.token("application", organisation="海关", key="sender")
    (shown,) = tokens.listed(world.hub.store, world.now)
    assert (shown["role"], shown["organisation"], shown["state"]) == ("application", "海关", "valid")
    assert text.split("_", 2)[2] not in str(shown)
    tokens.revoke(world.hub.store, shown["id"], world.now)
    with pytest.raises(NotNow):
        tokens.revoke(world.hub.store, shown["id"], world.now)
    with pytest.raises(NotFound):
        tokens.revoke(world.hub.store, "0" * 12, world.now)
    with pytest.raises(BadInput):
        tokens.create(world.hub.store, Role.AUDITOR, "x", now=world.now, key="sender")
    with pytest.raises(BadInput):
        tokens.create(world.hub.store, Role.AUDITOR, "a\0b", now=world.now)


def test_a_bucket_empties_and_fills(world):
    now = 0.0
    buckets = Buckets(2, 4, lambda: now)
    for _ in range(4):
        buckets.take("x")
    with pytest.raises(Problem) as told:
        buckets.take("x")
    assert (told.value.status, told.value.headers) == (429, {"retry-after": "1"})
    buckets.take("y")
    now = 0.5
    buckets.take("x")
    with pytest.raises(Problem):
        buckets.take("x")


def test_too_many_requests_are_told_when_to_ask_again(tmp_path):
    world = ApiWorld(tmp_path, rates=Rates(per_token=0.001, per_address=1e6, burst_s=2_000))
    first, second = world.token("auditor"), world.token("auditor")
    assert [world.get("/v1/chains", first).status_code for _ in range(3)] == [200, 200, 429]
    answer = world.get("/v1/chains", first)
    assert problem(answer, 429) == "TooManyRequests"
    assert int(answer.headers["retry-after"]) > 0
    assert world.get("/v1/chains", second).status_code == 200  # another token has its own
    world.close()


def test_an_address_that_asks_too_often_is_slowed_down_but_not_its_operators(tmp_path):
    world = ApiWorld(tmp_path, rates=Rates(per_address=0.001, burst_s=1_000))
    assert [world.get("/v1/chains").status_code for _ in range(2)] == [200, 429]
    assert world.get("/v1/claims").status_code == 200
    world.close()


def test_a_body_that_is_too_large_is_refused(world):
    answer = world.ask("POST", "/v1/messages", world.owner(), content=b"x" * 1_000_001)
    assert problem(answer, 413) == "BodyTooLarge"
