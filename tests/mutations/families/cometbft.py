"""CometBFT and ICS-23 spoilt: header, commit, sets and proofs, field by field and as whole bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from light_clients import cometbft
from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.types import CometbftState
from light_clients.errors import ClaimMalformed, HeaderFieldInvalid
from light_clients.proofs.gateway import head_slot
from light_clients.proofs.ics23 import IAVL, TENDERMINT, prove_value
from light_clients.protobuf import integer_field, message_field, octets_field, text_field
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Bytes32, Head, LaneId, SchemaError
from tests.mutations.families.engine import FamilySubject
from tests.support.cometbft_chain import START, Chain, Store, members
from tests.support.cometbft_messages import read
from tests.support.cometbft_recordings import Recording
from tests.support.shared_vectors import shared_json

FAMILY = "cometbft"
NOW = START + 100
LANE, HEAD = LaneId(b"\x11" * 32), Head(b"\x22" * 32)
GATEWAY, CODE = b"\x44" * 20, Bytes32(b"\x55" * 32)


def subjects() -> list[FamilySubject]:
    """Headers next to the accepted one and beyond, a live one, accusations, claims and proofs of absence."""
    return [*_headers(), _live_header(), _accusation(), _claim(), _absence()]


def _opened(bundle: bytes) -> Any:
    """A bundle as nested fields: header, commit, votes, set, trusted set."""
    message = read("Bundle", bundle)
    header, commit = message.signed_header.header, message.signed_header.commit
    fields = (
        [header.version.block, header.version.app],
        header.chain_id,
        header.height,
        (header.time.seconds, header.time.nanos),
        _opened_id(header.last_block_id),
        header.last_commit_hash,
        header.data_hash,
        header.validators_hash,
        header.next_validators_hash,
        header.consensus_hash,
        header.app_hash,
        header.last_results_hash,
        header.evidence_hash,
        header.proposer_address,
    )
    votes = [
        (vote.block_id_flag, vote.validator_address, (vote.timestamp.seconds, vote.timestamp.nanos), vote.signature)
        for vote in commit.signatures
    ]
    sets = [
        [(v.address, v.pub_key.ed25519, v.pub_key.secp256k1, v.voting_power) for v in one.validators]
        for one in (message.validator_set, message.trusted_validators)
    ]
    return (fields, (commit.height, commit.round, _opened_id(commit.block_id), votes), *sets)


def _opened_id(block_id: Any) -> Any:
    return (block_id.hash, block_id.part_set_header.total, block_id.part_set_header.hash)


def _closed(value: Any) -> bytes:
    """The bytes of nested fields, whatever was done to them."""
    fields, (height, round_, block_id, votes), own, trusted = value
    version, chain_id, number, time, parent, *hashes = fields
    header = message_field(1, b"".join(integer_field(at, part) for at, part in enumerate(version, 1)))
    header += text_field(2, chain_id) + integer_field(3, number) + message_field(4, _closed_time(time))
    header += message_field(5, _closed_id(parent)) + b"".join(
        octets_field(at, part) for at, part in enumerate(hashes, 6)
    )
    commit = integer_field(1, height) + integer_field(2, round_) + message_field(3, _closed_id(block_id))
    commit += b"".join(message_field(4, _closed_vote(*vote)) for vote in votes)
    bundle = message_field(1, message_field(1, header) + message_field(2, commit)) + message_field(2, _closed_set(own))
    return bundle + (message_field(4, _closed_set(trusted)) if trusted else b"")


def _closed_time(time: Any) -> bytes:
    return integer_field(1, time[0]) + integer_field(2, time[1])


def _closed_id(block_id: Any) -> bytes:
    block_hash, total, parts = block_id
    return octets_field(1, block_hash) + message_field(2, integer_field(1, total) + octets_field(2, parts))


def _closed_vote(flag: int, address: bytes, time: Any, signature: bytes) -> bytes:
    head = integer_field(1, flag) + octets_field(2, address)
    return head + message_field(3, _closed_time(time)) + octets_field(4, signature)


def _closed_set(validators: Any) -> bytes:
    return b"".join(
        message_field(
            1,
            octets_field(1, address)
            + message_field(2, octets_field(1, ed25519) + octets_field(2, secp256k1))
            + integer_field(3, power),
        )
        for address, ed25519, secp256k1, power in validators
    )


def _judge_header(state: CometbftState, bundle: bytes, now: int) -> object:
    """All that is believed of a header."""
    return cometbft.verify_header(state, bundle, now).anchor


def _moving_chain() -> Chain:
    """Two kinds of keys, unequal powers, and a set that changes."""
    first = (*members(["ada", "bob", "cid"], [5, 7, 4]), *members(["kim"], [3], "secp256k1"))
    second = (*members(["ada", "bob", "eve"], [5, 7, 4]), *members(["kim"], [3], "secp256k1"))
    chain = Chain(first)
    chain.grow(3)
    chain.grow(next_validators=second)
    chain.grow(4)
    return chain


def _headers() -> list[FamilySubject]:
    chain = _moving_chain()
    state = cometbft.follow(chain.bootstrap(), 3, chain.provider, NOW)
    other = Chain(members(["ada", "bob", "cid", "dot"]))
    other.grow(8, chain_id="relay-test-2")
    found = []
    for part, height in (("next header", 4), ("header beyond", 7)):
        bundles = [chain.provider(height, 3), *(chain.provider(at, 3) for at in (5, 6, 8)), other.provider(4, 3)]
        value, *others = (_opened(bundle) for bundle in bundles)
        found.append(
            FamilySubject(FAMILY, part, value, lambda spoilt: _judge_header(state, _closed(spoilt), NOW), others)
        )
    whole = chain.provider(7, 3)
    return [*found, FamilySubject(FAMILY, "bundle", (whole,), lambda spoilt: _judge_header(state, spoilt[0], NOW))]


def _live_header() -> FamilySubject:
    recording = Recording(shared_json("ics23_app/sample.json"))
    state, now = recording.state(6), recording.now(7)
    value, *others = (_opened(recording.bundle(height)) for height in (7, 5, 6, 8))
    return FamilySubject(
        FAMILY, "live header", value, lambda spoilt: _judge_header(state, _closed(spoilt), now), others
    )


def _accusation() -> FamilySubject:
    chain = _moving_chain()
    state = cometbft.follow(chain.bootstrap(), 3, chain.provider, NOW)
    forked = replace(chain.at(4), app_hash=b"\x66" * 32)
    value = (_opened(chain.at(4).bundle()), _opened(forked.bundle()))

    def judge(spoilt: Any) -> object:
        pair = [_closed(side) for side in spoilt]
        found = cometbft.find_misbehaviour(state, pair[0], pair[1])
        if found is None:
            raise HeaderFieldInvalid("The headers do not contradict each other.")
        return found.height, [read_bundle(side).header.block_hash for side in pair]

    return FamilySubject(FAMILY, "accusation", value, judge, [(_opened(chain.at(5).bundle()), value[0])])


def _gateway(head: bytes = HEAD) -> Store:
    keys = {b"\x02" + GATEWAY + head_slot(LaneId(bytes([at]) * 32), 0): bytes([at]) * 32 for at in range(3, 16)}
    return Store(keys | {b"\x02" + GATEWAY + head_slot(LANE, 0): bytes(head), b"\x04" + GATEWAY: bytes(CODE)})


def _opened_existence(proof: Any) -> Any:
    leaf = (proof.leaf.hash, proof.leaf.prehash_key, proof.leaf.prehash_value, proof.leaf.length, proof.leaf.prefix)
    return (proof.key, proof.value, leaf, [(step.hash, step.prefix, step.suffix) for step in proof.path])


def _closed_existence(value: Any) -> bytes:
    key, content, (hash_, prehash_key, prehash_value, length, prefix), path = value
    numbers = (hash_, prehash_key, prehash_value, length)
    leaf = b"".join(integer_field(at, number) for at, number in enumerate(numbers, 1)) + octets_field(5, prefix)
    steps = (integer_field(1, h) + octets_field(2, before) + octets_field(3, behind) for h, before, behind in path)
    whole = octets_field(1, key) + octets_field(2, content) + message_field(3, leaf)
    return whole + b"".join(message_field(4, step) for step in steps)


def _claim() -> FamilySubject:
    chain, store = Chain(), _gateway()
    chain.grow(2)
    block = chain.grow(app_hash=store.app_hash(b"evm"))
    state = chain.bootstrap()
    for height in (2, 3, 4):
        state = cometbft.follow(state, height, chain.provider, NOW)
    slot = b"\x02" + GATEWAY + head_slot(LANE, 0)

    def value_of(of: Store, key: bytes) -> Any:
        proofs = (of.proof(key), of.store_proof(b"evm"), of.proof(b"\x04" + GATEWAY))
        opened = tuple(_opened_existence(read("CommitmentProof", proof).exist) for proof in proofs)
        return ((bytes(LANE), 0, bytes(HEAD), 4, bytes(block.block_hash)), opened)

    def judge(spoilt: Any) -> object:
        (lane, direction, head, height, block_hash), opened = spoilt
        try:
            told = Claim(LaneId(lane), Direction(direction), 3, Head(head), height, BlockHash(block_hash))
        except (SchemaError, ValueError) as error:
            raise ClaimMalformed(str(error)) from error
        proofs = [message_field(1, _closed_existence(proof)) for proof in opened]
        cometbft.verify_claim(state, told, cometbft.CometbftEvidence(*proofs), cometbft.EvmStorePin(GATEWAY, CODE))
        return spoilt[0]

    others = [
        value_of(store, b"\x02" + GATEWAY + head_slot(LaneId(b"\x05" * 32), 0)),
        value_of(_gateway(b"\x33" * 32), slot),
    ]
    return FamilySubject(FAMILY, "claim", value_of(store, slot), judge, others)


def _absence() -> FamilySubject:
    store = _gateway()
    key = b"\x02" + GATEWAY + head_slot(LANE, 1)
    root, above = store.app_hash(b"evm"), store.store_proof(b"evm")

    def value_of(of: Store, name: bytes) -> Any:
        proof = read("CommitmentProof", of.proof(name)).nonexist
        return (proof.key, _opened_existence(proof.left), _opened_existence(proof.right))

    def judge(spoilt: Any) -> object:
        name, *sides = spoilt
        body = octets_field(1, name) + b"".join(
            message_field(at, _closed_existence(side)) for at, side in enumerate(sides, 2)
        )
        return prove_value(root, ((IAVL, key), (TENDERMINT, b"evm")), (message_field(2, body), above))

    other = b"\x02" + GATEWAY + head_slot(LaneId(b"\x07" * 32), 1)
    return FamilySubject(FAMILY, "absence", value_of(store, key), judge, [value_of(store, other)])
