"""Real headers of GoQuorum's legacy IBFT: hashes, proposers, seals, a validator voted in, and the weak rule of the node."""

import pytest

from light_clients import ibft, ibft2, qbft, rlp
from light_clients.bft.block_json import header_from_json
from light_clients.errors import PinMismatch, Refused, SealsTooFew, ValidatorsUnexpected
from light_clients.ibft.codec import encode_extra, parse_header, proposal_digest, with_extra
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex, unhex_all

STEADY = shared_json("goquorum_ibft/headers_steady.json")
VOTE_IN = shared_json("goquorum_ibft/headers_vote_in.json")
NETWORKS = pytest.mark.parametrize("entries", [STEADY, VOTE_IN], ids=["steady", "vote_in"])


def pinned(entry):
    return ibft.bootstrap(
        unhex(entry["header_rlp"]), BlockHash.from_hex(entry["json"]["hash"]), ibft.IbftConfiguration()
    )


def follow(state, entry):
    header = unhex(entry["header_rlp"])
    return ibft.apply(state, ibft.verify_header(state, header, int(entry["json"]["timestamp"], 16)))


@NETWORKS
def test_every_header_is_followed_and_told_as_the_node_tells_it(entries):
    state = pinned(entries[0])
    for entry in entries[1:]:
        header, told = unhex(entry["header_rlp"]), entry["istanbul_getSignersFromBlock"]
        verified = ibft.verify_header(state, header, int(entry["json"]["timestamp"], 16))
        assert verified.height == told["Number"]
        assert verified.block_hash.hex0x() == told["Hash"] == entry["json"]["hash"]
        assert sorted(verified.sealers) == sorted(unhex_all(told["Committers"]))
        assert parse_header(header).proposer == unhex(told["Author"])
        state = ibft.apply(state, verified)
        assert sorted(state.validators) == sorted(unhex_all(entry["istanbul_getValidators"]))


@NETWORKS
def test_the_proposer_signs_the_hash_of_the_hash(entries):
    for entry in entries:
        header = unhex(entry["header_rlp"])
        items, extra = rlp.decode_list(header), parse_header(header).extra
        assert proposal_digest(items, extra) == keccak256(unhex(entry["analysis"]["sighash"]))
        assert with_extra(items, extra) == header
        assert encode_extra(extra) == unhex(entry["json"]["extraData"])


@NETWORKS
def test_headers_are_rebuilt_from_json(entries):
    for entry in entries:
        assert header_from_json(entry["json"], parse_header) == unhex(entry["header_rlp"])


def test_the_vote_in_changes_the_set_from_the_next_block_on():
    state = pinned(VOTE_IN[0])
    for entry in VOTE_IN[1:]:
        state = follow(state, entry)
    assert [(known.first_height, len(known.members)) for known in state.sets] == [(23, 3), (28, 4)]
    assert state.votes == ()


def test_the_changed_set_is_refused_without_its_votes():
    state = follow(pinned(VOTE_IN[3]), VOTE_IN[4])  # block 26 has the first vote, block 27 the second
    assert len(state.validators) == 4
    late = pinned(VOTE_IN[4])  # pinned at block 27: one vote of the two
    with pytest.raises(ValidatorsUnexpected):
        follow(late, VOTE_IN[5])


def test_the_nodes_own_rule_of_seals_is_not_enough():
    state = pinned(STEADY[0])
    header = unhex(STEADY[1]["header_rlp"])
    items, extra = rlp.decode_list(header), parse_header(header).extra
    weak = type(extra)(extra.vanity, extra.validators, extra.vote, 0, extra.seals[:2], extra.proposer_seal)
    assert parse_header(with_extra(items, weak)).block_hash == parse_header(header).block_hash
    with pytest.raises(SealsTooFew):  # GoQuorum asks for more than ceil(n / 3) - 1 of them, which two are
        ibft.verify_header(state, with_extra(items, weak), state.timestamp + 1)


@NETWORKS
@pytest.mark.parametrize(
    ("family", "configuration"), [(qbft, qbft.QbftConfiguration()), (ibft2, ibft2.Ibft2Configuration())]
)
def test_no_other_family_takes_them(entries, family, configuration):
    for entry in entries:
        with pytest.raises((Refused, PinMismatch)):
            family.bootstrap(unhex(entry["header_rlp"]), BlockHash.from_hex(entry["json"]["hash"]), configuration)


@pytest.mark.parametrize("name", ["headers_steady", "headers_vote_out"])
def test_headers_of_qbft_are_none_of_legacy_ibft(name):
    for entry in shared_json(f"goquorum_qbft/{name}.json"):
        with pytest.raises(Refused):
            parse_header(unhex(entry["header_rlp"]))
