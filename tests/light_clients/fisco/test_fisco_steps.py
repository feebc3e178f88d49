"""Changes of sealers: only by proved calls of the consensus precompile in the block before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from light_clients import fisco
from light_clients.errors import LightClientError, SealsTooFew
from light_clients.fisco.errors import (
    ExecutionFailed,
    InclusionInvalid,
    InclusionRootMismatch,
    ReceiptBlockMismatch,
    SealerStepInvalid,
    SealersUnexpected,
    TransactionAmbiguous,
)
from light_clients.fisco.evidence import Execution
from light_clients.fisco.executions import read_receipt
from light_clients.fisco.types import (
    FiscoConfiguration,
)
from tests.support.fisco_chain import (
    Event,
    FiscoChain,
    SealerKey,
    Sent,
    change_sealers,
    deliver,
    receipt_bytes,
    sealer_key,
    send,
)

KINDS = [(2, "evm"), (2, "sm"), (3, "evm"), (3, "sm")]
Change = Callable[[FiscoConfiguration, bytes], Sent]


def add(configuration: FiscoConfiguration, node: bytes, **changes: Any) -> Sent:
    if configuration.line == 2:
        return change_sealers(configuration, "addSealer(string)", node, **changes)
    return change_sealers(configuration, "addSealer(string,uint256)", node, 1, **changes)


def step_of(chain: FiscoChain, index: int) -> Execution:
    return chain.newest.execution(index, with_transaction=True)


def followed(chain: FiscoChain) -> fisco.FiscoState:
    """The state at the newest block."""
    return chain.state(-1)


@pytest.fixture(params=KINDS, ids=[f"{line}-{suite}" for line, suite in KINDS])
def chain(request: pytest.FixtureRequest) -> FiscoChain:
    return FiscoChain(*request.param)


def newcomer(chain: FiscoChain) -> SealerKey:
    return sealer_key("newcomer", chain.suite)


def judged(chain: FiscoChain, steps: list[Execution], sealers: list[SealerKey]) -> fisco.FiscoState:
    state = followed(chain)
    block = chain.mine(steps=steps, sealers=sealers)
    return fisco.apply(state, fisco.verify_header(state, block.bundle(range(len(sealers))), chain.now))


def test_a_sealer_joins(chain: FiscoChain) -> None:
    new = newcomer(chain)
    chain.mine(send(1), add(chain.configuration, new.public), send(2))
    state = judged(chain, [step_of(chain, 1)], [*chain.sealers, new])
    assert [sealer.key for sealer in state.sealers] == [sealer.public for sealer in chain.sealers]
    assert len(state.sealers) == 5
    assert len(state.set_at(3) or ()) == 5
    block = chain.mine()
    assert fisco.verify_header(state, block.bundle(), chain.now).signers == (0, 1, 2, 3)  # 5 - floor(4 / 3)


@pytest.mark.parametrize("function", ["remove(string)", "addObserver(string)"])
def test_a_sealer_leaves(chain: FiscoChain, function: str) -> None:
    gone, *left = chain.sealers
    chain.mine(change_sealers(chain.configuration, function, gone.public))
    assert len(judged(chain, [step_of(chain, 0)], left).sealers) == 3


def test_a_node_that_is_no_sealer_may_leave(chain: FiscoChain) -> None:
    chain.mine(change_sealers(chain.configuration, "remove(string)", newcomer(chain).public))
    assert len(judged(chain, [step_of(chain, 0)], list(chain.sealers)).sealers) == 4


def test_several_changes_of_one_block(chain: FiscoChain) -> None:
    new, (gone, *left) = newcomer(chain), chain.sealers
    removal = change_sealers(chain.configuration, "remove(string)", gone.public)
    chain.mine(add(chain.configuration, new.public), removal)
    assert len(judged(chain, [step_of(chain, 0), step_of(chain, 1)], [*left, new]).sealers) == 4


def test_weights_change_on_line_3() -> None:
    chain = FiscoChain(3)
    heavy, *others = chain.sealers
    call = change_sealers(chain.configuration, "setWeight(string,uint256)", heavy.public, 9)
    nobody = change_sealers(chain.configuration, "setWeight(string,uint256)", newcomer(chain).public, 9)
    chain.mine(call, nobody)
    state = judged(chain, [step_of(chain, 0), step_of(chain, 1)], [replace(heavy, weight=9), *others])
    assert sorted(sealer.weight for sealer in state.sealers) == [1, 1, 1, 9]


@pytest.mark.parametrize("version", [1, 2])
def test_calls_of_later_versions_of_line_3(version: int) -> None:
    chain = FiscoChain(3)
    new = newcomer(chain)
    tail = b"0x0" + b"0x1" + bytes(8)
    chain.mine(add(chain.configuration, new.public, version=version, tail=tail))
    assert len(judged(chain, [step_of(chain, 0)], [*chain.sealers, new]).sealers) == 5


def refused(
    name: type[LightClientError], chain: FiscoChain, steps: list[Execution], sealers: list[SealerKey]
) -> LightClientError:
    with pytest.raises(name) as caught:
        judged(chain, steps, sealers)
    assert type(caught.value) is name
    return caught.value


def test_other_sealers_without_a_proof(chain: FiscoChain) -> None:
    refused(SealersUnexpected, chain, [], [*chain.sealers, newcomer(chain)])


def test_a_set_of_the_attackers_own(chain: FiscoChain) -> None:
    """Its own header, list and signatures are all consistent."""
    own = [sealer_key(f"attacker {number}", chain.suite) for number in range(4)]
    refused(SealersUnexpected, chain, [], own)


def test_a_proved_change_that_the_header_does_not_make(chain: FiscoChain) -> None:
    chain.mine(add(chain.configuration, newcomer(chain).public))
    step = step_of(chain, 0)
    refused(SealerStepInvalid, chain, [step], list(chain.sealers))


def test_a_proved_change_and_another_set(chain: FiscoChain) -> None:
    chain.mine(add(chain.configuration, newcomer(chain).public))
    refused(SealerStepInvalid, chain, [step_of(chain, 0)], [*chain.sealers, sealer_key("another", chain.suite)])


def test_the_new_set_signs(chain: FiscoChain) -> None:
    new = newcomer(chain)
    chain.mine(add(chain.configuration, new.public))
    state = followed(chain)
    block = chain.mine(steps=[step_of(chain, 0)], sealers=[*chain.sealers, new])
    with pytest.raises(SealsTooFew):
        fisco.verify_header(state, block.bundle([0, 1, 2]), chain.now)


def test_changes_in_their_order(chain: FiscoChain) -> None:
    new, (gone, *left) = newcomer(chain), chain.sealers
    removal = change_sealers(chain.configuration, "remove(string)", gone.public)
    chain.mine(add(chain.configuration, new.public), removal)
    refused(SealerStepInvalid, chain, [step_of(chain, 1), step_of(chain, 0)], [*left, new])


def test_one_change_does_not_count_twice(chain: FiscoChain) -> None:
    new = newcomer(chain)
    chain.mine(add(chain.configuration, new.public))
    step = step_of(chain, 0)
    refused(SealerStepInvalid, chain, [step, step], [*chain.sealers, new])


def test_a_call_of_another_contract(chain: FiscoChain) -> None:
    new = newcomer(chain)
    chain.mine(replace(add(chain.configuration, new.public), to=b"\x10" * 20))
    refused(SealerStepInvalid, chain, [step_of(chain, 0)], [*chain.sealers, new])


def test_a_call_of_another_function(chain: FiscoChain) -> None:
    new = newcomer(chain)
    good = add(chain.configuration, new.public)
    chain.mine(replace(good, data=b"\x01\x02\x03\x04" + good.data[4:]))
    refused(SealerStepInvalid, chain, [step_of(chain, 0)], [*chain.sealers, new])


@pytest.mark.parametrize("spoil", ["cut", "no digits", "offset", "longer"])
def test_a_call_in_another_encoding(chain: FiscoChain, spoil: str) -> None:
    new = newcomer(chain)
    good = add(chain.configuration, new.public)
    data = {
        "cut": good.data[:60],
        "no digits": good.data[:-1] + b"g",
        "offset": good.data[:4] + b"\x01" + good.data[5:],
        "longer": good.data[:4] + bytes(1) + good.data[4:],
    }[spoil]
    chain.mine(replace(good, data=data))
    refused(SealerStepInvalid, chain, [step_of(chain, 0)], [*chain.sealers, new])


def test_digits_of_a_node_in_upper_case_are_the_same_node(chain: FiscoChain) -> None:
    new = newcomer(chain)
    good = add(chain.configuration, new.public)
    chain.mine(replace(good, data=good.data[:-128] + good.data[-128:].upper()))
    assert len(judged(chain, [step_of(chain, 0)], [*chain.sealers, new]).sealers) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"status": 15},
        {"output": b""},
        {"output": b"\xff" * 32},
        {"created": b"\x33" * 20},
        {"events": (Event(b"\x44" * 20, (), b""),)},
    ],
    ids=["status", "no output", "an error", "a creation", "an event"],
)
def test_a_call_that_failed(chain: FiscoChain, change: dict[str, Any]) -> None:
    new = newcomer(chain)
    chain.mine(add(chain.configuration, new.public, **change))
    refused(ExecutionFailed, chain, [step_of(chain, 0)], [*chain.sealers, new])


def test_a_transaction_of_another_block(chain: FiscoChain) -> None:
    new = newcomer(chain)
    chain.mine(add(chain.configuration, new.public))
    step = step_of(chain, 0)
    chain.mine(send(1))
    refused(InclusionRootMismatch, chain, [step], [*chain.sealers, new])


def test_the_receipt_of_another_transaction(chain: FiscoChain) -> None:
    """A refused call, with the receipt of a call that returned what the precompile returns for success."""
    new = newcomer(chain)
    refusal = add(chain.configuration, new.public, output=b"\xff" * 32)
    chain.mine(refusal, add(chain.configuration, sealer_key("x", chain.suite).public))
    first, second = step_of(chain, 0), step_of(chain, 1)
    mixed = replace(first, receipt=second.receipt, receipt_path=second.receipt_path)
    name = InclusionInvalid if chain.line == 2 else InclusionRootMismatch
    refused(name, chain, [mixed], [*chain.sealers, new])


def test_a_receipt_that_names_another_block() -> None:
    chain = FiscoChain(3)
    new = newcomer(chain)
    call = add(chain.configuration, new.public)
    chain.mine(call)
    other = receipt_bytes(chain.configuration, 7, call)
    state = followed(chain)
    step = replace(step_of(chain, 0), receipt=other)
    forged = replace(state, receipts_root=type(state.receipts_root)(read_receipt(step, chain.configuration).hash))
    block = chain.mine(steps=[step], sealers=[*chain.sealers, new])
    with pytest.raises(ReceiptBlockMismatch):
        fisco.verify_header(forged, block.bundle(range(5)), chain.now)


def test_a_count_on_line_2() -> None:
    chain = FiscoChain(2)
    new = newcomer(chain)
    chain.mine(add(chain.configuration, new.public))
    refused(InclusionInvalid, chain, [replace(step_of(chain, 0), count=1)], [*chain.sealers, new])


def test_a_hidden_call_in_the_nonce_of_line_3() -> None:
    """The hashed bytes of a call of the attacker's contract, read again as a call of the consensus precompile."""
    chain = FiscoChain(3)
    new = newcomer(chain)
    honest = add(chain.configuration, new.public)
    attacker = b"\xa7" * 20
    real = Sent(attacker, CONSENSUS_TEXT + honest.data, output=bytes(32), nonce=b"1")
    chain.mine(real)
    twin = replace(honest, nonce=b"1" + attacker.hex().encode())
    forged = _again(chain, real, twin)
    refused(TransactionAmbiguous, chain, [forged], [*chain.sealers, new])


def test_a_real_call_behind_a_nonce_that_holds_the_precompile() -> None:
    """The other way round: the forged receiver and input stand in the nonce of a call of the attacker's contract."""
    chain = FiscoChain(3)
    new = newcomer(chain)
    honest = add(chain.configuration, new.public)
    attacker = b"\xa7" * 20
    real = Sent(attacker, b"", output=bytes(32), nonce=b"1z" + CONSENSUS_TEXT + honest.data)
    chain.mine(real)
    twin = replace(honest, nonce=b"1z", tail=attacker.hex().encode())
    forged = _again(chain, real, twin)
    refused(TransactionAmbiguous, chain, [forged], [*chain.sealers, new])


CONSENSUS_TEXT = (0x1003).to_bytes(20, "big").hex().encode()


def _again(chain: FiscoChain, real: Sent, twin: Sent) -> Execution:
    """The inclusion of the real transaction with the bytes of its twin, which hash to the same."""
    step = step_of(chain, 0)
    other = FiscoChain(3)
    other.mine(twin)
    mine, theirs = chain.newest.header, other.newest.header
    assert mine[2] == theirs[2], "the twins do not hash to the same"
    assert real != twin
    return replace(step, transaction=step_of(other, 0).transaction)


def test_deliveries_change_nothing(chain: FiscoChain) -> None:
    chain.mine(deliver(1))
    refused(SealerStepInvalid, chain, [step_of(chain, 0)], list(chain.sealers))
