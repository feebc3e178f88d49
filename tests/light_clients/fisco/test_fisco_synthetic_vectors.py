"""The committed synthetic files: made again they are the same, and each is judged as it should be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from light_clients import fisco
from light_clients.fisco import FiscoConfiguration, FiscoEvidence
from light_clients.fisco.codec import parse_header
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId, bytes_from_hex
from tests.support.fisco_chain import PIN
from tests.vector_table.fisco import items
from tests.vectors.make_fisco_vectors import FOLDER, make


def test_the_files_are_what_their_maker_makes() -> None:
    made = make()
    assert {path.name for path in FOLDER.glob("*.json")} == set(made)
    for name, content in made.items():
        assert json.loads((FOLDER / name).read_text()) == content
        assert content["source"].startswith("synthetic")


def test_other_libraries_agree_on_every_block() -> None:
    rows = [row for row in items(FOLDER) if row.name.startswith("v")]
    assert len(rows) == 16 * 3 - 4  # four blocks have no transactions
    assert {(row.expected, row.found) for row in rows} == {("accepted", "accepted")}


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("claims_*")))
def test_claims(name: str) -> None:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text())
    configuration = FiscoConfiguration(**content["configuration"])
    first, *headers = map(bytes_from_hex, content["headers"])
    block_hash = BlockHash.from_hex(content["claims"][0]["block_hash"])
    state = fisco.bootstrap(first, parse_header(first, configuration).block_hash, configuration)
    for header in headers:
        verified = fisco.verify_header(state, header, state.timestamp + 10)
        state = fisco.apply(state, verified)
    assert state.hash_at(2) == block_hash
    assert len(state.sealers) == 5
    for told in content["claims"]:
        claim = Claim(
            LaneId.from_hex(told["lane_id"]),
            Direction(told["direction"]),
            told["nonce"],
            Head.from_hex(told["head"]),
            told["height"],
            BlockHash.from_hex(told["block_hash"]),
        )
        fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(bytes_from_hex(told["evidence"])), PIN)
