"""FISCO BCOS: published blocks and proofs of both lines.

No file gives a verdict of its own in words, so each row's is a second opinion: the hash from the `rlp` package with eth-hash or
gmssl, signatures by `ecdsa` or gmssl, roots by folding whole blocks here. A file that says a verdict is held to it as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ecdsa
import rlp
from eth_hash.auto import keccak
from gmssl import sm3 as gmssl_sm3

from light_clients.errors import HeaderHashMismatch, HeaderJsonInvalid, LightClientError
from light_clients.fisco.block_json import bundle_from_json, path_2_from_json, receipt_from_json
from light_clients.fisco.codec import parse_header
from light_clients.fisco.errors import InclusionRootMismatch
from light_clients.fisco.seals import check_seals
from light_clients.fisco.trees import root_of_line_2, root_of_line_3
from light_clients.fisco.types import (
    FiscoConfiguration,
    FiscoHeader,
    Sealer,
)
from schemas.primitives import BlockHash, Bytes32
from tests.support.gmssl_opinion import gmssl_verifies
from tests.vector_table.item import Item, Verdict, judged, unusable
from tests.vector_table.verdicts import verdict_in

FAMILY = "fisco"
Json = Any
Digest = Callable[[bytes], bytes]


def items(folder: Path) -> Iterator[Item]:
    """Rows for every file: objects are blocks or headers, lists are proofs of inclusion in 2.x blocks."""
    files = {path.relative_to(folder).as_posix(): _read(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    blocks = [content["block"] for content in files.values() if isinstance(content, dict) and "block" in content]
    roots = {block["hash"]: block for block in blocks if _hash_holds(block, 2) == "accepted"}
    for name, content in files.items():
        if isinstance(content, dict) and isinstance(content.get("block", content.get("header")), dict):
            yield from _block(name, content)
        elif isinstance(content, list):
            for number, entry in enumerate(content):
                yield from _proofs(f"{name} {number}", entry, roots)
        elif name.endswith(".md"):
            yield unusable(FAMILY, name, "documentation, no vector")
        else:
            yield unusable(FAMILY, name, "neither a block, a header nor a list of proofs")


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _read(path: Path) -> Json:
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


def _block(name: str, content: Json) -> Iterator[Item]:
    line = 2 if "block" in content else 3
    block = content["block"] if line == 2 else content["header"]
    suite = _suite(block)
    configuration = FiscoConfiguration(line, suite, *(("", "") if line == 2 else ("chain", "group")))
    digest = _their_sm3 if suite == "sm" else keccak
    if "err" in _object(content.get("check")):
        why = f"edited by hand, {_refusal(block, configuration)}; its signatures name sealers outside of its list"
        yield unusable(FAMILY, name, why)
        return
    same = _hash_holds(block, line)
    why = (
        "rlp and eth-hash or gmssl; a layout before 3.0.0 hashes otherwise"
        if line == 3
        else "rlp and eth-hash or gmssl"
    )
    header = {**block, "signatureList": None}
    yield judged(FAMILY, f"{name} hash", same, lambda: bundle_from_json(header, configuration), why)
    if block.get("signatureList"):
        theirs = _holds(lambda: _their_quorum(block, line, suite))
        named = f"{name} signatures over the hash that it says"
        yield judged(FAMILY, named, theirs, lambda: check_seals(_stated(block, line), configuration), "ecdsa or gmssl")
    told = verdict_in(content)
    if told is not None:
        yield judged(
            FAMILY, f"{name} as a whole", told, lambda: _whole(block, configuration, digest), "its own verdict"
        )
    if block.get("transactions"):
        yield _transactions(name, block, line, digest)


def _whole(block: Json, configuration: FiscoConfiguration, digest: Digest) -> None:
    parsed = parse_header(bundle_from_json(block, configuration), configuration)
    if block.get("signatureList"):
        check_seals(parsed, configuration)
    if block.get("transactions"):
        _all_included(_hashes(block), parsed.transactions_root, configuration.line, digest)


def _transactions(name: str, block: Json, line: int, digest: Digest) -> Item:
    root = "transactionsRoot" if line == 2 else "txsRoot"
    return judged(
        FAMILY,
        f"{name} {len(block['transactions'])} transactions, each by its path",
        _holds(lambda: _their_root(_hashes(block), line, digest) == _bytes(block[root])),
        lambda: _all_included(_hashes(block), _read_as(_bytes, block.get(root)), line, digest),
        "the whole tree folded with eth-hash or gmssl",
    )


def _hashes(block: Json) -> list[bytes]:
    entries = block["transactions"] if isinstance(block["transactions"], list) else [None]
    return [_read_as(_bytes, entry.get("hash") if isinstance(entry, dict) else entry) for entry in entries]


def _read_as(read: Callable[[Any], Any], value: Any) -> Any:
    """A field of a vector; what is missing or of another kind is refused as any other JSON."""
    try:
        return read(value)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise HeaderJsonInvalid(f"A field of the vector is unreadable: {error!r}.") from error


def _proofs(name: str, entry: Json, blocks: dict[str, Json]) -> Iterator[Item]:
    proof = entry.get("proof", entry) if isinstance(entry, dict) else {}
    proof = _object(proof)
    about = _object(proof.get("transaction") or proof.get("transactionReceipt") or proof)
    kinds = [kind for kind in ("txProof", "receiptProof") if kind in proof]
    if not kinds or "transactionIndex" not in about:
        yield unusable(FAMILY, name, "no proof of line 2")
        return
    block = blocks.get(about.get("blockHash"))
    for kind in kinds:
        if block is None:
            why = f"no header of block {about.get('blockHash', '')[:10]} is published, so there is no root to compare"
            yield unusable(FAMILY, f"{name} {kind}", f"{why}; {_shape(about, proof[kind], kind)}")
            continue
        root = block["transactionsRoot" if kind == "txProof" else "receiptsRoot"]
        theirs = _holds(lambda: _their_fold(about, proof[kind], kind) == _bytes(root))  # noqa: B023
        yield judged(
            FAMILY,
            f"{name} {kind}",
            theirs,
            lambda: _must_be(root, _our_fold(about, proof[kind], kind)),  # noqa: B023
            "rlp and eth-hash, without the position",
        )


def _our_fold(about: Json, units: Json, kind: str) -> bytes:
    index = _read_as(_number, about["transactionIndex"])
    leaf = (
        _read_as(_bytes, about.get("hash") or about.get("transactionHash"))
        if kind == "txProof"
        else keccak(receipt_from_json(about, FiscoConfiguration(2)))
    )
    return root_of_line_2(keccak, leaf, index, path_2_from_json(units, index))


def _shape(about: Json, units: Json, kind: str) -> str:
    try:
        _our_fold(about, units, kind)
    except LightClientError as error:
        return f"its shape is refused: {error.name}"
    return "its shape fits its position"


def _must_be(root: str, found: bytes) -> None:
    if found != _bytes(root):
        raise InclusionRootMismatch("Another root.", expected=root, found=found)


def _all_included(hashes: list[bytes], root: bytes, line: int, digest: Digest) -> None:
    levels = _levels(_leaves(hashes, line), line, digest)
    width = 16 if line == 2 else 2
    for index, leaf in enumerate(hashes):
        path, place = [], index
        for nodes in levels[:-1]:
            start = place // width * width
            path.append([*nodes[start:place], *nodes[place + 1 : start + width]])
            place //= width
        count = len(hashes)
        found = (
            root_of_line_2(digest, leaf, index, path) if line == 2 else root_of_line_3(digest, leaf, index, count, path)
        )
        if found != root:
            raise InclusionRootMismatch("Another root.", expected=root, found=found)


def _stated(block: Json, line: int) -> FiscoHeader:
    """A header with the hash that it says, whatever its fields hash to: its signatures are over that."""
    return _read_as(lambda told: _state(told, "index" if line == 2 else "sealerIndex"), block)


def _state(block: Json, index: str) -> FiscoHeader:
    keys = [_bytes(key) for key in block["sealerList"]]
    weights = block.get("consensusWeights", [1] * len(keys))
    return FiscoHeader(
        height=1,
        block_hash=BlockHash(_bytes(block["hash"])),
        parent_hash=bytes(32),
        transactions_root=Bytes32(bytes(32)),
        receipts_root=Bytes32(bytes(32)),
        timestamp_ms=0,
        sealers=tuple(Sealer(key, int(weight)) for key, weight in zip(keys, weights, strict=True)),
        seals=tuple((_number(seal[index]), _bytes(seal["signature"])) for seal in block["signatureList"]),
    )


def _refusal(block: Json, configuration: FiscoConfiguration) -> str:
    try:
        parse_header(bundle_from_json(block, configuration), configuration)
    except HeaderHashMismatch as error:
        return error.name
    except LightClientError as error:
        return f"{error.name}: {error.message}"
    return "and its hash holds"


# The second opinions.


def _their_sm3(data: bytes) -> bytes:
    return bytes.fromhex(gmssl_sm3.sm3_hash(list(data)))


def _their_hash(block: Json, line: int, digest: Digest) -> bytes:
    if line == 2:
        names = ("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "dbHash", "logsBloom")
        fields: list[Any] = [_bytes(block[name]) for name in names]
        fields += [_number(block[name]) for name in ("number", "gasLimit", "gasUsed", "timestamp")]
        fields += [[_bytes(item) for item in block["extraData"]], _number(block["sealer"])]
        return digest(rlp.encode([*fields, [_bytes(key) for key in block["sealerList"]]]))
    parents = b"".join(
        parent["blockNumber"].to_bytes(8, "big") + _bytes(parent["blockHash"]) for parent in block["parentInfo"]
    )
    roots = b"".join(_bytes(block[name]) for name in ("txsRoot", "receiptsRoot", "stateRoot"))
    places = block["number"].to_bytes(8, "big") + block["gasUsed"].encode() + block["timestamp"].to_bytes(8, "big")
    sealers = block["sealer"].to_bytes(8, "big") + b"".join(_bytes(key) for key in block["sealerList"])
    weights = b"".join(weight.to_bytes(8, "big") for weight in block["consensusWeights"])
    flat = parents + roots + places + sealers + _bytes(block["extraData"]) + weights
    return digest(block["version"].to_bytes(4, "big") + flat)


def _their_quorum(block: Json, line: int, suite: str) -> bool:
    name = "index" if line == 2 else "sealerIndex"
    keys = [_bytes(key) for key in block["sealerList"]]
    weights = block.get("consensusWeights", [1] * len(keys))
    signers: set[int] = set()
    for seal in block["signatureList"]:
        index, signature = _number(seal[name]), _bytes(seal["signature"])
        if index in signers or not _their_signature(suite, keys[index], _bytes(block["hash"]), signature):
            return False
        signers.add(index)
    total = sum(weights)
    return sum(weights[index] for index in signers) >= total - (total - 1) // 3


def _their_signature(suite: str, key: bytes, block_hash: bytes, signature: bytes) -> bool:
    if suite == "sm":
        named = len(signature) == 64 or signature[64:] == key
        return named and gmssl_verifies(key, block_hash, signature[:64])
    if len(signature) != 65 or signature[64] > 1:
        return False
    candidates = ecdsa.VerifyingKey.from_public_key_recovery_with_digest(
        signature[:64], block_hash, ecdsa.SECP256k1, hashfunc=None
    )
    return any(candidate.to_string() == key for candidate in candidates)


def _leaves(hashes: list[bytes], line: int) -> list[bytes]:
    return [rlp.encode(index) + leaf for index, leaf in enumerate(hashes)] if line == 2 else hashes


def _levels(leaves: list[bytes], line: int, digest: Digest) -> list[list[bytes]]:
    width, levels = 16 if line == 2 else 2, [leaves]
    while len(levels[-1]) > 1:
        nodes = levels[-1]
        levels.append([digest(b"".join(nodes[start : start + width])) for start in range(0, len(nodes), width)])
    return levels


def _their_root(hashes: list[bytes], line: int, digest: Digest) -> bytes:
    top = _levels(_leaves(hashes, line), line, digest)[-1][0]
    return digest(top) if line == 2 else top


def _their_fold(about: Json, units: Json, kind: str) -> bytes:
    """What the SDKs compute: left ‖ own ‖ right, hashed, level by level; the receipt's fields by the `rlp` package."""
    if kind == "txProof":
        leaf = _bytes(about.get("hash") or about["transactionHash"])
    else:
        logs = [
            [_bytes(log["address"]), list(map(_bytes, log["topics"])), _bytes(log["data"])] for log in about["logs"]
        ]
        parts = [_bytes(about["root"]), _number(about["gasUsed"]), _bytes(about["contractAddress"])]
        remaining = [_number(about["remainGas"])] if "remainGas" in about else []
        end = [_bytes(about["logsBloom"]), _number(about["status"]), _bytes(about["output"]), *remaining, logs]
        leaf = keccak(rlp.encode([*parts, *end]))
    node = rlp.encode(_number(about["transactionIndex"])) + leaf
    for unit in units:
        node = keccak(b"".join([*map(_bytes, unit["left"]), node, *map(_bytes, unit["right"])]))
    return node


def _suite(block: Json) -> str:
    """By the size of its signatures; where it has none, by which hash it says."""
    seals = block.get("signatureList")
    if isinstance(seals, list) and seals and isinstance(seals[0], dict):
        size = len(str(seals[0].get("signature", "")).removeprefix("0x")) // 2
        return "sm" if size in (64, 128) else "evm"
    line = 3 if "txsRoot" in block else 2
    return (
        "sm" if _holds(lambda: _their_hash(block, line, _their_sm3).hex() == block["hash"][2:]) == "accepted" else "evm"
    )


def _holds(opinion: Callable[[], bool]) -> Verdict:
    """An opinion as a verdict; what the other library cannot even read is refused."""
    try:
        return "accepted" if opinion() else "refused"
    except Exception:  # noqa: BLE001 a library's own refusal, of whatever class
        return "refused"


def _hash_holds(block: Json, line: int) -> Verdict:
    """Whether a block has the hash that it says, by its suite."""
    if not isinstance(block, dict):
        return "refused"
    digest = _their_sm3 if _suite(block) == "sm" else keccak
    return _holds(lambda: _their_hash(block, line, digest).hex() == block["hash"][2:])


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
