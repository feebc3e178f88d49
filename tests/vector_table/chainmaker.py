"""ChainMaker: blocks of live chains in both suites, their certificates, and blocks of the explorer's public test data.

The vectors give no verdicts; what is expected comes from `tests.support.chainmaker_opinion`: Google's protobuf writes every
message again, `cryptography` and gmssl check every signature, and the tree is computed with its padding.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from light_clients.chainmaker import ChainMakerConfiguration, bootstrap, verify_header
from light_clients.chainmaker.chain_config import next_membership, read_membership, transactions_of
from light_clients.chainmaker.codec import read_block
from light_clients.chainmaker.evidence import check_body
from light_clients.chainmaker.members import check_signature
from light_clients.chainmaker.merkle import HASHES
from light_clients.chainmaker.types import Membership
from light_clients.chainmaker.verify import check_decided
from light_clients.crypto.certificates import read_certificate, verify_chain, verify_message
from light_clients.errors import HeaderFieldInvalid, HeaderHashMismatch, LightClientError
from light_clients.protobuf import Message
from schemas.primitives import BlockHash
from tests.support import chainmaker_opinion as opinion
from tests.support.chainmaker_messages import block_info_of_json, message
from tests.vector_table.item import Item, Verdict, judged, unusable
from tests.vector_table.verdicts import verdict_in

FAMILY = "chainmaker"
QUORUM_KEY = "TBFTAddtionalDataKey"
_LONG = 2**31


def items(folder: Path) -> Iterator[Item]:
    """Judge every file below a folder of this layout."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield unusable(FAMILY, path.name, "text for people")
        elif (path / "chain_config.pb").exists():
            yield from _chain(folder, path)
        else:
            for file in sorted(path.rglob("*")):
                if file.suffix == ".json":
                    yield from _public(file, file.relative_to(folder).as_posix())
                elif file.is_file():
                    yield unusable(FAMILY, file.relative_to(folder).as_posix(), "no block of JSON")


def _row(name: str, second: bool, judge: Callable[[], object], why: str) -> Item:
    """A row whose verdict is the second opinion's."""
    expected: Verdict = "accepted" if second else "refused"
    return judged(FAMILY, name, expected, judge, why)


def _chain(folder: Path, chain: Path) -> Iterator[Item]:
    config_data = (chain / "chain_config.pb").read_bytes()
    config = message("ChainConfig", config_data)
    blocks = {path: json.loads(path.read_text()) for path in sorted((chain / "blocks").glob("*.json"))}
    configs = {-1: config_data}
    for told in blocks.values():
        block = _intact(told, config.crypto.hash)
        if block is not None and block.header.block_type & 1 and not block.txs[0].result.code:
            configs[block.header.block_height] = block.txs[0].result.contract_result.result
    for path in sorted(chain.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path in blocks:
            height = int(blocks[path]["height"])
            deciding = configs[max(known for known in configs if known < max(height, 0))]
            yield from _block(name, blocks[path], deciding, blocks)
        elif path.name == "chain_config.pb":
            nodes = [(node.org_id, one) for node in config.consensus.nodes for one in node.node_id]
            yield _row(name, True, partial(_same_nodes, config_data, nodes), "nodes as Google's protobuf reads them")
        elif path.name == "chain_config.json":
            shown = json.loads(path.read_text())["consensus"]["nodes"]
            told_nodes = [(node["org_id"], one) for node in shown for one in node["node_id"]]
            yield _row(name, True, partial(_same_nodes, config_data, told_nodes), "nodes as in chain_config.pb")
        elif path.suffix == ".crt":
            yield _certificate(name, path, chain)
        elif path.suffix == ".nodeid":
            yield _node_id(name, path)
        elif path.is_file():
            yield unusable(FAMILY, name, "not of this layout")


def _intact(told: dict[str, Any], hash_name: str) -> Any | None:
    """The block, where its hash and its transactions are what its header and the file say."""
    try:
        block = message("Block", base64.b64decode(told["block_pb_b64"]))
    except DecodeError:
        return None
    hashes = {opinion.block_hash(hash_name, block.header), block.header.block_hash, bytes.fromhex(told["block_hash"])}
    is_whole = len(hashes) == 1 and opinion.transaction_root(hash_name, block) == block.header.tx_root
    return block if is_whole else None


def _same_nodes(config: bytes, nodes: list[tuple[str, str]]) -> None:
    found = [(node.organisation, node.node_id) for node in read_membership(config, 1).nodes]
    if found != nodes:
        raise HeaderFieldInvalid("The nodes are others.")


def _certificate(name: str, path: Path, chain: Path) -> Item:
    data = path.read_bytes()
    home = chain / "certs" / path.relative_to(chain / "certs").parts[0]
    root = (home / "ca" / "ca.crt").read_bytes()
    second = opinion.issued_by(opinion.read_certificate(data), opinion.read_certificate(root))
    if data == root:
        judge: Callable[[], object] = partial(_self_signed, data)
    else:
        judge = partial(_check_chain, data, root)
    return _row(name, second, judge, "issuer by cryptography, its signature by cryptography or gmssl")


def _check_chain(data: bytes, root: bytes) -> None:
    verify_chain(read_certificate(data), [read_certificate(root)], [], None)


def _self_signed(data: bytes) -> None:
    root = read_certificate(data)
    if not root.is_authority or root.subject != root.issuer:
        raise HeaderFieldInvalid("The root is no authority.")
    signature = opinion.read_certificate(data).signature
    if not verify_message(root, root.tbs, signature):
        raise HeaderHashMismatch("The root did not sign itself.")


def _node_id(name: str, path: Path) -> Item:
    """A node's name is the hash of its TLS key: SHA-256 over protobuf {1 kind of key, 2 SPKI}, in base58."""
    certificate = opinion.read_certificate((path.parent / f"{path.stem}.tls.crt").read_bytes())
    tbs = certificate.tbs_certificate_bytes
    kind = 4 if bytes.fromhex("06082a811ccf5501822d") in tbs else 3
    at = tbs.find(bytes.fromhex("06072a8648ce3d0201"))
    spki = tbs[at - 4 : at + 87]
    inner = bytes((8, kind, 18, len(spki))) + spki
    value = int.from_bytes(b"\x12\x20" + hashlib.sha256(inner).digest(), "big")
    text = ""
    while value:
        value, digit = divmod(value, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    if text == path.read_text().strip():
        return Item(FAMILY, name, "accepted", "accepted", "SHA-256 of the TLS key in base58")
    return unusable(FAMILY, name, "not the hash of the TLS key beside it; no verifier relies on it")


def _block(name: str, told: dict[str, Any], config_data: bytes, blocks: dict[Path, dict[str, Any]]) -> Iterator[Item]:
    info_data = base64.b64decode(told["block_info_pb_b64"])
    data = base64.b64decode(told["block_pb_b64"])
    config = message("ChainConfig", config_data)
    verdict = verdict_in(told)
    if verdict:
        whole = partial(_check_whole, told, config_data, config.crypto.hash)
        yield judged(FAMILY, f"{name} as a whole", verdict, whole, "its own verdict")
    try:
        info, alone = message("BlockInfo", info_data), message("Block", data)
        opinion.read_certificate(alone.header.proposer.member_info or config.trust_roots[0].root[0].encode())
    except (DecodeError, ValueError):
        whole = partial(_check_whole, told, config_data, config.crypto.hash)
        yield _row(f"{name} as a whole", False, whole, "unreadable to Google's protobuf or cryptography")
        return
    said = bytes.fromhex(told["block_hash"])
    yield from _contents(name, info, config.crypto.hash, said)
    is_hashed = opinion.block_hash(config.crypto.hash, alone.header) == alone.header.block_hash
    same = is_hashed and alone.header.block_hash == said
    yield _row(f"{name} block alone", same, partial(_check_hash, data, config.crypto.hash, said), "Google's protobuf")
    header = alone.header
    if header.block_height == 0:
        for part in ("proposer", "quorum"):
            yield unusable(FAMILY, f"{name} {part}", "the first block has none; its hash is pinned")
        yield _row(
            f"{name} configuration",
            _intact(told, config.crypto.hash) is not None and alone.txs[0].result.contract_result.result == config_data,
            lambda: bootstrap(data, BlockHash(said), ChainMakerConfiguration()),
            "the result is chain_config.pb",
        )
        return
    membership = read_membership(config_data, header.block_height)
    signed = opinion.is_signed_by_member(config, header.proposer, header.block_hash, header.signature)
    yield _row(f"{name} proposer", signed, partial(_check_proposer, membership, data), "cryptography or gmssl")
    stored = [entry.value for entry in alone.additional_data.extra_data if entry.key == QUORUM_KEY]
    beside = base64.b64decode(told["tbft_qc_b64"])
    enough = False
    for place, quorum in enumerate(dict.fromkeys((*stored, beside))):
        other_block = message("Block", data)
        other_block.ClearField("additional_data")
        other_block.additional_data.extra_data.add(key=QUORUM_KEY, value=quorum)
        votes = opinion.counted_votes(config, header, quorum)
        found = signed and is_hashed and len(votes) >= len(membership.nodes) * 2 // 3 + 1
        enough = enough or (found and quorum in stored)
        yield _row(
            f"{name} quorum" if not place else f"{name} quorum beside the block",
            found,
            partial(_check_decided, membership, other_block.SerializeToString()),
            f"{len(votes)} of {len(membership.nodes)} by cryptography or gmssl",
        )
    if header.block_type & 1:
        shown = message("ChainConfig", alone.txs[0].result.contract_result.result)
        root = opinion.transaction_root(config.crypto.hash, alone) == header.tx_root
        follows = root and not alone.txs[0].result.code and shown.sequence == config.sequence + 1
        yield _row(
            f"{name} configuration",
            follows,
            lambda: next_membership(read_block(data), membership),
            f"sequence {shown.sequence} after {config.sequence} by Google's protobuf",
        )
    for other in blocks.values():
        told_parent = (other["height"], other["block_hash"])
        if told_parent == (header.block_height - 1, header.pre_block_hash.hex()) and _intact(other, config.crypto.hash):
            yield _row(f"{name} follows", enough, partial(_follow, other, config_data, data), "parent link and quorum")


def _check_decided(membership: Membership, data: bytes) -> None:
    check_decided(membership, ChainMakerConfiguration(), read_block(data))


def _check_whole(told: dict[str, Any], config: bytes, hash_name: str) -> None:
    data = base64.b64decode(told["block_pb_b64"])
    check_body(base64.b64decode(told["block_info_pb_b64"]), hash_name)
    _check_hash(data, hash_name, bytes.fromhex(told["block_hash"]))
    block = read_block(data)
    membership = read_membership(config, block.header.height)
    if block.header.height:
        _check_decided(membership, data)
        if block.header.is_configuration:
            next_membership(block, membership)


def _follow(parent: dict[str, Any], config: bytes, data: bytes) -> None:
    configuration = ChainMakerConfiguration(chain_config=config, trusting_period_s=_LONG)
    state = bootstrap(
        base64.b64decode(parent["block_pb_b64"]), BlockHash(bytes.fromhex(parent["block_hash"])), configuration
    )
    verify_header(state, data, read_block(data).header.timestamp)


def _check_proposer(membership: Membership, data: bytes) -> None:
    header = read_block(data).header
    proposer = header.proposer
    if proposer is None:
        raise HeaderFieldInvalid("There is no proposer.")
    nodes = membership.nodes_of(proposer.organisation)
    check_signature(
        membership, ChainMakerConfiguration(), proposer, nodes, header.timestamp, header.block_hash, header.signature
    )


def _contents(name: str, info: Any, hash_name: str, said_hash: bytes) -> Iterator[Item]:
    """Rows for everything that the header says of its block."""
    block, header, info_data = info.block, info.block.header, info.SerializeToString()
    data = block.SerializeToString()
    second = opinion.block_hash(hash_name, header) == header.block_hash == said_hash
    yield _row(f"{name} block hash", second, partial(_check_hash, data, hash_name, said_hash), "Google's protobuf")
    found = [opinion.digest(hash_name, item.SerializeToString()) for item in info.rwset_list]
    said = [transaction.result.rw_set_hash for transaction in block.txs]
    is_root = opinion.transaction_root(hash_name, block) == header.tx_root and header.tx_count == len(block.txs)
    yield _row(f"{name} tx_root", is_root, lambda: transactions_of(read_block(data), hash_name), "padded tree")
    for index, (one, hashed) in enumerate(zip(said, found, strict=False)):
        set_data = info.rwset_list[index].SerializeToString()
        yield _row(
            f"{name} rw_set {index}",
            one == hashed,
            partial(_same, HASHES[hash_name](set_data), one),
            "hashlib",
        )
    dag = opinion.digest(hash_name, block.dag.SerializeToString()) == header.dag_hash
    root = opinion.padded_root(hash_name, found) == header.rw_set_root and found == said and is_root
    yield _row(
        f"{name} dag_hash", dag, partial(_same, _hash_of_dag(data, hash_name), header.dag_hash), "Google's protobuf"
    )
    yield _row(f"{name} rw_set_root", root and dag, lambda: check_body(info_data, hash_name), "padded tree")


def _hash_of_dag(data: bytes, hash_name: str) -> bytes:
    return HASHES[hash_name](Message.read(data).octets(2))


def _same(found: bytes, said: bytes) -> None:
    if found != said:
        raise HeaderHashMismatch("The hash is another one.", expected=said, found=found)


def _check_hash(data: bytes, hash_name: str, said: bytes) -> None:
    header = read_block(data).header
    _same(HASHES[hash_name](header.hashed), said)
    _same(header.block_hash, said)


def _public(path: Path, name: str) -> Iterator[Item]:
    """A block of which no chain configuration is known: everything but who its nodes are."""
    info = block_info_of_json(json.loads(path.read_text()))
    header = info.block.header
    yield from _contents(name, info, "SHA256", header.block_hash)
    certificate = opinion.read_certificate(header.proposer.member_info)
    signed = opinion.signed_by(certificate, header.block_hash, header.signature)
    told = (header.proposer.member_info, header.block_hash, header.signature)
    yield _row(f"{name} proposer's signature", signed, partial(_check_message, *told), "cryptography")
    for extra in info.block.additional_data.extra_data:
        for entry in message("VoteSet", extra.value).votes:
            vote = message("Vote", entry.value.SerializeToString())
            vote.ClearField("endorsement")
            signer, signature = entry.value.endorsement.signer, entry.value.endorsement.signature
            told = (signer.member_info, vote.SerializeToString(), signature)
            signed = opinion.signed_by(opinion.read_certificate(told[0]), told[1], told[2])
            yield _row(f"{name} vote of {signer.org_id}", signed, partial(_check_message, *told), "cryptography")
    yield unusable(FAMILY, f"{name} quorum", "no chain configuration came with it: its nodes and roots are not known")


def _check_message(certificate: bytes, data: bytes, signature: bytes) -> None:
    try:
        found = verify_message(read_certificate(certificate), data, signature)
    except LightClientError as error:
        raise HeaderFieldInvalid("The certificate cannot be read.") from error
    if not found:
        raise HeaderHashMismatch("The signature does not hold.")
