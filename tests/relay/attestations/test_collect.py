"""Attestations as the hub judges them: each rule alone, by its name; the quorum counts houses, not keys."""

import dataclasses
import sys
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select, update

from light_clients.crypto.secp256k1 import HALF_ORDER, address_of, sign
from relay import attestations as module
from relay.attestations import Result, collect
from relay.store.tables import attestations, claims, committees, incidents, operators, refusals
from schemas.attestation import Attestation, Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, ChainWord, Head, LaneId
from schemas.suites import EVM, SM
from tests.support.memory_hub import NAMES, VERIFIER, MemoryHub, label_key

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NOW = 1_900_000_000.0
WAKE_LANE = module._wake_lane


class World:
    """A memory hub with one open claim for each lane."""

    def __init__(self, folder):
        self.hub = MemoryHub(folder)
        self.store = self.hub.context.store
        self.woken = []
        for source, destination in self.hub.lane_ids:
            self.hub.send(source, destination, b"hello")
        self.hub.mine()
        for name in NAMES:
            self.hub.work("chain", name)
        for lane_id in self.hub.lane_ids.values():
            self.hub.work("lane", lane_id.hex())
        self.claim = self.open_claim("alpha", "beta")

    def open_claim(self, source, destination):
        row = self.rows(claims, claims.c.lane_id == bytes(self.hub.lane_ids[source, destination]))[-1]
        return Claim(
            LaneId(row.lane_id),
            Direction(row.direction),
            row.nonce,
            Head(row.head),
            row.height,
            BlockHash(row.block_hash),
        )

    def rows(self, table, *where):
        with self.store.read() as connection:
            return connection.execute(select(table).where(*where)).all()

    def change(self, statement):
        with self.store.write() as connection:
            connection.execute(statement)

    def place(self, **changes):
        beta = self.hub.ledgers["beta"]
        return dataclasses.replace(Place(beta.word, beta.gateway.address, VERIFIER, 1), **changes)

    def attest(self, name="one", *, claim=None, place=None, suite=EVM, epoch=1, key=None, signer=None, signed=None):
        """An honest attestation of the open claim, but for what is changed."""
        claim, key = claim or self.claim, key or self.hub.signers[name]
        digest = attestation_digest(suite, place or self.place(), signed or claim)
        return Attestation(claim, epoch, signer or address_of(key), sign(key, digest))

    def collect(self, *found):
        return collect(self.store, found, NOW)

    def refusal(self, attestation):
        (verdict,) = self.collect(attestation)
        assert verdict.result is Result.REFUSED, verdict
        assert verdict.text.endswith(".")
        assert self.rows(attestations) == []
        kept = self.rows(refusals)
        assert [row.name for row in kept] == [verdict.name]
        return verdict.name

    def state(self, claim=None):
        claim = claim or self.claim
        (row,) = self.rows(claims, claims.c.lane_id == bytes(claim.lane_id), claims.c.direction == int(claim.direction))
        return row.state


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(tmp_path)
    monkeypatch.setattr(module, "_wake_lane", world.woken.append)
    yield world
    world.hub.close()


def flipped(value):
    return type(value)(bytes([value[0] ^ 1]) + value[1:])


def test_an_honest_signature_is_kept_and_two_houses_complete_the_claim(world):
    (verdict,) = world.collect(world.attest("one"))
    assert verdict.result is Result.ACCEPTED
    assert world.state() == "open"
    assert world.woken == []
    (verdict,) = world.collect(world.attest("two"))
    assert verdict.result is Result.ACCEPTED
    assert world.state() == "attested"
    assert world.woken == [bytes(world.claim.lane_id)]
    assert {row.name: row.signed_at for row in world.rows(operators)} == {"one": NOW, "two": NOW, "three": 0}


def test_a_late_third_signature_is_kept_and_wakes_nobody(world):
    world.collect(world.attest("one"), world.attest("two"))
    world.woken.clear()
    (verdict,) = world.collect(world.attest("three"))
    assert verdict.result is Result.ACCEPTED
    assert world.woken == []
    assert len(world.rows(attestations)) == 3


def test_duplicates_are_harmless_in_one_post_and_later(world):
    one = world.attest("one")
    assert [verdict.result for verdict in world.collect(one, one)] == [Result.ACCEPTED, Result.ALREADY]
    assert [verdict.result for verdict in world.collect(one)] == [Result.ALREADY]
    assert world.state() == "open"
    assert world.rows(refusals) == []


def test_another_valid_signature_of_the_same_signer_changes_nothing(world):
    one = world.attest("one")
    world.collect(one)
    row = world.rows(attestations)[0]
    # A second nonce k of ECDSA gives another valid signature; here the stored one is taken for it.
    world.change(update(attestations).values(signature=row.signature[:64] + b"\x00"))
    assert [verdict.result for verdict in world.collect(one)] == [Result.ALREADY]
    assert len(world.rows(attestations)) == 1


def test_a_claim_with_another_block_hash_is_a_mismatch_that_names_the_field(world):
    claim = dataclasses.replace(world.claim, block_hash=flipped(world.claim.block_hash))
    (verdict,) = world.collect(world.attest(claim=claim))
    assert (verdict.name, "block_hash" in verdict.text) == ("ClaimMismatch", True)


def test_a_signed_head_other_than_the_proved_one_is_an_incident_with_both(world):
    claim = dataclasses.replace(world.claim, head=flipped(world.claim.head))
    false = world.attest(claim=claim)
    verdicts = world.collect(false, false)
    assert {verdict.name for verdict in verdicts} == {"FalseHead"}
    (incident,) = world.rows(incidents)
    assert incident.name == "operator_false_head"
    assert "relayhub operator strike one" in incident.text
    for kept in ("0x" + false.signature.hex(), false.claim.head.hex0x(), world.claim.head.hex0x()):
        assert kept in incident.evidence.decode()


@pytest.mark.parametrize("signer", ["stranger", "two"])
def test_a_false_head_that_no_operator_signed_accuses_nobody(world, signer):
    claim = dataclasses.replace(world.claim, head=flipped(world.claim.head))
    claimed = world.hub.signers.get(signer, label_key(signer))
    (verdict,) = world.collect(world.attest(claim=claim, key=label_key("stranger"), signer=address_of(claimed)))
    assert (verdict.name, "head" in verdict.text) == ("ClaimMismatch", True)
    assert world.rows(incidents) == []


def test_a_claim_at_another_height_is_a_mismatch_that_names_the_field(world):
    (verdict,) = world.collect(world.attest(claim=dataclasses.replace(world.claim, height=world.claim.height + 1)))
    assert (verdict.name, "height" in verdict.text) == ("ClaimMismatch", True)


@pytest.mark.parametrize("nonce", [2, 2**63, 2**64 - 1])
def test_a_nonce_that_was_never_proposed_is_unknown(world, nonce):
    assert world.refusal(world.attest(claim=dataclasses.replace(world.claim, nonce=nonce))) == "UnknownClaim"


def test_a_direction_that_was_never_proposed_is_unknown(world):
    claim = dataclasses.replace(world.claim, direction=Direction.OUTCOMES)
    assert world.refusal(world.attest(claim=claim)) == "UnknownClaim"


def test_a_lane_that_the_hub_does_not_have_is_unknown(world):
    assert world.refusal(
        world.attest(claim=dataclasses.replace(world.claim, lane_id=flipped(world.claim.lane_id)))
    ) == ("UnknownClaim")


def test_a_claim_that_was_withdrawn_is_refused(world):
    world.change(update(claims).values(state="void"))
    assert world.refusal(world.attest()) == "ClaimVoid"


def test_without_a_committee_nobody_is_believed(world):
    world.change(update(committees).values(state="old"))
    assert world.refusal(world.attest()) == "NoCommittee"


def test_an_epoch_other_than_the_claims_is_refused(world):
    assert world.refusal(world.attest(epoch=2, place=world.place(epoch=2))) == "EpochMismatch"


def test_an_epoch_that_the_committee_has_left_is_refused(world):
    world.change(update(committees).values(epoch=2))
    assert world.refusal(world.attest()) == "EpochMismatch"


def test_a_stranger_is_refused(world):
    assert world.refusal(world.attest(key=label_key("stranger"))) == "SignerUnknown"


def test_an_operator_outside_of_the_committee_is_refused(world):
    key = label_key("four")
    row = {"signer": address_of(key), "name": "four", "organisation": "house four", "state": "active", "created_at": 0}
    world.change(insert(operators).values(row))
    assert world.refusal(world.attest(key=key)) == "SignerUnknown"


def test_a_struck_signer_is_refused(world):
    world.change(update(operators).where(operators.c.name == "one").values(state="struck"))
    assert world.refusal(world.attest()) == "SignerStruck"


def test_signatures_of_a_signer_struck_afterwards_do_not_count(world):
    world.collect(world.attest("one"))
    world.change(update(operators).where(operators.c.name == "one").values(state="struck"))
    world.collect(world.attest("two"))
    assert world.state() == "open"
    world.collect(world.attest("three"))
    assert world.state() == "attested"


def test_two_keys_of_one_house_count_once(world):
    world.change(update(operators).values(organisation="one house"))
    world.collect(world.attest("one"), world.attest("two"), world.attest("three"))
    assert world.state() == "open"
    world.change(update(operators).where(operators.c.name == "two").values(organisation="another"))
    world.change(attestations.delete().where(attestations.c.signer == address_of(world.hub.signers["two"])))
    world.collect(world.attest("two"))
    assert world.state() == "attested"


def test_somebody_elses_signature_under_ones_own_name_is_refused(world):
    assert world.refusal(world.attest(key=world.hub.signers["two"], signer=address_of(world.hub.signers["one"]))) == (
        "SignerMismatch"
    )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda s: s[:64], "SignatureLength"),
        (lambda s: s + b"\x1b", "SignatureLength"),
        (lambda s: s[:0], "SignatureLength"),
        (lambda s: s[:64] + bytes([s[64] - 27]), "SignatureRecoveryId"),
        (
            lambda s: s[:32] + (ORDER - int.from_bytes(s[32:64], "big")).to_bytes(32, "big") + bytes([55 - s[64]]),
            "SignatureHighS",
        ),
        (lambda s: bytes(64) + s[64:], "SignatureInvalid"),
    ],
)
def test_a_signature_of_another_form_is_refused(world, change, name):
    honest = world.attest()
    assert honest.signature[32:64] <= HALF_ORDER
    assert world.refusal(dataclasses.replace(honest, signature=change(honest.signature))) == name


@pytest.mark.parametrize(
    "replayed",
    ["lane", "direction", "nonce", "head", "height", "block", "chain", "gateway", "verifier", "epoch", "suite", "hub"],
)
def test_a_signature_made_for_another_place_or_claim_is_refused_here(world, replayed):
    claim, place, suite = world.claim, world.place(), EVM
    match replayed:
        case "lane":
            claim = dataclasses.replace(claim, lane_id=world.hub.lane_ids["beta", "alpha"])
        case "direction":
            claim = dataclasses.replace(claim, direction=Direction.OUTCOMES)
        case "nonce":
            claim = dataclasses.replace(claim, nonce=2)
        case "head":
            claim = dataclasses.replace(claim, head=flipped(claim.head))
        case "height":
            claim = dataclasses.replace(claim, height=claim.height + 1)
        case "block":
            claim = dataclasses.replace(claim, block_hash=flipped(claim.block_hash))
        case "chain":
            place = world.place(chain=world.hub.ledgers["alpha"].word)
        case "gateway":
            place = world.place(gateway=world.hub.ledgers["alpha"].gateway.address)
        case "verifier":
            place = world.place(verifier=bytes(19) + b"\x78")
        case "epoch":
            place = world.place(epoch=2)
        case "suite":
            suite = SM
        case "hub":  # the same ledgers and gateways under another hub's name are another lane
            lane = world.hub.ledgers["alpha"].gateway.lanes[claim.lane_id].lane
            claim = dataclasses.replace(claim, lane_id=dataclasses.replace(lane, hub="another hub").lane_id)
    assert world.refusal(world.attest(signed=claim, place=place, suite=suite)) == "SignerMismatch"


def test_a_signature_for_a_ledger_of_the_same_name_with_another_first_block_is_refused(world):
    beta = world.hub.ledgers["beta"]
    twin = ChainWord(beta.chain_id.word(flipped(beta.first_block)))
    assert world.refusal(world.attest(place=world.place(chain=twin))) == "SignerMismatch"


def test_one_bad_attestation_spoils_no_other(world):
    bad = world.attest("two", place=world.place(epoch=2))
    verdicts = world.collect(world.attest("one"), bad, world.attest("three"))
    assert [verdict.result for verdict in verdicts] == [Result.ACCEPTED, Result.REFUSED, Result.ACCEPTED]
    assert world.state() == "attested"


def equivocation(world):
    """Operator one signed the open claim; the hub now has a claim with another head for the same nonce."""
    world.collect(world.attest("one"))
    return dataclasses.replace(world.claim, head=flipped(world.claim.head))


def test_two_heads_signed_for_one_nonce_are_an_incident_with_both_signatures(world):
    second = world.attest("one", claim=equivocation(world))
    first = world.rows(attestations)[0].signature
    verdicts = world.collect(second, second)
    assert {verdict.name for verdict in verdicts} == {"OperatorEquivocation"}
    (incident,) = world.rows(incidents)
    assert incident.name == "operator_equivocation"
    assert "0x" + first.hex() in incident.evidence.decode()
    assert "0x" + second.signature.hex() in incident.evidence.decode()


def test_a_forged_second_head_accuses_nobody(world):
    claim = equivocation(world)
    forged = world.attest(claim=claim, key=world.hub.signers["two"], signer=address_of(world.hub.signers["one"]))
    (verdict,) = world.collect(forged)
    assert verdict.name == "ClaimMismatch"
    assert world.rows(incidents) == []


def test_one_head_at_two_blocks_is_no_equivocation(world):
    world.collect(world.attest("one"))
    (row,) = world.rows(claims, claims.c.lane_id == bytes(world.claim.lane_id))
    later = dataclasses.replace(world.claim, height=world.claim.height + 1)
    world.change(update(claims).where(claims.c.id == row.id).values(state="void"))
    values = dict(row._mapping) | {"id": None, "height": later.height, "digest": b"\x01" * 32, "state": "open"}
    world.change(insert(claims).values({key: value for key, value in values.items() if key != "id"}))
    (verdict,) = world.collect(world.attest("one", claim=later))
    assert verdict.result is Result.ACCEPTED
    assert world.rows(incidents) == []


def test_a_claim_proposed_for_two_epochs_is_judged_by_the_epoch_that_was_signed(world):
    (row,) = world.rows(claims, claims.c.lane_id == bytes(world.claim.lane_id))
    world.change(update(claims).where(claims.c.id == row.id).values(state="void"))
    world.change(update(committees).values(epoch=2))
    values = dict(row._mapping) | {"epoch": 2, "digest": b"\x02" * 32, "state": "open"}
    world.change(insert(claims).values({key: value for key, value in values.items() if key != "id"}))
    assert world.collect(world.attest("one"))[0].name == "ClaimVoid"
    (verdict,) = world.collect(world.attest("one", epoch=2, place=world.place(epoch=2)))
    assert verdict.result is Result.ACCEPTED


def test_refusals_are_kept_up_to_a_bound(world, monkeypatch):
    monkeypatch.setattr(module, "REFUSALS_KEPT", 3)
    stranger = label_key("stranger")
    for _ in range(5):
        world.collect(world.attest(key=stranger))
    assert len(world.rows(refusals)) == 3


def test_a_broker_that_is_away_does_not_matter(world, monkeypatch):
    def fail(*_):
        raise ConnectionError("no broker")

    monkeypatch.setattr(module, "_wake_lane", WAKE_LANE)
    monkeypatch.setitem(sys.modules, "relay.tasks", SimpleNamespace(wake=fail))
    world.collect(world.attest("one"), world.attest("two"))
    assert world.state() == "attested"


def test_the_lane_is_woken_by_its_name(world, monkeypatch):
    woken = []
    monkeypatch.setattr(module, "_wake_lane", WAKE_LANE)
    monkeypatch.setitem(sys.modules, "relay.tasks", SimpleNamespace(wake=lambda *words: woken.append(words)))
    world.collect(world.attest("one"), world.attest("two"))
    assert woken == [("lane", world.claim.lane_id.hex())]


def test_nothing_posted_writes_nothing(world):
    assert collect(world.store, [], time.time()) == []
