"""What the example receivers got, from their own logs: each executed message once, and byte for byte what was sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from relay.demo.world import World
from relay.registry.chains import chain_named
from schemas.primitives import bytes_from_hex
from schemas.suites import keccak256

RECEIVED = keccak256(b"MessageReceived(bytes32,bytes32,bytes,bytes)")


@dataclass(slots=True)
class Effects:
    """How often each message reached a receiver, by its id, and how often each payload did."""

    runs: Counter[bytes] = field(default_factory=Counter)
    payloads: Counter[bytes] = field(default_factory=Counter)


def read_effects(world: World) -> Effects:
    """Read the logs of every ledger's example receiver."""
    found = Effects()
    for name, network in world.networks.items():
        mailbox = "0x" + bytes(chain_named(world.store, name).mailbox).hex()
        question = {"address": mailbox, "fromBlock": "0x0", "toBlock": "latest", "topics": ["0x" + RECEIVED.hex()]}
        for log in network.rpc("eth_getLogs", question):
            message_id, payload = read_received(bytes_from_hex(log["data"]))
            found.runs[message_id] += 1
            found.payloads[payload] += 1
    return found


def read_received(data: bytes) -> tuple[bytes, bytes]:
    """Read the data of `MessageReceived`: the message's id and its payload.

    Raises:
        ValueError: it has another form.
    """
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        _lane, message_id, _sender, payload = decode(["bytes32", "bytes32", "bytes", "bytes"], data)
    except DecodingError as error:
        raise ValueError("the receiver's log has another form; look whether its contract was changed") from error
    return bytes(message_id), bytes(payload)
