"""Reading is strict, trees are as deep as their leaves make them, and nothing but named refusals leaves on any bytes."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients.chainmaker import (
    ChainMakerConfiguration,
    ChainMakerEvidence,
    ChainMakerPin,
    bootstrap,
    find_misbehaviour,
    state_from_bytes,
    verify_claim,
    verify_header,
)
from light_clients.chainmaker.chain_config import read_membership
from light_clients.chainmaker.codec import (
    MAXIMUM_BLOCK_SIZE,
    MAXIMUM_MEMBER_SIZE,
    read_block,
    read_header,
    read_member,
    read_vote_set,
)
from light_clients.chainmaker.evidence import check_body, evidence_of_block
from light_clients.chainmaker.merkle import HASHES, merkle_path, merkle_root, root_of_path, sha256
from light_clients.chainmaker.transactions import read_transaction, read_writes
from light_clients.errors import LightClientError
from light_clients.protobuf import integer_field, message_field, varint
from schemas.claim import Claim, Direction
from schemas.primitives import Head, LaneId
from tests.support import chainmaker_opinion as opinion
from tests.support.chainmaker_chain import BEGAN, ChainMakerChain, sent_event, transaction

CHAIN = ChainMakerChain()
CHAIN.grow([transaction(f"{number}", events=[sent_event(b"\1" * 32, 1, b"\2" * 32)]) for number in range(3)])
HEADER = CHAIN.blocks[1].block.header.SerializeToString()
TRANSACTION = CHAIN.blocks[1].block.txs[0].SerializeToString()


def refused(name: str, read: Callable[[bytes], Any], data: bytes) -> None:
    with pytest.raises(LightClientError) as caught:
        read(data)
    assert caught.value.name == name, caught.value


def test_a_header_is_written_in_one_way() -> None:
    assert read_header(HEADER).height == 1
    refused("ProtobufNotCanonical", read_header, HEADER + b"\x08\x01")
    height = integer_field(4, 1)
    fixed = varint(4 << 3 | 1) + (1).to_bytes(8, "little")
    assert HEADER.count(height) == 1
    refused("ProtobufFieldInvalid", read_header, HEADER.replace(height, fixed))
    refused("ProtobufFieldInvalid", read_header, HEADER.replace(height, height + height))
    refused("ProtobufFieldInvalid", read_header, HEADER.replace(height, b"\x22\x01a"))
    refused("ProtobufFieldInvalid", read_header, HEADER.replace(height, height + b"\x28\x01"))
    refused("ProtobufFieldInvalid", read_header, HEADER.replace(b"\x1a\x06chain1", b"\x18\x01"))
    refused("ProtobufFieldInvalid", read_header, HEADER + b"\x80\x01\x01")


def test_a_block_too_large_is_not_read() -> None:
    refused("HeaderTooLarge", read_block, bytes(MAXIMUM_BLOCK_SIZE + 1))


def test_a_member_is_no_larger_than_a_certificate_makes_it() -> None:
    fitting = message_field(3, bytes(MAXIMUM_MEMBER_SIZE - 3))
    assert read_member(fitting).info == bytes(MAXIMUM_MEMBER_SIZE - 3)
    refused("HeaderFieldInvalid", read_member, fitting + b"\0")


def test_a_transaction_is_written_in_one_way() -> None:
    assert read_transaction(TRANSACTION).encoded == TRANSACTION
    code = integer_field(4, 84)
    fixed = varint(4 << 3 | 5) + (84).to_bytes(4, "little")
    at = TRANSACTION.find(code)
    assert at > 0
    spoilt = transaction("gas")[0]
    result = spoilt.result.contract_result.SerializeToString().replace(code, fixed)
    outer = message_field(4, message_field(2, result))
    refused("ProtobufFieldInvalid", read_transaction, outer)


def test_a_transaction_without_a_result_can_be_read() -> None:
    bare = transaction("bare")[0]
    bare.ClearField("result")
    read = read_transaction(bare.SerializeToString())
    assert (read.gasless, read.code, read.events) == (read.encoded, 0, ())


def test_a_vote_of_a_negative_round_is_no_vote_of_the_set() -> None:
    def below(vote: Any) -> None:
        vote.round = -1

    info = CHAIN.make(on_vote=below)
    votes = read_vote_set(info.block.additional_data.extra_data[0].value)
    assert {vote.round for _, vote in votes.votes} == {2**64 - 1}
    refused(
        "VoteMisplaced", lambda data: verify_header(CHAIN.state(1), data, BEGAN + 9), info.block.SerializeToString()
    )


@given(count=st.integers(1, 40), name=st.sampled_from(sorted(HASHES)))
def test_trees_are_those_of_the_padded_array(count: int, name: str) -> None:
    digest = HASHES[name]
    leaves = [digest(bytes((number,))) for number in range(count)]
    root = merkle_root(digest, leaves)
    assert root == opinion.padded_root(name, leaves)
    for index in range(count):
        path = merkle_path(digest, leaves, index)
        assert root_of_path(digest, leaves[index], index, count, path) == root


def test_an_empty_tree_has_no_root() -> None:
    assert merkle_root(sha256, []) == b""


def test_a_doubled_leaf_is_another_tree_by_its_count() -> None:
    leaves = [sha256(bytes((number,))) for number in range(3)]
    assert merkle_root(sha256, leaves) == merkle_root(sha256, [*leaves, leaves[2]])
    with pytest.raises(LightClientError):
        root_of_path(sha256, leaves[2], 3, 3, merkle_path(sha256, [*leaves, leaves[2]], 3))


def test_hashes_are_by_their_names() -> None:
    assert HASHES["SHA256"](b"abc") == hashlib.sha256(b"abc").digest()
    assert HASHES["SM3"](b"abc") == hashlib.new("sm3", b"abc").digest()


BODIES: list[tuple[str, Callable[[Any], Any]]] = [
    ("WriteSetMismatch", lambda info: info.rwset_list.pop()),
    ("WriteSetMismatch", lambda info: info.rwset_list[0].tx_writes.add()),
    ("HeaderFieldInvalid", lambda info: info.block.dag.vertexes[1].neighbors.append(0)),
    ("HeaderFieldInvalid", lambda info: setattr(info.block.header, "rw_set_root", bytes(32))),
    ("TransactionsMissing", lambda info: info.block.txs.pop()),
    ("TransactionRootMismatch", lambda info: info.block.txs[0].payload.parameters.add(key="more")),
]


@pytest.mark.parametrize(("name", "spoil"), BODIES)
def test_a_body_is_what_its_header_says(name: str, spoil: Callable[[Any], Any]) -> None:
    info = CHAIN.make([transaction("a"), transaction("b")])
    check_body(info.SerializeToString(), "SHA256")
    spoil(info)
    refused(name, lambda data: check_body(data, "SHA256"), info.SerializeToString())


STATE = CHAIN.state(1)
CLAIM = Claim(LaneId(b"\1" * 32), Direction.OUTBOX, 1, Head(b"\2" * 32), 1, STATE.block_hash)
EVIDENCE = evidence_of_block(CHAIN.info(1), "SHA256", 0)
PIN = ChainMakerPin("RELAYGATEWAY1", "1.0")
NEXT = CHAIN.make().block.SerializeToString()
CHANGED = CHAIN.make(
    [CHAIN.config_transaction(CHAIN.config_of(CHAIN.nodes, 1))], block_type=1
).block.SerializeToString()
DOORS: list[tuple[bytes, Callable[[bytes], Any]]] = [
    (NEXT, lambda data: verify_header(STATE, data, BEGAN + 60)),
    (CHANGED, lambda data: verify_header(STATE, data, BEGAN + 60)),
    (CHAIN.block(0), lambda data: bootstrap(data, CHAIN.hash_of(0), ChainMakerConfiguration())),
    (NEXT, lambda data: find_misbehaviour(STATE, data, CHAIN.block(1))),
    (EVIDENCE.to_bytes(), lambda data: verify_claim(STATE, CLAIM, ChainMakerEvidence.from_bytes(data), PIN)),
    (STATE.to_bytes(), state_from_bytes),
    (CHAIN.config.SerializeToString(), lambda data: read_membership(data, 1)),
    (CHAIN.info(1), lambda data: check_body(data, "SHA256")),
    (CHAIN.blocks[1].rwset_list[0].SerializeToString(), read_writes),
]


@pytest.mark.parametrize(("data", "door"), DOORS)
def test_only_named_refusals_leave_on_any_bytes(data: bytes, door: Callable[[bytes], Any]) -> None:
    door(data)
    chance = random.Random(len(data))
    for _ in range(400):
        spoilt = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            place = chance.randrange(len(spoilt))
            match chance.randrange(4):
                case 0:
                    spoilt[place] = chance.randrange(256)
                case 1:
                    del spoilt[place : place + chance.randrange(1, 9)]
                case 2:
                    spoilt[place:place] = chance.randbytes(chance.randrange(1, 9))
                case _:
                    spoilt = spoilt[: place + 1]
            spoilt = spoilt or bytearray(b"\0")
        try:
            door(bytes(spoilt))
        except LightClientError:
            continue


@given(st.binary(max_size=80))
def test_noise_is_refused_by_name(data: bytes) -> None:
    for read in (read_block, read_header, read_vote_set, read_transaction, read_writes, state_from_bytes):
        try:
            read(data)
        except LightClientError:
            continue
