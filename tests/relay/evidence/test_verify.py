"""Receipts against their anchors: the good are good, each bad one fails the check of its name and no other, and no change passes."""

import copy
import json

import pytest

from relay.errors import BadInput
from relay.evidence.verify import Verdict, read_anchors, verify
from tests.support.receipt_world import KINDS, ReceiptWorld
from tests.support.vectors import VECTORS
from tests.vectors.make_receipts import files

FOLDER = VECTORS / "receipts"
GOOD = sorted(path.name for path in FOLDER.glob("good--*.json"))
BAD = sorted(path.name for path in FOLDER.glob("*.json") if path.name not in GOOD)
CHECKS = (
    *("format", "lane", "ledgers", "message", "outcome"),
    *(f"{way}.{part}" for way in ("out", "back") for part in ("fold", "prefix", "proof", "header", "quorum", "leaves")),
    *("settled", "log", "checkpoint"),
)


@pytest.fixture(scope="module")
def anchors():
    return read_anchors((FOLDER / "anchors.toml").read_bytes())


def test_the_script_makes_what_is_on_disk():
    made = files()
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    assert [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("name", GOOD)
def test_a_good_receipt_holds(anchors, name):
    judged = verify((FOLDER / name).read_bytes(), anchors)
    assert judged.good
    assert tuple(check.name for check in judged.checks) == CHECKS
    assert [check.number for check in judged.checks] == list(range(1, len(CHECKS) + 1))
    unasked = {check.name for check in judged.checks if check.verdict is Verdict.NOT_ASKED}
    assert unasked == ({"out.quorum", "back.quorum"} if "light-client" in name else set())


@pytest.mark.parametrize("name", BAD)
def test_a_bad_receipt_fails_its_own_check_alone(anchors, name):
    assert verify((FOLDER / name).read_bytes(), anchors).failed == (name.partition("--")[0],)


def test_every_check_has_a_bad_receipt():
    assert {name.partition("--")[0] for name in BAD} == set(CHECKS)


def changed(value):
    """The same kind of value, another one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value.startswith("0x"):
        return value[:-1] + ("0" if value[-1] != "0" else "1") if len(value) > 2 else "0x00"
    return str(int(value) + 1) if value.isdigit() else value[:-1] + chr(ord(value[-1]) ^ 1)


def places(value, path=()):
    """Where every scalar stands."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from places(item, (*path, key))
    elif value is not None:
        yield path


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "former-gateway"])
def test_no_value_can_be_changed(anchors, kind):
    receipt = ReceiptWorld(kind).receipt()
    passed = []
    for path in places(receipt):
        other = copy.deepcopy(receipt)
        place = other
        for part in path[:-1]:
            place = place[part]
        if path == ("checkpoint",):  # its last line is a cosignature, which is another verifier's business
            place[path[-1]] = changed(place[path[-1]].rpartition("\n—")[0])
        else:
            place[path[-1]] = changed(place[path[-1]])
        if verify(json.dumps(other).encode(), anchors).good:
            passed.append(path)
    assert passed == []


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format":"relayhub/receipt/v1"}']
)
def test_what_is_no_receipt(anchors, data):
    judged = verify(data, anchors)
    assert judged.failed == ("format",)
    assert judged.receipt is None


def test_anchors_without_validators_leave_the_header_to_the_committee():
    anchors = read_anchors((FOLDER / "anchors.toml").read_bytes())
    bare = anchors.model_copy(
        update={"chains": tuple(chain.model_copy(update={"validators": ()}) for chain in anchors.chains)}
    )
    judged = verify((FOLDER / "good--committee.json").read_bytes(), bare)
    assert judged.good
    assert {check.name for check in judged.checks if check.verdict is Verdict.NOT_ASKED} == {
        "out.header",
        "back.header",
    }
    for kind in ("light-client", "both"):
        assert verify((FOLDER / f"good--{kind}.json").read_bytes(), bare).failed == ("out.header", "back.header")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'format = "relayhub/anchors/v1"', b'format = "relayhub/anchors/v9"'),
        (b"threshold = 2", b"threshold = true"),
        (b"threshold = 2", b"threshold = 0"),
        (b"epoch = 1", b'epoch = "1"'),
        (b"hub = ", b"hub = \xff"),
        (b"[log]", b"[[log"),
    ],
)
def test_anchors_that_are_none(old, new):
    data = (FOLDER / "anchors.toml").read_bytes()
    assert old in data
    with pytest.raises(BadInput, match="anchors"):
        read_anchors(data.replace(old, new, 1))
