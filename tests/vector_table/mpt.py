"""Merkle-Patricia tries: roots from all entries, and proofs of presence and absence as nodes gave them.

The trie package is the oracle of every root; each entry of a trie is proved under that root by our own verifier besides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rlp as second
from trie import HexaryTrie

from light_clients import rlp
from light_clients.errors import HeaderHashMismatch, ProofRefused
from light_clients.proofs.patricia import EMPTY_ROOT, slot_from_hex, verify_account, verify_proof, verify_storage
from light_clients.proofs.receipts import Log, Receipt, decode_receipt, encode_receipt, receipts_root, verify_log
from light_clients.proofs.trie import trie_root
from schemas.suites import keccak256
from tests.vector_table.item import Item, judged, unusable

FAMILY = "mpt"


def items(folder: Path) -> Iterator[Item]:
    """Every file by the shape of its content."""
    for place in sorted({path.parent for path in folder.rglob("*") if path.is_file()}):
        prefix = "" if place == folder else place.relative_to(folder).as_posix() + "/"
        files = {path.name: path for path in sorted(place.iterdir()) if path.is_file()}
        read = {name: json.loads(path.read_text()) for name, path in files.items() if path.suffix == ".json"}
        for name in set(files) - set(read):
            yield unusable(FAMILY, prefix + name, "documentation, no vector")
        for name, content in read.items():
            yield from _file(prefix + name, content, read.get("block.json"), read)


def _file(name: str, content: Any, block: Any, neighbours: dict[str, Any]) -> Iterator[Item]:
    match content:
        case {"accountProof": _, "address": _}:
            yield _block_proof(name, content, block)
        case {"account": account, "accountProof": proof, **rest}:
            address = next((other["address"] for other in neighbours.values() if _proves(other, proof)), None)
            if address is None:
                yield unusable(FAMILY, name, "an account whose address is told nowhere")
            else:
                yield _block_proof(name, {**account, **rest, "accountProof": proof, "address": address}, block)
        case {"request": request, "response": {"result": result}}:
            yield judged(
                FAMILY,
                name,
                "accepted",
                lambda: check_proof(result, root_of(result)),
                f"asked for {request['params'][0]}",
            )
        case {"state_root": root, "key": key, "proof": proof}:
            yield judged(
                FAMILY,
                name,
                "accepted",
                lambda: _package_proof(root, key, proof),
                "the trie package finds the same value",
            )
        case [{"cumulativeGasUsed": _}, *_]:
            yield from _receipts(name, content, block, neighbours)
        case {"cumulativeGasUsed": _}:
            yield judged(
                FAMILY, name, "accepted", lambda: _same_receipt(content, neighbours), "one of the block's receipts"
            )
        case [{"topics": _}, *_]:
            yield judged(
                FAMILY, name, "accepted", lambda: _same_logs(content, neighbours), "the logs of a proved receipt"
            )
        case {"transactionsRoot": _}:
            yield judged(
                FAMILY, name, "accepted", lambda: _header(content), "its hash, from its fields by the rlp package"
            )
        case {"input": _}:
            yield unusable(FAMILY, name, "a transaction of another ledger: no root of it is here")
        case dict() if all(isinstance(case, dict) for case in content.values()):
            for case, vector in content.items():
                yield from _trie(f"{name} {case}", vector)
        case _:
            yield unusable(FAMILY, name, "no shape that is known")


def _trie(name: str, vector: dict[str, Any]) -> Iterator[Item]:
    if "root" not in vector:
        for number, (key, before, after) in enumerate(vector.get("tests", [])):
            keys = sorted(vector["in"])
            found = (max((k for k in keys if k < key), default=""), min((k for k in keys if k > key), default=""))
            if found == (before, after):
                why = "order of keys, which no proof speaks of; the arithmetic agrees"
            else:
                why = "order of keys, which no proof speaks of"
            yield unusable(FAMILY, f"{name} {number}", why)
        return
    pairs = vector["in"].items() if isinstance(vector["in"], dict) else vector["in"]
    entries: dict[bytes, bytes] = {}
    package = HexaryTrie({})
    for key, value in pairs:
        entries[_bytes(key)] = _bytes(value)
        package[_bytes(key)] = _bytes(value)

    def judge() -> None:
        root = bytes.fromhex(vector["root"].removeprefix("0x"))
        if trie_root(entries) != root or package.root_hash != root:
            raise ProofRefused("The entries have another root.", expected=root, found=trie_root(entries))
        for key, value in entries.items():
            nodes = [second.encode(node) for node in package.get_proof(key) if len(second.encode(node)) >= 32 or node]
            if (verify_proof(root, key, _hashed(nodes, root)) or b"") != value:
                raise ProofRefused("An entry has no proof.", found=key)

    yield judged(FAMILY, name, "accepted", judge, "root by the trie package too, and each entry proved")


def _hashed(nodes: list[bytes], root: bytes) -> list[bytes]:
    """The nodes that stand in a proof: those of 32 bytes or more, and the root."""
    return [node for node in nodes if node != b"\x80" and (len(node) >= 32 or keccak256(node) == root)]


def _block_proof(name: str, proof: dict[str, Any], block: Any) -> Item:
    if block is not None:
        root = bytes.fromhex(block["stateRoot"][2:])
        why = "under the state root of block.json"
        if proof["accountProof"] and root != root_of(proof):
            root, why = root_of(proof), "under its own first node: it is of another block"
    else:
        root, why = root_of(proof), "under its own first node"
    return judged(
        FAMILY, name, "accepted", lambda: check_proof(proof, root), f"{why}; the fields it names beside it agree"
    )


def _proves(other: Any, proof: list[str]) -> bool:
    """Whether a file beside an account has the same proof with the address in it."""
    return isinstance(other, dict) and "address" in other and other.get("accountProof") == proof


def root_of(proof: dict[str, Any]) -> bytes:
    """The root that the first node of a proof has."""
    return keccak256(_bytes(proof["accountProof"][0])) if proof["accountProof"] else bytes(EMPTY_ROOT)


def check_proof(proof: dict[str, Any], root: bytes) -> None:
    """An answer of eth_getProof: the account and each slot."""
    nodes = [_bytes(node) for node in proof["accountProof"]]
    account = verify_account(root, _bytes(proof["address"]), nodes)
    if account is None:
        raise ProofRefused("There is no such account.")
    told = (
        int(proof["nonce"], 16),
        int(proof["balance"], 16),
        _bytes(proof.get("storageHash") or proof["storageRoot"]),
        _bytes(proof["codeHash"]),
    )
    if told != (account.nonce, account.balance, account.storage_root, account.code_hash):
        raise ProofRefused("The account has other fields.")
    if "code" in proof and keccak256(_bytes(proof["code"])) != account.code_hash:
        raise ProofRefused("The account has other code.")
    for slot in proof.get("storageProof", []):
        key = slot["key"] if isinstance(slot["key"], str) else slot["key"]["hash"]
        word = verify_storage(account.storage_root, slot_from_hex(key), [_bytes(node) for node in slot["proof"]])
        if int.from_bytes(word or b"", "big") != int(slot["value"], 16):
            raise ProofRefused("A slot holds another value.")


def _package_proof(root: str, key: str, proof: list[Any]) -> None:
    nodes = [rlp.encode(_item(node)) for node in proof]
    value = verify_proof(_bytes(root), _bytes(key), nodes)
    if value is None or value != HexaryTrie.get_from_proof(_bytes(root), _bytes(key), [_item(node) for node in proof]):
        raise ProofRefused("The trie package finds another value.")


def _item(node: Any) -> Any:
    return [_item(part) for part in node] if isinstance(node, list) else _bytes(node)


def _receipts(name: str, content: list[Any], block: Any, neighbours: dict[str, Any]) -> Iterator[Item]:
    encoded = [encode_receipt(_receipt(receipt)) for receipt in content]

    def judge() -> None:
        package = HexaryTrie({})
        for index, receipt in enumerate(encoded):
            package[second.encode(index)] = receipt
        root = receipts_root(encoded)
        if root != package.root_hash:
            raise ProofRefused("The trie package finds another root.")
        if block is not None and "0x" + root.hex() != block["receiptsRoot"]:
            raise ProofRefused("The header has another receipts root.")
        for index, receipt in enumerate(content):
            for position in range(len(receipt["logs"])):
                nodes = [second.encode(node) for node in package.get_proof(second.encode(index))]
                if (
                    receipt["status"] == "0x1"
                    and verify_log(root, index, position, nodes) != _receipt(receipt).logs[position]
                ):
                    raise ProofRefused("A log stands elsewhere.")
            if decode_receipt(encoded[index]) != _receipt(receipt):
                raise ProofRefused("A receipt is read otherwise.")

    why = f"{len(content)} receipts: root by the trie package" + (
        " and by block.json, each log proved" if block else ""
    )
    yield judged(FAMILY, name, "accepted", judge, why)


def _same_receipt(content: dict[str, Any], neighbours: dict[str, Any]) -> None:
    if _receipt(content) not in [_receipt(receipt) for receipt in neighbours.get("receipts.json", [])]:
        raise ProofRefused("The block has no such receipt.")


def _same_logs(content: list[Any], neighbours: dict[str, Any]) -> None:
    known = [log for receipt in neighbours.get("receipts.json", []) for log in _receipt(receipt).logs]
    if not all(_log(log) in known for log in content):
        raise ProofRefused("The block has no such log.")


HEADER = [
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
]
NUMBERS = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}


def _header(block: dict[str, Any]) -> None:
    fields: list[Any] = [
        int(block[field], 16) if field in NUMBERS else _bytes(block[field])
        for field in HEADER
        if block.get(field) is not None
    ]
    if "0x" + keccak256(second.encode(fields)).hex() != block["hash"]:
        raise HeaderHashMismatch("The fields have another hash.")


def _receipt(data: dict[str, Any]) -> Receipt:
    outcome = _bytes(data["root"]) if "root" in data else b"\x01" * (data["status"] == "0x1")
    logs = tuple(map(_log, data["logs"]))
    return Receipt(
        int(data.get("type", "0x0"), 16), outcome, int(data["cumulativeGasUsed"], 16), _bytes(data["logsBloom"]), logs
    )


def _log(data: dict[str, Any]) -> Log:
    return Log(_bytes(data["address"]), tuple(map(_bytes, data["topics"])), _bytes(data["data"]))


def _bytes(text: str | None) -> bytes:
    if text is None:
        return b""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()
