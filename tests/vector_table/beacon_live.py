"""A development network of our own: nobody verified it before, so every row has a second opinion.

Roots are recomputed by remerkleable, one signature is verified by py_ecc, and the proof of the execution layer is held against
the header's RLP and the trie package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trie import HexaryTrie

from light_clients import beacon, rlp
from light_clients.beacon.beacon_json import bundle_from_answer, configuration_from_answers
from light_clients.beacon.types import BeaconConfiguration, BeaconState
from light_clients.errors import HeaderHashMismatch, LightClientError, ProofRefused
from light_clients.proofs.patricia import slot_from_hex, verify_account, verify_storage
from light_clients.proofs.receipts import decode_receipt, encode_receipt, receipts_root, verify_receipt
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support import beacon_opinion
from tests.vector_table.beacon import follow
from tests.vector_table.item import Item, judged, unusable

FAMILY = "beacon_live"
AGE_LIMIT = 24 * 3600


def items(folder: Path) -> Iterator[Item]:
    """The configuration, each bootstrap, and each update from the first bootstrap in the order of signatures."""
    read = {path.name: json.loads(path.read_text()) for path in sorted(folder.iterdir()) if path.suffix == ".json"}
    specification, genesis = read.pop("spec.json"), read.pop("genesis.json")
    configuration = configuration_from_answers(genesis, specification, checkpoint_age_limit_s=AGE_LIMIT)
    for name in ("spec.json", "genesis.json"):
        yield unusable(FAMILY, name, "read as the configuration of all that follows")
    if "forks.json" in read:
        yield judged(
            FAMILY,
            "forks.json",
            "accepted",
            _forks(configuration, read.pop("forks.json")),
            "names the forks of spec.json",
        )
    states: dict[str, BeaconState] = {}
    answers: list[tuple[int, str, str, Any]] = []
    for name, content in read.items():
        if isinstance(content, dict) and "bootstrap" in content:
            yield _bootstrap(name, configuration, content, states)
        elif isinstance(content, dict) and "HTTP" in content:
            yield unusable(FAMILY, name, f"the node answered {content['HTTP']}: it has no such route")
        elif name.startswith("block_"):
            continue
        else:
            answers += _answers(name, content)
    state = min(states.values(), key=lambda known: known.newest.slot)
    bundles: dict[str, bytes] = {}
    for _, name, kind, answer in sorted(answers, key=lambda entry: entry[0]):
        bundles[name] = bundle_from_answer(kind, answer, configuration.preset)
        row, state = follow(state, name, kind, answer, family=FAMILY)
        yield row
    first_update = min((entry for entry in answers if entry[2] == "update"), key=lambda entry: entry[0])
    yield judged(
        FAMILY,
        f"{first_update[1]} by py_ecc",
        "accepted",
        _py_ecc(configuration, min(states.values(), key=_slot), first_update[3]),
    )
    for name, content in read.items():
        if name.startswith("block_"):
            yield judged(
                FAMILY,
                name,
                "accepted",
                _block(state, content),
                "its state root and execution block are the finalized ones",
            )
        elif isinstance(content, dict) and "raw_header" in content:
            yield from _execution(name, configuration, state, content)
    for path in sorted(folder.iterdir()):
        if path.suffix == ".ssz":
            yield _same_bytes(path, configuration, folder)
        elif path.suffix != ".json":
            yield unusable(FAMILY, path.name, "documentation, no vector")


def _slot(state: BeaconState) -> int:
    return state.newest.slot


def _forks(configuration: BeaconConfiguration, answer: Any) -> Any:
    def judge() -> None:
        for told in answer["data"]:
            epoch, version = int(told["epoch"]), bytes.fromhex(told["current_version"][2:])
            if epoch < 2**64 - 1 and (epoch, version) not in {
                (fork.epoch, fork.version) for fork in configuration.forks
            }:
                raise HeaderHashMismatch("A fork is not in the configuration.")

    return judge


def _bootstrap(name: str, configuration: BeaconConfiguration, content: Any, states: dict[str, BeaconState]) -> Item:
    def judge() -> None:
        bundle = bundle_from_answer("bootstrap", content["bootstrap"], configuration.preset)
        view = beacon_opinion.read("bootstrap", content["bootstrap"]["version"], configuration.preset, ssz_of(bundle))
        if "0x" + beacon_opinion.root(view.header.beacon).hex() != content["root"]:
            raise HeaderHashMismatch("remerkleable finds another root.")
        states[name] = beacon.bootstrap(bundle, BlockHash.from_hex(content["root"]), configuration)

    return judged(FAMILY, name, "accepted", judge, "root as by remerkleable")


def _answers(name: str, content: Any) -> Iterator[tuple[int, str, str, Any]]:
    if isinstance(content, dict) and "finality_update" in content:
        content, name = content["finality_update"], f"{name} finality_update"
    many = content if isinstance(content, list) else [content]
    for number, entry in enumerate(many):
        answer = entry.get("u", entry)
        data = answer["data"]
        kind = (
            "update"
            if "next_sync_committee" in data
            else "finality_update"
            if "finality_branch" in data
            else "optimistic_update"
        )
        place = f"{name} {number}" if isinstance(content, list) else name
        yield int(data["signature_slot"]), place, kind, answer


def _py_ecc(configuration: BeaconConfiguration, state: BeaconState, answer: Any) -> Any:
    def judge() -> None:
        bundle = bundle_from_answer("update", answer, configuration.preset)
        view = beacon_opinion.read("update", answer["version"], configuration.preset, ssz_of(bundle))
        fork = configuration.fork_at(int(view.signature_slot) - 1)
        if not beacon_opinion.is_signed(
            view, list(state.current.keys), fork.version, configuration.genesis_validators_root
        ):
            raise HeaderHashMismatch("py_ecc refuses the signature.")

    return judge


def _block(state: BeaconState, content: Any) -> Any:
    """The finalized block as the node has it: its slot may have been accepted; its payload names the execution block."""
    message = content["data"]["message"]
    payload = message["body"]["execution_payload"]

    def judge() -> None:
        block = state.block_at(int(payload["block_number"]))
        if block is not None and (block.slot, "0x" + block.block_hash.hex()) != (
            int(message["slot"]),
            payload["block_hash"],
        ):
            raise HeaderHashMismatch("Another block was finalized at this height.")

    return judge


def _execution(name: str, configuration: BeaconConfiguration, state: BeaconState, content: Any) -> Iterator[Item]:
    data = content["finality_update"]["data"]["finalized_header"]["execution"]
    block = state.block_at(int(data["block_number"]))
    proof = content["proof"]
    nodes = [bytes.fromhex(node[2:]) for node in proof["accountProof"]]

    def header() -> None:
        raw = bytes.fromhex(content["raw_header"][2:])
        fields = rlp.decode_list(raw)
        if block is None or (keccak256(raw), fields[3], fields[5]) != (
            block.block_hash,
            block.state_root,
            block.receipts_root,
        ):
            raise HeaderHashMismatch("The execution header is another.")

    def account() -> None:
        assert block is not None
        found = verify_account(block.state_root, bytes.fromhex(proof["address"][2:]), nodes)
        if (
            found is None
            or found.storage_root.hex() != proof["storageHash"][2:]
            or found.code_hash.hex() != proof["codeHash"][2:]
        ):
            raise ProofRefused("The account is another.")
        trie = HexaryTrie.get_from_proof(
            bytes(block.state_root),
            keccak256(bytes.fromhex(proof["address"][2:])),
            [rlp.decode_list(node) for node in nodes],
        )
        if not trie:
            raise ProofRefused("The trie package finds no account.")
        for slot in proof["storageProof"]:
            word = verify_storage(
                found.storage_root, slot_from_hex(slot["key"]), [bytes.fromhex(node[2:]) for node in slot["proof"]]
            )
            if int.from_bytes(word or b"", "big") != int(slot["value"], 16):
                raise ProofRefused("The slot holds another value.")

    def receipts() -> None:
        encoded = [bytes.fromhex(receipt[2:]) for receipt in content["contract_block_raw_receipts"]]
        root = receipts_root(encoded)
        if "0x" + root.hex() != content["contract_block"]["receiptsRoot"]:
            raise ProofRefused("The receipts have another root.")
        for index, receipt in enumerate(encoded):
            if encode_receipt(decode_receipt(receipt)) != receipt:
                raise ProofRefused("The receipt is written otherwise.", found=index)
        if len(encoded) == 1:
            leaf = rlp.encode([b"\x20\x80", encoded[0]])
            verify_receipt(root, 0, [leaf])

    yield judged(
        FAMILY, f"{name} raw_header", "accepted", header, "its hash and roots are those of the finalized header"
    )
    yield judged(FAMILY, f"{name} proof", "accepted", account, "found by the trie package too")
    yield judged(FAMILY, f"{name} contract_block_raw_receipts", "accepted", receipts, "the block's receiptsRoot")


def _same_bytes(path: Path, configuration: BeaconConfiguration, folder: Path) -> Item:
    """SSZ as the node sent it: the very bytes of one of the JSON answers, and readable by remerkleable."""
    kind = "bootstrap" if path.name.startswith("bootstrap") else "finality_update"
    texts = [json.loads(other.read_text()) for other in sorted(folder.glob("*.json"))]
    encoded = path.read_bytes()

    def judge() -> None:
        for answer in _candidates(texts, kind):
            try:
                bundle = bundle_from_answer(kind, answer, configuration.preset)
            except LightClientError:
                continue
            if ssz_of(bundle) == encoded:
                return
        forks = [fork.name for fork in configuration.forks][-1]
        view = beacon_opinion.read(kind, forks, configuration.preset, encoded)
        if view.encode_bytes() != encoded:
            raise HeaderHashMismatch("remerkleable writes other bytes.")
        bundle = beacon.codec.write_bundle(kind, forks, encoded)
        beacon.codec.parse_bundle(bundle, configuration.preset)

    return judged(FAMILY, path.name, "accepted", judge, "the bytes of a JSON answer, or read alike by remerkleable")


def _candidates(texts: list[Any], kind: str) -> Iterator[Any]:
    for content in texts:
        for entry in content if isinstance(content, list) else [content]:
            if isinstance(entry, dict):
                yield entry.get("bootstrap" if kind == "bootstrap" else "u", entry)


def ssz_of(bundle: bytes) -> bytes:
    """The object inside of a bundle."""
    encoded = rlp.decode_list(bundle)[2]
    assert isinstance(encoded, bytes)
    return encoded
