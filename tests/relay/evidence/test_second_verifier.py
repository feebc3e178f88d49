"""docs/verify_receipt.py against `relayhub verify`: the same verdict by the same checks on every receipt, good, bad and mutated."""

import ast
import copy
import importlib.util
import json
import random
import sys
from pathlib import Path

import pytest

from relay.evidence.verify import Verdict, read_anchors, verify
from tests.support.vectors import VECTORS

FOLDER = VECTORS / "receipts"
PROGRAM = Path(__file__).parents[3] / "docs" / "verify_receipt.py"
RECEIPTS = sorted(path.name for path in FOLDER.glob("*.json"))
GOOD = [name for name in RECEIPTS if name.startswith("good--")]
MUTATIONS = 30
"""Of each good receipt: so many with a changed value, and so many with a changed byte."""


def load():
    found = importlib.util.spec_from_file_location("verify_receipt", PROGRAM)
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


second = load()


@pytest.fixture(scope="module")
def anchors():
    return read_anchors((FOLDER / "anchors.toml").read_bytes())


@pytest.fixture(scope="module")
def other_anchors():
    return second.read_anchors((FOLDER / "anchors.toml").read_bytes())


def first_failures(content, anchors):
    """Names of the checks that fail, and of those that are not asked for, by the hub's verifier."""
    judged = verify(content, anchors)
    unasked = tuple(check.name for check in judged.checks if check.verdict is Verdict.NOT_ASKED)
    return judged.failed, unasked


def second_failures(content, anchors):
    findings = second.verify(content, anchors)
    failed = tuple(finding.name for finding in findings if finding.state == "fails")
    return failed, tuple(finding.name for finding in findings if finding.state == "not asked for")


def test_it_shares_nothing_with_the_hub():
    tree = ast.parse(PROGRAM.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    outside = {name.partition(".")[0] for name in named} - set(sys.stdlib_module_names)
    assert outside == {"cryptography"}


@pytest.mark.parametrize("name", RECEIPTS)
def test_both_say_the_same_of_every_receipt(anchors, other_anchors, name):
    content = (FOLDER / name).read_bytes()
    first, other = first_failures(content, anchors), second_failures(content, other_anchors)
    assert other[0] == first[0]
    assert first[0] == () if name in GOOD else first[0] != ()
    if first[0] != ("format",):
        assert other[1] == first[1]


def mutated(receipt, chance):
    """The receipt with one value that is another one, at random; and where it stands."""
    whole = copy.deepcopy(receipt)
    place, path = whole, []
    while True:
        key = chance.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        path.append(key)
        if not isinstance(place[key], dict | list) or not place[key]:
            break
        place = place[key]
    value = place[key]
    choices = [None, True, 0, -1, "", "0x", "0x00", "00", "1", [], {}, str(2**64), "é"]
    if isinstance(value, str) and len(value) > 2:
        at = chance.randrange(len(value))
        choices += [value[:at] + chance.choice("0f1x Zé\n+=") + value[at + 1 :], value[:-2], value + value[-2:]]
        choices += [value.upper()] * 2
    place[key] = chance.choice([choice for choice in choices if choice != value])
    if chance.random() < 0.1:
        del place[key]
    return whole, path


@pytest.mark.parametrize("name", GOOD)
def test_both_judge_mutated_receipts_alike(anchors, other_anchors, name):
    whole = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    chance = random.Random(f"seed 7 {name}")
    told = []
    for _ in range(MUTATIONS):
        other, path = mutated(whole, chance)
        content = json.dumps(other).encode()
        verdicts = [not failures[0] for failures in both(content, anchors, other_anchors)]
        if verdicts[0] != verdicts[1] or (verdicts[0] and path != ["checkpoint"]):
            told.append((path, verdicts))
    assert told == []


@pytest.mark.parametrize("name", GOOD)
def test_both_judge_receipts_with_a_changed_byte_alike(anchors, other_anchors, name):
    content = (FOLDER / name).read_bytes()
    chance = random.Random(f"seed 8 {name}")
    told = []
    for _ in range(MUTATIONS):
        changed = bytearray(content)
        at = chance.randrange(len(changed))
        changed[at] ^= 1 << chance.randrange(8)
        verdicts = [not failures[0] for failures in both(bytes(changed), anchors, other_anchors)]
        if verdicts[0] != verdicts[1]:
            told.append((at, content[max(0, at - 30) : at + 5], verdicts))
    assert told == []


def both(content, anchors, other_anchors):
    return first_failures(content, anchors), second_failures(content, other_anchors)


def test_the_program_ends_with_0_or_2_and_says_each_check(capsys, tmp_path):
    with_anchors = ["--anchors", str(FOLDER / "anchors.toml")]
    assert second.main([str(FOLDER / "good--committee.json"), *with_anchors]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (21, "The receipt is good.")
    bad = FOLDER / "lane--another-channel.json"
    assert second.main([str(bad), *with_anchors, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert not told["good"]
    assert [check["name"] for check in told["checks"] if check["state"] == "fails"] == ["lane"]
    assert second.main([str(tmp_path / "none.json"), *with_anchors]) == 2
    assert second.main([str(bad), "--anchors", str(bad)]) == 2
    assert "anchors" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["committee", "both"])
def test_another_ledgers_header_is_left_to_a_committee_and_to_nobody_else(other_anchors, kind):
    chains = {word: {**chain, "consensus": "fabric"} for word, chain in other_anchors.chains.items()}
    fabric = second.Anchors(**{**vars(other_anchors), "chains": chains})
    whole = json.loads((FOLDER / f"good--{kind}.json").read_text(encoding="utf-8"))
    for way in ("out", "back"):
        whole[way]["proof"]["consensus"] = "fabric"
    failed, unasked = second_failures(json.dumps(whole).encode(), fabric)
    parts = tuple(f"{way}.{part}" for way in ("out", "back") for part in ("proof", "header"))
    assert unasked == (parts if kind == "committee" else ())
    assert [name for name in failed if not name.endswith("leaves")] == ([] if kind == "committee" else list(parts))
