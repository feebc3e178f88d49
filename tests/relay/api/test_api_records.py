"""Records over the interface: a token's organisation and role are judged by the record's rule."""

import base64
import hashlib

import httpx
import pytest
from sqlalchemy import select

from relay.client import HubRefused
from relay.evidence.access_rules import AccessRule
from relay.evidence.records import NewRecord, Records
from relay.store.tables import evidence_queue, operations
from relay.store.tables import records as table
from relay.web.api import records as resource
from relay.web.changes import LEAF
from tests.support.api_world import ApiWorld, problem

CONTENT = "户籍 📜".encode()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = ApiWorld(tmp_path_factory.mktemp("records"))
    world.records = Records(world.hub.store, world.hub.home.evidence)
    world.civil = world.token("application", organisation="民政局", key="sender")
    world.tax = world.token("operator", organisation="税务局")
    world.police = world.token("officer", organisation="公安局")
    world.auditor = world.token("auditor")
    yield world
    world.close()


def kept(world, readers=""):
    ((record,),) = world.records.put([NewRecord(CONTENT, "册.txt")], AccessRule.parse("民政局", readers))
    return record.commitment.hex()


def read(world, identifier, token=""):
    return world.get(f"/v1/records/{identifier}/content", token)


def put(world, token, key="", **body):
    headers = {"idempotency-key": key} if key else {}
    return world.ask("POST", "/v1/records", token, json=body, headers=headers)


def count(world):
    with world.hub.store.read() as connection:
        return len(connection.execute(select(table.c.id)).all())


def leaves(world, kind):
    with world.hub.store.read() as connection:
        query = select(evidence_queue.c.fields).where(evidence_queue.c.kind == kind)
        return [bytes(row.fields) for row in connection.execute(query)]


def test_who_may_gets_content_and_salt(world):
    identifier = kept(world, "税务局,role:auditor")
    for token in (world.civil, world.tax, world.auditor):
        answer = read(world, "0x" + identifier[:16], token)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        salt = bytes.fromhex(answer.headers["relayhub-salt"][2:])
        assert hashlib.sha256(salt + CONTENT).hexdigest() == identifier
        assert world.get(f"/v1/records/{identifier}", token).json()["name"] == "册.txt"


@pytest.mark.parametrize("path", ["", "/content", "/proof?salt=yes"])
def test_who_may_not_is_told_what_he_would_be_of_a_record_that_is_not_there(world, path):
    there, missing = kept(world, "税务局"), "ab" * 32
    for token in (world.police, world.auditor, world.owner()):
        refused, absent = (world.get(f"/v1/records/{identifier}{path}", token) for identifier in (there, missing))
        assert problem(refused, 404) == "NotFound"
        assert refused.content == absent.content
        assert "民政局" not in refused.text
    assert world.get(f"/v1/records/{there}{path}", world.tax).status_code != 404


def test_the_owner_of_the_hub_is_a_stranger(world):
    assert read(world, kept(world, "public"), world.owner()).content == CONTENT
    assert problem(read(world, kept(world), world.owner()), 404) == "NotFound"


def test_that_it_was_asked_for_is_written_down_whether_it_was_given_or_not(world):
    identifier = kept(world)
    before = len(leaves(world, "access"))
    read(world, identifier, world.civil)
    read(world, identifier, world.police)
    assert len(leaves(world, "access")) == before + 2


def test_what_is_not_there(world):
    assert problem(read(world, "zz" * 32, world.owner()), 422) == "RequestInvalid"


def test_an_organisation_puts_a_batch_of_its_own_once_under_a_key(world):
    before, noted = count(world), len(leaves(world, LEAF))
    body = {
        "records": [{"name": "一", "text": "甲"}, {"base64": base64.b64encode(b"\0\xff").decode()}, {"text": ""}],
        "readers": "税务局",
    }
    answers = [put(world, world.civil, "once", **body) for _ in range(2)]
    assert answers[0].content == answers[1].content
    ids = [item["id"] for item in world.done(answers[0])["result"]]
    assert count(world) == before + 3
    assert [read(world, identifier, world.tax).content for identifier in ids] == ["甲".encode(), b"\0\xff", b""]
    shown = world.get(f"/v1/records/{ids[0]}", world.tax).json()
    assert (shown["organisation"], shown["readers"], shown["name"]) == ("民政局", ["税务局"], "一")
    assert len(leaves(world, LEAF)) == noted + 2  # asked and done


def test_an_operation_keeps_ids_alone_for_others_to_see(world):
    body = {"records": [{"name": "秘密", "text": "x"}]}
    identifier = world.done(put(world, world.civil, **body))["id"]
    seen = world.get(f"/v1/operations/{identifier}", world.auditor)
    assert set(seen.json()["result"][0]) == {"id"}
    with world.hub.store.read() as connection:
        rows = connection.execute(select(operations)).all()
    assert all("秘密" not in str(row) for row in rows)


@pytest.mark.parametrize(
    ("who", "organisation", "name"),
    [
        ("civil", "税务局", "OrganisationForeign"),
        ("nobody", "", "OrganisationMissing"),
        ("nobody", "民政局", "OrganisationMissing"),
        ("tax", "", "RoleMissing"),
        ("auditor", "", "RoleMissing"),
    ],
)
def test_nobody_puts_in_anothers_name(world, who, organisation, name):
    token = world.token("application") if who == "nobody" else getattr(world, who)
    assert problem(put(world, token, records=[{"text": "x"}], organisation=organisation), 403) == name
    answer = world.ask(
        "POST", "/v1/records/content", token, params={"organisation": organisation}, content=b"never kept"
    )
    assert problem(answer, 403) == name


def test_the_owner_says_whose_it_is(world):
    assert problem(put(world, world.owner(), records=[{"text": "x"}]), 403) == "OrganisationMissing"
    done = world.done(put(world, world.owner(), records=[{"text": "x"}], organisation="民政局"))
    assert read(world, done["result"][0]["id"], world.civil).content == b"x"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"records": []},
        {"records": [{}]},
        {"records": [{"text": "x", "base64": ""}]},
        {"records": [{"base64": "!"}]},
        {"records": [{"base64": "abc"}]},
        {"records": [{"text": "x", "name": "a\nb"}]},
        {"records": [{"text": "x"}] * 501},
    ],
)
def test_a_batch_that_cannot_be_used_is_refused(world, body):
    before = count(world)
    assert problem(put(world, world.civil, **body), 422) == "RequestInvalid"
    assert count(world) == before


def test_a_rule_that_cannot_be_used_fails_and_keeps_nothing(world):
    before = count(world)
    done = world.done(put(world, world.civil, records=[{"text": "x"}], readers="role:king"))
    assert (done["state"], done["error"]["name"]) == ("failed", "BadInput")
    assert count(world) == before


def test_a_large_content_is_posted_by_itself_once_under_a_key(world, monkeypatch):
    before, large = count(world), b"\0\x01" * 1_500_000
    asked = {"params": {"name": "大.bin", "readers": "public"}, "headers": {"idempotency-key": "large"}}
    answers = [world.ask("POST", "/v1/records/content", world.civil, content=large, **asked) for _ in range(2)]
    (made,) = world.done(answers[0])["result"]
    assert count(world) == before + 1
    assert read(world, made["id"]).status_code == 401
    assert read(world, made["id"], world.police).content == large
    other = world.ask("POST", "/v1/records/content", world.civil, content=large[:-1], **asked)
    assert problem(other, 409) == "IdempotencyKeyReused"
    monkeypatch.setattr(resource, "RECORD_MAX_BYTES", 1_000)
    answer = world.ask("POST", "/v1/records/content", world.civil, content=large)
    assert problem(answer, 413) == "BodyTooLarge"
    batch = put(world, world.civil, records=[{"text": "x" * 1_000_000}])
    assert problem(batch, 413) == "BodyTooLarge"
    assert count(world) == before + 1


def test_lists_have_what_the_asker_may_read_page_by_page(world):
    theirs = [kept(world, "税务局") for _ in range(3)]
    kept(world)
    pages, cursor = [], None
    while True:
        found = world.get("/v1/records", world.tax, limit=2, **({"cursor": cursor} if cursor else {})).json()
        pages.append(found["items"])
        cursor = found["next_cursor"]
        if cursor is None:
            break
    shown = [item["id"][2:] for items in pages for item in items]
    assert shown[:3] == theirs[::-1]
    assert len(set(shown)) == len(shown)
    assert all(len(items) == 2 for items in pages[:-1])
    assert {"民政局"} == {item["organisation"] for items in pages for item in items}
    with world.client(world.tax) as hub:
        assert [item.id[2:] for item in hub.records()] == shown
        assert list(hub.records(organisation="公安局")) == []
    hidden = world.get("/v1/records", world.police, organisation="民政局").json()["items"]
    assert {tuple(item["readers"]) for item in hidden} <= {("public",)}


def test_its_owner_alone_erases_and_others_learn_nothing(world):
    identifier = kept(world, "税务局")
    path, missing = f"/v1/records/{identifier}", f"/v1/records/{'ab' * 32}"
    refused, absent = (world.done(world.ask("DELETE", where, world.police)) for where in (path, missing))
    assert refused["error"] == absent["error"]
    assert refused["error"]["name"] == "NotFound"
    assert problem(world.ask("DELETE", path, world.tax), 403) == "RoleMissing"
    done = world.done(world.ask("DELETE", path, world.civil))
    assert (done["state"], set(done["result"])) == ("done", {"id", "erased_at"})
    assert "erased by its owner" in read(world, identifier, world.tax).json()["detail"]
    assert read(world, identifier, world.police).content == read(world, "ab" * 32, world.police).content
    assert world.get(path, world.civil).json()["name"] == ""


def test_the_client_puts_reads_and_erases(world):
    with world.client(world.civil) as hub:
        (small,) = hub.put_records([("册", CONTENT)], readers="税务局")
        large = hub.put_content(b"x" * 2_000_000, name="大")
        with hub.content(small) as (salt, pieces):
            assert b"".join(pieces) == CONTENT
            assert hashlib.sha256(salt + CONTENT).hexdigest() == small[2:]
        with pytest.raises(HubRefused) as told:
            hub.prove_record(small)
        assert told.value.status == 409  # nothing writes the log in this world
        assert hub.record(large).size == 2_000_000
        hub.erase_record(large)
        assert hub.record(large).erased_at is not None


def test_the_client_takes_no_content_that_is_not_the_record(world, monkeypatch):
    identifier = kept(world, "public")
    ask = world.bridge.handle_request

    def change(request):
        answer = ask(request)
        if not request.url.path.endswith("/content"):
            return answer
        return httpx.Response(200, headers=answer.headers, content=answer.content[:-1] + b"!")

    monkeypatch.setattr(world.bridge, "handle_request", change)
    with world.client(world.civil) as hub, pytest.raises(HubRefused) as told, hub.content(identifier) as (_, pieces):
        b"".join(pieces)
    assert told.value.name == "RecordDamaged"
