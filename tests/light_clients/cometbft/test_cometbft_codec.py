"""Bytes of headers, commits, sets and votes: Google's protobuf is the second writer, a refused byte the second reader."""

import random
from dataclasses import replace
from functools import partial

import pytest

from light_clients import cometbft
from light_clients.cometbft import codec
from light_clients.cometbft.codec import read_bundle, read_commit, read_header, read_validator_set
from light_clients.cometbft.encoding import SignBytes, block_id_bytes, timestamp_bytes
from light_clients.cometbft.errors import CommitMalformed, ValidatorSetMalformed
from light_clients.cometbft.types import BlockId, CometbftConfiguration
from light_clients.errors import HeaderFieldInvalid, HeaderTooLarge, LightClientError, ProtobufRefused
from light_clients.proofs.rfc6962 import leaf_hash, tree_root
from light_clients.proofs.tendermint_merkle import merkle_root
from tests.support.cometbft_chain import START, Block, Chain, block_id, members, merkle, set_bytes, set_hash, sign_bytes
from tests.support.cometbft_messages import message, written

ADA, BOB = members(["ada", "bob"])
BLOCK = Block(5, START * 10**9 + 5, (ADA, BOB), (ADA, BOB))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7, 8, 13, 14, 31, 100])
def test_the_root_is_the_same_by_three_ways(count):
    leaves = [bytes([place]) * place for place in range(count)]
    assert merkle_root(leaves) == merkle(leaves) == tree_root([leaf_hash(leaf) for leaf in leaves])


@pytest.mark.parametrize("round_", [0, 3])
@pytest.mark.parametrize("nanoseconds", [START * 10**9, START * 10**9 + 999_999_999, 0, -1, -62135596800 * 10**9])
@pytest.mark.parametrize("named", [None, b"\x05" * 32])
def test_sign_bytes_are_those_of_google_protobuf(round_, nanoseconds, named):
    told = None if named is None else block_id(named)
    ours = None if named is None else BlockId(named, 1, told.part_set_header.hash)
    seconds, nanos = divmod(nanoseconds, 10**9)
    found = SignBytes(2, 77, round_, ours, "relay").at(timestamp_bytes(seconds, nanos))
    assert found == sign_bytes("relay", 77, round_, told, nanoseconds)


def test_an_empty_block_id_has_its_parts():
    assert block_id_bytes(BlockId(b"", 0, b"")) == b"\x12\x00" == block_id(b"").SerializeToString()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"app_hash": b"x" * 64},
        {"app_hash": b""},
        {"version": (11, 7)},
        {"version": (0, 0)},
        {"parent": b""},
        {"time_ns": 0},
        {"height": 2**63 - 1},
        {"chain_id": "ü" * 25},
        {"hashes": {"data_hash": b"", "evidence_hash": b""}},
    ],
)
def test_the_hash_of_a_header_is_the_second_writers(fields):
    block = replace(BLOCK, **fields)
    assert read_header(block.header().SerializeToString()).block_hash == block.block_hash


@pytest.mark.parametrize(
    "fields",
    [
        {"height": 0},
        {"height": -1},
        {"chain_id": ""},
        {"chain_id": "ü" * 26},
        {"time_ns": -1},
        {"time_ns": 253_402_300_800 * 10**9},
        {"parent": b"\x01" * 31},
        {"app_hash": b"x" * 65},
        {"hashes": {"validators_hash": b""}},
        {"hashes": {"next_validators_hash": b""}},
        {"hashes": {"data_hash": b"\x01" * 20}},
        {"hashes": {"proposer_address": b"\x01" * 19}},
    ],
)
def test_a_header_with_a_field_that_cannot_be_is_refused(fields):
    with pytest.raises(HeaderFieldInvalid):
        read_header(replace(BLOCK, **fields).header().SerializeToString())


def test_too_many_nanoseconds_or_parts_are_refused():
    header = BLOCK.header()
    header.time.nanos = 10**9
    with pytest.raises(HeaderFieldInvalid):
        read_header(header.SerializeToString())
    header = BLOCK.header()
    header.last_block_id.part_set_header.total = 2**32
    with pytest.raises(HeaderFieldInvalid):
        read_header(header.SerializeToString())


def test_unknown_fields_and_disorder_are_refused():
    data = BLOCK.header().SerializeToString()
    for spoiled in (data + b"\x7a\x01\x00", data[-22:] + data[:-22], data + data[-22:]):
        with pytest.raises(ProtobufRefused):
            read_header(spoiled)


def test_a_bundle_is_read_whole():
    block = replace(BLOCK, trusted=members(["cid"]), trusted_height=3)
    read = read_bundle(block.bundle())
    assert read.header.block_hash == block.block_hash
    assert read.trusted_height == 3
    assert read.validators.set_hash == set_hash(block.validators)
    assert read.trusted_validators.set_hash == set_hash(members(["cid"]))
    assert (read.validators.total_power, len(read.commit.votes)) == (20, 2)
    with pytest.raises(HeaderTooLarge):
        read_bundle(bytes(codec.MAXIMUM_BUNDLE_SIZE + 1))


def commit_bytes(**fields):
    return message("Commit", **{
        "height": 5, "round": 0, "block_id": block_id(b"\x05" * 32), "signatures": list(BLOCK.votes()), **fields,
    }).SerializeToString()  # fmt: skip


def test_a_commit_is_read():
    commit = read_commit(commit_bytes(round=7))
    assert (commit.height, commit.round, commit.block_id.block_hash, len(commit.votes)) == (5, 7, b"\x05" * 32, 2)
    assert [vote.address for vote in commit.votes] == [ADA.address, BOB.address]


@pytest.mark.parametrize(
    "fields",
    [
        {"height": 0},
        {"height": -5},
        {"round": -1},
        {"block_id": block_id(b"\x05" * 31)},
        {"signatures": [message("CommitSig", block_id_flag=4)]},
        {"signatures": [message("CommitSig", block_id_flag=2)]},
        {"signatures": [message("CommitSig", block_id_flag=1, signature=b"\x01" * 64)]},
        {"signatures": [message("CommitSig", block_id_flag=2, validator_address=b"a" * 20, signature=b"s" * 63)]},
        {"signatures": [message("CommitSig", block_id_flag=2, validator_address=b"a" * 19, signature=b"s" * 64)]},
    ],
)
def test_a_commit_that_cannot_be_is_refused(fields):
    with pytest.raises(CommitMalformed):
        read_commit(commit_bytes(**fields))


def test_an_absent_vote_may_leave_its_time_out():
    data = commit_bytes(signatures=[])
    assert [vote.flag for vote in read_commit(data + b"\x22\x02\x08\x01").votes] == [1]


def test_a_commit_that_lies_about_lengths_is_refused():
    data = commit_bytes(signatures=[])
    vote = next(iter(BLOCK.votes())).SerializeToString()
    place = vote.index(b"\x1a", 24) + 1
    longer = vote[:place] + bytes([vote[place] + 1]) + vote[place + 1 :]
    absent = b"\x22\x03\x08\x01"
    for spoiled in (
        data + b"\x22" + bytes([len(longer)]) + longer,
        data + b"\x22" + bytes([len(vote) + 1]) + vote,
        data + absent,
        data + b"\x22\x02\x08",
        data[:6],
        b"\x08\x05\x1a\x7f" + data[4:],
        b"\x08\x05",
    ):
        with pytest.raises(LightClientError):
            read_commit(spoiled)


def test_too_many_votes_are_refused(monkeypatch):
    monkeypatch.setattr(codec, "MAXIMUM_VALIDATORS", 1)
    with pytest.raises(CommitMalformed):
        read_commit(commit_bytes())


def test_a_set_is_read_with_what_stands_beside_it():
    members_ = list(members(["ada", "bob"], [7, 2**40])) + list(members(["kim"], kind="secp256k1"))
    data = written(
        "ValidatorSet",
        validators=[message("Validator", address=m.address, pub_key=m.proto().pub_key, voting_power=m.power,
                            proposer_priority=-5) for m in members_],
        proposer=members_[0].proto(), total_voting_power=9,
    )  # fmt: skip
    read = read_validator_set(data)
    assert read.set_hash == set_hash(members_)
    assert read.total_power == 17 + 2**40
    assert [(m.address, m.key, m.power) for m in read.members] == [(m.address, m.key, m.power) for m in members_]


def one(**fields):
    return written("ValidatorSet", validators=[message("Validator", **{
        "address": ADA.address, "pub_key": ADA.proto().pub_key, "voting_power": 1, **fields,
    })])  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"",
        one(address=BOB.address),
        one(address=b""),
        one(voting_power=0),
        one(voting_power=-1),
        one(voting_power=2**60 + 1),
        one(pub_key=message("PublicKey", bls12381=b"\x01" * 48)),
        one(pub_key=message("PublicKey", ed25519=b"\x01" * 31)),
        one() + one(),
        b"\x0a\x7f" + one()[2:],
        one()[:-1],
        b"\x0a",
    ],
)
def test_a_set_that_cannot_be_is_refused(data):
    with pytest.raises(ValidatorSetMalformed):
        read_validator_set(data)


def test_a_set_is_bounded(monkeypatch):
    monkeypatch.setattr(codec, "MAXIMUM_VALIDATORS", 1)
    with pytest.raises(ValidatorSetMalformed):
        read_validator_set(set_bytes(members(["a set", "of two"])))


def test_a_set_with_something_else_behind_it_is_refused():
    with pytest.raises(ProtobufRefused):
        read_validator_set(one() + b"\x22\x01\x00")


def test_any_bytes_are_refused_by_name():
    """No exception but ours leaves, whatever the bytes are: noise, and a bundle that was cut, spoiled or mixed."""
    chance, chain = random.Random(5), Chain()
    state, good = chain.bootstrap(), replace(chain.grow(), trusted=chain.validators, trusted_height=1).bundle()
    noise = [chance.randbytes(chance.randrange(200)) for _ in range(500)]
    cut = [good[: chance.randrange(len(good))] for _ in range(300)]
    spoiled = []
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        spoiled.append(bytes(data))
    judges = (
        lambda data: cometbft.verify_header(state, data, START + 60),
        lambda data: cometbft.find_misbehaviour(state, data, good),
        partial(cometbft.bootstrap, block_hash=chain.at(1).block_hash, configuration=CometbftConfiguration()),
    )
    refused = 0
    for data in [*noise, *cut, *spoiled]:
        for judge in judges:
            try:
                judge(data)
            except LightClientError:
                refused += 1
    assert refused > 3 * len(noise + cut)
