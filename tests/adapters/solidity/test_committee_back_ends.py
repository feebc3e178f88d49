"""A committee that keeps its signers' keys: a contract checks signatures, exactly as strictly as recovery does."""

import pytest
from coincurve import PrivateKey

from adapters.solidity import administration
from adapters.solidity.calldata import committee_proof
from adapters.solidity.contracts import back_ends, committee_creation, organisation_word
from light_clients.crypto.secp256k1 import address_of, sign
from schemas.attestation import attestation_digest
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.evm_world import (
    GUARDIAN,
    OFFICERS,
    SIGNERS,
    STRANGER,
    End,
    EvmChain,
    EvmWorld,
    account,
    key,
    make_committee,
    make_gateway,
    refuses,
)

NAME = "CommitteeVerifier"
GATEWAY = account("gateway")
CLAIM = Claim(
    LaneId(keccak256(b"lane")), Direction.OUTBOX, 5, Head(keccak256(b"head")), 9, BlockHash(keccak256(b"block"))
)


def public(private):
    return PrivateKey(private).public_key.format(compressed=False)[1:]


KEYS = [public(private) for private, _ in SIGNERS]


class KeptCommittee:
    """A committee of three whose signatures a contract checks."""

    def __init__(self, keys=KEYS, signers=SIGNERS, libraries=None):
        self.chain = EvmChain("alpha")
        self.libraries = libraries or {name: self.chain.deploy(code) for name, code in back_ends("secp256k1")}
        choices = {"signatures": "secp256k1", "keys": keys, "libraries": self.libraries}
        self.address = make_committee(self.chain, signers=signers, **choices)
        self.end = End(self.chain, GATEWAY, self.address)

    def verify(self, proof, claim=CLAIM):
        spoken = (claim.lane_id, int(claim.direction), claim.nonce, claim.head, claim.height, claim.block_hash)
        return self.chain.view(self.address, NAME, "verify", keccak256(GATEWAY), b"peer", bytes(32), spoken, proof)

    def signature(self, private, epoch=1):
        return sign(private, attestation_digest(EVM, self.end.place(epoch), CLAIM))


@pytest.fixture(scope="module")
def committee():
    return KeptCommittee()


def test_what_recovery_believes_is_believed(committee):
    signatures = [committee.signature(private) for private, _ in SIGNERS]
    assert committee.verify(committee_proof(1, enumerate(signatures)))
    assert committee.verify(committee_proof(1, [(0, signatures[0]), (2, signatures[2])]))


def test_the_keys_and_the_scheme_are_shown(committee):
    for (private, _), public_key in zip(SIGNERS, KEYS, strict=True):
        assert committee.chain.view(committee.address, NAME, "keyOf", address_of(private)) == public_key
    assert committee.chain.view(committee.address, NAME, "keyOf", STRANGER) == b""
    assert committee.chain.view(committee.address, NAME, "signatureScheme") == "secp256k1"
    recovering = make_committee(committee.chain)
    assert committee.chain.view(recovering, NAME, "keyOf", address_of(SIGNERS[0][0])) == b""
    assert committee.chain.view(recovering, NAME, "signatureScheme") == "secp256k1"


def test_another_signers_signature_is_refused(committee):
    mine, other = committee.signature(SIGNERS[0][0]), committee.signature(SIGNERS[1][0])
    with refuses("SignatureOfAnother", signer="0x" + address_of(SIGNERS[0][0]).hex()):
        committee.verify(committee_proof(1, [(0, other), (1, other)]))
    with refuses("SignatureOfAnother"):
        committee.verify(committee_proof(1, [(0, mine), (1, committee.signature(SIGNERS[1][0], epoch=2))]))


def test_a_malformed_signature_is_refused(committee):
    mine, other = committee.signature(SIGNERS[0][0]), committee.signature(SIGNERS[1][0])
    with refuses("SignatureMalformed"):
        committee.verify(committee_proof(1, [(0, mine), (1, other[:64] + b"\x01")]))
    with refuses("ProofNotCanonical"):
        committee.verify(committee_proof(1, [(0, mine[:64]), (1, other[:64])]))


@pytest.mark.parametrize(
    "keys", [[], KEYS[:2], [*KEYS, KEYS[0]], [*KEYS[:2], KEYS[2][:63]], [*KEYS[:2], b"\x04" + KEYS[2]]]
)
def test_each_signer_has_one_key(keys):
    with refuses("KeysMalformed"):
        KeptCommittee(keys=keys)


def test_a_key_belongs_to_its_signer():
    with refuses("KeyOfAnother"):
        KeptCommittee(keys=[KEYS[0], KEYS[2], KEYS[1]])


def test_a_key_that_is_no_point_is_refused():
    off = KEYS[2][:63] + bytes([KEYS[2][63] ^ 1])
    accounts = [address_of(private) for private, _ in SIGNERS[:2]] + [keccak256(off)[12:]]
    chain = EvmChain("alpha")
    libraries = {name: chain.deploy(code) for name, code in back_ends("secp256k1")}
    creation = committee_creation(
        chain_word=chain.word,
        officers=OFFICERS,
        guardian=GUARDIAN,
        delay_s=0,
        signers=list(zip(accounts, [organisation for _, organisation in SIGNERS], strict=True)),
        threshold=2,
        signatures="secp256k1",
        keys=[*KEYS[:2], off],
        libraries=libraries,
    )
    with refuses("KeyUnfit"):
        chain.deploy(creation)


def test_a_recovering_committee_takes_no_keys():
    with refuses("KeysMalformed"):
        make_committee(EvmChain("alpha"), keys=KEYS)


def test_a_back_end_must_be_a_contract():
    with refuses("SignatureBackendFails"):
        KeptCommittee(libraries={"Secp256k1": account("no code")})


def test_the_next_epoch_brings_keys():
    committee = KeptCommittee()
    chain = committee.chain
    newcomer = (key("newcomer"), organisation_word("organisation 3"))
    signers = [(address_of(private), organisation) for private, organisation in (SIGNERS[0], newcomer)]
    action = administration.add_epoch(2, signers, 2, chain.now, keys=[KEYS[0], public(newcomer[0])])
    chain.administer(committee.address, action)
    signatures = [committee.signature(private, epoch=2) for private in (SIGNERS[0][0], newcomer[0])]
    assert committee.verify(committee_proof(2, enumerate(signatures)))
    without = administration.add_epoch(3, signers, 2, chain.now)
    with refuses("KeysMalformed"):
        chain.administer(committee.address, without)


def test_messages_travel_where_a_contract_checks_signatures():
    ends = []
    for name in ("alpha", "beta"):
        chain = EvmChain(name)
        libraries = {name: chain.deploy(code) for name, code in back_ends("secp256k1")}
        committee = make_committee(chain, signatures="secp256k1", keys=KEYS, libraries=libraries)
        ends.append(End(chain, make_gateway(chain), committee))
    world = EvmWorld.between(*ends)
    world.send(b"one")
    world.send(b"two")
    world.deliver()
    world.settle()
    assert world.statuses() == [1, 1]
    assert world.source_view().settled == 2


@pytest.mark.parametrize("signatures", ["", "p256"])
def test_an_unknown_way_is_named(signatures):
    with pytest.raises(ValueError, match="ecrecover, secp256k1, chainmaker-sm2, fisco-sm2"):
        back_ends(signatures)


def test_a_missing_address_is_named():
    with pytest.raises(ValueError, match="Secp256k1 is missing"):
        make_committee(EvmChain("alpha"), signatures="secp256k1", keys=KEYS)
