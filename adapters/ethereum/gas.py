"""The gas limit of a delivery, a settlement or an anchoring: enough for the worst case, because what is not used is given back.

Every number is an upper bound measured on the gateway under Istanbul and Prague rules with room to spare; the
calldata follows EIP-2028 (16 a byte) and EIP-7623 (a floor of 40 a byte for transactions that are mostly data).
"""

from __future__ import annotations

from adapters.protocol import Action, Anchoring, Delivery

TRANSACTION_GAS = 21_000
BYTE_GAS = 16
FLOOR_BYTE_GAS = 40
CLAIM_GAS = 400_000
"""Windows, heads, lock, events, and a committee of up to some dozens of signatures."""
PROOF_BYTE_GAS = 300
"""A light client on the ledger hashes and reads its proof: headers, seals and trie nodes."""
ENTRY_GAS = 40_000
"""Hashing, event, allow-list and window of one message, its call's own cost, and the copy of a result."""
ENTRY_BYTE_GAS = 24
"""Copying and hashing the payload, besides its calldata."""
CALL_RESERVE_GAS = 10_000
"""What the gateway keeps back before it calls a receiver or a sender."""
SUFFIX_GAS = 1_300


def action_gas(action: Action, calldata_bytes: int, cap: int) -> int:
    """Return the gas limit of a transaction that carries the action.

    Args:
        action: what the gateway is asked to do.
        calldata_bytes: bytes of the whole calldata.
        cap: the most that one transaction may have on this ledger.
    """
    later = action.ids if isinstance(action, Anchoring) else action.suffix_ids
    if isinstance(action, Anchoring):
        entries = 0
    elif isinstance(action, Delivery):
        entries = sum(_entry_gas(message.gas_limit, len(message.payload)) for message in action.messages)
    else:
        entries = sum(_entry_gas(entry.message.callback_gas, len(entry.result)) for entry in action.settled)
    execution = CLAIM_GAS + PROOF_BYTE_GAS * len(action.proof) + entries + SUFFIX_GAS * len(later)
    total = TRANSACTION_GAS + max(BYTE_GAS * calldata_bytes + execution, FLOOR_BYTE_GAS * calldata_bytes)
    return min(total, cap)


def _entry_gas(called_with: int, size: int) -> int:
    """A call with that gas needs a 63rd more around it (EIP-150), and the reserve."""
    return ENTRY_GAS + ENTRY_BYTE_GAS * size + called_with * 64 // 63 + 1 + CALL_RESERVE_GAS
