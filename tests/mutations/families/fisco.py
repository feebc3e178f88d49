"""FISCO BCOS, both lines and suites: headers with their signatures, proved changes of sealers, claims by receipts, accusations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from light_clients import fisco, rlp
from light_clients.errors import ClaimMalformed, HeaderFieldInvalid
from light_clients.fisco import Execution, FiscoEvidence, FiscoState
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId, SchemaError
from tests.mutations.families.engine import FamilySubject, Value
from tests.support.fisco_chain import (
    ATTACKER_EVENT,
    PIN,
    Block,
    FiscoChain,
    change_sealers,
    deliver,
    sealer_key,
    send,
)

KINDS = ((2, "evm"), (2, "sm"), (3, "evm"), (3, "sm"))


def subjects() -> list[FamilySubject]:
    """Subjects of both lines with both suites."""
    return [subject for line, suite in KINDS for subject in _subjects(line, suite)]


def _subjects(line: int, suite: str) -> list[FamilySubject]:
    chain, name = FiscoChain(line, suite), f"fisco {line} {suite}"
    start = chain.state()
    twin = _bundle_value(chain.propose(send(7), extra_ms=5))
    block = chain.mine(*(send(number) for number in range(1, 6)), deliver(3, [ATTACKER_EVENT]))
    after = fisco.apply(start, fisco.verify_header(start, block.bundle(), chain.now))
    function = "addSealer(string)" if line == 2 else "addSealer(string,uint256)"
    new = sealer_key("new", suite)
    call = change_sealers(chain.configuration, function, new.public, None if line == 2 else 1)
    changing = chain.mine(send(6), call)
    changed = fisco.apply(after, fisco.verify_header(after, changing.bundle(), chain.now))
    step = changing.execution(1, with_transaction=True)
    stepped = chain.mine(send(7), steps=[step], sealers=[*chain.sealers, new])
    headers = [_bundle_value(item) for item in (block, changing, stepped)] + [twin]
    claims = [_claim_value(block, index, index + 1, 0) for index in range(5)]
    claims += [_claim_value(block, 5, 3, 1), _claim_value(changing, 0, 6, 0)]
    judge_header = partial(_judge_header, now=chain.now)
    return [
        FamilySubject(name, "header", headers[0], partial(judge_header, start), headers[1:]),
        FamilySubject(name, "change of sealers", headers[2], partial(judge_header, changed), headers[:2]),
        FamilySubject(name, "claim of the outbox", claims[2], _claim_judge(after, block), claims[:2] + claims[3:]),
        FamilySubject(name, "claim of the outcomes", claims[5], _claim_judge(after, block), claims[:5]),
        FamilySubject(name, "accusation", (headers[0], twin), partial(_judge_accusation, start), [(twin, headers[1])]),
    ]


def _bundle_value(block: Block) -> Value:
    return (block.header, block.seals(), [_parts(step, step.transaction, step.receipt) for step in block.steps])


def _parts(execution: Execution, transaction: Value, receipt: Value) -> Value:
    """Lists for the paths: a block with one transaction has none, and a tuple keeps its length."""
    transactions, receipts = (
        [list(level) for level in path] for path in (execution.transaction_path, execution.receipt_path)
    )
    return (execution.index, execution.count, transaction, transactions, receipt, receipts)


def _bundle(value: Value) -> bytes:
    header, seals, steps = value
    items: list[Any] = [[_integer(index), signature] for index, signature in seals]
    return rlp.encode([header, items, [_execution(step).to_item() for step in steps]])


def _integer(value: Value) -> bytes:
    if type(value) is not int or value < 0:
        raise HeaderFieldInvalid("A negative number has no encoding.")
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _execution(value: Value) -> Execution:
    index, count, transaction, transaction_path, receipt, receipt_path = value
    items: rlp.RlpItem = [
        _integer(index),
        _integer(count),
        transaction,
        [list(level) for level in transaction_path],
        receipt,
        [list(level) for level in receipt_path],
    ]
    return Execution.from_item(rlp.decode(rlp.encode(items)))


def _judge_header(state: FiscoState, value: Value, now: int) -> object:
    verified = fisco.verify_header(state, _bundle(value), now)
    after = fisco.apply(state, verified)
    return after.height, after.block_hash, after.timestamp, after.transactions_root, after.receipts_root, after.sealers


def _claim_value(block: Block, index: int, nonce: int, direction: int) -> Value:
    claim, evidence = block.claim(nonce, direction), block.evidence(index)
    fields = (bytes(claim.lane_id), direction, nonce, bytes(claim.head), claim.height, bytes(claim.block_hash))
    transaction: Any = rlp.decode_list(evidence.execution.transaction) if evidence.execution.transaction else []
    receipt: Any = rlp.decode_list(evidence.execution.receipt)
    return (fields, block.header, _parts(evidence.execution, transaction, receipt))


def _claim_judge(state: FiscoState, block: Block) -> Callable[[Value], object]:
    assert state.block_hash == block.hash
    return partial(_judge_claim, state)


def _judge_claim(state: FiscoState, value: Value) -> object:
    (lane_id, direction, nonce, head, height, block_hash), header, parts = value
    index, count, transaction, transaction_path, receipt, receipt_path = parts
    try:
        claim = Claim(LaneId(lane_id), Direction(direction), nonce, Head(head), height, BlockHash(block_hash))
    except (SchemaError, ValueError) as error:
        raise ClaimMalformed("The claim cannot be.") from error
    encoded = rlp.encode(transaction) if transaction else b""
    execution = _execution((index, count, encoded, transaction_path, rlp.encode(receipt), receipt_path))
    evidence = FiscoEvidence(rlp.encode([header, [], []]), execution)
    fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(evidence.to_bytes()), PIN)
    return claim


def _judge_accusation(state: FiscoState, value: Value) -> object:
    found = fisco.find_misbehaviour(state, _bundle(value[0]), _bundle(value[1]))
    if found is None:
        raise HeaderFieldInvalid("They do not contradict each other.")
    return found.height
