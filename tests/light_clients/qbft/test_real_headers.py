"""Real headers of GoQuorum and Besu: hashes, seals, and a set that changes by votes."""

import pytest

from light_clients import qbft
from light_clients.bft.block_json import header_from_json
from light_clients.bft.checks import check_form, check_seals
from light_clients.errors import ValidatorsUnexpected
from light_clients.qbft.codec import encode_extra, parse_header
from schemas.primitives import BlockHash
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex, unhex_all

GOQUORUM = qbft.QbftConfiguration(dialect=qbft.Dialect.GOQUORUM)


def network(name):
    return shared_json(f"goquorum_qbft/{name}.json")


def pinned(entry, configuration=GOQUORUM):
    return qbft.bootstrap(unhex(entry["header_rlp"]), BlockHash.from_hex(entry["json"]["hash"]), configuration)


@pytest.mark.parametrize("name", ["headers_steady", "headers_vote_out"])
def test_every_header_is_followed_and_told_as_the_node_tells_it(name):
    entries = network(name)
    state = pinned(entries[0])
    for entry in entries[1:]:
        header = unhex(entry["header_rlp"])
        verified = qbft.verify_header(state, header, int(entry["json"]["timestamp"], 16) + 1)
        assert verified.height == entry["istanbul_getSignersFromBlock"]["Number"]
        assert verified.block_hash.hex0x() == entry["istanbul_getSignersFromBlock"]["Hash"] == entry["json"]["hash"]
        assert verified.state_root.hex0x() == entry["json"]["stateRoot"]
        assert sorted(verified.sealers) == sorted(unhex_all(entry["istanbul_getSignersFromBlock"]["Committers"]))
        state = qbft.apply(state, verified)
        assert (state.height, state.block_hash, state.timestamp) == (
            verified.height,
            verified.block_hash,
            verified.timestamp,
        )
        assert sorted(state.validators) == sorted(unhex_all(entry["istanbul_getValidators"]))


@pytest.mark.parametrize("dialect", qbft.QbftConfiguration.dialects)
def test_the_vote_out_changes_the_set_from_the_next_block_on(dialect):
    entries = network("headers_vote_out")
    state = pinned(entries[0], qbft.QbftConfiguration(dialect=dialect))
    for entry in entries[1:]:
        header = unhex(entry["header_rlp"])
        state = qbft.apply(state, qbft.verify_header(state, header, int(entry["json"]["timestamp"], 16)))
    assert [(known.first_height, len(known.members)) for known in state.sets] == [(96, 4), (103, 3)]
    assert state.votes == ()


def test_the_changed_set_is_refused_without_its_votes():
    entries = network("headers_vote_out")
    state = pinned(entries[5])  # block 101: the votes of 100 and 101 are not known
    state = qbft.apply(state, qbft.verify_header(state, unhex(entries[6]["header_rlp"]), state.timestamp))
    with pytest.raises(ValidatorsUnexpected):
        qbft.verify_header(state, unhex(entries[7]["header_rlp"]), state.timestamp)


def test_open_votes_can_be_given_with_the_pin():
    entries = network("headers_vote_out")
    parsed = parse_header(unhex(entries[4]["header_rlp"]))
    subject, add = parsed.extra.vote
    votes = (qbft.Vote(parsed.proposer, subject, add),)
    state = pinned(entries[5], qbft.QbftConfiguration(dialect=qbft.Dialect.GOQUORUM, votes=votes))
    for entry in entries[6:]:
        header = unhex(entry["header_rlp"])
        state = qbft.apply(state, qbft.verify_header(state, header, int(entry["json"]["timestamp"], 16)))
    assert len(state.validators) == 3


@pytest.mark.parametrize("name", ["headers_steady", "headers_vote_out"])
def test_headers_are_rebuilt_from_json(name):
    for entry in network(name):
        assert header_from_json(entry["json"], parse_header) == unhex(entry["header_rlp"])


def test_a_besu_header_of_round_1():
    sample = shared_json("besu_bft/qbft_header_4val_round1.json")
    parsed = parse_header(unhex(sample["header_rlp_with_seals"]))
    assert (parsed.height, parsed.extra.round) == (sample["number"], sample["round"])
    assert parsed.seal_digest == unhex(sample["commit_seal_hash"])
    assert parsed.seal_digest != parsed.block_hash
    check_form(parsed)
    sealers = check_seals(parsed, parsed.extra.validators)
    assert len(set(sealers)) == sample["n_seals"]
    assert encode_extra(parsed.extra) == unhex(sample["extra_data"][1])


def test_a_besu_header_can_be_pinned():
    sample = shared_json("besu_bft/qbft_header_4val_round1.json")
    header = unhex(sample["header_rlp_with_seals"])
    state = qbft.bootstrap(header, parse_header(header).block_hash, qbft.QbftConfiguration())
    assert (state.height, len(state.validators)) == (7528, 4)
