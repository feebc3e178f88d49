"""What a transaction offers per gas, from what the node says: base fee, priority fee, gas price; any of them may be zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.ethereum.answers import quantity, record
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
        fee: the most to offer per gas, base units; not above the ceiling.
        least_fee: what the next block takes at least, if its base fee is the newest one's.
        priority_fee: the part of `fee` for the block's producer.
        block_gas: the newest block's gas limit.
    """

    has_base_fee: bool
    fee: int
    least_fee: int
    priority_fee: int
    block_gas: int

    def priority_share(self, fee: int) -> int:
        """Scale the priority fee with another fee, rounded up, so that a raised fee raises both (replacements need that).

        Where producers are offered nothing, what is above the asked fee goes to them: pools replace for a higher one only.
        """
        if self.priority_fee == 0:
            return max(0, fee - self.fee)
        return -(-fee * self.priority_fee // self.fee)


def read_fees(price: Any, priority: Any, block: Any, *, legacy: bool, floor: int, ceiling: int = 0) -> Fees:
    """Read the answers to `FEE_CALLS`.

    Args:
        price: answer to eth_gasPrice.
        priority: answer to eth_maxPriorityFeePerGas, which not every node has.
        block: the newest block.
        legacy: never offer a base fee.
        floor: the least fee per gas that is offered, base units.
        ceiling: the most, 0 = no limit.

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
        asked, least, tip, has_base_fee = gas_price, gas_price, 0, False
    else:
        base = quantity(fields["baseFeePerGas"], "baseFeePerGas")
        tip = max(gas_price - base, 0) if isinstance(priority, RpcError) else quantity(priority, "priority fee")
        asked, least, has_base_fee = 2 * base + tip, base + tip, True
    fee = max(asked, floor)
    return Fees(
        has_base_fee=has_base_fee,
        fee=min(fee, ceiling) if ceiling else fee,
        least_fee=least,
        priority_fee=tip,
        block_gas=block_gas,
    )
