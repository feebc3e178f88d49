"""Notes of an evidence log: what shows one, and who made its block. Each defect fails one of the two checks and not the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from light_clients.chainmaker import (
    ChainMakerConfiguration,
    ChainMakerEvidence,
    ChainMakerPin,
    ChainMakerState,
    evidence_of_block,
)
from light_clients.chainmaker.claims import HEAD_MOVED, key_of
from light_clients.chainmaker.log_notes import check_note_block, read_note
from light_clients.chainmaker.members import read_certificate
from light_clients.chainmaker.merkle import sha256
from light_clients.errors import LightClientError
from light_clients.families import note_judge_named
from light_clients.proofs.log_notes import ProvedNote, note_slots
from schemas.primitives import Bytes32
from schemas.suites import keccak256
from tests.support.certificate_authority import root
from tests.support.chainmaker_chain import (
    GATEWAY,
    GATEWAY_VERSION,
    ChainMakerChain,
    consensus_node,
    note_writes,
    noted_event,
    transaction,
)

ACCOUNT, STRANGER = keccak256(b"the hub")[12:], keccak256(b"a stranger")[12:]
ROOT, OTHER_ROOT = Bytes32(keccak256(b"root")), Bytes32(keccak256(b"another root"))
SIZE = 1_000
PIN = ChainMakerPin(GATEWAY, GATEWAY_VERSION)
SHADOW = "0e65789a8ed4f347c396490efaec39dfdbc45e13"
BOTH_WAYS = pytest.mark.parametrize("by_write_set", [False, True])
SUITES = pytest.mark.parametrize("suite", ["ecc", "sm"])

Note = tuple[ChainMakerState, ChainMakerEvidence]


def note(label: str = "note", account: bytes = ACCOUNT, size: int = SIZE, root: bytes = ROOT, **told: Any) -> Any:
    """A transaction in which an account notes its log: event, writes, and writes of what was read."""
    writes = [*note_writes(account, 1, OTHER_ROOT, name=SHADOW), *note_writes(account, size, root)]
    return transaction(label, **{"events": [noted_event(account, size, root)], "writes": writes, **told})


def shown(built: ChainMakerChain, height: int, index: int = 0, *, by_write_set: bool = False) -> ChainMakerEvidence:
    """The evidence that a transaction of a block gives."""
    proof = evidence_of_block(built.info(height), built.hash_name, index, by_write_set=by_write_set)
    return replace(proof, header=built.block(height))


def world(
    transactions: Sequence[Any] = (), index: int = 0, suite: str = "ecc", *, by_write_set: bool = False, **told: Any
) -> Note:
    """A followed chain whose newest block notes, made as `ChainMakerChain.make` is asked, and the evidence of it."""
    built = ChainMakerChain(suite)
    built.grow()
    built.grow(transactions or [note()], **told)
    return built.state(1), shown(built, 2, index, by_write_set=by_write_set)


def read(
    state: ChainMakerState, evidence: ChainMakerEvidence, pin: ChainMakerPin = PIN, account: bytes = ACCOUNT
) -> ProvedNote:
    return read_note(state, evidence.to_bytes(), pin, account)


def refused(name: str, act: Callable[[], Any]) -> LightClientError:
    with pytest.raises(LightClientError) as caught:
        act()
    assert caught.value.name == name, caught.value
    return caught.value


def unproved(name: str, made: Note, *, pin: ChainMakerPin = PIN, account: bytes = ACCOUNT) -> LightClientError:
    """No note is shown, though the block is of those who are trusted."""
    state, evidence = made
    check_note_block(state, evidence.to_bytes())
    return refused(name, lambda: read(state, evidence, pin, account))


def unsealed(name: str, made: Note) -> LightClientError:
    """The block is not of those who are trusted, though it shows the note."""
    state, evidence = made
    assert read(state, evidence).size == SIZE
    return refused(name, lambda: check_note_block(state, evidence.to_bytes()))


# --- the note ------------------------------------------------------------------------------------------------------------


@SUITES
@BOTH_WAYS
@pytest.mark.parametrize(("index", "count"), [(0, 1), (1, 2), (4, 5)])
def test_a_note_is_shown_from_any_place_of_a_block(suite: str, index: int, count: int, *, by_write_set: bool) -> None:
    transactions = [note() if at == index else transaction(f"other {at}") for at in range(count)]
    state, evidence = world(transactions, index, suite, by_write_set=by_write_set)
    found = read(state, evidence)
    assert (found.height, found.size, found.root) == (2, SIZE, ROOT)
    check_note_block(state, evidence.to_bytes())


def test_the_judge_is_known_by_its_family() -> None:
    judge = note_judge_named("chainmaker")
    assert (judge.read_note, judge.check_note_block) == (read_note, check_note_block)


def test_the_block_is_the_one_of_the_header() -> None:
    built = ChainMakerChain()
    built.grow([note()])
    assert read(built.state(0), shown(built, 1)) == ProvedNote(1, built.hash_of(1), SIZE, ROOT)


@BOTH_WAYS
def test_the_account_is_the_one_that_noted(*, by_write_set: bool) -> None:
    made = world(by_write_set=by_write_set)
    unproved("NoteAbsent", made, account=STRANGER)
    unproved("ClaimMalformed" if by_write_set else "NoteAbsent", made, account=bytes(12) + ACCOUNT)


@BOTH_WAYS
@pytest.mark.parametrize("told", [{"code": 4}, {"contract_code": 1}, {"tx_type": 1}])
def test_a_transaction_that_failed_notes_nothing(told: dict[str, int], *, by_write_set: bool) -> None:
    unproved("TransactionFailed", world([note(**told)], by_write_set=by_write_set))


@BOTH_WAYS
def test_the_gateway_is_the_pinned_one(*, by_write_set: bool) -> None:
    unproved("GatewayAbsent", world(by_write_set=by_write_set), pin=replace(PIN, name="ANOTHER"))
    error = unproved("GatewayVersionMismatch", world(by_write_set=by_write_set), pin=replace(PIN, version="2.0"))
    assert (error.expected, error.found) == ("2.0", GATEWAY_VERSION)


def test_another_contract_reports_what_it_likes_in_vain() -> None:
    forged = [noted_event(ACCOUNT, SIZE, ROOT, name="FORGER")]
    unproved("GatewayAbsent", world([note(events=forged, contract="FORGER")]))
    beside = [*forged, noted_event(STRANGER, SIZE, ROOT)]
    unproved("NoteAbsent", world([note(events=beside)]))


def test_an_event_counts_where_the_gateway_was_called_and_a_write_set_everywhere() -> None:
    error = unproved("TransactionForeign", world([note(contract="APPLICATION")]))
    assert (error.expected, error.found) == (GATEWAY, "APPLICATION")
    assert read(*world([note(contract="APPLICATION")], by_write_set=True)).size == SIZE


def test_events_are_no_evidence_where_the_pin_says_so() -> None:
    strict = replace(PIN, write_set_only=True)
    unproved("EventsNotAccepted", world(), pin=strict)
    assert read(*world(by_write_set=True), strict).root == ROOT


def test_another_event_of_the_same_form_notes_nothing() -> None:
    _, name, version, data = noted_event(ACCOUNT, SIZE, ROOT)
    unproved("NoteAbsent", world([note(events=[(HEAD_MOVED, name, version, data)])]))


def test_the_last_event_of_the_account_counts() -> None:
    told = [(ACCOUNT, 1, OTHER_ROOT), (ACCOUNT, SIZE, ROOT), (STRANGER, 7, OTHER_ROOT)]
    assert read(*world([note(events=[noted_event(*one) for one in told])])).root == ROOT


TOPIC, DATA = noted_event(ACCOUNT, SIZE, ROOT)[3]
EVENTS = [
    ("EventInvalid", (TOPIC,)),
    ("EventInvalid", (TOPIC + DATA,)),
    ("EventInvalid", (TOPIC, DATA, DATA)),
    ("EventInvalid", (TOPIC[24:], DATA)),
    ("EventInvalid", (TOPIC, DATA[:-2])),
    ("EventInvalid", (TOPIC, DATA[:64])),
    ("EventInvalid", (TOPIC, DATA + "00" * 32)),
    ("EventInvalid", (TOPIC, DATA[:64] + DATA[64:].upper())),
    ("EventInvalid", (TOPIC, "01" + DATA[2:])),
    ("NoteAbsent", ("01" + TOPIC[2:], DATA)),
    ("NoteAbsent", (TOPIC[24:] + TOPIC[:24], DATA)),
]


@pytest.mark.parametrize(("error", "data"), EVENTS)
def test_an_event_of_another_form_is_refused(error: str, data: tuple[str, ...]) -> None:
    topic, name, version, _ = noted_event(ACCOUNT, SIZE, ROOT)
    unproved(error, world([note(events=[(topic, name, version, data)])]))


FIRST, SECOND = note_writes(ACCOUNT, SIZE, ROOT)
WRITES = [
    ("NoteAbsent", []),
    ("NoteAbsent", [FIRST]),
    ("NoteAbsent", [SECOND]),
    ("NoteAbsent", [FIRST, FIRST, SECOND]),
    ("NoteAbsent", [FIRST, SECOND, SECOND]),
    ("NoteAbsent", note_writes(STRANGER, SIZE, ROOT)),
    ("NoteAbsent", note_writes(ACCOUNT, SIZE, ROOT, name="FORGER")),
    ("NoteAbsent", [FIRST, (SHADOW, *SECOND[1:])]),
    ("NoteAbsent", [FIRST, (GATEWAY, SECOND[1].upper(), SECOND[2])]),
    ("NoteAbsent", [FIRST, (*SECOND[:2], b"\1" + SECOND[2])]),
    ("EventInvalid", [(*FIRST[:2], b"\1" + bytes(8)), SECOND]),
]


@pytest.mark.parametrize(("error", "writes"), WRITES)
def test_writes_of_something_else_note_nothing(error: str, writes: list[tuple[str, bytes, bytes]]) -> None:
    unproved(error, world([note(writes=writes)], by_write_set=True))


def test_the_write_set_is_the_transactions() -> None:
    state, evidence = world(by_write_set=True)
    _, another = world([note(size=SIZE + 1)], by_write_set=True)
    unproved("WriteSetMismatch", (state, replace(evidence, write_set=another.write_set)))


def test_leading_zeros_of_slots_and_words_are_left_out() -> None:
    accounts = (keccak256(b"%d" % number)[12:] for number in range(10_000))
    account = next(one for one in accounts if note_slots(one)[0][0] == 0)
    root = Bytes32(bytes(3) + ROOT[3:])
    state, evidence = world([note(account=account, root=root)], by_write_set=True)
    assert len(key_of(note_slots(account)[0])) < 64
    assert read(state, evidence, account=account).root == root


def test_the_transaction_is_in_the_block_at_its_place() -> None:
    state, evidence = world([transaction("first"), note(), transaction("third")], 1)
    unproved("MerklePathInvalid", (state, replace(evidence, index=3)))
    unproved("MerklePathInvalid", (state, replace(evidence, path=evidence.path[:1])))
    unproved("TransactionNotInBlock", (state, replace(evidence, index=0)))
    _, another = world([note(size=SIZE + 1)])
    unproved("TransactionNotInBlock", (state, replace(evidence, transaction=another.transaction)))


# --- the block -----------------------------------------------------------------------------------------------------------


def test_a_state_of_before_and_of_long_after_the_note_trusts_its_block() -> None:
    built = ChainMakerChain()
    built.grow()
    built.grow([note()])
    for _ in range(3):
        built.grow()
    evidence = shown(built, 2)
    for height in (0, 1, 2, 5):
        check_note_block(built.state(height), evidence.to_bytes())
    newest = built.state(5)
    check_note_block(replace(newest, recent=newest.recent[-1:]), evidence.to_bytes())


def after(*organisations: str) -> ChainMakerChain:
    """A chain of org1 to org4, of which these decide what follows block 1."""
    built = ChainMakerChain()
    known = {node.organisation: node for node in built.nodes}
    built.change([known.get(name) or built.new_node(name) for name in organisations])
    return built


def test_those_who_joined_later_propose_and_vote_and_do_no_harm() -> None:
    built = after("org5", "org1", "org2", "org3", "org4")
    built.grow([note()])
    assert built.blocks[2].block.header.proposer.org_id == "org5"
    for height in (0, 2):
        check_note_block(built.state(height), shown(built, 2).to_bytes())


def test_votes_of_those_who_joined_later_do_not_count() -> None:
    built = after("org1", "org2", "org5", "org6")
    built.grow([note()], voters=built.nodes)
    error = unsealed("VotesTooFew", (built.state(0), shown(built, 2)))
    assert (error.expected, error.found) == (3, 2)


def test_those_who_left_are_not_asked_and_those_who_stayed_have_to_be_a_quorum_of_now() -> None:
    built = ChainMakerChain()
    built.grow([note()])
    first, second, third, _ = built.nodes
    built.change([first, second, third])
    check_note_block(built.state(2), shown(built, 1).to_bytes())
    built.change([first, second, third, built.new_node("org5"), built.new_node("org6")])
    error = unsealed("VotesTooFew", (built.state(3), shown(built, 1)))
    assert (error.expected, error.found) == (4, 3)


def test_too_few_votes_make_no_block() -> None:
    built = ChainMakerChain()
    built.grow([note()], voters=built.nodes[:2])
    error = unsealed("VotesTooFew", (built.state(0), shown(built, 1)))
    assert (error.expected, error.found) == (3, 2)


def test_votes_of_others_make_no_block() -> None:
    ours = ChainMakerChain()
    strangers = ChainMakerChain(nodes=[ours.new_node(f"org{number}") for number in range(5, 9)])
    strangers.grow([note()])
    error = unsealed("VotesTooFew", (ours.state(0), shown(strangers, 1)))
    assert error.found == 0
    authorities = [root("ca.forged", ours.scheme, organisation=node.organisation) for node in ours.nodes]
    forgers = [
        replace(consensus_node("forger", node.organisation, authority), node_id=node.node_id)
        for node, authority in zip(ours.nodes, authorities, strict=True)
    ]
    forged = ChainMakerChain(nodes=forgers)
    forged.grow([note()])
    unsealed("MemberUntrusted", (ours.state(0), shown(forged, 1)))


def test_a_block_without_votes_is_nobodys() -> None:
    built = ChainMakerChain()
    info = built.make([note()])
    info.block.ClearField("additional_data")
    built.blocks.append(info)
    unsealed("QuorumMissing", (built.state(0), shown(built, 1)))


def test_a_client_that_is_frozen_vouches_for_nothing() -> None:
    state, evidence = world()
    unsealed("ClientFrozen", (state.freeze(), evidence))


def test_the_chain_is_the_one_that_is_followed() -> None:
    ours = ChainMakerChain()
    twin = ChainMakerChain(nodes=ours.nodes, chain_id="chain2")
    twin.grow([note()])
    error = unsealed("ChainIdMismatch", (ours.state(0), shown(twin, 1)))
    assert (error.expected, error.found) == ("chain1", "chain2")


def test_the_votes_are_for_the_hash_of_the_very_header_that_shows_the_note() -> None:
    """With the hash of an honest block beside them, the votes for that one say nothing of another header."""
    built = ChainMakerChain()
    honest, forged = built.make([transaction("honest")]), built.make([note()])
    forged.block.additional_data.CopyFrom(honest.block.additional_data)
    built.blocks.append(forged)
    error = unsealed("VotesTooFew", (built.state(0), shown(built, 1)))
    assert error.found == 0
    forged.block.header.block_hash = honest.block.header.block_hash
    unsealed("HeaderHashMismatch", (built.state(0), shown(built, 1)))


def _at_another_height(vote: Any) -> None:
    vote.height += 1


def _as_a_prevote(vote: Any) -> None:
    vote.type = 0


def _in_another_round(vote: Any) -> None:
    vote.round += 1


@pytest.mark.parametrize("change", [_at_another_height, _as_a_prevote, _in_another_round])
def test_only_precommits_of_that_height_and_one_round_count(change: Callable[[Any], None]) -> None:
    unsealed("VoteMisplaced", world(on_vote=change))


def test_a_vote_is_signed_by_its_voter() -> None:
    def spoil(vote: Any) -> None:
        vote.endorsement.signature = bytes(64)

    unsealed("MemberSignatureInvalid", world(on_signed_vote=spoil))


def test_what_the_officers_refuse_does_not_count() -> None:
    built = ChainMakerChain()
    built.grow([note()])
    certificate = Bytes32(sha256(read_certificate(built.nodes[0].certificate.pem).der))
    state = built.state(0, ChainMakerConfiguration(refused_certificates=(certificate,)))
    unsealed("MemberUntrusted", (state, shown(built, 1)))


# --- bytes ---------------------------------------------------------------------------------------------------------------


def test_truncated_and_longer_evidence_is_refused_by_both() -> None:
    state, evidence = world([note(), transaction("second")])
    data = evidence.to_bytes()
    for bad in (b"", b"\xc0", data + b"\0", *(data[:end] for end in range(1, len(data), 97))):
        refused("ClaimMalformed", lambda bad=bad: read_note(state, bad, PIN, ACCOUNT))  # type: ignore[misc]
        refused("ClaimMalformed", lambda bad=bad: check_note_block(state, bad))  # type: ignore[misc]


@SUITES
@BOTH_WAYS
def test_no_byte_of_the_evidence_can_be_another(suite: str, *, by_write_set: bool) -> None:
    """A spoilt byte is refused by one of the two, or changes nothing of what is said."""
    state, evidence = world([note(), transaction("second")], suite=suite, by_write_set=by_write_set)
    data, true = evidence.to_bytes(), read(state, evidence)
    for place in range(0, len(data), 1 if suite == "ecc" else 7):
        spoilt = data[:place] + bytes((data[place] ^ 1 << place % 8,)) + data[place + 1 :]
        try:
            found = read_note(state, spoilt, PIN, ACCOUNT)
            check_note_block(state, spoilt)
        except LightClientError:
            continue
        assert found == true, place
