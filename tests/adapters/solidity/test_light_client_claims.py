"""Claims before the light client on the ledger: what it believes, and each thing that it refuses, alone."""

from dataclasses import replace

import pytest
import rlp

from adapters.solidity import verifiers
from light_clients.proofs.gateway import head_slot
from schemas.primitives import LaneId
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.evm_world import Refused, refusal_of, refuses
from tests.support.light_client_world import LightClient, claim_at, proof_at, signed

LANE = LaneId(keccak256(b"lane"))
HEADS = {0: keccak256(b"outbox head"), 1: keccak256(b"outcome head")}
STORE = chain.Storage({head_slot(LANE, direction): head for direction, head in HEADS.items()})
FIRST = chain.first_spec(number=9)
NEXT = chain.next_spec(FIRST, state_root=STORE.root)
LABELS = FIRST.validators


@pytest.fixture
def client():
    return LightClient(FIRST).at(NEXT.timestamp)


def claim_of(spec=NEXT, direction=0, head=None, **changes):
    return replace(claim_at(spec, LANE, direction, 7, head or HEADS[direction]), **changes)


def proof_of(spec=NEXT, direction=0, **options):
    return proof_at(spec, STORE, LANE, direction, **options)


# Claims


@pytest.mark.parametrize("direction", [0, 1])
def test_a_head_in_the_peers_state_is_proved(client, direction):
    assert client.verify(claim_of(direction=direction), proof_of(direction=direction)) is True


def test_a_claim_at_an_older_or_newer_header_of_the_set_is_judged_alike(client):
    newer = chain.next_spec(chain.next_spec(NEXT))
    client.at(newer.timestamp).update(signed(newer))
    assert client.verify(claim_of(), proof_of())
    unseen = chain.next_spec(newer, state_root=STORE.root)
    assert client.verify(claim_of(unseen), proof_of(unseen))


@pytest.mark.parametrize(
    "changes",
    [
        {"lane_id": bytes(32)},
        {"direction": 2},
        {"nonce": 0},
        {"head": bytes(32)},
        {"block_hash": bytes(32)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_incomplete_claim_is_refused(client, changes):
    with refuses("ClaimMalformed"):
        client.verify(replace(claim_of(), **changes), proof_of())


def test_only_addresses_are_gateways(client):
    with refuses("PeerUnfit", length=19):
        client.verify(claim_of(), proof_of(), gateway=chain.GATEWAY[:19])


def test_the_header_is_that_of_the_claim(client):
    with refuses("ClaimHeightMismatch", claimed=11, height=10):
        client.verify(claim_of(height=11), proof_of())
    with refuses("ClaimBlockMismatch", blockHash=NEXT.hash()):
        client.verify(claim_of(block_hash=keccak256(b"another block")), proof_of())


def test_the_header_is_judged_as_a_newer_one_is(client):
    with refuses("SealsTooFew"):
        client.verify(claim_of(), proof_of(header=(NEXT.signed(), NEXT.seals()[:2])))
    stranger = replace(NEXT, proposer=chain.address("stranger"))
    with refuses("ProposerUnfit"):
        client.verify(claim_of(stranger), proof_of(stranger))
    other = chain.next_spec(FIRST, validators=LABELS[:3], state_root=STORE.root)
    with refuses("ValidatorsUnexpected"):
        client.verify(claim_of(other), proof_of(other))
    client.at(NEXT.timestamp - 16)
    with refuses("HeaderAhead"):
        client.verify(claim_of(), proof_of())
    client.at(FIRST.timestamp + 14 * 24 * 3600)
    with refuses("ClientExpired"):
        client.verify(claim_of(), proof_of())


def test_a_header_of_before_the_set_is_not_judged_by_it(client):
    early = replace(NEXT, number=8)
    with refuses("HeaderBeforeSet", height=8, since=9):
        client.verify(claim_of(early), proof_of(early))


def test_another_code_at_the_gateways_address_is_refused(client):
    with refuses("CodeHashMismatch", pinned=keccak256(b"other"), found=chain.CODE_HASH):
        client.verify(claim_of(), proof_of(), code_hash=keccak256(b"other"))


def on(storage, direction=0, **evidence):
    """The same claim at a block with another state: client, claim, proof."""
    spec = chain.next_spec(FIRST, state_root=storage.root)
    proofs = {"account_proof": storage.account_proof(), "storage_proof": (), **evidence}
    return claim_of(spec, direction), verifiers.qbft_proof(
        signed(spec), proofs["account_proof"], proofs["storage_proof"]
    )


def test_there_is_a_gateway_at_the_address(client):
    gateless = chain.Storage({}, gateway=chain.address("another gateway"))
    with refuses("AccountAbsent"):
        client.verify(*on(gateless, account_proof=gateless.account_proof(chain.GATEWAY)))


def test_the_slot_holds_the_head(client):
    with refuses("HeadNotProved", claimed=keccak256(b"another"), found=HEADS[0]):
        client.verify(claim_of(head=keccak256(b"another")), proof_of())
    empty = chain.Storage({})
    with refuses("HeadNotProved", found=bytes(32)):
        client.verify(*on(empty, storage_proof=empty.storage_proof(head_slot(LANE, 0))))


def test_the_slots_key_is_computed_and_never_taken_from_the_proof(client):
    other_lane = LaneId(keccak256(b"another lane"))
    store = chain.Storage({head_slot(LANE, 0): HEADS[0], head_slot(other_lane, 0): HEADS[1]})
    spec = chain.next_spec(FIRST, state_root=store.root)
    for lane, direction in ((other_lane, 0), (LANE, 1)):
        slot = head_slot(lane, direction) if lane == other_lane else keccak256(b"slot 3")
        proof = verifiers.qbft_proof(signed(spec), store.account_proof(), store.storage_proof(slot))
        with refuses("ProofNodeMismatch"):
            client.verify(claim_of(spec, head=HEADS[1]), proof)


def test_a_head_with_leading_zeros_is_a_shorter_integer(client):
    short = b"\x00\x00" + HEADS[0][2:]
    store = chain.Storage({head_slot(LANE, 0): short})
    spec = chain.next_spec(FIRST, state_root=store.root)
    assert client.verify(claim_of(spec, head=short), proof_at(spec, store, LANE, 0))


@pytest.mark.parametrize("which", [2, 3])
@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda nodes: nodes[:-1], "ProofIncomplete"),
        (lambda nodes: (*nodes, nodes[-1]), "ProofNodesUnused"),
        (lambda nodes: nodes[::-1], "ProofNodeMismatch"),
        (lambda nodes: nodes[:0], "ProofIncomplete"),
        (lambda nodes: (nodes[0], nodes[1][:-1] + bytes([nodes[1][-1] ^ 1]), *nodes[2:]), "ProofNodeMismatch"),
    ],
    ids=["cut", "extended", "reordered", "empty", "changed"],
)
def test_both_proofs_are_whole_and_nothing_more(client, which, change, name):
    parts = [signed(NEXT), STORE.account_proof(), STORE.storage_proof(head_slot(LANE, 0))]
    parts[which - 1] = change(parts[which - 1])
    with refuses(name):
        client.verify(claim_of(), verifiers.qbft_proof(*parts))


ACCOUNTS = {
    "three fields": lambda root: [1, 0, root],
    "five fields": lambda root: [1, 0, root, chain.CODE_HASH, b""],
    "storage root of 31 bytes": lambda root: [1, 0, root[:31], chain.CODE_HASH],
    "code hash is a list": lambda root: [1, 0, root, [chain.CODE_HASH]],
    "nonce with a leading zero": lambda root: [b"\x00\x01", 0, root, chain.CODE_HASH],
    "nonce of nine bytes": lambda root: [b"\x01" + bytes(8), 0, root, chain.CODE_HASH],
    "balance of 33 bytes": lambda root: [1, b"\x01" + bytes(32), root, chain.CODE_HASH],
    "a string": lambda root: b"no account" + root + root,
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_account_has_its_four_fields(client, name):

    store = chain.Storage({head_slot(LANE, 0): HEADS[0]})
    store.accounts[keccak256(chain.GATEWAY)] = rlp.encode(ACCOUNTS[name](store.storage.root_hash))
    spec = chain.next_spec(FIRST, state_root=store.root)
    with pytest.raises(Refused, match=r"RlpMalformed|ProofNodeMalformed"):
        client.verify(claim_of(spec), proof_at(spec, store, LANE, 0))


WORDS = {
    "a list": b"\xc1\x05",
    "a leading zero": b"\x82\x00\x05",
    "two items": b"\x05\x05",
    "33 bytes": b"\xa1" + b"\x05" * 33,
    "no RLP": b"\x81\x05",
}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_is_a_canonical_integer(client, name):
    store = chain.Storage({head_slot(LANE, 0): HEADS[0]})
    store.storage[keccak256(head_slot(LANE, 0))] = WORDS[name]
    account = rlp.encode([1, 0, store.storage.root_hash, chain.CODE_HASH])
    store.accounts[keccak256(chain.GATEWAY)] = account
    spec = chain.next_spec(FIRST, state_root=store.root)
    with pytest.raises(Refused, match=r"RlpMalformed|ProofNodeMalformed"):
        client.verify(claim_of(spec, head=(5).to_bytes(32, "big")), proof_at(spec, store, LANE, 0))


# The encoding of the proof


def test_the_proof_has_one_encoding(client):
    proof = proof_of()
    words = [proof[place : place + 32] for place in range(0, len(proof), 32)]
    assert client.verify(claim_of(), proof)

    def changed(place, word):
        return b"".join([*words[:place], word, *words[place + 1 :]])

    def number(value):
        return value.to_bytes(32, "big")

    header_words = -(-len(NEXT.signed()) // 32)
    seals_at = 5 + header_words
    cases = {
        "nothing": b"\x00",
        "cut": proof[:-32],
        "cut inside a word": proof[:-1],
        "trailing word": proof + bytes(32),
        "four words": proof[:128],
        "header elsewhere": changed(0, number(160)),
        "seals elsewhere": changed(1, number(seals_at * 32 + 32)),
        "account proof elsewhere": changed(2, words[3]),
        "storage proof elsewhere": changed(3, words[2]),
        "header longer": changed(4, number(len(proof))),
        "header of any length": changed(4, number(2**256 - 1)),
        "bytes behind the header": changed(seals_at - 1, words[seals_at - 1][:-1] + b"\x01"),
        "seals without end": changed(seals_at, number(2**200)),
        "a seal elsewhere": changed(seals_at + 1, words[seals_at + 2]),
        "bytes behind a seal": changed(seals_at + 1 + 3 + 3, words[seals_at + 1 + 3 + 3][:-1] + b"\x01"),
    }
    judged = {name: refusal_of(lambda bad=bad: client.verify(claim_of(), bad)) for name, bad in cases.items()}
    assert judged == dict.fromkeys(cases, "ProofNotCanonical")


def test_keys_used_on_a_second_ledger_are_the_officers_promise(client):
    """Seals carry no chain id: the same set's header of another ledger is believed here, as docs/trust.md says."""
    elsewhere = chain.first_spec(LABELS, number=40, state_root=STORE.root, parent_hash=keccak256(b"another ledger"))
    client.at(elsewhere.timestamp)
    assert client.verify(claim_of(elsewhere), proof_of(elsewhere))
