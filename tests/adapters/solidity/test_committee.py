"""The committee on the ledger: what it accepts, and each thing that it refuses, alone."""

from dataclasses import replace

import pytest
from coincurve import PrivateKey

from adapters.solidity import administration
from adapters.solidity.calldata import committee_proof
from adapters.solidity.contracts import contract, organisation_word
from light_clients.crypto.secp256k1 import address_of, sign
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, ChainWord, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.evm_world import (
    GUARDIAN,
    OFFICERS,
    SIGNERS,
    START,
    STRANGER,
    End,
    EvmChain,
    account,
    attest,
    key,
    make_committee,
    refuses,
)

NAME = "CommitteeVerifier"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GATEWAY = account("gateway")
CLAIM = Claim(
    LaneId(keccak256(b"lane")), Direction.OUTBOX, 5, Head(keccak256(b"head")), 9, BlockHash(keccak256(b"block"))
)


class Committee:
    """A committee of three on a ledger of its own."""

    def __init__(self, signers=SIGNERS, threshold=2, delay_s=0, development=False):
        self.chain = EvmChain("alpha")
        self.keys = signers
        self.address = make_committee(self.chain, delay_s, signers, threshold, development)
        self.end = End(self.chain, GATEWAY, self.address)

    def verify(self, proof, claim=CLAIM, gateway=GATEWAY):
        spoken = (claim.lane_id, int(claim.direction), claim.nonce, claim.head, claim.height, claim.block_hash)
        words = (keccak256(gateway), b"peer", bytes(32), spoken)
        return self.chain.view(self.address, NAME, "verify", *words, proof)

    def attest(self, claim=CLAIM, epoch=1, signers=(0, 1), keys=None, place=None):
        return attest(self.end, claim, epoch, signers, keys or self.keys, place)

    def signature(self, index, claim=CLAIM, epoch=1):
        return sign(self.keys[index][0], attestation_digest(EVM, self.end.place(epoch), claim))

    def add_epoch(self, number, keys, threshold=2, previous_ends_at=None):
        signers = [(address_of(private), organisation) for private, organisation in keys]
        ends_at = self.chain.now + 100 if previous_ends_at is None else previous_ends_at
        self.chain.administer(self.address, administration.add_epoch(number, signers, threshold, ends_at))

    def strike(self, signer, who=GUARDIAN):
        self.chain.transact(who, self.address, administration.strike(signer))

    def view(self, name, *arguments):
        return self.chain.view(self.address, NAME, name, *arguments)


@pytest.fixture
def committee():
    return Committee()


def people(*names, organisations=None):
    organisations = organisations or names
    pairs = zip(names, organisations, strict=True)
    return [(key(name), organisation_word(organisation)) for name, organisation in pairs]


@pytest.mark.parametrize("signers", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_two_of_three_are_believed(committee, signers):
    assert committee.verify(committee.attest(signers=signers)) is True


def test_the_digest_is_pythons(committee):
    spoken = (CLAIM.lane_id, 0, CLAIM.nonce, CLAIM.head, CLAIM.height, CLAIM.block_hash)
    digest = committee.view("digest", keccak256(GATEWAY), 1, spoken)
    assert digest == attestation_digest(EVM, committee.end.place(), CLAIM)


def test_too_few_are_not_believed(committee):
    with refuses("QuorumTooSmall", organisations=1, threshold=2):
        committee.verify(committee.attest(signers=(1,)))
    with refuses("QuorumTooSmall", organisations=0):
        committee.verify(committee.attest(signers=()))


def test_a_quorum_of_keys_in_one_house_is_one_organisation():
    keys = people("a1", "a2", "a3", "b", "c", organisations=["a", "a", "a", "b", "c"])
    committee = Committee(keys, threshold=2)
    with refuses("QuorumTooSmall", organisations=1, threshold=2):
        committee.verify(committee.attest(signers=(0, 1, 2)))
    assert committee.verify(committee.attest(signers=(2, 4)))


FLIPS = {
    "lane_id": lambda claim: replace(claim, lane_id=LaneId(keccak256(b"another lane"))),
    "direction": lambda claim: replace(claim, direction=Direction.OUTCOMES),
    "nonce": lambda claim: replace(claim, nonce=claim.nonce + 1),
    "head": lambda claim: replace(claim, head=Head(keccak256(b"another head"))),
    "height": lambda claim: replace(claim, height=claim.height + 1),
    "block_hash": lambda claim: replace(claim, block_hash=BlockHash(keccak256(b"another block"))),
}


@pytest.mark.parametrize("field", FLIPS)
def test_signatures_for_another_claim_are_refused(committee, field):
    with refuses("SignatureOfAnother"):
        committee.verify(committee.attest(FLIPS[field](CLAIM)))


PLACES = {
    "another chain word": lambda place: replace(place, chain=ChainWord(keccak256(b"another ledger"))),
    "another gateway": lambda place: replace(place, gateway=account("another gateway")),
    "another verifier": lambda place: replace(place, verifier=account("another verifier")),
    "another epoch": lambda place: replace(place, epoch=2),
}


@pytest.mark.parametrize("replay", PLACES)
def test_signatures_for_another_place_are_refused(committee, replay):
    with refuses("SignatureOfAnother"):
        committee.verify(committee.attest(place=PLACES[replay](committee.end.place())))


def test_a_sister_committee_with_the_same_keys_takes_nothing_signed_for_the_other(committee):
    sister = make_committee(committee.chain)
    proof = committee.attest()
    other = Committee.__new__(Committee)
    other.chain, other.address, other.keys = committee.chain, sister, SIGNERS
    with refuses("SignatureOfAnother"):
        other.verify(proof)


ZEROES = {
    "lane id": {"lane_id": bytes(32)},
    "nonce": {"nonce": 0},
    "head": {"head": bytes(32)},
    "block hash": {"block_hash": bytes(32)},
}


@pytest.mark.parametrize("field", ZEROES)
def test_zero_words_are_refused(committee, field):
    with refuses("ClaimMalformed"):
        committee.verify(committee.attest(), claim=replace(CLAIM, **ZEROES[field]))


def test_an_unknown_direction_and_a_zero_gateway_are_refused(committee):
    with refuses("ClaimMalformed"):
        committee.verify(committee.attest(), claim=replace(CLAIM, direction=2))
    spoken = (CLAIM.lane_id, 0, CLAIM.nonce, CLAIM.head, CLAIM.height, CLAIM.block_hash)
    with refuses("ClaimMalformed"):
        committee.view("verify", bytes(32), b"peer", bytes(32), spoken, committee.attest())


# Proof bytes


def word(value):
    return value.to_bytes(32, "big")


def at(proof, place, value):
    return proof[:place] + word(value) + proof[place + 32 :]


BENT = {
    "empty": lambda proof: proof[:0],
    "a word short": lambda proof: proof[:-32],
    "a byte short": lambda proof: proof[:-1],
    "a byte more": lambda proof: proof + b"\x00",
    "a word more": lambda proof: proof + bytes(32),
    "less than its outline": lambda proof: proof[:127],
    "another offset of the list": lambda proof: at(proof, 64, 128),
    "an epoch of more than 64 bits": lambda proof: at(proof, 0, 2**64 + 1),
    "more signatures than bytes": lambda proof: at(proof, 96, 3),
    "fewer signatures than bytes": lambda proof: at(proof, 96, 1),
    "257 signatures": lambda proof: at(proof, 96, 257) + bytes(160 * 255),
    "a signature elsewhere": lambda proof: at(proof, 160, 64),
    "a signature of 64 bytes": lambda proof: at(proof, 192, 64),
    "a signature of 66 bytes": lambda proof: at(proof, 192, 66),
    "dirty padding": lambda proof: proof[: 192 + 32 + 95] + b"\x01" + proof[192 + 32 + 96 :],
}


@pytest.mark.parametrize("bend", BENT)
def test_only_the_canonical_encoding_is_read(committee, bend):
    with refuses("ProofNotCanonical"):
        committee.verify(BENT[bend](committee.attest()))


def test_signatures_in_another_order_are_refused(committee):
    first, second = committee.signature(0), committee.signature(1)
    swapped = committee_proof(1, [(0, second), (1, first)])
    with refuses("SignatureOfAnother"):
        committee.verify(swapped)


def test_one_key_cannot_stand_for_two_bits(committee):
    mine = committee.signature(0)
    with refuses("SignatureOfAnother"):
        committee.verify(committee_proof(1, [(0, mine), (1, mine)]))


def test_as_many_signatures_as_bits(committee):
    proof = committee.attest(signers=(0, 1))
    with refuses("SignatureCount", signatures=2, signers=3):
        committee.verify(at(proof, 32, 0b111))
    with refuses("SignatureCount", signatures=2, signers=1):
        committee.verify(at(proof, 32, 0b1))


def test_a_bit_without_a_seat_is_refused(committee):
    with refuses("SignatureCount"):
        committee.verify(at(committee.attest(), 32, 0b1001))
    with refuses("SignatureCount"):
        committee.verify(at(committee.attest(), 32, 1 << 255 | 1))


def bent_signature(signature, *, s=None, v=None, r=None):
    parts = [signature[:32], signature[32:64], signature[64:]]
    replaced = [part if new is None else new for part, new in zip(parts, (r, s, v), strict=True)]
    return b"".join(replaced)


def test_a_high_s_is_refused(committee):
    good = committee.signature(1)
    s, v = int.from_bytes(good[32:64], "big"), good[64]
    twin = bent_signature(good, s=word(ORDER - s), v=bytes([55 - v]))
    with refuses("SignatureMalformed"):
        committee.verify(committee_proof(1, [(0, committee.signature(0)), (1, twin)]))


@pytest.mark.parametrize("v", [0, 1, 26, 29])
def test_another_v_is_refused(committee, v):
    bent = bent_signature(committee.signature(1), v=bytes([v]))
    with refuses("SignatureMalformed"):
        committee.verify(committee_proof(1, [(0, committee.signature(0)), (1, bent)]))


@pytest.mark.parametrize("parts", [{"r": bytes(32)}, {"s": bytes(32)}, {"r": word(ORDER)}])
def test_a_signature_that_recovers_nobody_is_refused(committee, parts):
    bent = bent_signature(committee.signature(1), **parts)
    with refuses("SignatureOfAnother", recovered="0x" + bytes(20).hex()):
        committee.verify(committee_proof(1, [(0, committee.signature(0)), (1, bent)]))


def test_a_prefixed_message_signature_is_refused(committee):
    digest = attestation_digest(EVM, committee.end.place(), CLAIM)
    prefixed = keccak256(b"\x19Ethereum Signed Message:\n32" + digest)
    wrapped = PrivateKey(SIGNERS[1][0]).sign_recoverable(prefixed, hasher=None)
    bent = wrapped[:64] + bytes([wrapped[64] + 27])
    with refuses("SignatureOfAnother"):
        committee.verify(committee_proof(1, [(0, committee.signature(0)), (1, bent)]))


# Epochs


def test_the_epoch_before_is_believed_until_its_overlap_ends(committee):
    fresh = people("x", "y", "z")
    committee.add_epoch(2, fresh, previous_ends_at=START + 100)
    old, new = committee.attest(), committee.attest(epoch=2, keys=fresh)
    assert committee.verify(old)
    assert committee.verify(new)
    committee.chain.now = START + 99
    assert committee.verify(old)
    committee.chain.now = START + 100
    with refuses("EpochEnded", epoch=1):
        committee.verify(old)
    assert committee.verify(new)


def test_epochs_follow_one_another(committee):
    for number in (0, 1, 3):
        with refuses("EpochNotNext", expected=2, given=number):
            committee.add_epoch(number, SIGNERS)
    committee.add_epoch(2, SIGNERS)
    assert committee.view("epoch") == 2


def test_an_overlap_cannot_end_in_the_past(committee):
    with refuses("OverlapInPast"):
        committee.add_epoch(2, SIGNERS, previous_ends_at=START - 1)
    committee.add_epoch(2, SIGNERS, previous_ends_at=START)
    with refuses("EpochEnded"):
        committee.verify(committee.attest())


def test_an_epoch_nobody_opened_is_unknown(committee):
    for number in (0, 2):
        with refuses("UnknownEpoch", epoch=number):
            committee.verify(at(committee.attest(), 0, number))


def test_adding_an_epoch_takes_two_officers_and_the_delay():
    committee = Committee(delay_s=50)
    action = administration.add_epoch(2, [(address_of(private), org) for private, org in SIGNERS], 2, START + 500)
    number = committee.chain.propose(committee.address, action)
    committee.chain.transact(OFFICERS[1], committee.address, administration.approve(number))
    execute = administration.execute(number, action)
    with refuses("TooEarly"):
        committee.chain.transact(OFFICERS[2], committee.address, execute)
    committee.chain.now += 50
    committee.chain.transact(OFFICERS[2], committee.address, execute)
    assert committee.view("epoch") == 2


def test_an_epoch_can_be_read(committee):
    signers, organisations, threshold, ends_at = committee.view("epochOf", 1)
    assert signers == tuple("0x" + address_of(private).hex() for private, _ in SIGNERS)
    assert organisations == tuple(organisation for _, organisation in SIGNERS)
    assert (threshold, ends_at) == (2, 0)
    assert committee.view("organisationOf", address_of(SIGNERS[0][0])) == SIGNERS[0][1]
    assert committee.view("development") is False


UNFIT = {
    "one of one": (people("a"), 1, 1),
    "half": (people("a", "b", "c", "d"), 2, 4),
    "more than there are": (people("a", "b", "c"), 4, 3),
    "half of the organisations though most of the keys": (
        people("a1", "a2", "a3", "b", organisations=["a", "a", "a", "b"]),
        1,
        2,
    ),
    "none": (people("a", "b"), 0, 2),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_threshold_is_a_majority_of_organisations_and_two_at_least(name):
    keys, threshold, organisations = UNFIT[name]
    with refuses("ThresholdUnfit", threshold=threshold, organisations=organisations):
        Committee(keys, threshold)


def test_a_development_committee_may_be_one_signer_but_no_minority():
    committee = Committee(people("a"), threshold=1, development=True)
    assert committee.verify(committee.attest(signers=(0,)))
    assert committee.view("development") is True
    for threshold in (0, 1):
        with refuses("ThresholdUnfit"):
            Committee(people("a", "b"), threshold, development=True)


MALFORMED = {
    "nobody": [],
    "a signer twice": [SIGNERS[0], SIGNERS[1], SIGNERS[0]],
    "no organisation": [SIGNERS[0], (key("x"), bytes(32))],
    "257 signers": people(*(f"many {number}" for number in range(257))),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_lists_are_refused(name):
    with refuses("SignersMalformed"):
        Committee(MALFORMED[name], 2)


def test_a_zero_signer_and_lists_of_different_length_are_refused(committee):
    organisation = organisation_word("a")
    zero = administration.add_epoch(2, [(bytes(20), organisation), (account("b"), organisation_word("b"))], 2, START)
    with refuses("SignersMalformed"):
        committee.chain.administer(committee.address, zero)
    uneven = contract("ICommitteeActions").encode("addEpoch", 2, [account("a")] * 2, [organisation], 2, START, [])
    with refuses("SignersMalformed"):
        committee.chain.administer(committee.address, uneven)


def test_256_signers_fit():
    committee = Committee(people(*(f"many {number}" for number in range(256))), threshold=129)
    with refuses("QuorumTooSmall", organisations=1, threshold=129):
        committee.verify(committee.attest(signers=(255,)))
    assert committee.verify(committee.attest(signers=range(127, 256)))


def test_a_signer_stays_with_its_organisation(committee):
    moved = [(SIGNERS[0][0], organisation_word("another")), *SIGNERS[1:]]
    with refuses("SignerOfAnotherOrganisation"):
        committee.add_epoch(2, moved)
    committee.add_epoch(2, list(reversed(SIGNERS)))


# Striking


@pytest.mark.parametrize("who", [GUARDIAN, OFFICERS[0]])
def test_a_struck_signer_is_out_of_every_epoch_at_once(committee, who):
    committee.add_epoch(2, SIGNERS)
    old, new = committee.attest(), committee.attest(epoch=2)
    before = committee.view("generation")
    struck = address_of(SIGNERS[1][0])
    committee.strike(struck, who)
    assert committee.view("struck", struck)
    assert committee.view("generation") != before
    for proof in (old, new):
        with refuses("SignerStruckOut", signer="0x" + struck.hex()):
            committee.verify(proof)
    assert committee.verify(committee.attest(signers=(0, 2)))
    with refuses("SignerStruckOut"):
        committee.strike(struck)
    with refuses("SignerStruckOut"):
        committee.add_epoch(3, SIGNERS)


def test_only_a_signer_is_struck_and_not_by_a_stranger(committee):
    with refuses("UnknownSigner"):
        committee.strike(STRANGER)
    with refuses("NotGuardianOrOfficer"):
        committee.strike(address_of(SIGNERS[0][0]), STRANGER)


def test_a_place_names_the_ledger_the_gateway_and_the_verifier(committee):
    assert committee.end.place() == Place(committee.chain.word, GATEWAY, committee.address, 1)
