"""Claims: the last event of the gateway in a receipt under the block's root, and on line 3 under one reading alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from light_clients import fisco, rlp
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimHeightMismatch,
    ClaimMalformed,
    ClientFrozen,
    HeadAbsent,
    HeadMismatch,
    HeightNotReached,
    HeightNotRetained,
    LightClientError,
    RlpRefused,
)
from light_clients.fisco.errors import (
    CallUnexpected,
    ExecutionFailed,
    InclusionInvalid,
    InclusionRootMismatch,
    ReceiptBlockMismatch,
    TransactionAmbiguous,
)
from light_clients.fisco.evidence import (
    DELIVER_SELECTOR,
    MAXIMUM_EVIDENCE_SIZE,
    SEND_SELECTOR,
    FiscoEvidence,
)
from light_clients.fisco.executions import read_receipt
from schemas.claim import Claim
from schemas.primitives import BlockHash, Head
from schemas.suites import keccak256
from tests.support.fisco_chain import (
    GATEWAY,
    PIN,
    Block,
    Event,
    FiscoChain,
    Sent,
    deliver,
    head_of,
    moved_event,
    receipt_bytes,
    send,
    sent_event,
    transaction_bytes,
)

KINDS = [(2, "evm"), (2, "sm"), (3, "evm"), (3, "sm")]
ATTACKER = b"\xa7" * 20
OTHER_LANE = keccak256(b"other lane")


@pytest.fixture(params=KINDS, ids=[f"{line}-{suite}" for line, suite in KINDS])
def chain(request: pytest.FixtureRequest) -> FiscoChain:
    return FiscoChain(*request.param)


def judge(chain: FiscoChain, claim: Claim, evidence: FiscoEvidence, proved: Head | None = None, **changes: Any) -> None:
    fisco.verify_claim(replace(chain.state(-1), **changes), claim, evidence, PIN, proved)


def refused(name: type[LightClientError], act: Callable[[], object]) -> LightClientError:
    with pytest.raises(name) as caught:
        act()
    assert type(caught.value) is name
    return caught.value


def with_execution(evidence: FiscoEvidence, **changes: Any) -> FiscoEvidence:
    return replace(evidence, execution=replace(evidence.execution, **changes))


def test_a_message_was_sent(chain: FiscoChain) -> None:
    block = chain.mine(send(1), send(2), send(3))
    for index in range(3):
        judge(chain, block.claim(index + 1), block.evidence(index))


def test_messages_were_delivered(chain: FiscoChain) -> None:
    block = chain.mine(deliver(7, [Event(ATTACKER, (bytes(32),), b"some event of a receiver")]))
    judge(chain, block.claim(7, direction=1), block.evidence(0))


def test_a_claim_of_a_prefix(chain: FiscoChain) -> None:
    block = chain.mine(send(9))
    claim = block.claim(4)
    judge(chain, claim, block.evidence(0), head_of(9))
    refused(HeadMismatch, lambda: judge(chain, claim, block.evidence(0), head_of(4)))
    refused(HeadMismatch, lambda: judge(chain, block.claim(10), block.evidence(0), head_of(9)))
    refused(HeadMismatch, lambda: judge(chain, block.claim(4, head=head_of(9)), block.evidence(0)))


def test_evidence_survives_its_bytes(chain: FiscoChain) -> None:
    evidence = chain.mine(*map(send, range(1, 20))).evidence(17)
    assert FiscoEvidence.from_bytes(evidence.to_bytes()) == evidence


@pytest.mark.parametrize(
    "item",
    [
        [b"header"],
        [[], [b"", b"", b"", [], b"", []]],
        [b"header", b"execution"],
        [b"header", [b"", b"", b"", [], b""]],
        [b"header", [b"", b"", b"", [b"level"], b"", []]],
        [b"header", [b"", b"", b"", [[[]]], b"", []]],
    ],
)
def test_evidence_of_another_form(item: rlp.RlpItem) -> None:
    refused(ClaimMalformed, lambda: FiscoEvidence.from_bytes(rlp.encode(item)))


def test_evidence_has_a_bound() -> None:
    largest = rlp.encode([bytes(MAXIMUM_EVIDENCE_SIZE - 5), b""])
    error = refused(ClaimMalformed, lambda: FiscoEvidence.from_bytes(largest))
    assert (error.message, error.found) == ("Evidence is too large.", MAXIMUM_EVIDENCE_SIZE + 4)
    smaller = rlp.encode([bytes(MAXIMUM_EVIDENCE_SIZE - 9), b""])
    assert refused(ClaimMalformed, lambda: FiscoEvidence.from_bytes(smaller)).message != error.message


def test_evidence_is_canonical(chain: FiscoChain) -> None:
    with pytest.raises(RlpRefused):
        FiscoEvidence.from_bytes(chain.mine(send(1)).evidence(0).to_bytes() + b"\x00")


def test_a_frozen_client_refuses(chain: FiscoChain) -> None:
    block = chain.mine(send(1))
    refused(ClientFrozen, lambda: judge(chain, block.claim(1), block.evidence(0), frozen=True))


def test_a_claim_has_its_form(chain: FiscoChain) -> None:
    block = chain.mine(send(1))
    refused(ClaimMalformed, lambda: judge(chain, replace(block.claim(1), nonce=0), block.evidence(0)))


def test_a_height_that_is_not_reached(chain: FiscoChain) -> None:
    block = chain.mine(send(1))
    refused(HeightNotReached, lambda: judge(chain, replace(block.claim(1), height=3), block.evidence(0)))


def test_a_height_that_is_forgotten(chain: FiscoChain) -> None:
    block = chain.mine(send(1))
    chain.mine()
    refused(HeightNotRetained, lambda: judge(chain, block.claim(1), block.evidence(0)))


def test_another_block_was_accepted(chain: FiscoChain) -> None:
    block = chain.mine(send(1))
    claim = replace(block.claim(1), block_hash=BlockHash(b"\x01" * 32))
    refused(ClaimBlockMismatch, lambda: judge(chain, claim, block.evidence(0)))


def test_the_header_is_of_the_height(chain: FiscoChain) -> None:
    block, newer = chain.mine(send(1)), chain.mine(send(2))
    evidence = replace(newer.evidence(0), header=block.bundle(()))
    refused(ClaimHeightMismatch, lambda: judge(chain, newer.claim(2), evidence))


def test_the_header_is_the_accepted_block(chain: FiscoChain) -> None:
    other, block = chain.propose(send(1), extra_ms=1), chain.mine(send(1))
    refused(ClaimBlockMismatch, lambda: judge(chain, block.claim(1), other.evidence(0)))


def test_a_failed_transaction_proves_nothing(chain: FiscoChain) -> None:
    block = chain.mine(send(1, status=15))
    refused(ExecutionFailed, lambda: judge(chain, block.claim(1), block.evidence(0)))


def test_the_head_is_the_claimed_one(chain: FiscoChain) -> None:
    block = chain.mine(send(1))
    refused(HeadMismatch, lambda: judge(chain, block.claim(1, head=head_of(2)), block.evidence(0)))
    refused(HeadMismatch, lambda: judge(chain, block.claim(2, head=head_of(1)), block.evidence(0)))


@pytest.mark.parametrize(
    "event",
    [
        replace(sent_event(1), address=ATTACKER),
        replace(sent_event(1), topics=sent_event(1).topics[:2]),
        sent_event(1, lane=OTHER_LANE),
        replace(sent_event(1), topics=(bytes(32), *sent_event(1).topics[1:])),
        replace(sent_event(1), data=sent_event(1).data[:63]),
        moved_event(1, head=head_of(1)),
        None,
    ],
    ids=["other contract", "two topics", "other lane", "other event", "short", "the other direction", "no event"],
)
def test_no_event_of_the_outbox(chain: FiscoChain, event: Event | None) -> None:
    block = chain.mine(send(1, events=() if event is None else (event,)))
    name = CallUnexpected if event is None and chain.line == 3 else HeadAbsent
    refused(name, lambda: judge(chain, block.claim(1), block.evidence(0)))


@pytest.mark.parametrize(
    "event",
    [
        moved_event(1, 2),
        moved_event(1, 3),
        replace(moved_event(1), data=moved_event(1).data + bytes(32)),
        replace(moved_event(1), address=ATTACKER),
        moved_event(1, lane=OTHER_LANE),
        sent_event(1),
    ],
    ids=["inbox", "settled", "long", "other contract", "other lane", "the other direction"],
)
def test_no_event_of_the_outcomes(chain: FiscoChain, event: Event) -> None:
    block = chain.mine(deliver(1, events=(event,)))
    refused(HeadAbsent, lambda: judge(chain, block.claim(1, 1), block.evidence(0)))


def test_a_receipt_of_another_block(chain: FiscoChain) -> None:
    older, block = chain.mine(send(1)), chain.mine(send(2))
    evidence = replace(block.evidence(0), execution=older.execution(0))
    refused(InclusionRootMismatch, lambda: judge(chain, block.claim(1), evidence))


def test_the_position_is_bound(chain: FiscoChain) -> None:
    block = chain.mine(*(send(number) for number in range(1, 6)))
    for index in (1, 3, 4, 5, 2**40):
        evidence = with_execution(block.evidence(2), index=index)
        with pytest.raises((InclusionInvalid, InclusionRootMismatch)):
            judge(chain, block.claim(3), evidence)


# Line 2: any transaction, whose receipt is read in one way.


def test_the_last_event_of_the_lane_counts_on_line_2() -> None:
    chain = FiscoChain(2)
    events = (sent_event(1), sent_event(8, lane=OTHER_LANE), sent_event(2), Event(ATTACKER, (), b""))
    block = chain.mine(Sent(ATTACKER, b"an application", b"", events, remaining_gas=5))
    judge(chain, block.claim(2), block.evidence(0))
    refused(HeadMismatch, lambda: judge(chain, block.claim(1), block.evidence(0)))


def test_line_2_takes_no_transaction() -> None:
    chain = FiscoChain(2)
    block = chain.mine(send(1))
    full = block.execution(0, with_transaction=True)
    for execution in (full, replace(full, transaction=b"", transaction_path=((),))):
        evidence = replace(block.evidence(0), execution=execution)
        refused(CallUnexpected, lambda evidence=evidence: judge(chain, block.claim(1), evidence))


# Line 3: hashes without lengths have many readings.


def twin_evidence(chain: FiscoChain, block: Block, twin: Sent, receipt_twin: Sent | None = None) -> FiscoEvidence:
    """The evidence of a block's only transaction, with bytes of twins that hash to the same."""
    transaction = transaction_bytes(chain.configuration, block.height, 0, twin)
    receipt = receipt_bytes(chain.configuration, block.height, receipt_twin or twin)
    evidence = with_execution(block.evidence(0), transaction=transaction, receipt=receipt)
    assert evidence != block.evidence(0)
    assert read_receipt(evidence.execution, chain.configuration).hash == block.header[3], "no twin of the receipt"
    return evidence


def flat_event(event: Event) -> bytes:
    return event.address.hex().encode() + b"".join(event.topics) + event.data


def test_a_contract_that_returns_an_event_of_the_gateway() -> None:
    """The receipt alone would prove it: its bytes are those of a receipt of the gateway."""
    chain = FiscoChain(3)
    honest = send(1)
    real = Sent(ATTACKER, honest.data, honest.output + flat_event(honest.events[0]))
    block = chain.mine(real)
    evidence = twin_evidence(chain, block, replace(real), honest)
    refused(CallUnexpected, lambda: judge(chain, block.claim(1), evidence))


def test_a_contract_that_logs_an_event_of_the_gateway() -> None:
    chain = FiscoChain(3)
    inner = moved_event(1)
    real = deliver(1, events=(Event(ATTACKER, (), flat_event(inner)),), to=ATTACKER)
    block = chain.mine(real)
    forged = replace(real, output=ATTACKER.hex().encode(), events=(inner,))
    refused(CallUnexpected, lambda: judge(chain, block.claim(1, 1), twin_evidence(chain, block, real, forged)))


@pytest.mark.parametrize("nonce", [b"1", b""])
def test_a_call_of_the_gateway_hidden_in_an_input(nonce: bytes) -> None:
    """A call of the attacker's contract whose bytes read as one of the gateway behind a longer nonce."""
    chain = FiscoChain(3)
    honest = send(1, nonce=nonce + ATTACKER.hex().encode())
    real = Sent(
        ATTACKER,
        GATEWAY.hex().encode() + honest.data,
        honest.output + flat_event(honest.events[0]),
        nonce=nonce,
    )
    block = chain.mine(real)
    refused(TransactionAmbiguous, lambda: judge(chain, block.claim(1), twin_evidence(chain, block, honest)))


def test_a_call_of_the_gateway_hidden_in_a_nonce() -> None:
    """Nodes put no rule on a nonce, so the forged receiver and input may stand in it, before the real receiver."""
    chain = FiscoChain(3)
    payload = b"\x01" + ATTACKER.hex().encode() + b"the real input"
    honest = send(1, payload=payload, nonce=b"1z")
    before, after = honest.data.split(ATTACKER.hex().encode())
    real = Sent(
        ATTACKER,
        after,
        honest.output + flat_event(honest.events[0]),
        nonce=b"1z" + GATEWAY.hex().encode() + before,
    )
    block = chain.mine(real)
    refused(TransactionAmbiguous, lambda: judge(chain, block.claim(1), twin_evidence(chain, block, honest)))


def test_digits_behind_the_input() -> None:
    chain = FiscoChain(3)
    block = chain.mine(send(1, tail=b"," + ATTACKER.hex().encode()))
    refused(TransactionAmbiguous, lambda: judge(chain, block.claim(1), block.evidence(0)))


def test_a_receiver_that_is_nearly_the_gateway_is_no_other_reading() -> None:
    """Eight more digits before the receiver would need a contract that shares 128 bits with the gateway."""
    chain = FiscoChain(3)
    block = chain.mine(send(1, nonce=b"z12345678"))
    judge(chain, block.claim(1), block.evidence(0))
    block = chain.mine(send(2, nonce=b"z123456789"))
    refused(TransactionAmbiguous, lambda: judge(chain, block.claim(2), block.evidence(0)))


def test_a_payload_with_forty_digits_is_proved_by_a_later_event() -> None:
    chain = FiscoChain(3)
    block = chain.mine(send(1, payload=b"\x01" + bytes(20).hex().encode()), send(2))
    refused(TransactionAmbiguous, lambda: judge(chain, block.claim(1), block.evidence(0)))
    judge(chain, block.claim(1), block.evidence(1), head_of(2))


@pytest.mark.parametrize(
    "change",
    [
        {"to": ATTACKER},
        {"data": DELIVER_SELECTOR + bytes(32)},
        {"data": b""},
        {"created": ATTACKER},
        {"output": b""},
        {"output": bytes(64)},
        {"events": (sent_event(1), sent_event(1))},
    ],
    ids=[
        "other contract",
        "other function",
        "no function",
        "creation",
        "nothing returned",
        "more returned",
        "two events",
    ],
)
def test_line_3_needs_a_direct_send(change: dict[str, Any]) -> None:
    chain = FiscoChain(3)
    block = chain.mine(send(1, **change))
    refused(CallUnexpected, lambda: judge(chain, block.claim(1), block.evidence(0)))


def test_line_3_needs_a_direct_delivery() -> None:
    chain = FiscoChain(3)
    block = chain.mine(deliver(1, data=SEND_SELECTOR + bytes(32)))
    refused(CallUnexpected, lambda: judge(chain, block.claim(1, 1), block.evidence(0)))


def test_the_head_of_the_outcomes_is_the_last_event_on_line_3() -> None:
    chain = FiscoChain(3)
    block = chain.mine(deliver(1, events=(moved_event(1), moved_event(1, 2))))
    refused(HeadAbsent, lambda: judge(chain, block.claim(1, 1), block.evidence(0)))


def test_a_receipt_of_line_3_names_its_block() -> None:
    chain = FiscoChain(3)
    block = chain.mine(send(1))
    other = with_execution(block.evidence(0), receipt=receipt_bytes(chain.configuration, 9, send(1)))
    root = read_receipt(other.execution, chain.configuration).hash
    block = block.with_item(3, root)
    chain.blocks[-1] = block
    evidence = replace(other, header=block.bundle(()))
    refused(ReceiptBlockMismatch, lambda: judge(chain, block.claim(1), evidence))


def test_later_versions_of_line_3() -> None:
    chain = FiscoChain(3)
    block = chain.mine(send(1, version=1, tail=b"0x0" + bytes(8)), send(2, version=2))
    judge(chain, block.claim(1), block.evidence(0))
    judge(chain, block.claim(2), block.evidence(1))
