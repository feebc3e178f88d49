"""Notes of an evidence log: a direct call of the gateway by the account in one block, and those trusted now among its signers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from light_clients import fisco, rlp
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimMalformed,
    ClientFrozen,
    HeaderFieldInvalid,
    LightClientError,
    NoteAbsent,
    RlpNotCanonical,
    RlpRefused,
    SealDuplicate,
    SealForeign,
    SealsTooFew,
)
from light_clients.families import note_judge_named
from light_clients.fisco.codec import encode_bundle
from light_clients.fisco.errors import (
    CallUnexpected,
    ExecutionFailed,
    InclusionInvalid,
    InclusionRootMismatch,
    ReceiptBlockMismatch,
    TransactionAmbiguous,
    TransactionMalformed,
)
from light_clients.fisco.evidence import FiscoEvidence
from light_clients.fisco.executions import read_receipt
from light_clients.fisco.log_notes import check_note_block, read_note
from light_clients.fisco.types import FiscoConfiguration
from light_clients.proofs.log_notes import ProvedNote
from schemas.primitives import Bytes32
from schemas.suites import integer_word, keccak256
from tests.mutations.mutators import spoil_bytes
from tests.support.fisco_chain import (
    GATEWAY,
    PIN,
    Block,
    Event,
    FiscoChain,
    Sent,
    change_sealers,
    leaves_of,
    receipt_bytes,
    sealer_key,
    send,
    transaction_bytes,
)

KINDS = [(2, "evm"), (2, "sm"), (3, "evm"), (3, "sm")]
HUB = keccak256(b"account of a hub")[:20]
ATTACKER = b"\xa7" * 20
ROOT = Bytes32(keccak256(b"root of a log"))
SELECTOR = keccak256(b"anchorLog(uint64,bytes32)")[:4]
ANCHORED = keccak256(b"LogAnchored(address,uint64,bytes32)")
SIZE = 41
WORDS = integer_word(SIZE) + ROOT


def told(words: bytes = WORDS, account: bytes = HUB, **changes: Any) -> Event:
    """`LogAnchored` of the gateway."""
    return replace(Event(GATEWAY, (ANCHORED, bytes(12) + account), words), **changes)


def anchor(words: bytes = WORDS, account: bytes = HUB, **changes: Any) -> Sent:
    """A direct call of the gateway's `anchorLog`."""
    return replace(Sent(GATEWAY, SELECTOR + words, b"", (told(words, account),)), **changes)


def evidence(block: Block, place: int = 0, signers: Iterable[int] | None = None, **changes: Any) -> bytes:
    execution = replace(block.execution(place, with_transaction=True), **changes)
    return FiscoEvidence(block.bundle(signers), execution).to_bytes()


def trusting(chain: FiscoChain, place: int = -1, **changes: Any) -> fisco.FiscoState:
    """A client that trusts a block, and knows the chain and the group on line 2 too."""
    state = chain.state(place)
    names = {"chain_id": "1", "group_id": "1"} if chain.line == 2 else {}
    return replace(state, configuration=replace(state.configuration, **names), **changes)


def judge(chain: FiscoChain, data: bytes, account: bytes = HUB) -> ProvedNote:
    return read_note(trusting(chain), data, PIN, account)


def refused(name: type[LightClientError], act: Callable[[], object]) -> None:
    with pytest.raises(name) as caught:
        act()
    assert type(caught.value) is name


def only_the_proof_fails(name: type[LightClientError], chain: FiscoChain, data: bytes) -> None:
    check_note_block(trusting(chain), data)
    refused(name, lambda: judge(chain, data))


def only_the_block_fails(name: type[LightClientError], chain: FiscoChain, data: bytes, **changes: Any) -> None:
    assert judge(chain, data).size == SIZE
    refused(name, lambda: check_note_block(trusting(chain, **changes), data))


@pytest.fixture(params=KINDS, ids=[f"{line}-{suite}" for line, suite in KINDS])
def chain(request: pytest.FixtureRequest) -> FiscoChain:
    return FiscoChain(*request.param)


def test_a_note_holds_for_states_older_and_newer(chain: FiscoChain) -> None:
    block = chain.mine(send(1), anchor(), send(2))
    data = evidence(block, 1)
    chain.mine()
    judges = note_judge_named("fisco")
    for place in range(3):
        state = trusting(chain, place)
        found = judges.read_note(state, data, PIN, HUB)
        assert found == ProvedNote(block.height, block.hash, SIZE, ROOT)
        judges.check_note_block(state, data)


def test_of_several_notes_in_a_block_each_is_shown(chain: FiscoChain) -> None:
    later, other = integer_word(SIZE + 1) + ROOT, anchor(account=ATTACKER)
    block = chain.mine(anchor(), other, anchor(later))
    assert [judge(chain, evidence(block, index)).size for index in (0, 2)] == [SIZE, SIZE + 1]
    assert judge(chain, evidence(block, 1), ATTACKER).size == SIZE
    only_the_proof_fails(NoteAbsent, chain, evidence(block, 1))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"to": ATTACKER}, CallUnexpected),
        ({"data": send(1).data}, CallUnexpected),
        ({"data": b""}, CallUnexpected),
        ({"data": SELECTOR + WORDS[:-1]}, CallUnexpected),
        ({"data": SELECTOR + WORDS + b"\0"}, CallUnexpected),
        ({"data": keccak256(b"another function")[:4] + WORDS}, CallUnexpected),
        ({"status": 16}, ExecutionFailed),
        ({"created": ATTACKER}, CallUnexpected),
        ({"output": bytes(32)}, CallUnexpected),
        ({"events": ()}, CallUnexpected),
        ({"events": (told(), told())}, CallUnexpected),
        ({"events": (told(account=ATTACKER),)}, NoteAbsent),
        ({"events": (told(address=ATTACKER),)}, NoteAbsent),
        ({"events": (told(topics=(ANCHORED,)),)}, NoteAbsent),
        ({"events": (told(topics=(ANCHORED, bytes(12) + HUB, bytes(32))),)}, NoteAbsent),
        ({"events": (told(topics=(ANCHORED, HUB + bytes(12))),)}, NoteAbsent),
        ({"events": (told(topics=(keccak256(b"another event"), bytes(12) + HUB)),)}, NoteAbsent),
        ({"events": (told(integer_word(SIZE + 1) + ROOT),)}, NoteAbsent),
        ({"events": (told(ROOT + integer_word(SIZE)),)}, NoteAbsent),
        ({"events": (told(WORDS[:-1]),)}, NoteAbsent),
        ({"events": (told(WORDS + b"\0"),)}, NoteAbsent),
    ],
)
def test_what_is_no_note_of_the_account(
    chain: FiscoChain, change: dict[str, Any], name: type[LightClientError]
) -> None:
    only_the_proof_fails(name, chain, evidence(chain.mine(anchor(**change))))


def test_another_gateway_or_account_is_asked_for(chain: FiscoChain) -> None:
    data, state = evidence(chain.mine(anchor())), trusting(chain)
    refused(CallUnexpected, lambda: read_note(state, data, fisco.FiscoPin(ATTACKER), HUB))
    for account in (ATTACKER, HUB[:19], b"\0" + HUB, bytes(12) + HUB, b""):
        refused(NoteAbsent, lambda account=account: read_note(state, data, PIN, account))


def test_a_transaction_or_a_receipt_that_does_not_stand_in_the_block(chain: FiscoChain) -> None:
    older = chain.mine(anchor(), send(1), anchor(gas_used=30_000))
    block = chain.mine(anchor(), send(2), anchor(gas_used=30_000))
    there, other = (block.execution(index, with_transaction=True) for index in (0, 2))
    before = older.execution(0)
    for changes in (
        {"transaction": other.transaction},
        {"transaction": other.transaction, "transaction_path": other.transaction_path},
        {"transaction_path": other.transaction_path},
        {"receipt": other.receipt, "receipt_path": other.receipt_path},
        {"receipt_path": before.receipt_path},
        {"receipt": before.receipt, "receipt_path": before.receipt_path},
        {"index": 1},
        {"transaction_path": (*there.transaction_path, *there.transaction_path)},
    ):
        data = evidence(block, **changes)
        check_note_block(trusting(chain), data)
        with pytest.raises((InclusionInvalid, InclusionRootMismatch)):
            judge(chain, data)


@pytest.mark.parametrize("spoilt", [{"transaction": b""}, {"receipt": b""}, {"transaction": b"\xc0"}])
def test_half_of_an_execution_proves_nothing(chain: FiscoChain, spoilt: dict[str, Any]) -> None:
    data = evidence(chain.mine(anchor()), **spoilt)
    check_note_block(trusting(chain), data)
    with pytest.raises((TransactionMalformed, RlpRefused)):
        judge(chain, data)


# Chain and group, which no header names.


def with_transaction(block: Block, items: list[rlp.RlpItem]) -> bytes:
    """The evidence of a block of line 2 with one transaction, of those items."""
    digest, transaction = block.configuration.hashing.hash, rlp.encode(items)
    return evidence(block.with_item(2, digest(b"\x80" + digest(transaction))), transaction=transaction)


@pytest.mark.parametrize("suite", ["evm", "sm"])
def test_a_note_of_another_group_of_the_same_sealers_on_line_2(suite: str) -> None:
    chain = FiscoChain(2, suite)
    block = chain.propose(anchor())
    items = rlp.decode_list(block.execution(0, with_transaction=True).transaction)
    assert judge(chain, with_transaction(block, items)).size == SIZE
    for place in (7, 8):
        changed = [*items[:place], b"\x02", *items[place + 1 :]]
        only_the_proof_fails(CallUnexpected, chain, with_transaction(block, changed))
    only_the_proof_fails(TransactionMalformed, chain, with_transaction(block, [*items[:7], *items[10:]]))


def test_a_client_of_line_2_that_knows_no_group_believes_no_note() -> None:
    chain = FiscoChain(2)
    data = evidence(chain.mine(anchor()))
    check_note_block(chain.state(), data)
    refused(CallUnexpected, lambda: read_note(chain.state(), data, PIN, HUB))


class OtherGroup(FiscoChain):
    """A group of line 3 with the same sealers; `name` is what they call it."""

    name = "group1"

    @property
    def configuration(self) -> FiscoConfiguration:
        return replace(super().configuration, group_id=self.name)


class LongerGroup(OtherGroup):
    name = "group01"


def test_a_note_of_another_group_of_the_same_sealers_on_line_3() -> None:
    chain, other = FiscoChain(3), OtherGroup(3)
    data = evidence(other.mine(anchor()))
    assert judge(other, data).size == SIZE
    only_the_proof_fails(InclusionRootMismatch, chain, data)


def test_a_note_of_a_group_whose_name_goes_on() -> None:
    """What is hashed of a transaction of `group01` is one of `group0` with an immense block limit."""
    chain, other = FiscoChain(3), LongerGroup(3)
    block = other.mine(anchor())
    version, limit, nonce, *rest = rlp.decode_list(transaction_bytes(other.configuration, 2, 0, anchor()))
    hashed = b"1" + limit.rjust(8, b"\0") + nonce
    twin = rlp.encode([version, hashed[:8], hashed[8:], *rest])
    only_the_proof_fails(RlpNotCanonical, chain, evidence(block, transaction=twin))


# Line 3: hashes without lengths have many readings.


def flat_event(event: Event) -> bytes:
    return event.address.hex().encode() + b"".join(event.topics) + event.data


def twin(block: Block, transaction: Sent, receipt: Sent) -> bytes:
    """The evidence of a block's only transaction with other readings of what is hashed of it."""
    read = transaction_bytes(block.configuration, block.height, 0, transaction)
    data = evidence(block, transaction=read, receipt=receipt_bytes(block.configuration, block.height, receipt))
    execution = FiscoEvidence.from_bytes(data).execution
    assert read_receipt(execution, block.configuration).hash == block.header[3], "no twin of the receipt"
    assert leaves_of(block.configuration, block.height, [transaction])[0] == [block.header[2]], "no twin of the call"
    return data


def test_a_contract_that_returns_the_event_of_the_gateway() -> None:
    chain = FiscoChain(3)
    real = Sent(ATTACKER, anchor().data, flat_event(told()))
    only_the_proof_fails(CallUnexpected, chain, twin(chain.mine(real), real, anchor()))


def test_a_contract_that_logs_the_event_of_the_gateway() -> None:
    chain = FiscoChain(3)
    real = Sent(ATTACKER, anchor().data, b"", (Event(ATTACKER, (), flat_event(told())),))
    forged = anchor(output=ATTACKER.hex().encode())
    only_the_proof_fails(CallUnexpected, chain, twin(chain.mine(real), real, forged))


def test_a_call_of_the_gateway_hidden_in_an_input() -> None:
    chain = FiscoChain(3)
    real = Sent(ATTACKER, GATEWAY.hex().encode() + anchor().data, flat_event(told()), nonce=b"1")
    read = anchor(nonce=b"1" + ATTACKER.hex().encode())
    only_the_proof_fails(TransactionAmbiguous, chain, twin(chain.mine(real), read, anchor()))


def test_a_call_of_the_gateway_hidden_in_a_nonce() -> None:
    chain = FiscoChain(3)
    real = Sent(ATTACKER, b"", flat_event(told()), nonce=b"1z" + GATEWAY.hex().encode() + anchor().data)
    read = anchor(nonce=b"1z", tail=ATTACKER.hex().encode())
    only_the_proof_fails(TransactionAmbiguous, chain, twin(chain.mine(real), read, anchor()))


def test_a_receipt_of_line_3_names_its_block() -> None:
    chain = FiscoChain(3)
    block = chain.mine(anchor())
    other = receipt_bytes(chain.configuration, 9, anchor())
    root = read_receipt(replace(block.execution(0), receipt=other), chain.configuration).hash
    chain.blocks[-1] = block.with_item(3, root)
    only_the_proof_fails(ReceiptBlockMismatch, chain, evidence(chain.newest, receipt=other))


# Who made the block.


@pytest.mark.parametrize("signers", [(), (0,), (1, 3)])
def test_too_few_signed(chain: FiscoChain, signers: tuple[int, ...]) -> None:
    only_the_block_fails(SealsTooFew, chain, evidence(chain.mine(anchor()), signers=signers))


def with_seals(block: Block, seals: list[tuple[int, bytes]]) -> bytes:
    return FiscoEvidence(encode_bundle(block.header, seals), block.execution(0, with_transaction=True)).to_bytes()


def test_a_signature_counts_once_and_for_its_block(chain: FiscoChain) -> None:
    older, block = chain.mine(), chain.mine(anchor())
    seals = block.seals()
    only_the_block_fails(SealDuplicate, chain, with_seals(block, [*seals[:2], seals[1]]))
    only_the_block_fails(SealForeign, chain, with_seals(block, [*seals[:2], older.seals()[2]]))


def test_the_sealers_of_another_ledger(chain: FiscoChain) -> None:
    others = FiscoChain(
        chain.line, chain.suite, tuple(sealer_key(f"other {number}", chain.suite) for number in range(4))
    )
    chain.mine(), chain.mine()
    only_the_block_fails(SealsTooFew, chain, evidence(others.mine(anchor())))


def made_by(chain: FiscoChain, labels: str, trusted: str, signers: Iterable[str]) -> tuple[bytes, fisco.FiscoState]:
    """A note in a block of some sealers, signed by some of them, and a client that trusts others after them."""
    chain.mine(sealers=[sealer_key(label, chain.suite) for label in labels])
    block = chain.mine(anchor())
    names = {sealer_key(label, chain.suite).public for label in signers}
    indices = [index for index, sealer in enumerate(block.sealers) if sealer.public in names]
    chain.mine(sealers=[sealer_key(label, chain.suite) for label in trusted])
    return evidence(block, signers=indices), trusting(chain)


@pytest.mark.parametrize(
    ("labels", "trusted", "signers", "holds"),
    [
        ("abcd", "abce", "abcd", True),
        ("abcd", "abce", "abc", True),
        ("abcd", "abce", "abd", False),  # a quorum of then, not of now
        ("abcd", "abef", "abcd", False),
        ("abcdefg", "abcd", "abcef", True),
        ("abcdefg", "abcd", "abcd", False),  # a quorum of now, not of then
        ("ab", "abcd", "ab", False),
    ],
)
def test_a_quorum_of_then_among_them_one_of_now(
    chain: FiscoChain, labels: str, trusted: str, signers: str, holds: bool
) -> None:
    data, state = made_by(chain, labels, trusted, signers)
    assert read_note(state, data, PIN, HUB).size == SIZE
    if holds:
        check_note_block(state, data)
    else:
        refused(SealsTooFew, lambda: check_note_block(state, data))


def test_votes_are_those_of_now_on_line_3() -> None:
    chain = FiscoChain(3)
    block = chain.mine(anchor())
    heavy = replace(chain.sealers[3], weight=4)
    chain.mine(sealers=[*chain.sealers[:3], heavy])
    refused(SealsTooFew, lambda: check_note_block(trusting(chain), evidence(block)))
    check_note_block(trusting(chain), evidence(block, signers=range(4)))


def test_a_frozen_client_refuses(chain: FiscoChain) -> None:
    only_the_block_fails(ClientFrozen, chain, evidence(chain.mine(anchor())), frozen=True)


def test_another_block_of_the_height_was_accepted(chain: FiscoChain) -> None:
    other, accepted = chain.propose(anchor(), extra_ms=1), chain.mine()
    assert (other.height, other.sealers) == (accepted.height, accepted.sealers)
    only_the_block_fails(ClaimBlockMismatch, chain, evidence(other))


def test_proofs_of_changed_sealers_are_not_asked_for(chain: FiscoChain) -> None:
    node = sealer_key("new", chain.suite).public
    call = change_sealers(chain.configuration, "remove(string)", node)
    step = chain.mine(call).execution(0, with_transaction=True)
    only_the_block_fails(HeaderFieldInvalid, chain, evidence(chain.mine(anchor(), steps=[step])))


# Bytes.


def test_bytes_that_are_missing_or_left_over(chain: FiscoChain) -> None:
    data, state = evidence(chain.mine(anchor())), trusting(chain)
    for spoilt in (b"", data[:-1], data[1:], data + b"\0", data + data):
        with pytest.raises((RlpRefused, ClaimMalformed)):
            read_note(state, spoilt, PIN, HUB)
        with pytest.raises((RlpRefused, ClaimMalformed)):
            check_note_block(state, spoilt)


def test_a_change_is_refused_or_says_the_same(chain: FiscoChain) -> None:
    data, state, chance = evidence(chain.mine(send(1), anchor(), send(2)), 1), trusting(chain), random.Random(9)
    said = read_note(state, data, PIN, HUB)
    spoilt = [bytes((*data[:place], data[place] ^ 1, *data[place + 1 :])) for place in range(0, len(data), 5)]
    passed = 0
    for item in [*spoilt, *(spoil_bytes(chance, data) for _ in range(100))]:
        try:
            found = read_note(state, item, PIN, HUB)
            check_note_block(state, item)
        except LightClientError:
            continue
        passed += 1
        assert found == said
    assert passed < 5
