"""Blocks, transactions, receipts and proofs as nodes of each line write them in JSON.

Sources: FISCO-BCOS 2.9.1 `librpc/Rpc.cpp` and the JSON-RPC API document; 3.16 `bcos-rpc/jsonrpc/JsonRpcImpl_2_0.cpp` (toJsonResp).
"""

from __future__ import annotations

from typing import Any

from adapters.fisco.simulator.formats import (
    REMAINING_GAS,
    SealedBlock,
    leaves,
    levels,
    receipt_hash,
    state_root,
)
from adapters.fisco.transactions import Network
from light_clients import rlp

Json = dict[str, Any]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _number(item: Any) -> int:
    return int.from_bytes(item, "big")


def header_json(network: Network, block: SealedBlock, *, signatures: bool = True) -> Json:
    """A header as a node writes it."""
    if network.line == 2:
        return _header_2(block, signatures=signatures)
    return _header_3(block)


def block_json(network: Network, block: SealedBlock, *, whole: bool) -> Json:
    """A block with the hashes of its transactions, or with the transactions."""
    transactions = [
        transaction_json(network, block, index) if whole else _hex(item.parsed.hash)
        for index, item in enumerate(block.executed)
    ]
    header = header_json(network, block)
    if network.line == 2:
        header["number"] = hex(block.height)
    return {**header, "transactions": transactions}


def transaction_json(network: Network, block: SealedBlock, index: int) -> Json:
    """A transaction as a node writes it."""
    item = block.executed[index]
    parsed = item.parsed
    if network.line == 2:
        signature = parsed.signature
        return {
            "blockHash": _hex(block.hash),
            "blockLimit": hex(parsed.block_limit),
            "blockNumber": hex(block.height),
            "chainId": hex(int(parsed.chain)),
            "extraData": "0x",
            "from": _hex(item.sender),
            "gas": hex(parsed.gas),
            "gasPrice": hex(_number(rlp.decode_list(item.raw)[1])),
            "groupId": hex(int(parsed.group)),
            "hash": _hex(parsed.hash),
            "input": _hex(parsed.data),
            "nonce": hex(_number(parsed.nonce)),
            "signature": {
                "r": _hex(signature[:32]),
                "s": _hex(signature[32:64]),
                "signature": _hex(signature),
                "v": hex(signature[64]) if len(signature) == 65 else _hex(signature[64:]),
            },
            "to": _hex(parsed.to or bytes(20)),
            "transactionIndex": hex(index),
            "value": "0x0",
        }
    return {
        "version": 0,
        "hash": _hex(parsed.hash),
        "nonce": parsed.nonce.hex(),
        "blockLimit": parsed.block_limit,
        "to": parsed.fields[6],
        "input": _hex(parsed.data),
        "from": _hex(item.sender),
        "importTime": block.timestamp_ms,
        "chainID": parsed.chain,
        "groupID": parsed.group,
        "abi": parsed.fields.get(8, ""),
        "signature": _hex(parsed.signature),
        "extraData": "",
    }


def receipt_json(network: Network, block: SealedBlock, index: int) -> Json:
    """A receipt as a node writes it, without proofs."""
    item = block.executed[index]
    if network.line == 2:
        logs = [
            {"address": _hex(log.address), "topics": [_hex(topic) for topic in log.topics], "data": _hex(log.data)}
            for log in item.logs
        ]
        return {
            "transactionHash": _hex(item.parsed.hash),
            "transactionIndex": hex(index),
            "root": _hex(state_root(network, block.height)),
            "blockNumber": hex(block.height),
            "blockHash": _hex(block.hash),
            "from": _hex(item.sender),
            "to": _hex(item.parsed.to or bytes(20)),
            "gasUsed": hex(item.gas_used),
            "remainGas": hex(REMAINING_GAS),
            "contractAddress": _hex(item.created or bytes(20)),
            "logs": logs,
            "logsBloom": _hex(bytes(256)),
            "status": hex(item.status),
            "statusMsg": "None" if item.status == 0 else "the transaction failed",
            "input": _hex(item.parsed.data),
            "output": _hex(item.output),
        }
    entries = [
        {"address": log.address.hex(), "topics": [_hex(topic) for topic in log.topics], "data": _hex(log.data)}
        for log in item.logs
    ]
    contract = _hex(item.created) if item.created else ""
    return {
        "version": 0,
        "contractAddress": contract,
        "checksumContractAddress": contract,
        "gasUsed": str(item.gas_used),
        "status": item.status,
        "blockNumber": block.height,
        "output": _hex(item.output),
        "message": "" if item.status == 0 else "the transaction failed",
        "transactionHash": _hex(item.parsed.hash),
        "hash": _hex(receipt_hash(network, block.height, item)),
        "logEntries": entries,
        "input": _hex(item.parsed.data),
        "from": _hex(item.sender),
        "to": item.parsed.fields[6],
        "extraData": "",
    }


def proof_json(network: Network, block: SealedBlock, index: int, *, receipts: bool) -> list[Any]:
    """The path of a transaction, or of its receipt, as a node writes it."""
    hashes = [receipt_hash(network, block.height, item) if receipts else item.parsed.hash for item in block.executed]
    width, answer = (16 if network.line == 2 else 2), list[Any]()
    found = levels(network, hashes)
    for nodes in found[:-1]:
        start = index // width * width
        group = [node.hex() for node in nodes[start : start + width]]
        if network.line == 2:
            answer.append({"left": group[: index - start], "right": group[index - start + 1 :]})
        else:
            answer += [len(group).to_bytes(4, "big").hex(), *group]
        index //= width
    if network.line == 2:
        return [*answer, {"left": [], "right": []}]
    return answer or [leaves(network, hashes)[0].hex()]


def _header_2(block: SealedBlock, *, signatures: bool) -> Json:
    names = ("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "dbHash", "logsBloom")
    header: list[Any] = block.header or [*[bytes(32)] * 5, bytes(256), b"", b"", b"", b"", [], b"", []]
    answer: Json = {name: _hex(item) for name, item in zip(names, header, strict=False)}
    answer |= {
        "number": block.height,
        "gasLimit": hex(_number(header[7])),
        "gasUsed": hex(_number(header[8])),
        "timestamp": hex(block.timestamp_ms),
        "extraData": [],
        "sealer": hex(_number(header[11])),
        "sealerList": [key.hex() for key in header[12]],
        "hash": _hex(block.hash),
    }
    if signatures:
        answer["signatureList"] = [{"index": hex(index), "signature": _hex(seal)} for index, seal in block.seals]
    return answer


def _header_3(block: SealedBlock) -> Json:
    header: list[Any] = block.header or [b"", [], *[bytes(32)] * 3, b"", b"0", b"", b"", [], b"", []]
    return {
        "version": _number(header[0]),
        "parentInfo": [{"blockNumber": _number(number), "blockHash": _hex(parent)} for number, parent in header[1]],
        "txsRoot": _hex(header[2]),
        "receiptsRoot": _hex(header[3]),
        "stateRoot": _hex(header[4]),
        "number": block.height,
        "gasUsed": header[6].decode(),
        "timestamp": block.timestamp_ms,
        "sealer": _number(header[8]),
        "sealerList": [_hex(key) for key in header[9]],
        "extraData": _hex(header[10]),
        "consensusWeights": [_number(weight) for weight in header[11]],
        "hash": _hex(block.hash),
        "signatureList": [{"sealerIndex": index, "signature": _hex(seal)} for index, seal in block.seals],
    }
