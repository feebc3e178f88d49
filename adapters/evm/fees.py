"""What a transaction offers per gas, from what the node says: base fee, priority fee, gas price; any of them may be zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.evm.answers import quantity, record
from adapters.jsonrpc import RpcCall, RpcError

FEE_CALLS: tuple[RpcCall, ...] = (
    ("eth_gasPrice", []),
    ("eth_maxPriorityFeePerGas", []),
    ("eth_getBlockByNumber", ["latest", False]),
)


@dataclass(frozen=True, slots=True)
class Fees:
    """What the ledger asks now.

    Attributes:
        has_base_fee: whether transactions offer a base fee and a priority fee (EIP-1559).
        fee: the most to offer per gas, base units.
        priority_fee: the part of `fee` for the block's producer.
        block_gas: the newest block's gas limit.
    """

    has_base_fee: bool
    fee: int
    priority_fee: int
    block_gas: int

    def priority_share(self, fee: int) -> int:
        """Scale the priority fee with another fee, rounded up, so that a raised fee raises both (replacements need that)."""
        return -(-fee * self.priority_fee // self.fee) if self.fee else fee


def read_fees(price: Any, priority: Any, block: Any, *, legacy: bool, floor: int) -> Fees:
    """Read the answers to `FEE_CALLS`.

    Args:
        price: answer to eth_gasPrice.
        priority: answer to eth_maxPriorityFeePerGas, which not every node has.
        block: the newest block.
        legacy: never offer a base fee.
        floor: the least fee per gas that is offered, base units.

    Raises:
        BadAnswer: an answer is not of its form.
        RpcError: the node has no gas price.
    """
    fields = record(block, "the newest block")
    block_gas = quantity(fields.get("gasLimit"), "gasLimit")
    if isinstance(price, RpcError):
        raise price
    gas_price = quantity(price, "gas price")
    if legacy or fields.get("baseFeePerGas") is None:
        return Fees(has_base_fee=False, fee=max(gas_price, floor), priority_fee=0, block_gas=block_gas)
    base = quantity(fields["baseFeePerGas"], "baseFeePerGas")
    tip = max(gas_price - base, 0) if isinstance(priority, RpcError) else quantity(priority, "priority fee")
    return Fees(has_base_fee=True, fee=max(2 * base + tip, floor), priority_fee=tip, block_gas=block_gas)
