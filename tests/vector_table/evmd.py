"""Rows of the vectors in ``evmd`` and of others of their layout: one block of an EVM on CometBFT in both of its views."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from light_clients.cometbft.codec import read_header
from light_clients.cometbft.stores import slot_key
from light_clients.errors import ClaimRefused
from light_clients.proofs.ics23 import IAVL, TENDERMINT, verify_chain
from light_clients.protobuf import Message
from tests.support import cometbft_opinion as opinion
from tests.support.cometbft_recordings import Recording
from tests.vector_table.ics23_app import commit_rows, query_row
from tests.vector_table.item import Item, Verdict, judged, unusable

FAMILY = "evmd"


class ViewsDiffer(ClaimRefused):
    """The two views of a block say different things."""


def items(folder: Path) -> Iterator[Item]:
    """One row for each commit, each answer with a proof, and each field that the two views share."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        content = json.loads(path.read_text()) if path.suffix == ".json" else {}
        if "commits" not in content:
            yield unusable(FAMILY, name, "says where the vectors come from; no vector itself")
            continue
        yield from commit_rows(FAMILY, name, content)
        yield from (query_row(FAMILY, name, content, part["response"]) for part in content.values() if _is_answer(part))
        yield _views(name, content)
        yield from _ethereum_proofs(name, content)
        yield unusable(
            FAMILY, f"{name} receipt", "receiptsRoot of this chain is always the empty root: nothing proves a receipt"
        )


def _is_answer(part: Any) -> bool:
    return isinstance(part, dict) and "response" in part


def _views(name: str, content: Any) -> Item:
    """The Ethereum block is the CometBFT block: its hash, and its stateRoot is the app hash."""
    block = content["eth_block"]
    recording, height = Recording(content), int(block["number"], 16)
    header = read_header(recording.header(height))
    told = content["commits"][recording.heights.index(height)]["signed_header"]["header"]
    same = (opinion.header_hash(told).hex(), told["app_hash"].lower()) == (block["hash"][2:], block["stateRoot"][2:])

    def judge() -> None:
        if (header.block_hash.hex(), header.app_hash.hex()) != (block["hash"][2:], block["stateRoot"][2:]):
            raise ViewsDiffer("The block's hash or state root is another in the other view.")

    return judged(FAMILY, f"{name} both views", "accepted" if same else "refused", judge, "second opinion: protobuf")


def _ethereum_proofs(name: str, content: Any) -> Iterator[Item]:
    """eth_getProof: hexadecimal CommitmentProofs of iavl and of the stores, the state of h under header h + 1."""
    told, height = content["eth_getProof"], int(content["eth_block"]["number"], 16) + 1
    root = read_header(Recording(content).header(height)).app_hash
    address = bytes.fromhex(told["address"][2:])
    for entry in told["storageProof"]:
        slot = int(entry["key"], 16).to_bytes(32, "big")
        value = int(entry["value"], 16).to_bytes(32, "big") if int(entry["value"], 16) else None
        trees = ((IAVL, slot_key(address, slot)), (TENDERMINT, b"evm"))
        proofs = [bytes.fromhex(proof[2:]) for proof in entry["proof"]]
        title = f"{name} eth_getProof slot {entry['key']}"
        holds = opinion.proofs_hold(root, [key for _, key in trees], value, proofs)
        expected: Verdict = "accepted" if holds else "refused"
        why = "second opinion: the hashes written out"
        yield judged(FAMILY, title, expected, partial(verify_chain, root, trees, value, proofs), why)
    account = [bytes.fromhex(proof[2:]) for proof in told["accountProof"]]
    # {1 exist {1 key, 2 value}}: the account's own bytes are not in the answer but in the proof.
    shown = Message.read(Message.read(account[0], (1,)).octets(1))
    trees = ((IAVL, b"\x01" + address), (TENDERMINT, b"acc"))
    holds = opinion.proofs_hold(root, [key for _, key in trees], shown.octets(2), account)
    yield judged(
        FAMILY,
        f"{name} eth_getProof account",
        "accepted" if holds else "refused",
        lambda: verify_chain(root, trees, shown.octets(2), account),
        "a BaseAccount of the module auth; it does not hold the code hash",
    )
