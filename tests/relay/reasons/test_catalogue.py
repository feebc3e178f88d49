"""The catalogue of reasons: whole in both languages, one code for everything that is shown, and the document made of it."""

import re
from pathlib import Path

import pytest

from relay import certificate_ends, reasons
from relay.cli import main
from relay.errors import NotFound
from relay.store.waits import Reason

ROOT = Path(__file__).parents[3]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def all_explained():
    return [reasons.explain(code) for code in reasons.all_codes()]


def test_every_reason_to_wait_is_explained_and_no_other_is_called_one():
    waits = [item.code for item in all_explained() if item.kind == "wait"]
    assert waits == [str(reason) for reason in Reason]


def test_alarms_and_incidents_are_explained():
    kinds = {item.code: item.kind for item in all_explained()}
    assert kinds[certificate_ends.ENDS] == kinds[certificate_ends.ENDED] == kinds["evidence_behind"] == "alarm"
    source = (ROOT / "relay" / "attestations.py").read_text() + (ROOT / "relay" / "steps" / "freeze.py").read_text()
    named = set(re.findall(r'"(operator_\w+|misbehaviour)"', source))
    assert named == {"operator_equivocation", "operator_false_head", "misbehaviour"}
    assert {kinds[name] for name in named} == {"incident"}


@pytest.mark.parametrize("item", all_explained(), ids=lambda item: item.code)
def test_both_languages_say_everything(item):
    for text in item.said("en"):
        assert text.isascii(), "an English text in ASCII"
        assert len(text) < 300
    for text in item.said("zh"):
        assert CHINESE.search(text)
        assert not re.search(r"[,;:!?](?!//)(?=[\u4e00-\u9fff])", text), "Chinese punctuation"
    assert item.en.endswith(".")
    assert item.zh.endswith("。")
    assert item.todo_en.endswith(".")
    assert item.todo_zh.endswith("。")
    assert len(set(item.as_data().values())) == len(item.as_data())


def test_commands_that_are_named_exist(capsys):
    words = set()
    for item in all_explained():
        words |= set(re.findall(r"relayhub ((?:[a-z]+ ?)+)", f"{item.todo_en} {item.todo_zh}"))
    commands = {word.strip() for word in words}
    assert len(commands) > 8
    for command in commands:
        known = command.split()[: 2 if command.split()[0] in ("chain", "lane", "operator", "key") else 1]
        assert main([*known, "--help"]) == 0, command
    capsys.readouterr()


def test_the_document_is_the_catalogue():
    assert (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8") == reasons.document()


def test_an_unknown_code_names_the_nearest():
    with pytest.raises(NotFound, match=r"no code 'operater_silent'\. Nearest: operator_silent, operators_silent"):
        reasons.explain("operater_silent")
    with pytest.raises(NotFound, match="List all"):
        reasons.explain("")
    with pytest.raises(NotFound, match="List all"):
        reasons.explain("文字")
    assert reasons.explain(" Wallet-Empty ").code == "wallet_empty"
