"""Every check of a header: a synthetic chain with real signatures, in which one thing is false."""

from dataclasses import replace

import pytest

from light_clients import cometbft
from light_clients.cometbft.errors import (
    BlockVersionMismatch,
    ChainIdMismatch,
    CommitMismatch,
    NotEnoughTrust,
    PowerTooLittle,
    TrustedSetMismatch,
    ValidatorSetMismatch,
    VoteMisplaced,
    VoteSignatureInvalid,
)
from light_clients.cometbft.types import CometbftConfiguration
from light_clients.errors import (
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    HeaderBehind,
    PinMismatch,
    TimestampAhead,
    TimestampNotIncreasing,
)
from light_clients.protobuf import message_field
from schemas.primitives import BlockHash
from tests.support.cometbft_chain import ABSENT, FOR_BLOCK, FOR_NIL, START, Block, Chain, block_id, members

NOW = START + 60
ADA, BOB, CID, DOT = members(["ada", "bob", "cid", "dot"])
OTHERS = members(["eve", "fay", "gus", "hal"])


@pytest.fixture
def chain():
    return Chain(members(["ada", "bob", "cid", "dot"]))


def refused(state, block, leaf, now=NOW):
    with pytest.raises(leaf) as caught:
        cometbft.verify_header(state, block.bundle(), now)
    assert type(caught.value) is leaf
    return caught.value


def test_a_chain_is_followed_block_by_block(chain):
    state = chain.bootstrap()
    for _ in range(5):
        block = chain.grow()
        verified = cometbft.verify_header(state, block.bundle(), NOW)
        assert (verified.height, verified.block_hash) == (block.height, block.block_hash)
        assert verified.timestamp == block.time_ns // 10**9
        state = cometbft.apply(state, verified)
    assert (state.height, state.timestamp, state.confirmations) == (6, START + 5, 0)
    assert state.block_hash == chain.newest.block_hash
    assert state.oldest_height == 1


def test_a_set_changes_and_keys_may_be_of_secp256k1():
    old, new = members(["ada", "bob"], [5, 7], kind="secp256k1"), members(["ada", "kim"], [9, 1])
    chain = Chain(old)
    state = chain.bootstrap()
    for block in (chain.grow(next_validators=new), chain.grow(), chain.grow()):
        state = cometbft.apply(state, cometbft.verify_header(state, block.bundle(), NOW))
    assert state.height == 4


def test_a_secp256k1_vote_by_another_key_is_refused():
    chain = Chain(members(["ada", "bob"], [5, 7], kind="secp256k1"))
    block = replace(chain.grow(), signers=members(["eve", "fay"], kind="secp256k1"))
    refused(chain.bootstrap(), block, VoteSignatureInvalid)


def test_the_pin_and_the_version_are_checked_at_bootstrap(chain):
    block = chain.newest
    with pytest.raises(PinMismatch):
        cometbft.bootstrap(block.bundle(), BlockHash(b"\x07" * 32), CometbftConfiguration())
    with pytest.raises(BlockVersionMismatch):
        cometbft.bootstrap(block.bundle(), block.block_hash, CometbftConfiguration(block_version=12))
    header_alone = message_field(1, message_field(1, block.header().SerializeToString()))
    assert cometbft.bootstrap(header_alone, block.block_hash, CometbftConfiguration()).height == 1


def test_a_frozen_client_judges_nothing(chain):
    refused(chain.bootstrap().freeze(), chain.grow(), ClientFrozen)


def test_the_trusting_period_ends(chain):
    state = chain.bootstrap(CometbftConfiguration(100, 200))
    block = chain.grow()
    assert state.expires_at == START + 100
    refused(state, block, ClientExpired, START + 100)
    assert cometbft.verify_header(state, block.bundle(), START + 99).height == 2


def test_a_header_ahead_of_our_clock_waits(chain):
    state, block = chain.bootstrap(), chain.grow()
    drift = state.configuration.maximum_drift_s
    refused(state, block, TimestampAhead, START + 1 - drift)
    assert cometbft.verify_header(state, block.bundle(), START + 2 - drift).height == 2


def test_a_header_of_another_chain_or_version_is_refused(chain):
    state, block = chain.bootstrap(), chain.grow()
    refused(state, replace(block, chain_id="relay-test-2"), ChainIdMismatch)
    refused(state, replace(block, version=(10, 0)), BlockVersionMismatch)


def test_a_height_that_was_accepted_is_behind(chain):
    refused(chain.bootstrap(), chain.newest, HeaderBehind)


def test_a_header_that_is_not_later_is_refused(chain):
    state, block = chain.bootstrap(), chain.grow()
    refused(state, replace(block, time_ns=START * 10**9), TimestampNotIncreasing)
    assert cometbft.verify_header(state, replace(block, time_ns=START * 10**9 + 1).bundle(), NOW).height == 2


def test_the_set_is_the_one_that_the_header_names(chain):
    state, block = chain.bootstrap(), chain.grow()
    false = replace(block, hashes={"validators_hash": b"\x05" * 32})
    refused(state, false, ValidatorSetMismatch)
    signed = message_field(1, message_field(1, block.header().SerializeToString()))
    with pytest.raises(ValidatorSetMismatch):
        cometbft.verify_header(state, signed, NOW)


def test_a_bundle_without_a_commit_is_refused(chain):
    from tests.support.cometbft_chain import set_bytes

    state, block = chain.bootstrap(), chain.grow()
    signed = message_field(1, message_field(1, block.header().SerializeToString()))
    with pytest.raises(CommitMismatch):
        cometbft.verify_header(state, signed + message_field(2, set_bytes(block.validators)), NOW)


def test_a_commit_for_another_height_or_block_is_refused(chain):
    state, block = chain.bootstrap(), chain.grow()
    refused(state, replace(block, commit_fields={"height": 3}), CommitMismatch)
    refused(state, replace(block, commit_fields={"block_id": block_id(b"\x09" * 32)}), CommitMismatch)


def test_a_commit_has_one_vote_for_each_validator(chain):
    state, block = chain.bootstrap(), chain.grow()
    votes = list(block.votes())
    refused(state, replace(block, commit_fields={"signatures": votes[:3]}), CommitMismatch)
    refused(state, replace(block, commit_fields={"signatures": [*votes, votes[0]]}), CommitMismatch)


def test_a_vote_at_another_place_is_refused_even_behind_the_threshold(chain):
    state, block = chain.bootstrap(), chain.grow()
    votes = list(block.votes())
    votes[3].validator_address = votes[0].validator_address
    refused(state, replace(block, commit_fields={"signatures": votes}), VoteMisplaced)


def test_a_vote_for_no_block_is_at_its_place_too(chain):
    state, block = chain.bootstrap(), chain.grow()
    block = replace(block, flags=(FOR_NIL, FOR_BLOCK, FOR_BLOCK, FOR_BLOCK))
    assert cometbft.verify_header(state, block.bundle(), NOW).height == 2
    votes = list(block.votes())
    votes[0].validator_address = bytes(20)
    refused(state, replace(block, commit_fields={"signatures": votes}), VoteMisplaced)


def test_a_vote_of_another_round_time_or_signer_is_refused(chain):
    state, block = chain.bootstrap(), chain.grow()
    refused(state, replace(block, commit_fields={"round": 1}), VoteSignatureInvalid)
    votes = list(block.votes())
    votes[0].timestamp.nanos += 1
    refused(state, replace(block, commit_fields={"signatures": votes}), VoteSignatureInvalid)
    refused(state, replace(block, signers=OTHERS), VoteSignatureInvalid)


@pytest.mark.parametrize(
    ("powers", "flags", "enough"),
    [
        ((10, 10, 10), (2, 2, 1), False),
        ((10, 10, 10), (2, 2, 3), False),
        ((10, 10, 10), (2, 2, 2), True),
        ((3, 2, 1), (2, 1, 2), False),
        ((3, 2, 1), (2, 2, 1), True),
        ((5, 1, 1), (2, 1, 1), True),
        ((5, 1, 1), (1, 2, 2), False),
        ((1, 1, 1), (1, 1, 1), False),
    ],
)
def test_more_than_two_thirds_of_the_power_sign(powers, flags, enough):
    chain = Chain(members(["ada", "bob", "cid"], list(powers)))
    state, block = chain.bootstrap(), replace(chain.grow(), flags=flags)
    if enough:
        assert cometbft.verify_header(state, block.bundle(), NOW).height == 2
    else:
        refused(state, block, PowerTooLittle)


def test_signatures_behind_the_threshold_are_not_looked_at(chain):
    state, block = chain.bootstrap(), chain.grow()
    last = (*members(["ada", "bob", "cid", "dot"])[:3], OTHERS[0])
    assert cometbft.verify_header(state, replace(block, signers=last).bundle(), NOW).height == 2


def test_the_next_block_is_by_the_set_that_was_named(chain):
    state = chain.bootstrap()
    refused(state, replace(chain.grow(), validators=OTHERS), ValidatorSetMismatch)


def skipping(chain, new, heights=8):
    """A chain whose set changes at height 3, and its last block as one that skips from height 1."""
    chain.grow(next_validators=new)
    block = chain.grow(heights - 2)
    return replace(block, trusted=chain.at(1).next_validators, trusted_height=1)


def test_heights_are_skipped_where_the_set_is_the_same(chain):
    state, block = chain.bootstrap(), chain.grow(9)
    verified = cometbft.verify_header(state, block.bundle(), NOW)
    assert cometbft.apply(state, verified).height == 10


def test_heights_are_skipped_where_enough_of_the_trusted_signed(chain):
    new = tuple(sorted((ADA, BOB, *OTHERS[:2]), key=lambda member: (-member.power, member.address)))
    block = skipping(chain, new)
    assert cometbft.verify_header(chain.bootstrap(), block.bundle(), NOW).height == 8


def test_exactly_a_third_is_not_enough_and_the_pivot_is_named():
    old = members(["ada", "bob", "cid"])
    new = members(["ada", "eve", "fay"])
    error = refused(Chain(old).bootstrap(), skipping(Chain(old), new), NotEnoughTrust)
    assert (error.pivot_height, error.expected, error.found) == (4, 10, 10)
    assert error.diagnostics()["pivot_height"] == 4


def test_the_level_of_trust_may_be_higher(chain):
    new = tuple(sorted((ADA, BOB, *OTHERS[:2]), key=lambda member: (-member.power, member.address)))
    block = skipping(chain, new)
    refused(chain.bootstrap(CometbftConfiguration(trust_numerator=1, trust_denominator=2)), block, NotEnoughTrust)
    # A level above two thirds is asked of an unchanged set too.
    same = Chain(chain.validators)
    last = replace(same.grow(5), flags=(FOR_BLOCK, FOR_BLOCK, FOR_BLOCK, ABSENT))
    assert cometbft.verify_header(same.bootstrap(), last.bundle(), NOW).height == 6
    refused(same.bootstrap(CometbftConfiguration(trust_numerator=4, trust_denominator=5)), last, NotEnoughTrust)


def test_the_trusted_set_is_the_one_that_the_accepted_header_names(chain):
    block = skipping(chain, OTHERS)
    refused(chain.bootstrap(), replace(block, trusted=OTHERS), TrustedSetMismatch)
    refused(chain.bootstrap(), replace(block, trusted=None), TrustedSetMismatch)


def test_a_trusted_vote_is_signed_and_the_own_set_decides_all_the_same(chain):
    new = tuple(sorted((ADA, BOB, *OTHERS[:2]), key=lambda member: (-member.power, member.address)))
    block = skipping(chain, new)
    refused(chain.bootstrap(), replace(block, signers=(*members(["x", "y", "z", "w"]),)), VoteSignatureInvalid)
    flags = tuple(FOR_BLOCK if member in (ADA, BOB) else ABSENT for member in new)
    refused(chain.bootstrap(), replace(block, flags=flags), PowerTooLittle)


def test_a_window_of_256_headers_is_kept(chain):
    state = chain.bootstrap()
    template = chain.newest
    for height in range(2, 300):
        block = replace(template, height=height, time_ns=template.time_ns + height)
        state = cometbft.apply(state, cometbft.VerifiedCometbftHeader(cometbft.verify.anchor_of(_read(block))))
    assert len(state.anchors) == 256
    assert (state.oldest_height, state.height) == (44, 299)
    assert state.anchor_at(43) is None


def _read(block):
    from light_clients.cometbft.codec import read_header

    return read_header(block.header().SerializeToString())


@pytest.mark.parametrize(
    "fields",
    [
        {"trusting_period_s": 0},
        {"trusting_period_s": 21 * 24 * 3600},
        {"unbonding_period_s": 2**32},
        {"maximum_drift_s": -1},
        {"maximum_drift_s": 2**32},
        {"trust_numerator": 0},
        {"trust_numerator": 2, "trust_denominator": 1},
        {"trust_denominator": 4},
        {"trust_numerator": 2**32, "trust_denominator": 2**32 + 1},
        {"block_version": -1},
        {"block_version": 2**64},
    ],
)
def test_a_configuration_out_of_range_is_refused(fields):
    with pytest.raises(ConfigurationInvalid):
        CometbftConfiguration(**fields)


def test_a_block_by_hand_is_what_the_library_reads():
    block = Block(5, START * 10**9 + 123, (ADA, BOB), (CID, DOT), app_hash=b"")
    header = _read(block)
    assert (header.height, header.time_ns, header.chain_id) == (5, START * 10**9 + 123, "relay-test-1")
    assert (header.block_hash, header.app_hash) == (block.block_hash, b"")
