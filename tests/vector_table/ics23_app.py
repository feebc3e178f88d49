"""Rows of the vectors in ``ics23_app`` and of others of their layout: commits, validators, queries and a transaction."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from light_clients import cometbft
from light_clients.cometbft.block_json import proofs_from_json
from light_clients.cometbft.codec import read_header
from light_clients.errors import LightClientError
from light_clients.proofs.ics23 import IAVL, TENDERMINT, verify_chain
from light_clients.proofs.rfc6962 import leaf_hash, verify_inclusion
from tests.support import cometbft_opinion as opinion
from tests.support.cometbft_recordings import Recording
from tests.vector_table.item import Item, judged, unusable

FAMILY = "ics23_app"


def items(folder: Path) -> Iterator[Item]:
    """One row for each commit, each query, and the transaction."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        content = json.loads(path.read_text()) if path.suffix == ".json" else {}
        if "commits" not in content:
            yield unusable(FAMILY, name, "says where the vectors come from; no vector itself")
            continue
        yield from commit_rows(FAMILY, name, content)
        for query in content.get("queries", ()):
            yield query_row(FAMILY, name, content, query["response"])
        if "tx" in content:
            yield _transaction(name, content)


def commit_rows(family: str, name: str, content: Any) -> Iterator[Item]:
    """Each commit, judged from the header before it; the first is what a client would be pinned to."""
    recording, validators = Recording(content), content["validators"]["validators"]
    told = [commit["signed_header"] for commit in content["commits"]]
    yield judged(
        family,
        f"{name} commit {recording.heights[0]}",
        "accepted",
        lambda: recording.state_at(recording.heights[0]),
        "pinned by its hash",
    )
    for place, (below, height) in enumerate(pairwise(recording.heights), 1):

        def judge(below: int = below, height: int = height) -> None:
            cometbft.verify_header(recording.state_at(below), recording.bundle(height), recording.now(height))

        holds = opinion.block_holds(told[place], validators) and opinion.follows(told[place - 1], told[place])
        why = "second opinion: protobuf and cryptography"
        yield judged(family, f"{name} commit {height}", "accepted" if holds else "refused", judge, why)


def query_row(family: str, name: str, content: Any, response: Any) -> Item:
    """An answer, under the app hash of the header after its height."""
    key, value = base64.b64decode(response["key"]), base64.b64decode(response["value"] or "") or None
    height = int(response["height"]) + 1
    store = base64.b64decode(response["proofOps"]["ops"][1]["key"])
    title = f"{name} {key.hex() if len(key) > 20 else key.decode()} at {height}, {'present' if value else 'absent'}"

    def judge() -> None:
        app_hash = read_header(Recording(content).header(height)).app_hash
        verify_chain(app_hash, ((IAVL, key), (TENDERMINT, store)), value, proofs_from_json(response))

    header = content["commits"][Recording(content).heights.index(height)]["signed_header"]["header"]
    proofs = [base64.b64decode(operation["data"]) for operation in response["proofOps"]["ops"]]
    holds = opinion.proofs_hold(bytes.fromhex(header["app_hash"]), [key, store], value, proofs)
    return judged(family, title, "accepted" if holds else "refused", judge, "second opinion: the hashes written out")


def _transaction(name: str, content: Any) -> Item:
    """A transaction under the data hash of its block: RFC 6962 over the hashes of the transactions."""
    told, recording = content["tx"], Recording(content)
    proof, data = told["proof"]["proof"], base64.b64decode(told["proof"]["data"])
    commit = content["commits"][recording.heights.index(int(told["height"]))]
    root = bytes.fromhex(commit["signed_header"]["header"]["data_hash"])
    aunts = [base64.b64decode(aunt) for aunt in proof["aunts"]]

    def judge() -> None:
        if sha256(data).hexdigest() != told["hash"].lower():
            raise LightClientError("The transaction has another hash.")
        leaf = leaf_hash(sha256(data).digest())
        verify_inclusion(leaf, int(proof["index"]), int(proof["total"]), root, aunts)

    return judged(FAMILY, f"{name} transaction of {told['height']}", "accepted", judge, "the node answered so")
