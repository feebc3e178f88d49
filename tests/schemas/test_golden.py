"""`schemas` reproduces the golden vectors, which another implementation made; that one is run again and compared."""

import importlib.util
import json
from pathlib import Path

import pytest

from schemas.attestation import attestation_digest
from schemas.heads import fold, fold_all, outbox_genesis, outcomes_genesis
from schemas.json_schemas import ADAPTERS
from schemas.lane import Lane
from schemas.primitives import BlockHash, ChainId, ChainWord, LaneId, bytes_from_hex
from schemas.suites import suite_named

VECTORS = Path(__file__).parents[1] / "vectors"
GOLDEN = {name: json.loads((VECTORS / "golden" / f"{name}.json").read_text(encoding="utf-8")) for name in ("evm", "sm")}


def rows(key):
    return [
        pytest.param(suite_named(name), row, id=f"{name}: {row.get('name', index)}")
        for name, document in GOLDEN.items()
        for index, row in enumerate(document[key])
    ]


def maker():
    spec = importlib.util.spec_from_file_location("make_golden", VECTORS / "make_golden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", GOLDEN)
def test_the_script_makes_the_files_on_disk(name):
    assert maker().golden_text(name) == (VECTORS / "golden" / f"{name}.json").read_text(encoding="utf-8")


def test_the_script_shares_no_code_with_schemas():
    assert "schemas" not in {
        line.split()[1].partition(".")[0]
        for line in (VECTORS / "make_golden.py").read_text().splitlines()
        if line.startswith(("import ", "from "))
    }


@pytest.mark.parametrize(("suite", "row"), rows("hashes"))
def test_hashes(suite, row):
    assert suite.hash(bytes_from_hex(row["input"])) == bytes_from_hex(row["digest"])


@pytest.mark.parametrize("name", GOLDEN)
def test_tags(name):
    for word, tag in GOLDEN[name]["tags"].items():
        assert suite_named(name).tag(word) == bytes_from_hex(tag)


@pytest.mark.parametrize(("suite", "row"), rows("chain_words"))
def test_chain_words(suite, row):
    chain = ChainId.of(row["namespace"], row["reference"])
    assert chain == row["caip2"]
    assert chain.word(BlockHash.from_hex(row["first_block"])).hex0x() == row["word"]


@pytest.mark.parametrize(("suite", "row"), rows("lanes"))
def test_lanes(suite, row):
    lane = Lane(
        hub=row["hub"],
        suite=suite,
        source=ChainWord.from_hex(row["source"]),
        source_gateway=bytes_from_hex(row["source_gateway"]),
        destination=ChainWord.from_hex(row["destination"]),
        destination_gateway=bytes_from_hex(row["destination_gateway"]),
        channel=row["channel"],
    )
    assert lane.lane_id.hex0x() == row["lane_id"]
    assert outbox_genesis(lane.lane_id).hex0x() == row["outbox_genesis"]
    assert outcomes_genesis(suite, lane.lane_id).hex0x() == row["outcomes_genesis"]


@pytest.mark.parametrize(("suite", "row"), rows("messages"))
def test_messages(suite, row):
    message = ADAPTERS["message"].validate_python(row["message"])
    message.check(suite)
    assert message.message_id(suite, LaneId.from_hex(row["lane_id"])).hex0x() == row["message_id"]
    assert ADAPTERS["message"].dump_python(message, mode="json") == row["message"]


@pytest.mark.parametrize(("suite", "row"), rows("outcomes"))
def test_outcomes(suite, row):
    outcome = ADAPTERS["outcome"].validate_python(row["outcome"])
    assert outcome.outcome_id(suite).hex0x() == row["outcome_id"]
    assert ADAPTERS["outcome"].dump_python(outcome, mode="json") == row["outcome"]


@pytest.mark.parametrize(("suite", "row"), rows("folds"))
def test_folds(suite, row):
    start = head = bytes_from_hex(row["start"])
    ids = [bytes_from_hex(entry_id) for entry_id in row["ids"]]
    for entry_id, expected in zip(ids, row["heads"], strict=True):
        head = fold(suite, head, entry_id)
        assert head.hex0x() == expected
    assert fold_all(suite, start, ids) == head


@pytest.mark.parametrize(("suite", "row"), rows("attestations"))
def test_attestations(suite, row):
    place = ADAPTERS["place"].validate_python(row["place"])
    claim = ADAPTERS["claim"].validate_python(row["claim"])
    assert attestation_digest(suite, place, claim).hex0x() == row["digest"]
    assert ADAPTERS["place"].dump_python(place, mode="json") == row["place"]
    assert ADAPTERS["claim"].dump_python(claim, mode="json") == row["claim"]


def test_the_payload_by_hash_has_the_id_of_the_whole():
    for document in GOLDEN.values():
        ids = {row["name"]: row["message_id"] for row in document["messages"]}
        assert ids["a text payload by hash only"] == ids["the same text payload"]


def test_no_two_vectors_share_an_id():
    for document in GOLDEN.values():
        messages = [row["message_id"] for row in document["messages"] if row["name"] != "the same text payload"]
        ids = (
            messages
            + [row["outcome_id"] for row in document["outcomes"]]
            + [row["lane_id"] for row in document["lanes"]]
        )
        ids += [row["digest"] for row in document["attestations"]]
        assert len(set(ids)) == len(ids)
