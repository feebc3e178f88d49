"""The form of receipts and trust anchors: what is read is what was written, and nothing of another form is read."""

import json
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.receipt import Anchors, Receipt

FOLDER = Path(__file__).parents[1] / "vectors" / "receipts"
GOOD = sorted(FOLDER.glob("good--*.json"))
ILL_FORMED = [
    path
    for path in sorted(FOLDER.glob("format--*.json"))
    if path.stem.split("--")[1] not in ("no-outcome", "not-complete")
]
MISSING = b"\xee" * 32


def anchors(**changes):
    told = tomllib.loads((FOLDER / "anchors.toml").read_text(encoding="utf-8"))
    return Anchors.model_validate({**told, **changes})


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_receipt_is_written_as_it_was_read(path):
    data = json.loads(path.read_text(encoding="utf-8"))
    receipt = Receipt.model_validate(data)
    assert receipt.model_dump(mode="json") == data


@pytest.mark.parametrize("path", ILL_FORMED, ids=lambda path: path.stem)
def test_what_is_not_of_the_form_is_no_receipt_or_is_written_otherwise(path):
    """A verifier compares the file with what it would write, so that there is one file for each receipt."""
    data = json.loads(path.read_text(encoding="utf-8"))
    try:
        written = Receipt.model_validate(data).model_dump(mode="json")
    except ValidationError:
        return
    assert written != data


def test_a_receipt_of_another_form_is_refused():
    data = json.loads(GOOD[0].read_text(encoding="utf-8"))
    for broken in ({**data, "more": 1}, {**data, "format": "relayhub/receipt/v2"}, {**data, "lane_id": "0x01"}, {}):
        with pytest.raises(ValidationError):
            Receipt.model_validate(broken)


def test_leaves_have_names_of_where_they_stand():
    receipt = Receipt.model_validate(json.loads((FOLDER / "good--both.json").read_text(encoding="utf-8")))
    assert list(receipt.leaves()) == ["out.proof", "out.quorum", "back.proof", "back.quorum", "settled"]
    assert receipt.leaves()["settled"] is receipt.settled
    light = Receipt.model_validate(json.loads((FOLDER / "good--light-client.json").read_text(encoding="utf-8")))
    assert set(light.leaves()) == {"out.proof", "back.proof", "settled"}
    partial = receipt.model_copy(update={"out": None, "back": None, "settled": None})
    assert partial.leaves() == {}


def test_anchors_are_found_by_what_they_are_of():
    found = anchors()
    chain, lane, committee = found.chains[0], found.lanes[0], found.committees[0]
    assert found.chain(chain.chain) is chain
    assert found.lane(lane.lane_id) is lane
    place = (committee.chain, committee.gateway, committee.verifier)
    assert found.committee(*place, committee.epoch) is committee
    assert found.chain(MISSING) is found.lane(MISSING) is found.committee(*place, committee.epoch + 1_000) is None


@pytest.mark.parametrize("number", [True, "1", -1, 1 << 64, 1.5])
def test_a_number_of_an_anchor_is_a_whole_number(number):
    first = tomllib.loads((FOLDER / "anchors.toml").read_text(encoding="utf-8"))["committees"][0]
    with pytest.raises(ValidationError):
        anchors(committees=[{**first, "epoch": number}])


def test_bytes_that_may_be_missing_are_hexadecimal_where_they_are_there():
    first = tomllib.loads((FOLDER / "anchors.toml").read_text(encoding="utf-8"))["chains"][0]
    assert anchors(chains=[{**first, "client_state": "0x0102"}]).chains[0].client_state == b"\x01\x02"
    assert anchors(chains=[{**first, "client_state": b"\x03"}]).chains[0].client_state == b"\x03"
    with pytest.raises(ValidationError):
        anchors(chains=[{**first, "client_state": "no hexadecimal"}])
