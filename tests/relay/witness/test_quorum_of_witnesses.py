"""Trust anchors that demand cosignatures: both verifiers count the same, and a receipt is made by the cosigned checkpoint."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from light_clients.proofs.notes import signature_line, split_note
from relay.config import HubConfig, parse_config
from relay.errors import BadInput
from relay.evidence.cosignatures import CosignatureKey, ed25519_key
from relay.evidence.verify import read_anchors, verify
from tests.support.evidence_log import private
from tests.support.vectors import VECTORS

FOLDER = VECTORS / "receipts"
GOOD = min(FOLDER.glob("good--*.json"))
PROGRAM = Path(__file__).parents[3] / "docs" / "verify_receipt.py"
NOW = 1_700_000_000.0
SIGNING = {name: ed25519_key(private(name)) for name in ("w0", "w1", "w2")}
KEYS = {name: CosignatureKey.create(name, bytes(key.verify_key)) for name, key in SIGNING.items()}
OTHER_NAME = CosignatureKey.create("w0-again", KEYS["w0"].public_key)


@pytest.fixture(scope="module")
def second():
    found = importlib.util.spec_from_file_location("verify_receipt_for_witnesses", PROGRAM)
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def line(name, text, *, key=None):
    return (key or KEYS[name]).line(SIGNING[name], text, NOW)


def both(second, lines, anchors):
    """What fails, by both verifiers, which agree."""
    told = json.loads(GOOD.read_bytes())
    told["checkpoint"] += "".join(lines(split_note(told["checkpoint"].encode())[0]))
    receipt = json.dumps(told, ensure_ascii=False).encode()
    failed = verify(receipt, read_anchors(anchors)).failed
    findings = second.verify(receipt, second.read_anchors(anchors))
    assert tuple(each.name for each in findings if each.state == "fails") == failed
    return failed


def anchors_with(threshold, keys):
    text = (FOLDER / "anchors.toml").read_text()
    told = f"witnesses = {json.dumps([key.text for key in keys])}\nwitness_threshold = {threshold}\n"
    return text.replace("[log]\n", f"[log]\n{told}").encode()


def spoilt(text):
    name, key_id, signature = split_note(f"{text}\n{line('w1', text)}".encode())[1][0]
    assert name == "w1"
    return signature_line(name, key_id, signature[:-1] + bytes([signature[-1] ^ 1]))


LINES = {
    "none": lambda _: [],
    "one": lambda text: [line("w0", text)],
    "two": lambda text: [line("w0", text), line("w2", text)],
    "one key by two names": lambda text: [line("w0", text), line("w0", text, key=OTHER_NAME)],
    "one of another text": lambda text: [line("w0", text), line("w1", text + "more\n")],
    "one that is spoilt": lambda text: [line("w0", text), spoilt(text)],
    "one too short": lambda text: [line("w0", text), f"\N{EM DASH} w1 {KEYS['w1'].text.split('+')[2]}\n"],
}


@pytest.mark.parametrize(("lines", "count"), list(zip(LINES, (0, 1, 2, 1, 1, 1, 1), strict=True)))
def test_so_many_witnesses_count(second, lines, count):
    keys = [*KEYS.values(), OTHER_NAME]
    assert both(second, LINES[lines], anchors_with(count, keys)) == ()
    assert both(second, LINES[lines], anchors_with(count + 1, keys)) == ("checkpoint",)


def test_a_witness_that_the_anchors_do_not_name_counts_for_nothing(second):
    assert both(second, LINES["two"], anchors_with(1, [KEYS["w1"]])) == ("checkpoint",)


def test_a_key_of_the_anchors_that_is_no_witness_s(second):
    told = anchors_with(0, [KEYS["w0"]]).replace(b"+B", b"+A", 1)
    assert both(second, LINES["none"], told) == ("checkpoint",)


ENTRY = {"key": KEYS["w0"].text, "url": "https://witness.example/"}


def test_a_hub_lists_witnesses():
    config = parse_config({"name": "hub", "witnesses": {"Bank B": ENTRY}}, "hub.toml")
    assert config.witnesses["Bank B"].url == "https://witness.example"
    assert HubConfig.model_validate(config.model_dump()) == config


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (ENTRY | {"url": "http://witness.example"}, "https"),
        (ENTRY | {"url": "https://"}, "host"),
        (ENTRY | {"url": "https://a@witness.example"}, "host"),
        (ENTRY | {"url": "https://witness.example:x"}, "no URL"),
        (ENTRY | {"url": "file:///etc"}, "host"),
        (ENTRY | {"key": "w0"}, r"name\+id"),
        (ENTRY | {"key": KEYS["w0"].text[:-4]}, "id is not"),
        (ENTRY | {"more": "x"}, "Extra"),
        ({}, "required"),
    ],
)
def test_entries_that_are_none(entry, text):
    with pytest.raises(BadInput, match=text):
        parse_config({"name": "hub", "witnesses": {"Bank B": entry}}, "hub.toml")


def test_one_key_or_one_name_twice_is_one_witness():
    for other in (OTHER_NAME.text, CosignatureKey.create("w0", KEYS["w1"].public_key).text):
        roll = {"a": ENTRY, "b": ENTRY | {"key": other}}
        with pytest.raises(BadInput, match="stands twice"):
            parse_config({"name": "hub", "witnesses": roll}, "hub.toml")
    many = {str(number): ENTRY for number in range(17)}
    with pytest.raises(BadInput, match="at most 16"):
        parse_config({"name": "hub", "witnesses": many}, "hub.toml")
