"""Real headers of GoQuorum and Besu on the ledger: hashes, seals, a set changed by votes, a proof of state."""

import pytest

from adapters.solidity import verifiers
from adapters.solidity.contracts import contract
from light_clients import qbft
from light_clients.qbft.codec import parse_header
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import keccak256
from tests.support.evm_world import STRANGER, EvmChain, refuses
from tests.support.light_client_world import LightClient, taken_apart
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex, unhex_all

GOQUORUM = int(verifiers.ClientDialect.GOQUORUM)


def network(name):
    return [taken_apart(unhex(entry["header_rlp"])) for entry in shared_json(f"goquorum_qbft/{name}.json")]


def pinned_at(header, **options):
    parsed = parse_header(header[0])
    return LightClient(header[0], None, parsed.block_hash, parsed.timestamp, **{"dialect": GOQUORUM, **options})


def besu_header():
    return taken_apart(unhex(shared_json("besu_bft/qbft_header_4val_round1.json")["header_rlp_with_seals"]))


@pytest.mark.parametrize("index", range(1, 13))
def test_every_steady_header_of_goquorum_is_accepted_on_the_ledger(index):
    headers = network("headers_steady")
    client = pinned_at(headers[0])
    parsed = parse_header(headers[index][0])
    client.at(parsed.timestamp).update(headers[index])
    assert client.view("client")[:3] == (parsed.height, parsed.block_hash, parsed.timestamp)


def test_the_real_header_of_besu_is_pinned_and_its_seals_hold_in_round_1():
    header, seals = besu_header()
    parsed = parse_header(header)
    assert parsed.extra.round == 1
    assert parsed.block_hash != parsed.seal_digest
    client = pinned_at((header, seals), dialect=0)
    assert client.view("client")[:3] == (parsed.height, parsed.block_hash, parsed.timestamp)
    with refuses("HeaderBehind"):
        client.update((header, seals))
    with refuses("SealForeign"):
        client.update((header, [*seals[:2], bytes([seals[2][0] ^ 1]) + seals[2][1:]]))


def followed(client, headers, pieces, sender=STRANGER):
    """The whole run in pieces of so many headers, with every header's seals only where they are needed."""
    needed = {6, 7}
    given = [(header, seals if place in needed else []) for place, (header, seals) in enumerate(headers)]
    for start in range(0, len(given), pieces):
        client.follow(*given[start : start + pieces], fresh=start == 0, sender=sender)


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 11])
@pytest.mark.parametrize("dialect", [0, 1])
def test_a_validator_of_goquorum_is_voted_out_by_a_run_in_pieces(pieces, dialect):
    headers = network("headers_vote_out")
    client = pinned_at(headers[0], dialect=dialect)
    client.at(parse_header(headers[-1][0]).timestamp)
    followed(client, headers, pieces)
    left = parse_header(headers[7][0])
    assert client.view("client")[:5] == (
        103,
        left.block_hash,
        left.timestamp,
        verifiers.validators_hash(left.extra.validators),
        103,
    )
    assert len(left.extra.validators) == 3
    client.update(headers[-1])
    assert client.height == 106
    with refuses("ValidatorsUnexpected"):
        client.update(headers[6])


@pytest.mark.parametrize("start", range(4, 7))
def test_a_run_that_begins_behind_a_needed_vote_comes_to_another_set(start):
    headers = network("headers_vote_out")
    client = pinned_at(headers[0])
    client.at(parse_header(headers[-1][0]).timestamp)
    votes = [place for place, (header, _) in enumerate(headers[:7]) if parse_header(header).extra.vote]
    expected = len([place for place in votes if place >= start])
    if expected >= 3:
        client.follow(*headers[start:])
        assert client.height == 103
        return
    with refuses("ValidatorsUnexpected"):
        client.follow(*headers[start:])


def test_what_python_follows_header_by_header_the_ledger_follows_too():
    headers = network("headers_vote_out")
    raw = [unhex(entry["header_rlp"]) for entry in shared_json("goquorum_qbft/headers_vote_out.json")]
    configuration = qbft.QbftConfiguration(dialect=qbft.Dialect.GOQUORUM)
    state = qbft.bootstrap(raw[0], BlockHash(parse_header(raw[0]).block_hash), configuration)
    client = pinned_at(headers[0])
    client.at(parse_header(raw[-1]).timestamp)
    client.follow(headers[0])
    for header, sealed in zip(raw[1:], headers[1:], strict=True):
        state = qbft.apply(state, qbft.verify_header(state, header, state.timestamp + 1))
        client.follow(sealed, fresh=False)
        height, block_hash, timestamp, votes = client.view("runOf", "0x" + STRANGER.hex())
        assert (height, block_hash, timestamp) == (state.height, state.block_hash, state.timestamp)
        assert [(unhex(vote[0]), unhex(vote[1]), vote[2]) for vote in votes] == [
            (vote.voter, vote.subject, vote.add) for vote in state.votes
        ]


def test_the_real_state_proof_of_goquorum_is_read_on_the_ledger():
    sample = shared_json("goquorum_qbft/proof_sample.json")
    answer = sample["eth_getProof"]
    harness = EvmChain("alpha")
    address = harness.create("test/ProofHarness")
    account = unhex_all(answer["accountProof"])
    data = contract("test/ProofHarness").encode(
        "find", unhex(sample["block"]["stateRoot"]), keccak256(unhex(answer["address"])), account
    )
    value = contract("test/ProofHarness").decode("find", harness.transact(STRANGER, address, data).output)[0]
    assert unhex(answer["storageHash"]) in value
    assert unhex(answer["codeHash"]) in value


def test_a_real_header_with_a_real_proof_shows_that_the_slot_holds_no_head():
    sample = shared_json("goquorum_qbft/proof_sample.json")
    header = next(
        (header, seals)
        for header, seals in network("headers_steady")
        if parse_header(header).state_root.hex0x() == sample["block"]["stateRoot"]
        and parse_header(header).height == int(sample["block"]["number"], 16)
    )
    parsed = parse_header(header[0])
    client = pinned_at(header)
    answer = sample["eth_getProof"]
    claim = Claim(
        LaneId(keccak256(b"lane")), Direction.OUTBOX, 1, Head(keccak256(b"head")), parsed.height, parsed.block_hash
    )
    proof = verifiers.qbft_proof(header, unhex_all(answer["accountProof"]), ())
    with refuses("ProofIncomplete"):
        client.verify(claim, proof, unhex(answer["address"]), unhex(answer["codeHash"]))
    with refuses("CodeHashMismatch", found=unhex(answer["codeHash"])):
        client.verify(claim, proof, unhex(answer["address"]), keccak256(b"other code"))
