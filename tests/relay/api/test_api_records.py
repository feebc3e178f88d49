"""Records over the interface: a token's organisation and role are judged by the record's rule."""

import hashlib

import pytest

from relay.evidence.access_rules import AccessRule
from relay.evidence.records import NewRecord, Records
from tests.support.api_world import ApiWorld, problem

CONTENT = "户籍 📜".encode()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = ApiWorld(tmp_path_factory.mktemp("records"))
    world.records = Records(world.hub.store, world.hub.home.evidence)
    yield world
    world.close()


def kept(world, readers=""):
    ((record,),) = world.records.put([NewRecord(CONTENT)], AccessRule.parse("民政局", readers))
    return record.commitment.hex()


def read(world, identifier, token=""):
    return world.get(f"/v1/records/{identifier}/content", token)


def test_who_may_gets_content_and_salt(world):
    identifier = kept(world, "税务局,role:auditor")
    for token in (
        world.token("application", organisation="民政局", key="sender"),
        world.token("operator", organisation="税务局"),
        world.token("auditor"),
    ):
        answer = read(world, "0x" + identifier[:16], token)
        assert (answer.status_code, answer.content) == (200, CONTENT)
        salt = bytes.fromhex(answer.headers["relayhub-salt"][2:])
        assert hashlib.sha256(salt + CONTENT).hexdigest() == identifier


def test_who_may_not_is_refused_and_the_owner_of_the_hub_is_a_stranger(world):
    identifier = kept(world, "税务局")
    for token in (world.token("officer", organisation="公安局"), world.token("auditor"), world.owner()):
        assert problem(read(world, identifier, token), 403) == "NotAllowed"
    assert read(world, kept(world, "public"), world.owner()).content == CONTENT


def test_what_is_not_there(world):
    assert problem(read(world, "ab" * 32, world.owner()), 404) == "NotFound"
    assert problem(read(world, "zz" * 32, world.owner()), 422) == "RequestInvalid"
