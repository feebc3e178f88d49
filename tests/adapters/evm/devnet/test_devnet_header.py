"""Sealed headers: their bytes, hashes and seals, computed a second time with the `rlp` package and real QBFT headers."""

import pytest
import rlp
from coincurve import PublicKey
from hypothesis import given
from hypothesis import strategies as st

from adapters.evm.devnet.header import MIX_HASH, Extra, Form, Vote, header_hash, header_items, read_header, seal_header
from light_clients.bft.checks import check_form, check_seals
from light_clients.crypto.secp256k1 import address_of
from light_clients.ibft2.codec import parse_header as parse_ibft2
from schemas.suites import keccak256
from tests.adapters.evm.devnet.devnet_samples import FORKS, anvil_block
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex

KEYS = sorted((keccak256(b"validator of a test %d" % index) for index in range(4)), key=address_of)
VALIDATORS = tuple(address_of(key) for key in KEYS)
REAL = [*shared_json("goquorum_qbft/headers_steady.json"), *shared_json("goquorum_qbft/headers_vote_out.json")]
VOTES = (None, Vote(VALIDATORS[1], add=True), Vote(VALIDATORS[1], add=False))


def signer(digest, seal):
    key = PublicKey.from_signature_and_message(seal, digest, hasher=None)
    return keccak256(key.format(compressed=False)[1:])[12:]


@pytest.mark.parametrize("fork", FORKS)
def test_items_are_those_that_the_fork_hashes(fork):
    block = anvil_block(7, fork)
    items = header_items(block)
    assert len(items) == FORKS[fork]
    assert header_hash(items) == unhex(block["hash"])


def test_missing_field_is_named():
    block = anvil_block(7)
    del block["stateRoot"]
    with pytest.raises(KeyError, match="stateRoot"):
        header_items(block)


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize("vote", VOTES)
@pytest.mark.parametrize("round_number", [0, 1, 300])
def test_sealed_header_by_an_independent_computation(fork, vote, round_number):
    items = header_items(anvil_block(7, fork))
    sealed = seal_header(items, Extra(VALIDATORS, vote, round_number), KEYS)
    decoded = rlp.decode(sealed.rlp())
    vanity, validators, vote_item, round_item, seals = rlp.decode(decoded[12])
    assert [len(vanity), tuple(validators)] == [32, VALIDATORS]
    assert vote_item == ([] if vote is None else [vote.subject, b"\xff" if vote.add else b""])
    assert int.from_bytes(round_item, "big") == round_number
    signed = list(decoded)
    signed[12] = rlp.encode([vanity, validators, vote_item, round_item, []])
    assert [signer(keccak256(rlp.encode(signed)), seal) for seal in seals] == list(VALIDATORS)
    hashed = list(decoded)
    hashed[12] = rlp.encode([vanity, validators, vote_item, b"", []])
    assert keccak256(rlp.encode(hashed)) == sealed.hash
    untouched = [index for index in range(len(items)) if index not in (7, 12, 13, 14)]
    assert [decoded[index] for index in untouched] == [items[index] for index in untouched]
    assert [decoded[7], decoded[13], decoded[14]] == [b"\x01", MIX_HASH, bytes(8)]


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize("vote", VOTES)
@pytest.mark.parametrize("round_number", [0, 1, 300])
def test_ibft2_header_is_sealed_for_its_light_client(fork, vote, round_number):
    items = header_items(anvil_block(7, fork))
    sealed = seal_header(items, Extra(VALIDATORS, vote, round_number, form=Form.IBFT2), KEYS)
    parsed = parse_ibft2(sealed.rlp())
    check_form(parsed)
    assert check_seals(parsed, VALIDATORS) == VALIDATORS
    assert (bytes(parsed.block_hash), parsed.extra.round) == (sealed.hash, round_number)
    assert parsed.extra.vote == (None if vote is None else (vote.subject, vote.add))
    assert read_header(sealed.rlp()) == sealed


@pytest.mark.parametrize("real", REAL, ids=lambda real: real["json"]["number"])
def test_headers_of_a_real_network_are_read_with_their_hash(real):
    header = read_header(unhex(real["header_rlp"]))
    assert header.hash == unhex(real["json"]["hash"])
    assert header.rlp() == unhex(real["header_rlp"])
    assert header.number == int(real["json"]["number"], 16)
    assert header.proposer == unhex(real["json"]["miner"])


def test_document_reads_back_into_the_same_items():
    sealed = seal_header(header_items(anvil_block(7, "prague")), Extra(VALIDATORS), KEYS)
    document = sealed.document()
    assert header_items(document) == list(sealed.items)
    assert document["hash"] == "0x" + sealed.hash.hex()
    assert document["totalDifficulty"] == "0x8"


@given(
    validators=st.lists(st.binary(min_size=20, max_size=20), max_size=9),
    subject=st.none() | st.binary(min_size=20, max_size=20),
    add=st.booleans(),
    round_number=st.integers(0, 2**24 - 1),
    seals=st.lists(st.binary(min_size=65, max_size=65), max_size=9),
    form=st.sampled_from(Form),
)
def test_extra_data_round_trip(validators, subject, add, round_number, seals, form):
    vote = None if subject is None else Vote(subject, add)
    extra = Extra(tuple(validators), vote, round_number, tuple(seals), form=form)
    assert Extra.decode(extra.encode()) == extra


@pytest.mark.parametrize(
    "data", [rlp.encode([b"", []]), rlp.encode(b"vanity"), rlp.encode([bytes(32), [[b""]], [], b"", []])]
)
def test_extra_data_of_another_shape_is_refused(data):
    with pytest.raises(ValueError, match=r"extraData|list stands"):
        Extra.decode(data)
