"""Forms of receipts and transactions: what can be read, what is refused, and where the contract puts the event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode

from light_clients import fisco, rlp
from light_clients.errors import (
    LightClientError,
)
from light_clients.fisco.errors import (
    ReceiptMalformed,
    TransactionMalformed,
)
from light_clients.fisco.evidence import (
    DELIVER_SELECTOR,
    SEND_SELECTOR,
    Execution,
    FiscoEvidence,
)
from light_clients.fisco.executions import read_call, read_receipt
from schemas.claim import Claim
from schemas.primitives import Head
from schemas.suites import integer_word, keccak256
from tests.support.fisco_chain import (
    GATEWAY,
    LANE,
    PIN,
    FiscoChain,
    head_of,
    moved_event,
    send,
    sent_event,
)


def judge(chain: FiscoChain, claim: Claim, evidence: FiscoEvidence, proved: Head | None = None, **changes: Any) -> None:
    fisco.verify_claim(replace(chain.state(-1), **changes), claim, evidence, PIN, proved)


def refused(name: type[LightClientError], act: Callable[[], object]) -> LightClientError:
    with pytest.raises(name) as caught:
        act()
    assert type(caught.value) is name
    return caught.value


def with_execution(evidence: FiscoEvidence, **changes: Any) -> FiscoEvidence:
    return replace(evidence, execution=replace(evidence.execution, **changes))


RECEIPT_3: list[Any] = [b"", b"21000", b"", b"", b"", b"", [], b"\x02"]
RECEIPT_2: list[Any] = [bytes(32), b"\x01", bytes(20), bytes(256), b"", b"", []]


def changed(items: list[Any], place: int, item: Any) -> list[Any]:
    return [*items[:place], item, *items[place + 1 :]]


@pytest.mark.parametrize(
    ("line", "items"),
    [
        (2, RECEIPT_2[:6]),
        (2, changed(RECEIPT_2, 2, bytes(19))),
        (2, changed(RECEIPT_2, 3, bytes(255))),
        (2, [*RECEIPT_2[:6], b"", b"", []]),
        (2, changed(RECEIPT_2, 6, [b"log"])),
        (2, changed(RECEIPT_2, 6, [[bytes(20), [bytes(31)], b""]])),
        (2, changed(RECEIPT_2, 6, [[bytes(20), [bytes(32)] * 5, b""]])),
        (2, changed(RECEIPT_2, 6, [[bytes(19), [], b""]])),
        (3, RECEIPT_3[:7]),
        (3, changed(RECEIPT_3, 0, b"\x03")),
        (3, changed(RECEIPT_3, 1, b"0x5208")),
        (3, changed(RECEIPT_3, 1, b"")),
        (3, changed(RECEIPT_3, 1, b"1" * 21)),
        (3, changed(RECEIPT_3, 2, b"A7" * 20)),
        (3, changed(RECEIPT_3, 5, b"0x1")),
        (3, changed(changed(RECEIPT_3, 0, b"\x01"), 5, b"0x" + b"1" * 33)),
        (3, changed(RECEIPT_3, 6, [[b"A7" * 20, [], b""]])),
        (3, changed(RECEIPT_3, 6, [[bytes(20), [], b""]])),
    ],
)
def test_receipts_of_another_form(line: int, items: list[Any]) -> None:
    chain = FiscoChain(line)
    execution = Execution(0, 0, b"", (), rlp.encode(items), ())
    refused(ReceiptMalformed, lambda: read_receipt(execution, chain.configuration))


def test_receipts_of_the_right_form() -> None:
    for line, items in ((2, RECEIPT_2), (3, RECEIPT_3)):
        execution = Execution(0, 0, b"", (), rlp.encode(items), ())
        assert not read_receipt(execution, FiscoChain(line).configuration).logs


@pytest.mark.parametrize(
    "items",
    [
        [b"", b"", b"n", GATEWAY.hex().encode(), b""],
        [b"\x03", b"", b"n", GATEWAY.hex().encode(), b"", b""],
        [b"", b"", b"n", b"", b"", b""],
        [b"", b"", b"n", GATEWAY, b"", b""],
        [b"", b"", b"n", b"0X" + GATEWAY.hex().encode(), b"", b""],
    ],
    ids=["five items", "version", "creation", "raw address", "prefix"],
)
def test_transactions_of_another_form(items: list[Any]) -> None:
    chain = FiscoChain(3)
    block = chain.mine(send(1))
    evidence = with_execution(block.evidence(0), transaction=rlp.encode(items))
    refused(TransactionMalformed, lambda: judge(chain, block.claim(1), evidence))


@pytest.mark.parametrize("count", [9, 11, 12, 14])
def test_transactions_of_line_2_have_10_or_13_items(count: int) -> None:
    execution = Execution(0, 0, rlp.encode([b""] * count), (), b"", ())
    refused(TransactionMalformed, lambda: read_call(execution, FiscoChain(2).configuration))


@pytest.mark.parametrize("count", [10, 13])
def test_transactions_of_line_2(count: int) -> None:
    configuration = FiscoChain(2).configuration
    for to in (b"", GATEWAY):
        items: list[rlp.RlpItem] = [b"\x01"] * count
        items[4], items[6] = to, b"data"
        encoded = rlp.encode(items)
        call = read_call(Execution(0, 0, encoded, (), b"", ()), configuration)
        assert (call.to, call.data, call.hash) == (to, b"data", keccak256(encoded))
        for place, item in ((4, GATEWAY[1:]), (4, []), (6, [])):
            spoilt = Execution(0, 0, rlp.encode([*items[:place], item, *items[place + 1 :]]), (), b"", ())
            refused(TransactionMalformed, lambda spoilt=spoilt: read_call(spoilt, configuration))


def test_a_receiver_with_a_prefix() -> None:
    chain = FiscoChain(3)
    items: list[rlp.RlpItem] = [b"", b"", b"1z", b"0x" + GATEWAY.hex().upper().encode(), b"data", b""]
    call = read_call(Execution(0, 0, rlp.encode(items), (), b"", ()), chain.configuration)
    assert (call.to, call.data) == (GATEWAY, b"data")
    head = bytes(4) + b"chain0group0" + bytes(8)
    assert call.hash == keccak256(head + b"1z0x" + GATEWAY.hex().upper().encode() + b"data")


def test_the_selectors_are_the_gateways() -> None:
    from adapters.solidity.calldata import DELIVER, SEND
    from adapters.solidity.events import HEAD_MOVED, MESSAGE_SENT
    from light_clients.fisco import claims

    assert (SEND_SELECTOR, DELIVER_SELECTOR) == (SEND, DELIVER)
    assert (claims.MESSAGE_SENT, claims.HEAD_MOVED) == (MESSAGE_SENT, HEAD_MOVED)


def test_the_event_is_where_the_contract_puts_it() -> None:
    event = sent_event(3)
    assert event.data[32:64] == head_of(3)
    assert event.topics == (event.topics[0], LANE, integer_word(3))
    assert abi_encode(["uint64", "bytes32"], [3, head_of(3)]) == moved_event(3).data


def test_the_head_is_the_second_word_whatever_follows_it() -> None:
    chain = FiscoChain(2)
    block = chain.mine(send(1, events=(replace(sent_event(1), data=sent_event(1).data[:64]),)))
    judge(chain, block.claim(1), block.evidence(0))
