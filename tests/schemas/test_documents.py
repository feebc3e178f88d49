"""The examples of docs/protocol.md and docs/encodings.md are run, and their tables are those of the code."""

import doctest
import re
from pathlib import Path

import pytest

from schemas.outcome import Status
from schemas.primitives import ACCOUNT_MAX_BYTES, NAME_MAX_BYTES, RESULT_MAX_BYTES
from schemas.suites import EVM

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(text):
    """The document's Python blocks as one doctest; other text and the fences are blanked, so that line numbers stay."""
    kept = ["\n"] * text.count("\n")
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for offset, line in enumerate(block.group(1).splitlines(keepends=True)):
            kept[first + offset] = line
    return "".join(kept)


@pytest.mark.parametrize(("name", "least"), [("protocol.md", 30), ("encodings.md", 10)])
def test_the_examples_say_what_the_code_does(name, least):
    parsed = doctest.DocTestParser().get_doctest(examples((DOCS / name).read_text(encoding="utf-8")), {}, name, name, 0)
    shown = []
    results = doctest.DocTestRunner().run(parsed, out=shown.append)
    assert results.failed == 0, "".join(shown)
    assert results.attempted >= least


def test_an_example_that_is_wrong_is_seen():
    parsed = doctest.DocTestParser().get_doctest(
        examples("text\n```python\n>>> 1 + 1\n3\n```\n"), {}, "wrong", "wrong", 0
    )
    assert doctest.DocTestRunner().run(parsed, out=lambda _: None).failed == 1


def test_the_protocol_names_each_status_and_limit_as_the_code_does():
    text = (DOCS / "protocol.md").read_text(encoding="utf-8")
    for status in Status:
        assert f"{status.value} {status.name.lower()}" in text
    for limit in (
        f"native bytes, 1 to {ACCOUNT_MAX_BYTES}",
        f"at most {NAME_MAX_BYTES} bytes",
        f"at most {RESULT_MAX_BYTES} bytes",
    ):
        assert limit in text


def test_the_protocol_names_each_tag_that_the_code_uses():
    text = (DOCS / "protocol.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "schemas").glob("*.py"))
    used = set(re.findall(r"\.tag\(\"(\w+)\"\)", source))
    assert used == set(re.findall(r"TAG\(\"(\w+)\"\)", text))
    assert len({EVM.tag(word) for word in used}) == len(used) == 6
