"""Notes of an evidence log under an execution block, and whether that block is final; each check fails alone."""

from dataclasses import replace

import pytest

from light_clients import rlp
from light_clients.beacon.log_notes import check_note_block, read_note
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimMalformed,
    ClientFrozen,
    CodeHashMismatch,
    GatewayAbsent,
    HeaderFieldInvalid,
    HeightNotRetained,
    LightClientError,
    ProofNodeHashMismatch,
    ProofNodesUnused,
    RlpNotCanonical,
    RlpTrailingBytes,
    RlpTruncated,
)
from light_clients.proofs.log_notes import ProvedNote, note_slots
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256
from tests.support.beacon_chain import PIN
from tests.support.beacon_notes import (
    ACCOUNT,
    OTHER_GATEWAY,
    ROOT,
    SIZE,
    STRANGER,
    WALLET,
    NoteChain,
    NotedState,
)

CHAIN = NoteChain()
STATE = CHAIN.trusted(16)
HASH = BlockHash(keccak256(CHAIN.execution_header(16)))


def not_shown(leaf, evidence, pin=PIN, account=ACCOUNT):
    with pytest.raises(LightClientError) as caught:
        read_note(STATE, evidence, pin, account)
    assert type(caught.value) is leaf


def not_believed(leaf, state, evidence):
    with pytest.raises(LightClientError) as caught:
        check_note_block(state, evidence)
    assert type(caught.value) is leaf
    return caught.value


class TestReadNote:
    def test_it_is_what_the_gateway_holds_under_that_header(self):
        expected = ProvedNote(16, HASH, SIZE, ROOT)
        assert read_note(STATE, CHAIN.note(), PIN, ACCOUNT) == expected
        other = replace(expected, size=5, root=Bytes32(b"\x78" * 32))
        assert read_note(STATE, CHAIN.note(account=STRANGER), PIN, STRANGER) == other

    def test_nothing_noted_is_shown_as_such(self):
        chain = NoteChain(NotedState([]))
        assert read_note(STATE, chain.note(), PIN, ACCOUNT).size == 0

    def test_it_does_not_ask_whether_the_block_is_final(self):
        header = CHAIN.execution_header(16, salt=1)
        assert read_note(None, CHAIN.note(header=header), PIN, ACCOUNT).block_hash == keccak256(header)

    def test_the_account_and_the_slots_are_its_own(self):
        not_shown(ProofNodeHashMismatch, CHAIN.note(), account=STRANGER)
        not_shown(ProofNodeHashMismatch, CHAIN.note(account=STRANGER))
        size, root = (CHAIN.world.slot_path(slot) for slot in note_slots(ACCOUNT))
        not_shown(ProofNodeHashMismatch, CHAIN.note(size_proof=root))
        not_shown(ProofNodeHashMismatch, CHAIN.note(root_proof=size))
        not_shown(ClaimMalformed, CHAIN.note(), account=ACCOUNT[1:])

    def test_the_gateway_is_that_one_and_runs_the_pinned_code(self):
        not_shown(ProofNodeHashMismatch, CHAIN.note(address=OTHER_GATEWAY))
        not_shown(CodeHashMismatch, CHAIN.note(address=WALLET), pin=replace(PIN, address=WALLET))
        absent = keccak256(b"nobody")[:20]
        path = CHAIN.world.account_path(absent)
        not_shown(GatewayAbsent, CHAIN.note(account_proof=path), pin=replace(PIN, address=absent))

    def test_the_state_is_the_one_under_this_header(self):
        other = NoteChain(NotedState([(ACCOUNT, SIZE + 1, ROOT)]))
        not_shown(ProofNodeHashMismatch, CHAIN.note(header=other.execution_header(16)))
        size, _ = note_slots(ACCOUNT)
        not_shown(ProofNodeHashMismatch, CHAIN.note(size_proof=other.world.slot_path(size)))

    @pytest.mark.parametrize(
        ("place", "value", "leaf"),
        [
            (3, b"\x11" * 31, HeaderFieldInvalid),
            (3, [], HeaderFieldInvalid),
            (8, [], HeaderFieldInvalid),
            (8, b"\0\x10", RlpNotCanonical),
            (8, b"\x01" * 9, RlpNotCanonical),
        ],
    )
    def test_the_header_has_a_state_root_and_a_number(self, place, value, leaf):
        items = rlp.decode_list(CHAIN.execution_header(16))
        items[place] = value
        not_shown(leaf, CHAIN.note(header=rlp.encode(items)))
        not_shown(HeaderFieldInvalid, CHAIN.note(header=rlp.encode(items[:8])))

    def test_the_evidence_is_whole_and_nothing_else(self):
        whole, items = CHAIN.note(), rlp.decode_list(CHAIN.note())
        not_shown(RlpTrailingBytes, whole + b"\0")
        not_shown(RlpTruncated, whole[:-1])
        not_shown(ClaimMalformed, rlp.encode(items[:3]))
        path = CHAIN.world.account_path()
        not_shown(ProofNodesUnused, CHAIN.note(account_proof=(*path, path[0])))


class TestCheckNoteBlock:
    def test_the_state_names_the_block_as_its_newest_or_an_earlier_one(self):
        check_note_block(STATE, CHAIN.note())
        check_note_block(CHAIN.advance(STATE, CHAIN.update(40, 24), 41), CHAIN.note())

    def test_it_does_not_look_at_the_proofs(self):
        check_note_block(STATE, CHAIN.note(account_proof=(), size_proof=(), root_proof=(b"\x01",)))

    def test_a_frozen_client_believes_nothing(self):
        not_believed(ClientFrozen, STATE.freeze(), CHAIN.note())

    @pytest.mark.parametrize("slot", [15, 17, 24])
    def test_a_block_that_the_state_does_not_name_is_not_believed(self, slot):
        error = not_believed(HeightNotRetained, STATE, CHAIN.note(slot))
        assert f"names no final block {slot}; take anchors of after the note" in error.message

    def test_another_block_of_that_height_is_not_believed(self):
        not_believed(ClaimBlockMismatch, STATE, CHAIN.note(header=CHAIN.execution_header(16, salt=1)))

    def test_a_header_that_cannot_be_read_is_refused(self):
        not_believed(HeaderFieldInvalid, STATE, CHAIN.note(header=b"\xc0"))


def test_a_changed_byte_is_refused():
    evidence = CHAIN.note()
    for place in range(len(evidence)):
        spoilt = evidence[:place] + bytes([evidence[place] ^ 1]) + evidence[place + 1 :]
        with pytest.raises(LightClientError):
            check_and_read(spoilt)


def check_and_read(evidence):
    check_note_block(STATE, evidence)
    read_note(STATE, evidence, PIN, ACCOUNT)
