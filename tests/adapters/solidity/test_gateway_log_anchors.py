"""anchorLog: each account notes how long its evidence log is, and its root; a note only grows, and nothing else moves."""

import pytest

from adapters.solidity.calldata import ANCHOR_LOG, LOGGED_ANCHOR
from adapters.solidity.contracts import contract
from light_clients.proofs.log_notes import note_slots
from schemas.suites import integer_word, keccak256
from tests.support.evm_world import GUARDIAN, RELAYER, EvmChain, EvmWorld, account, make_end, refuses

LARGEST = 2**64 - 1
ROOT, OTHER_ROOT = keccak256(b"root"), keccak256(b"another root")
STRANGER = account("stranger")
SLOT = 16
"""Where the mapping of notes begins: docs/encodings.md, section Solidity."""


@pytest.fixture
def end():
    return make_end(EvmChain("a"))


def note(end, size, root=ROOT, sender=RELAYER):
    return end.chain.call(sender, end.gateway, "Gateway", "anchorLog", size, root)


def noted(end, who=RELAYER):
    return end.chain.view(end.gateway, "Gateway", "loggedAnchor", "0x" + who.hex())


def test_a_note_grows_and_says_so(end):
    assert noted(end) == (0, bytes(32))
    for size in (1, 2, 10_000_000, LARGEST):
        ((topics, data),) = note(end, size).named("Gateway", "LogAnchored")
        assert topics[1:] == [bytes(12) + RELAYER]
        assert data == integer_word(size) + ROOT
        assert noted(end) == (size, ROOT)


@pytest.mark.parametrize("size", [0, 8, 9])
def test_what_is_not_longer_is_refused_whatever_its_root(end, size):
    note(end, 9)
    with refuses("LogNotLonger", size=9):
        note(end, size, OTHER_ROOT)
    assert noted(end) == (9, ROOT)


def test_a_log_without_leaves_is_no_note(end):
    with refuses("LogNotLonger", size=0):
        note(end, 0)


def test_a_size_beyond_64_bits_is_refused(end):
    with refuses(""):
        end.chain.transact(RELAYER, end.gateway, ANCHOR_LOG + integer_word(2**64) + ROOT)


def test_nobody_writes_the_note_of_another_nor_stands_in_its_way(end):
    note(end, LARGEST, OTHER_ROOT, sender=STRANGER)
    note(end, 1)
    assert (noted(end, STRANGER), noted(end)) == ((LARGEST, OTHER_ROOT), (1, ROOT))


def test_a_pause_does_not_stop_it(end):
    end.chain.call(GUARDIAN, end.gateway, "Gateway", "pause")
    note(end, 5)
    assert noted(end) == (5, ROOT)


def test_a_note_stands_in_two_slots_that_a_proof_can_open(end):
    note(end, 7)
    place = int.from_bytes(keccak256(integer_word(int.from_bytes(RELAYER, "big")) + integer_word(SLOT)), "big")
    stored = [end.chain.slot(end.gateway, (place + offset).to_bytes(32, "big")) for offset in (0, 1)]
    assert stored == [integer_word(7), ROOT]
    assert [int.from_bytes(slot, "big") for slot in note_slots(RELAYER)] == [place, place + 1]


def test_a_note_moves_no_head_and_no_message(end):
    world = EvmWorld.create()
    world.send(b"before")
    before = world.source.chain.stored()
    note(world.source, 3)
    gateway = world.source.gateway.hex()
    after = world.source.chain.stored()
    changed = {slot for slot, value in after.items() if value != before.get(slot, 0)}
    assert len([slot for slot in changed if slot[0].lower().removeprefix("0x") == gateway]) == 2
    world.send(b"after")
    world.deliver()
    assert world.statuses() == [1, 1]


def test_the_selectors_by_hand_are_those_of_the_interface():
    functions = contract("Gateway").functions
    assert (functions["anchorLog"].selector, functions["loggedAnchor"].selector) == (ANCHOR_LOG, LOGGED_ANCHOR)


def test_a_note_costs_no_more_than_a_small_transaction(end):
    assert note(end, 1).gas_used < 75_000
    assert note(end, 2).gas_used < 75_000
