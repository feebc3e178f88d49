"""What a gateway's storage proves of the note of an evidence log: its size and root, and nothing where it holds none."""

import pytest

from adapters.memory.trie import Trie
from light_clients import rlp
from light_clients.errors import ClaimMalformed, CodeHashMismatch, GatewayAbsent, ProofRefused
from light_clients.proofs.gateway import GatewayPin
from light_clients.proofs.log_notes import NOTES_SLOT, NoteEvidence, note_slots, noted
from schemas.primitives import Bytes32
from schemas.suites import integer_word, keccak256

ACCOUNT, OTHER, GATEWAY = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20
CODE, ROOT = Bytes32(keccak256(b"code")), Bytes32(keccak256(b"root"))
PIN = GatewayPin(GATEWAY, CODE)
SIZE = 77


def proved(asked=ACCOUNT, *, account=ACCOUNT, gateway=GATEWAY):
    """A state in which the gateway holds the note of an account, and the evidence about the one that is asked for."""
    words = dict(zip(note_slots(account), (integer_word(SIZE), bytes(ROOT)), strict=True))
    storage = Trie({slot: rlp.encode(word.lstrip(b"\0")) for slot, word in words.items()})
    others = {bytes([number]) * 20: rlp.encode([b"", b"", CODE, CODE]) for number in range(1, 5)}
    state = Trie(others | {gateway: rlp.encode([b"\x01", b"", storage.root, CODE])})
    size_slot, root_slot = note_slots(asked)
    evidence = NoteEvidence(b"header", state.path(GATEWAY), storage.path(size_slot), storage.path(root_slot))
    return Bytes32(state.root), evidence


def test_size_and_root_are_those_of_the_account():
    state_root, evidence = proved()
    assert noted(state_root, PIN, ACCOUNT, evidence) == (SIZE, ROOT)


def test_an_account_that_noted_nothing_has_no_leaves():
    state_root, evidence = proved(OTHER)
    assert noted(state_root, PIN, OTHER, evidence) == (0, Bytes32(bytes(32)))


def test_the_slots_are_computed_as_solidity_lays_a_mapping_of_two_words_out():
    first, second = note_slots(ACCOUNT)
    assert first == keccak256(bytes(12) + ACCOUNT + NOTES_SLOT.to_bytes(32, "big"))
    assert int.from_bytes(second, "big") == int.from_bytes(first, "big") + 1


@pytest.mark.parametrize("account", [b"", b"\x0a" * 19, b"\x0a" * 21, b"\x0a" * 32])
def test_an_account_of_another_size_is_refused(account):
    with pytest.raises(ClaimMalformed, match="20 bytes"):
        note_slots(account)


def test_a_gateway_that_is_not_there():
    state_root, evidence = proved(gateway=b"\x0d" * 20)
    with pytest.raises(GatewayAbsent):
        noted(state_root, PIN, ACCOUNT, evidence)


def test_a_gateway_of_other_code():
    state_root, evidence = proved()
    with pytest.raises(CodeHashMismatch):
        noted(state_root, GatewayPin(GATEWAY, ROOT), ACCOUNT, evidence)


@pytest.mark.parametrize("part", ["account_proof", "size_proof", "root_proof"])
def test_each_proof_has_to_lead_to_its_root(part):
    state_root, evidence = proved()
    nodes = list(getattr(evidence, part))
    nodes[0] = nodes[0][:-1] + bytes([nodes[0][-1] ^ 1])
    fields = {name: getattr(evidence, name) for name in evidence.__dataclass_fields__}
    with pytest.raises(ProofRefused):
        noted(state_root, PIN, ACCOUNT, NoteEvidence(**(fields | {part: tuple(nodes)})))


def test_evidence_is_read_as_it_was_written():
    _, evidence = proved()
    assert NoteEvidence.from_bytes(evidence.to_bytes()) == evidence


@pytest.mark.parametrize(
    "items",
    [
        [],
        [b"header", [], []],
        [b"header", [], [], [], []],
        [[], [], [], []],
        [b"header", b"", [], []],
        [b"header", [[]], [], []],
        [b"header", [], [[b""]], []],
        [b"header", [], [], [b"", []]],
    ],
)
def test_evidence_of_another_form_is_refused(items):
    with pytest.raises(ClaimMalformed):
        NoteEvidence.from_bytes(rlp.encode(items))
