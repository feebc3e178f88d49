"""Evidence of a note of an evidence log: the account's last call of the gateway's `anchorLog` in a block, with its receipt."""

from __future__ import annotations

from adapters.fisco.answers import data
from adapters.fisco.executions import whole_execution_of
from adapters.fisco.headers import header_of, signed_bundle
from adapters.fisco.node import Node, whole_transactions
from adapters.fisco.receipts import read_logs
from adapters.protocol import Rejected
from light_clients.fisco.evidence import FiscoEvidence
from light_clients.fisco.log_notes import noted_by
from light_clients.fisco.types import FiscoConfiguration
from schemas.primitives import hex0x


def fetch_log_note(node: Node, configuration: FiscoConfiguration, gateway: bytes, account: bytes, height: int) -> bytes:
    """The evidence of the last note of an account in the block at a height.

    Args:
        node: who is asked.
        configuration: the line and the suite.
        gateway: that keeps notes, 20 bytes.
        account: that notes, 20 bytes.
        height: of the block.

    Returns:
        `FiscoEvidence`, whose header has its signatures.

    Raises:
        Rejected: the account noted nothing there, or nothing that the node can prove; the node does not have the block (`no_state`).
        AdapterError: the node does not answer, or not in its form.
    """
    block = node.block(height, whole_transactions=True)
    transactions = whole_transactions(block)
    hashes = [data(item.get("hash"), "hash of a transaction", 32) for item in transactions]
    event = (gateway, noted_by(account))
    for index, receipt in reversed(list(enumerate(node.receipts(hashes)))):
        if any((log.address, log.topics) == event for log in read_logs(receipt, node.line)):
            execution = whole_execution_of(node, configuration, block, transactions, index)
            if execution is not None:
                return FiscoEvidence(signed_bundle(header_of(node, block), configuration), execution).to_bytes()
    raise Rejected(
        f"{node.rpc.label} shows no note of {hex0x(account)} in block {height}; ask for the block of another note.",
        endpoint=node.rpc.label,
    )
