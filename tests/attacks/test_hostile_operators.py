"""One operator of three is hostile: whatever it signs, replays, floods or leaves unsigned, the two honest ones carry the lane.

Where it could stop the lane (a second one is silent as well), the wait names who has not signed.
"""

from dataclasses import replace

import httpx
import orjson
import pytest
from pydantic import TypeAdapter
from sqlalchemy import select, update

from light_clients.crypto.secp256k1 import address_of, sign
from relay.attestations import REFUSALS_KEPT, Result, claim_of, collect
from relay.store.tables import attestations, claims, incidents, operators, refusals
from relay.views.status import hub_status
from schemas.attestation import Attestation, Place, attestation_digest
from schemas.primitives import hex0x
from schemas.suites import EVM
from tests.support.memory_hub import RECEIVER, VERIFIER
from tests.support.operator_world import OperatorWorld

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
NOW = 1_900_000_000.0
_ATTESTATION = TypeAdapter(Attestation)


def open_claims(hub):
    return [(row.epoch, claim_of(row)) for row in hub.rows(claims, claims.c.state == "open")]


def place_of(hub, claim, epoch=1, **changes):
    """Where an honest attestation of a claim counts."""
    lanes = {lane_id: pair for pair, lane_id in hub.lane_ids.items()}
    source, destination = lanes[claim.lane_id]
    end = hub.ledgers[source if claim.direction else destination]
    return replace(Place(end.word, end.gateway.address, VERIFIER, epoch), **changes)


def attestation(hub, name, claim, *, epoch=1, place=None, signed=None):
    """What an operator posts: its signature over `signed` at `place`, under the words of `claim`."""
    key = hub.signers[name]
    digest = attestation_digest(EVM, place or place_of(hub, claim, epoch), signed or claim)
    return Attestation(claim, epoch, address_of(key), sign(key, digest))


def flipped(value):
    return type(value)(bytes([value[0] ^ 1]) + bytes(value[1:]))


FALSE = {
    "two heads": lambda hub, claim: [
        attestation(hub, "one", claim),
        attestation(hub, "one", replace(claim, head=flipped(claim.head))),
    ],
    "a false head first": lambda hub, claim: [
        attestation(hub, "one", replace(claim, head=flipped(claim.head))),
        attestation(hub, "one", claim),
    ],
    "a block before it is final": lambda hub, claim: [attestation(hub, "one", replace(claim, height=claim.height + 1))],
    "a block that is not there": lambda hub, claim: [
        attestation(hub, "one", replace(claim, block_hash=flipped(claim.block_hash)))
    ],
    "a history longer than it is": lambda hub, claim: [attestation(hub, "one", replace(claim, nonce=claim.nonce + 1))],
    "another epoch": lambda hub, claim: [attestation(hub, "one", claim, epoch=epoch) for epoch in (2, 3, 2**40)],
    "another place": lambda hub, claim: [
        attestation(hub, "one", claim, place=place_of(hub, claim, **{field: value}))
        for field, value in (
            ("chain", flipped(place_of(hub, claim).chain)),
            ("gateway", b"\x66" * 20),
            ("verifier", b"\x66" * 20),
            ("epoch", 2),
        )
    ],
    "in another's name": lambda hub, claim: [
        replace(attestation(hub, "one", claim), signer=address_of(hub.signers[name])) for name in ("two", "three")
    ],
    "nothing": lambda _hub, _claim: [],
}
ACCUSED = {"two heads": "operator_equivocation", "a false head first": "operator_false_head"}


@pytest.mark.parametrize("what", FALSE)
def test_the_two_honest_ones_make_the_quorum_and_nothing_false_counts(hub, what):
    posted = 0
    for lane in (OUT, HOME):
        hub.send(*lane, b"x", receiver=RECEIVER)
    for _ in range(12):
        hub.mine()
        hub.chain_task()
        for lane in (OUT, HOME):
            hub.lane_task(*lane)
        for _, claim in open_claims(hub):
            false = FALSE[what](hub, claim)
            verdicts = collect(hub.context.store, false, NOW)
            posted += len(verdicts)
            refused = [verdict for verdict in verdicts if verdict.result is Result.REFUSED]
            assert len(refused) == (1 if what in ACCUSED else len(false))
        hub.attest("two", "three")
        hub.check()
        for lane in (OUT, HOME):
            hub.lane_task(*lane)
    assert [hub.journey(*lane).settled for lane in (OUT, HOME)] == [1, 1]
    assert posted > 0 or what == "nothing"
    assert {row.name for row in hub.rows(incidents)} == ({ACCUSED[what]} if what in ACCUSED else set())
    for incident in hub.rows(incidents):
        assert incident.text.startswith("one signed ")
        assert "relayhub operator strike one" in incident.text
        assert len(orjson.loads(incident.evidence)) == 2


def test_everything_that_was_ever_signed_is_worth_nothing_in_another_place(hub):
    """All signatures of a first round are offered again for each open claim of the second, as they are and in its words."""
    for lane in (OUT, HOME):
        hub.send(*lane, b"x", receiver=RECEIVER)
    hub.settle_down()
    with hub.context.store.read() as connection:
        both = select(attestations.c.signer, attestations.c.signature, claims)
        rows = connection.execute(both.join_from(attestations, claims, attestations.c.claim_id == claims.c.id)).all()
    old = [Attestation(claim_of(row), row.epoch, row.signer, row.signature) for row in rows]
    for lane in (OUT, HOME):
        hub.send(*lane, b"y", receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    for lane in (OUT, HOME):
        hub.lane_task(*lane)
    fresh = open_claims(hub)
    assert len(fresh) == 2
    assert len(old) >= 8
    verdicts = collect(hub.context.store, old, NOW)
    assert {verdict.result for verdict in verdicts} <= {Result.ALREADY, Result.REFUSED}
    for _, claim in fresh:
        verdicts = collect(hub.context.store, [replace(item, claim=claim) for item in old], NOW)
        assert {verdict.name for verdict in verdicts} == {"SignerMismatch"}
    assert [claim for _, claim in open_claims(hub)] == [claim for _, claim in fresh]
    hub.settle_down(hurry=True)
    hub.check()


def test_two_silent_ones_are_named_until_one_of_them_signs(hub):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    for _ in range(3):
        hub.mine()
        hub.chain_task()
        hub.lane_task(*OUT)
        hub.attest("two")
        hub.age_claims()
    hub.lane_task(*OUT)
    row = hub.wait_of("lane", *OUT)
    assert (row.code, row.party) == ("operators_silent", "operators one, three")
    assert hub.journey(*OUT).submitted == 0
    hub.attest("three")
    hub.settle_down(operators_named=("two", "three"), hurry=True)
    hub.check()


def test_who_only_asks_and_never_signs_is_shown_as_silent(hub):
    """Anybody may ask in an operator's name; a name that asks lives by no proof."""
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.settle_down(operators_named=("two", "three"))
    with hub.context.store.write() as connection:
        connection.execute(update(claims).values(attested_at=NOW - 20))
        connection.execute(update(operators).values(seen_at=NOW))
        connection.execute(update(operators).where(operators.c.name != "one").values(signed_at=NOW - 21))
    silent = {item["name"]: item["silent"] for item in hub_status(hub.home, NOW)["operators"]}
    assert silent == {"one": True, "two": False, "three": False}
    silent = {item["name"]: item["silent"] for item in hub_status(hub.home, NOW - 15)["operators"]}
    assert silent == {"one": False, "two": False, "three": False}  # it has ten seconds to sign


@pytest.mark.parametrize("when", ["open", "attested"])
def test_one_that_is_struck_while_its_signature_counts_leaves_no_trace_in_what_is_delivered(hub, when):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.attest("one")
    if when == "attested":
        hub.attest("two")
        assert hub.rows(claims)[-1].state == "attested"
    with hub.context.store.write() as connection:
        connection.execute(update(operators).where(operators.c.name == "one").values(state="struck"))
    hub.lane_task(*OUT)
    assert hub.journey(*OUT).submitted == 0
    assert hub.rows(claims)[-1].state == "open"
    hub.attest("two")
    hub.lane_task(*OUT)
    assert hub.journey(*OUT).submitted == 0  # one house of two that are needed
    hub.settle_down(operators_named=("two", "three"), hurry=True)
    hub.check()


class TestFlood:
    """Whoever reaches the port may post what he likes; he stops nobody and fills nothing."""

    @pytest.fixture
    def world(self, tmp_path):
        with OperatorWorld(tmp_path) as made:
            yield made

    def test_garbage_and_floods_cost_their_own_answers_and_the_honest_are_heard(self, world, monkeypatch):
        monkeypatch.setattr("relay.attestations.REFUSALS_KEPT", 50)
        hub = world.hub
        hub.send(*OUT, b"x", receiver=RECEIVER)
        world.look()
        ((_, claim),) = open_claims(hub)
        false = [
            attestation(hub, "one", replace(claim, head=flipped(claim.head))),
            replace(attestation(hub, "one", claim), signature=b"\x01" * 65),
            attestation(hub, "one", replace(claim, nonce=99)),
        ]
        posts = [_ATTESTATION.dump_python(item, mode="json") for item in false]
        url = f"http://127.0.0.1:{world.port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            for number in range(20):
                answer = client.post("/v1/attestations", json=posts * 30)
                assert {verdict["result"] for verdict in answer.json()["verdicts"]} == {"refused"}
                client.post("/v1/attestations", content=b"\x00\xff" * number)
            honest = [_ATTESTATION.dump_python(attestation(hub, name, claim), mode="json") for name in ("two", "three")]
            answer = client.post("/v1/attestations", json=honest)
        assert [verdict["result"] for verdict in answer.json()["verdicts"]] == ["accepted", "accepted"]
        assert hub.rows(claims)[-1].state == "attested"
        assert len(hub.rows(refusals)) <= 50
        assert len(hub.rows(incidents)) == 1
        assert REFUSALS_KEPT > 50
        assert {bytes(row.signer) for row in hub.rows(attestations)} == {
            address_of(hub.signers[name]) for name in ("two", "three")
        }

    def test_one_flooder_keeps_no_operator_from_its_offers(self, world):
        world.hub.send(*OUT, b"x", receiver=RECEIVER)
        world.look()
        url = f"http://127.0.0.1:{world.port}"
        query = {"after": "0", "signer": hex0x(address_of(world.hub.signers["two"]))}
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            for _ in range(50):
                client.get("/v1/claims", params=query | {"after": "9" * 18})
            assert len(client.get("/v1/claims", params=query).json()["claims"]) == 1
