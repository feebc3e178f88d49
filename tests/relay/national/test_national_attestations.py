"""Attestations for a committee that checks SM2: judged by the key that is registered, counted, put into proofs, and waited for by name."""

import pytest
from sqlalchemy import select, update

from adapters.solidity.calldata import committee_proof
from light_clients.crypto import secp256k1, sm2
from relay import attestations as module
from relay.attestations import Result, collect
from relay.steps.signatures import committee_proofs
from relay.store.tables import attestations, claims, committees, operators
from relay.store.verifiers import verifier_at
from schemas.attestation import Attestation
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Digest, Head, LaneId
from schemas.suites import keccak256, sm3
from tests.support.memory_hub import VERIFIER, MemoryHub, label_key

NOW = 1_900_000_000.0


class World:
    """A memory hub with one open claim; the committee at `beta` knows its operators by their SM2 keys."""

    def __init__(self, folder, own_hash):
        self.hub = MemoryHub(folder, names=("alpha", "beta"), pairs=(("alpha", "beta"),))
        self.store = self.hub.context.store
        self.keys = {name: label_key(f"sm2 {name}") for name in self.hub.signers}
        seats = [own_hash(sm2.public_key_of(key))[12:] for key in self.keys.values()]
        with self.store.write() as connection:
            for name, key in self.keys.items():
                connection.execute(
                    update(operators).where(operators.c.name == name).values(sm2_key=sm2.public_key_of(key))
                )
            connection.execute(
                update(committees).where(committees.c.chain == "beta").values(signers=["0x" + s.hex() for s in seats])
            )
        self.hub.send("alpha", "beta", b"hello")
        self.hub.mine()
        for name in ("alpha", "beta"):
            self.hub.work("chain", name)
        self.hub.lane_task("alpha", "beta")
        (self.row,) = self.rows(claims)

    def rows(self, table):
        with self.store.read() as connection:
            return connection.execute(select(table)).all()

    def attest(self, name, *, key=None, sign=sm2.sign):
        row = self.row
        claim = Claim(
            LaneId(row.lane_id),
            Direction(row.direction),
            row.nonce,
            Head(row.head),
            row.height,
            BlockHash(row.block_hash),
        )
        signature = sign(key or self.keys[name], Digest(row.digest))
        return Attestation(claim, row.epoch, secp256k1.address_of(self.hub.signers[name]), signature)

    def refusal(self, attestation):
        (verdict,) = collect(self.store, [attestation], NOW)
        assert verdict.result is Result.REFUSED
        assert self.rows(attestations) == []
        return verdict.name


@pytest.fixture(params=[keccak256, sm3], ids=["accounts by keccak", "accounts by sm3"])
def world(request, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_wake_lane", lambda *_: None)
    world = World(tmp_path, request.param)
    yield world
    world.hub.close()


def test_two_organisations_complete_a_claim_and_their_signatures_make_the_proof(world):
    found = [world.attest("one"), world.attest("three")]
    assert [verdict.result for verdict in collect(world.store, found, NOW)] == [Result.ACCEPTED] * 2
    (row,) = world.rows(claims)
    assert row.state == "attested"
    with world.store.read() as connection:
        proofs = committee_proofs(connection, verifier_at(connection, "beta", VERIFIER), [row])
    assert proofs == {row.id: committee_proof(1, [(0, found[0].signature), (2, found[1].signature)])}
    assert len(found[0].signature) == 64


def test_a_signature_of_the_other_scheme_is_refused(world):
    attestation = world.attest("one", key=world.hub.signers["one"], sign=secp256k1.sign)
    assert world.refusal(attestation) == "SignatureLength"


def test_a_signature_by_another_key_or_of_another_organisation_is_refused(world):
    assert world.refusal(world.attest("one", key=label_key("nobody"))) == "SignerMismatch"
    with world.store.write() as connection:
        connection.execute(module.refusals.delete())
    assert world.refusal(world.attest("one", key=world.keys["two"])) == "SignerMismatch"


def test_an_operator_whose_sm2_key_is_not_known_does_not_sit_there(world):
    with world.store.write() as connection:
        connection.execute(update(operators).where(operators.c.name == "one").values(sm2_key=None))
    assert world.refusal(world.attest("one")) == "SignerUnknown"


def test_an_sm2_signature_for_a_committee_that_recovers_is_refused(world):
    seats = ["0x" + secp256k1.address_of(key).hex() for key in world.hub.signers.values()]
    with world.store.write() as connection:
        connection.execute(update(committees).where(committees.c.chain == "beta").values(signers=seats))
    assert world.refusal(world.attest("one")) == "SignatureLength"


def test_the_status_says_whose_sm2_signature_is_missing(world):
    collect(world.store, [world.attest("two")], NOW)
    world.hub.age_claims()
    world.hub.lane_task("alpha", "beta")
    wait = world.hub.wait_of("lane", "alpha", "beta")
    assert (wait.code, wait.party) == ("operators_silent", "operators one, three")
    assert "not signed by one, three with SM2 keys" in wait.text
