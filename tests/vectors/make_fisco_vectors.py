"""Synthetic blocks of FISCO BCOS: `python -m tests.vectors.make_fisco_vectors` writes tests/vectors/fisco_synthetic.

No 3.x block signed with SM2 was found in public, so one is made here, in the layout of the published ones; every file says in
its ``source`` that it is synthetic. Keys come from hashes of labels and signatures need no randomness: the files come out the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from light_clients.fisco.evidence import Execution
from light_clients.fisco.executions import read_call, read_receipt
from tests.support.fisco_chain import (
    LANE,
    Block,
    FiscoChain,
    change_sealers,
    deliver,
    sealer_key,
    send,
)
from tests.support.fisco_json import block_json

FOLDER = Path(__file__).parent / "fisco_synthetic"
SOURCE = "synthetic: made by tests/vectors/make_fisco_vectors.py, signed by keys that are hashes of labels"
KINDS = ((2, "evm"), (2, "sm"), (3, "evm"), (3, "sm"))


def make() -> dict[str, Any]:
    """The content of every file by its name."""
    files: dict[str, Any] = {}
    for line, suite in KINDS:
        for block in chain_of(line, suite).blocks[1:]:
            files[f"v{line}_{block.height}_{suite}_synthetic.json"] = _block_file(block)
        files[f"claims_v{line}_{suite}_synthetic.json"] = _claims(line, suite)
    return files


def chain_of(line: int, suite: str) -> FiscoChain:
    """Five messages and a delivery; a call that adds a sealer; a block of the five sealers; one without transactions."""
    chain, new = FiscoChain(line, suite), sealer_key("new", suite)
    chain.mine(*(send(number) for number in range(1, 6)), deliver(3))
    function, weight = ("addSealer(string)", None) if line == 2 else ("addSealer(string,uint256)", 1)
    block = chain.mine(send(6), change_sealers(chain.configuration, function, new.public, weight))
    chain.mine(send(7), steps=[block.execution(1, with_transaction=True)], sealers=[*chain.sealers, new])
    chain.mine()
    return chain


def _block_file(block: Block) -> dict[str, Any]:
    hashes = [_transaction_hash(block, index) for index in range(len(block.sent))]
    content = {**block_json(block), "transactions": hashes}
    signed = f"{len(block.seals())}/{len(block.seals())}"
    check = {"hash": "sm3" if block.configuration.suite == "sm" else "keccak", "sigs": signed, "ntx": len(hashes)}
    return {"source": SOURCE, "block" if block.line == 2 else "header": content, "check": check}


def _transaction_hash(block: Block, index: int) -> str:
    execution = block.execution(index, with_transaction=True)
    own = 128 if block.sent[index].to[-2:] == b"\x10\x03" else 0
    return "0x" + read_call(execution, block.configuration, own_digits=own).hash.hex()


def _claims(line: int, suite: str) -> dict[str, Any]:
    chain = chain_of(line, suite)
    claims = [_claim(chain.blocks[1], index, index + 1, 0) for index in range(5)]
    claims += [_claim(chain.blocks[1], 5, 3, 1), _claim(chain.blocks[2], 0, 6, 0), _claim(chain.blocks[3], 0, 7, 0)]
    names = {"chain_id": chain.configuration.chain_id, "group_id": chain.configuration.group_id}
    bundles = ["0x" + block.bundle().hex() for block in chain.blocks]
    return {
        "source": SOURCE,
        "configuration": {"line": line, "suite": suite, **names},
        "headers": bundles,
        "claims": claims,
    }


def _claim(block: Block, index: int, nonce: int, direction: int) -> dict[str, Any]:
    claim, evidence = block.claim(nonce, direction), block.evidence(index)
    return {
        "lane_id": "0x" + LANE.hex(),
        "direction": direction,
        "nonce": nonce,
        "head": "0x" + claim.head.hex(),
        "height": block.height,
        "block_hash": "0x" + block.hash.hex(),
        "receipt_hash": "0x" + _receipt_hash(block, evidence.execution),
        "evidence": "0x" + evidence.to_bytes().hex(),
    }


def _receipt_hash(block: Block, execution: Execution) -> str:
    return read_receipt(execution, block.configuration).hash.hex()


def write() -> None:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in make().items():
        (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    write()
