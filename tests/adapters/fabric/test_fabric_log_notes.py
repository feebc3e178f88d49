"""A note of an evidence log is fetched from the network and judged: the newest one, of its account, and of nobody else."""

import hashlib
from contextlib import suppress

import pytest

from adapters.conformance.world import OFFICERS
from adapters.protocol import Call, NoteProver, Rejected, Unreachable
from light_clients import fabric
from light_clients.errors import Refused
from light_clients.fabric.codec import read_block
from light_clients.fabric.log_notes import check_note_block, read_note
from light_clients.fabric.types import FabricNoteEvidence
from tests.support.fabric_world import calldata, followed, opened, options_of, pin_of

GATEWAY = b"gateway"


def root_of(size):
    return hashlib.sha256(b"%d" % size).digest()


def anchor_call(size):
    return Call(GATEWAY, calldata("anchorLog(uint64,bytes32)", size, root_of(size)), 0)


def anchored(world, size, key=None):
    """The receipt of a transaction that noted a log of so many leaves."""
    receipt = world.transact(0, key or world.relayer, anchor_call(size))
    assert receipt.success
    return receipt


def judged(world, evidence, account, state=None):
    """What a note says, with every check of it."""
    state = state or followed(world.ledgers[0], "trade")
    check_note_block(state, evidence)
    return read_note(state, evidence, pin_of(world.ledgers[0]), account)


def test_a_note_is_fetched_and_says_what_was_noted(world):
    ledger, account = world.ledgers[0], world.account(0, world.relayer)
    assert isinstance(ledger, NoteProver)
    receipt = anchored(world, 7)
    evidence = ledger.log_note(GATEWAY, account, receipt.height)
    (header,) = ledger.headers(receipt.height, receipt.height)
    first = ledger.headers(0, 0)[0]
    older = fabric.bootstrap(first, read_block(first).block_hash, fabric.FabricConfiguration("trade"))
    for state in (older, followed(ledger, "trade")):
        found = judged(world, evidence, account, state)
        assert (found.height, found.block_hash) == (receipt.height, read_block(header).block_hash)
        assert (found.size, found.root) == (7, root_of(7))
    with pytest.raises(Refused):
        judged(world, evidence, world.account(0, world.sender))


def test_each_account_has_a_note_of_its_own(world):
    officer = world.account(0, OFFICERS[1])
    height = anchored(world, 3, OFFICERS[1]).height
    assert judged(world, world.ledgers[0].log_note(GATEWAY, officer, height), officer).size == 3
    for account in (world.account(0, world.relayer), b"", officer[:-1]):
        with pytest.raises(Rejected, match="no note of account"):
            world.ledgers[0].log_note(GATEWAY, account, height)


def test_a_newer_note_takes_the_place_of_an_older_one(world):
    account = world.account(0, world.relayer)
    older, newer = anchored(world, 20).height, anchored(world, 21).height
    assert older < newer
    with opened(options_of(world.networks[0])) as fresh:
        with pytest.raises(Rejected, match="ask for the newest"):
            fresh.log_note(GATEWAY, account, older)
        assert judged(world, fresh.log_note(GATEWAY, account, newer), account).size == 21


def test_a_transaction_that_became_invalid_notes_nothing(world):
    account = world.account(0, world.relayer)
    signed = [world.signed(0, world.relayer, anchor_call(size)) for size in (30, 31)]
    assert world.ledgers[0].broadcast([each.raw for each in signed]) == [None, None]
    valid, invalid = (world.receipt(0, each.transaction) for each in signed)
    assert (valid.success, invalid.success) == (True, False)
    evidence = world.ledgers[0].log_note(GATEWAY, account, valid.height)
    assert judged(world, evidence, account).size == 30
    (block,) = world.ledgers[0].headers(invalid.height, invalid.height)
    read, believed = FabricNoteEvidence.from_bytes(evidence).read, []
    for place in range(len(read_block(block).envelopes)):
        with suppress(Refused):
            believed.append(judged(world, FabricNoteEvidence(block, place, read).to_bytes(), account).size)
    assert believed == ([30] if invalid.height == valid.height else [])


def test_a_block_that_is_not_there_is_no_state(world):
    with pytest.raises(Rejected) as caught:
        world.ledgers[0].log_note(GATEWAY, world.account(0, world.relayer), world.ledgers[0].tip() + 50)
    assert caught.value.code == "no_state"


def test_a_peer_that_lies_about_a_note_gives_no_evidence(world):
    account, height = world.account(0, world.relayer), anchored(world, 40).height
    faults = world.networks[0].peers[1].node.faults
    faults.set(wrong_answer=True)
    with opened(options_of(world.networks[0])) as fresh:
        with pytest.raises(Unreachable, match="lies"):
            fresh.log_note(GATEWAY, account, height)
        faults.heal()
        assert judged(world, fresh.log_note(GATEWAY, account, height), account).size == 40
