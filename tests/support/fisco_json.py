"""A synthetic ledger of FISCO BCOS as a node of its line answers by JSON-RPC: blocks, receipts, proofs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from light_clients import rlp
from tests.support.fisco_chain import Block, leaves_of, levels_of


def _hex(data: Any) -> str:
    return "0x" + data.hex()


def _whole(item: Any) -> int:
    return int.from_bytes(item, "big")


def block_json(block: Block, signers: Iterable[int] | None = None) -> dict[str, Any]:
    """A block's header as a node of its line answers it, with its signatures."""
    header: Any = block.header
    if block.line == 2:
        names = ("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "dbHash", "logsBloom")
        numbers = ("number", "gasLimit", "gasUsed", "timestamp")
        answer = {name: _hex(item) for name, item in zip(names, header, strict=False)}
        answer |= {name: hex(_whole(item)) for name, item in zip(numbers, header[6:10], strict=True)}
        seals = [{"index": hex(index), "signature": _hex(seal)} for index, seal in block.seals(signers)]
        places = {"extraData": [_hex(item) for item in header[10]], "sealer": hex(_whole(header[11]))}
        keys = {"sealerList": [key.hex() for key in header[12]]}
        return {**answer, **places, **keys, "hash": _hex(block.hash), "signatureList": seals}
    parents = [{"blockNumber": _whole(number), "blockHash": _hex(parent)} for number, parent in header[1]]
    return {
        "version": _whole(header[0]),
        "parentInfo": parents,
        "txsRoot": _hex(header[2]),
        "receiptsRoot": _hex(header[3]),
        "stateRoot": _hex(header[4]),
        "number": _whole(header[5]),
        "gasUsed": header[6].decode(),
        "timestamp": _whole(header[7]),
        "sealer": _whole(header[8]),
        "sealerList": [_hex(key) for key in header[9]],
        "extraData": _hex(header[10]),
        "consensusWeights": [_whole(weight) for weight in header[11]],
        "hash": _hex(block.hash),
        "signatureList": [{"sealerIndex": index, "signature": _hex(seal)} for index, seal in block.seals(signers)],
    }


def receipt_json(block: Block, index: int) -> dict[str, Any]:
    """A receipt and its proof as a node of its line answers them."""
    items: Any = rlp.decode_list(block.execution(index).receipt)
    proof = proof_json(block, index, receipts=True)
    if block.line == 2:
        logs = [
            {"address": _hex(address), "topics": list(map(_hex, topics)), "data": _hex(data)}
            for address, topics, data in items[-1]
        ]
        names = ("root", "gasUsed", "contractAddress", "logsBloom", "status", "output", "remainGas")
        values = {
            name: hex(_whole(item)) if name in ("gasUsed", "status", "remainGas") else _hex(item)
            for name, item in zip(names, items[:-1], strict=False)
        }
        return {**values, "logs": logs, "transactionIndex": hex(index), "receiptProof": proof}
    version, gas, created, status, output, price, entries, number = items
    return {
        "version": _whole(version),
        "gasUsed": gas.decode(),
        "contractAddress": created.decode(),
        "status": _whole(status),
        "output": _hex(output),
        **({"effectiveGasPrice": price.decode()} if version else {}),
        "logEntries": [
            {"address": address.decode(), "topics": list(map(_hex, topics)), "data": _hex(data)}
            for address, topics, data in entries
        ],
        "blockNumber": _whole(number),
        "receiptProof": proof,
    }


def proof_json(block: Block, index: int, *, receipts: bool) -> list[Any]:
    """A path as a node of its line answers it."""
    leaves = leaves_of(block.configuration, block.height, block.sent)[receipts]
    levels, width, answer = levels_of(block.configuration, leaves), 16 if block.line == 2 else 2, []
    for nodes in levels[:-1]:
        start = index // width * width
        group = [node.hex() for node in nodes[start : start + width]]
        if block.line == 2:
            answer.append({"left": group[: index - start], "right": group[index - start + 1 :]})
        else:
            answer += [len(group).to_bytes(4, "big").hex(), *group]
        index //= width
    if block.line == 2:
        return [*answer, {"left": [], "right": []}]
    return answer or [levels[0][0].hex()]
