"""What f of 2f + 1 endpoints of an in-process ledger do together, by name: for the hub and for operators alike."""

from adapters.memory.faults import Faults
from adapters.solidity.calldata import encode_send
from tests.support.memory_hub import RECEIVER, label_key

STRANGERS = tuple(label_key(f"stranger {number}") for number in range(4))


def forged_fork(hub, name, *, depth=0, blocks=1):
    """A history of a ledger that its validators never sealed, with a message in it that nobody sent."""
    from adapters.memory.transactions import sign_transaction
    from adapters.protocol import Call
    from light_clients.crypto.secp256k1 import address_of

    fork = hub.ledgers[name].fork(depth, STRANGERS)
    lane_id = next(hub.lane_ids[lane] for lane in hub.lane_ids if lane[0] == name)
    key = label_key("thief")
    data = encode_send(lane_id, RECEIVER, b"116,500 rsETH to the thief", 50_000, 0, 0)
    call = Call(fork.gateway.address, data, 500_000)
    fork.submit(sign_transaction(fork.word, key, fork.nonce(address_of(key)), call, 10_000).raw)
    fork.mine(blocks)
    return fork


SEEN = {
    "cannot be reached": {"unreachable": True},
    "cuts every answer": {"truncated": True},
    "is too slow": {"answer_s": 99.0},
    "is busy": {"busy_s": 60.0},
    "refuses every question": {"refuses": True},
    "invents events": {"events_lie": True},
    "drops events": {"events_dropped": True},
    "tells events in disorder": {"events_reordered": True},
    "shows false heads": {"heads_lie": True},
    "shows old states": {"states_old": True},
    "boasts of blocks that are not there": {"tip_jump": 10**9},
    "boasts of one block": {"tip_jump": 1},
}
"""Faults of reading that are found out, by proof or by what the others say; the endpoint is named."""

COVERED = {
    "tells events twice": {"events_doubled": True},
    "swallows transactions": {"loses_transactions": True},
    "knows no receipt": {"receipts_lie": "unknown"},
}
"""Faults that are made good without anybody being able to say whose they were."""

SENDING = {
    "says that everything succeeded": {"receipts_lie": "success", "loses_transactions": True},
    "says that everything failed": {"receipts_lie": "failure"},
    "says that every call reverts": {"reverts": "SignerStruckOut(signer=0x00)"},
    "says that the account is empty": {"poor": True},
    "asks a thousand times the fee": {"fee_factor": 1000},
    "says that the fee is nothing": {"fee_factor": 0},
    "says that account numbers are far": {"nonce_jump": 10**6},
    "takes no transaction: too cheap": {"refuses_transactions": "underpriced"},
    "takes no transaction: no coins": {"refuses_transactions": "no_funds"},
    "takes no transaction: number too low": {"refuses_transactions": "nonce_too_low"},
    "takes no transaction: unfit": {"refuses_transactions": "too_much_gas"},
}
"""Faults about the hub's own account and transactions: the others are asked too, and most are believed."""


def spoil(faults: Faults, changes):
    """Switch faults on."""
    for name, value in changes.items():
        setattr(faults, name, value)


def heal(faults: Faults):
    """Switch all faults off."""
    spoil(faults, {name: getattr(Faults(), name) for name in Faults.__slots__})
