"""Notes of the log against their receipt and anchors, by both verifiers: the good are good, each bad one fails its own check alone."""

import copy
import json
import random

import pytest

from light_clients.proofs.rfc6962 import leaf_hash, subtree_proof, tree_root
from relay.evidence.verify import Verdict, read_anchors, verify
from schemas.suites import keccak256
from tests.relay.evidence.test_second_verifier import mutated, second
from tests.relay.evidence.test_verify import changed, places
from tests.support.vectors import VECTORS
from tests.vectors.make_log_notes import RECEIPT, files

FOLDER = VECTORS / "log_notes"
RECEIPTS = VECTORS / "receipts"
NOTES = sorted(path.name for path in FOLDER.glob("*.json"))
CHECKS = ("note.format", "note.ledger", "note.proof", "note.header", "note.consistency")
MUTATIONS = 60


@pytest.fixture(scope="module")
def judge():
    """What both verifiers find of a note beside the receipt: the names of the checks that fail."""
    trusted, receipt = (RECEIPTS / "anchors.toml").read_bytes(), (RECEIPTS / RECEIPT).read_bytes()
    anchors, other_anchors = read_anchors(trusted), second.read_anchors(trusted)

    def look(data):
        findings = second.verify(receipt, other_anchors, data)
        failed = tuple(finding.name for finding in findings if finding.state == "fails")
        return verify(receipt, anchors, data).failed, failed

    return look


def test_the_script_makes_what_is_on_disk():
    made = files()
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    assert [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("name", NOTES)
def test_each_note_fails_its_own_check_alone_or_none(judge, name):
    kind = name.partition("--")[0]
    expected = () if kind == "good" else (kind,)
    assert judge((FOLDER / name).read_bytes()) == (expected, expected)


def test_every_check_of_a_note_has_a_bad_one_and_its_number():
    assert {name.partition("--")[0] for name in NOTES} == {"good", *CHECKS}
    anchors = read_anchors((RECEIPTS / "anchors.toml").read_bytes())
    receipt, note = (RECEIPTS / RECEIPT).read_bytes(), (FOLDER / "good--shorter.json").read_bytes()
    behind = verify(receipt, anchors, note).checks[20:]
    assert [(check.number, check.name) for check in behind] == list(enumerate(CHECKS, 21))
    assert {check.verdict for check in behind} == {Verdict.HOLDS}
    assert len(verify(receipt, anchors).checks) == 20


@pytest.mark.parametrize("name", ["good--shorter.json", "good--longer.json", "good--validators-changed.json"])
def test_no_value_of_a_note_can_be_changed(judge, name):
    note = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    passed = []
    for path in places(note):
        other = copy.deepcopy(note)
        place = other
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = changed(place[path[-1]])
        if not all(judge(json.dumps(other).encode())):
            passed.append(path)
    assert passed == []


def test_both_judge_mutated_notes_alike(judge):
    chance = random.Random("seed 9 of notes")
    told = []
    for name in [name for name in NOTES if name.startswith("good--")]:
        note = json.loads((FOLDER / name).read_text(encoding="utf-8"))
        for _ in range(MUTATIONS // 5):
            other, path = mutated(note, chance)
            found = judge(json.dumps(other).encode())
            if not all(found):
                told.append((name, path, found))
    assert told == []


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_note(judge, data):
    assert judge(data) == (("note.format",), ("note.format",))


def test_anchors_that_name_no_account_or_no_validators_refuse_a_note():
    trusted = (RECEIPTS / "anchors.toml").read_bytes()
    anchors, receipt = read_anchors(trusted), (RECEIPTS / RECEIPT).read_bytes()
    note = (FOLDER / "good--shorter.json").read_bytes()
    for update, name in (({"log_account": b""}, "note.ledger"), ({"validators": ()}, "note.header")):
        chains = tuple(chain.model_copy(update=update) for chain in anchors.chains)
        assert verify(receipt, anchors.model_copy(update={"chains": chains}), note).failed == (name,)
        other = second.read_anchors(trusted)
        told = {word: {**chain, **update} for word, chain in other.chains.items()}
        findings = second.verify(receipt, second.Anchors(**{**vars(other), "chains": told}), note)
        assert [finding.name for finding in findings if finding.state == "fails"] == [name]


def test_the_second_verifiers_consistency_is_that_of_rfc_6962():
    hashes = [leaf_hash(b"leaf %d" % number) for number in range(40)]
    roots = [tree_root(hashes[:size]) for size in range(41)]
    for newer in range(1, 41):
        for older in range(1, newer + 1):
            path = subtree_proof(hashes[:newer], 0, older)
            assert second.grows(older, roots[older], newer, roots[newer], path)
            wrong = keccak256(b"%d %d" % (older, newer))
            assert not second.grows(older, wrong, newer, roots[newer], path)
            assert not second.grows(older, roots[older], newer, wrong, path)
            assert not second.grows(older, roots[older], newer, roots[newer], [*path, wrong])
            assert not path or not second.grows(older, roots[older], newer, roots[newer], path[:-1])


def test_the_program_takes_a_note(capsys):
    words = [str(RECEIPTS / RECEIPT), "--anchors", str(RECEIPTS / "anchors.toml"), "--log-note"]
    assert second.main([*words, str(FOLDER / "good--longer.json")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 26
    assert second.main([*words, str(FOLDER / "note.consistency--another-log-longer.json")]) == 2
    assert "told of another log" in capsys.readouterr().out
