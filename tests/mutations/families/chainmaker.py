"""Blocks of live chains in both suites, configuration blocks, and claims by event and by write set, every part spoilt."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from light_clients.chainmaker import (
    ChainMakerConfiguration,
    ChainMakerEvidence,
    ChainMakerPin,
    ChainMakerState,
    bootstrap,
    evidence_of_block,
    find_misbehaviour,
    verify_claim,
    verify_header,
)
from light_clients.chainmaker.codec import QUORUM_KEY
from light_clients.errors import ClaimMalformed
from light_clients.protobuf import integer_field, message_field, octets_field
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId, SchemaError
from schemas.suites import keccak256
from tests.mutations.families.engine import FamilySubject
from tests.support.chainmaker_chain import (
    BEGAN,
    GATEWAY,
    GATEWAY_VERSION,
    ChainMakerChain,
    moved_event,
    sent_event,
    slot_write,
    transaction,
)
from tests.support.chainmaker_messages import message
from tests.support.shared_vectors import shared, shared_json

LANE, HEADS = LaneId(keccak256(b"lane")), [Head(keccak256(b"head %d" % number)) for number in range(4)]


def subjects() -> list[FamilySubject]:
    """Blocks, configuration blocks, raw bytes, accusations and claims."""
    found = []
    for suite in ("ecc", "sm"):
        found += [*_live(suite), *_changing(suite)]
    return [*found, *_claims(), _accusation()]


def _parts(block: Any) -> tuple[Any, ...]:
    """A block as values: header fields, proposer, votes and transactions."""
    header, quorum = block.header, message("VoteSet", block.additional_data.extra_data[0].value)
    votes = [
        (
            entry.key,
            (entry.value.type, entry.value.voter, entry.value.height, entry.value.round, entry.value.hash),
            _signed(entry.value.endorsement.signer, entry.value.endorsement.signature),
        )
        for entry in quorum.votes
    ]
    fields = [
        (header.block_version, header.block_type, header.chain_id, header.block_height, header.block_hash),
        (header.pre_block_hash, header.pre_conf_height, header.tx_count, header.tx_root, header.dag_hash),
        (header.rw_set_root, header.block_timestamp, header.consensus_args),
    ]
    transactions = [bytes(one.SerializeToString()) for one in block.txs] if header.block_type & 1 else []
    return (tuple(fields), _signed(header.proposer, header.signature), (quorum.round, votes), transactions)


def _signed(member: Any, signature: bytes) -> tuple[Any, ...]:
    return (member.org_id, member.member_type, member.member_info, signature)


def _write(values: Any) -> bytes:
    """Any numbers, texts and bytes as the fields 1, 2, 3 … of a message."""
    written = []
    for number, value in enumerate(values, start=1):
        if isinstance(value, int):
            written.append(integer_field(number, value))
        else:
            written.append(octets_field(number, value.encode() if isinstance(value, str) else value))
    return b"".join(written)


def _block(parts: Any) -> bytes:
    """The block that the values make."""
    fields, proposer, (number, votes), transactions = parts
    header = _write([*fields[0], *fields[1], *fields[2], _write(proposer[:3]), proposer[3]])
    entries = []
    for name, vote, endorsement in votes:
        inner = _write([*vote, _write([_write(endorsement[:3]), endorsement[3]])])
        entries.append(message_field(6, _write([name, inner])))
    quorum = _write([1, fields[0][3], number]) + b"".join(entries)
    extra = message_field(1, _write([QUORUM_KEY, quorum]))
    return _write([header]) + b"".join(message_field(3, one) for one in transactions) + message_field(4, extra)


def _judge(state: ChainMakerState, block: bytes, now: int) -> object:
    verified = verify_header(state, block, now)
    return verified.height, verified.block_hash, verified.timestamp, verified.configuration_height, verified.membership


@cache
def _live_block(suite: str, height: int) -> Any:
    return message("Block", base64.b64decode(shared_json(f"chainmaker/{suite}/blocks/{height}.json")["block_pb_b64"]))


def _live(suite: str) -> list[FamilySubject]:
    stated = ChainMakerConfiguration(
        chain_config=shared(f"chainmaker/{suite}/chain_config.pb").read_bytes(), trusting_period_s=2**31
    )
    parent, block = _live_block(suite, 2), _live_block(suite, 3)
    state = bootstrap(parent.SerializeToString(), BlockHash(parent.header.block_hash), stated)
    now = block.header.block_timestamp
    other_suite = {"ecc": "sm", "sm": "ecc"}[suite]
    others = [_live_block(suite, 2), _live_block(suite, 4), _live_block(other_suite, 3)]
    return [
        FamilySubject(
            "chainmaker",
            f"block {suite}",
            _parts(block),
            lambda parts: _judge(state, _block(parts), now),
            [_parts(other) for other in others],
        ),
        FamilySubject(
            "chainmaker",
            f"bytes {suite}",
            bytes(block.SerializeToString()),
            lambda data: _judge(state, data, now),
            [bytes(other.SerializeToString()) for other in others],
        ),
    ]


def _changing(suite: str) -> list[FamilySubject]:
    built = ChainMakerChain(suite)
    state = built.state()
    changes = []
    for name in ("org5", "org6"):
        config = built.config_of([*built.nodes, built.new_node(name)], 1)
        changes.append(_parts(built.make([built.config_transaction(config)], block_type=1).block))
    judge = lambda parts: _judge(state, _block(parts), BEGAN + 60)  # noqa: E731
    return [FamilySubject("chainmaker", f"configuration block {suite}", changes[0], judge, changes[1:])]


def _claims() -> list[FamilySubject]:
    built = ChainMakerChain()
    writes = [slot_write(LANE, 0, HEADS[2]), slot_write(LANE, 1, HEADS[3])]
    events = [sent_event(LANE, 2, HEADS[2]), moved_event(LANE, 1, 3, HEADS[3])]
    other = transaction("other", events=[sent_event(LANE, 1, HEADS[1])], writes=[slot_write(LANE, 0, HEADS[1])])
    for label in ("first", "second"):
        built.grow([transaction(label), other, transaction(f"{label} send", events=events, writes=writes)])
    state, pin = built.state(2), ChainMakerPin(GATEWAY, GATEWAY_VERSION)
    claim = (bytes(LANE), 0, 2, bytes(HEADS[2]), 2, bytes(built.hash_of(2)))
    wrong = (bytes(keccak256(b"other lane")), 1, 3, bytes(HEADS[3]), 1, bytes(built.hash_of(1)))
    found = []
    for by_write_set in (False, True):

        def evidence(height: int, index: int, by_write_set: bool = by_write_set) -> Any:
            made = evidence_of_block(built.info(height), "SHA256", index, by_write_set=by_write_set)
            return (made.header, made.transaction, made.index, list(made.path), made.write_set)

        others = [evidence(1, 2), evidence(2, 1), evidence(2, 0)]
        kind = "write set" if by_write_set else "event"
        true = evidence(2, 2)
        # A write shows no number of entries: the consumer derives it, and nothing is believed of it here.
        told = (*claim[:2], *claim[3:]) if by_write_set else claim
        wrong_told = (*wrong[:2], *wrong[3:]) if by_write_set else wrong
        found.append(
            FamilySubject(
                "chainmaker", f"proof by {kind}", true, lambda parts: _judge_claim(state, pin, claim, parts), others
            )
        )
        found.append(
            FamilySubject(
                "chainmaker",
                f"claim by {kind}",
                told,
                lambda parts, true=true: _judge_claim(state, pin, parts, true),
                [wrong_told],
            )
        )
    return found


def _judge_claim(state: ChainMakerState, pin: ChainMakerPin, told: Any, parts: Any) -> object:
    lane, direction, nonce, head, height, block_hash = told if len(told) == 6 else (*told[:2], 2, *told[2:])
    try:
        claim = Claim(LaneId(lane), direction, nonce, Head(head), height, BlockHash(block_hash))
    except SchemaError as error:
        raise ClaimMalformed(str(error)) from error
    header, encoded, index, path, write_set = parts
    verify_claim(state, claim, ChainMakerEvidence(header, encoded, index, tuple(path), write_set), pin)
    return (lane, Direction(direction), nonce, head, height, block_hash)


def _accusation() -> FamilySubject:
    built = ChainMakerChain()
    built.grow()
    state = built.state(1)
    first, second = (_parts(built.make([transaction(name)]).block) for name in ("this", "that"))
    other = _parts(built.blocks[1].block)

    def judge(parts: Any) -> object:
        accused = find_misbehaviour(state, _block(parts[0]), _block(parts[1]))
        return None if accused is None else accused.height

    # An accusation that is spoilt may accuse nobody, which is no change of what is believed of the chain.
    true = judge((first, second))
    assert true == 2
    return FamilySubject(
        "chainmaker", "accusation", (first, second), lambda parts: judge(parts) or true, [(other, other)]
    )
