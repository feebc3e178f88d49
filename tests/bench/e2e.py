"""The whole hub under load: messages a second, latency, CPU a message, memory. Figures, never verdicts.

Two development networks with 1 s blocks, the embedded stack, three operators of three organisations (2 of 3), one lane each
way. Sends are signed beforehand and go through the loader contract; the clock runs from the first send to the last delivery.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import psutil
from eth_account import Account
from sqlalchemy import select

from adapters.ethereum.transactions import sign_with_base_fee
from adapters.evm.devnet import DevelopmentNetwork
from adapters.protocol import AdapterOptions, Call, Endpoint
from adapters.registry import open_ledger
from adapters.solidity.calldata import encode_load
from adapters.solidity.contracts import contract
from relay.store.tables import lanes
from schemas.primitives import LaneId
from tests.support.stack import Stack

MESSAGES = 20_000
A_TRANSACTION = 50
PAYLOAD_BYTES = 200
GAS_A_MESSAGE = 60_000
"""An upper bound for a send inside the loader's loop; what is not used is given back."""
HUB_ROLES = ("worker", "watch", "web", "broker", "valkey")
OPERATOR_ROLES = ("operator",)


@dataclass
class Meter:
    """CPU seconds and memory of the hub's and the operators' processes while something runs."""

    stack: Stack
    peak_mb: float = 0.0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def cpu(self, roles: tuple[str, ...]) -> float:
        """CPU seconds that the processes of these roles have used."""
        used = 0.0
        for role in roles:
            for process in self.stack.processes(role):
                times = process.cpu_times()
                used += times.user + times.system + times.children_user + times.children_system
        return used

    def memory_mb(self) -> float:
        """Summed proportional set size of hub and operators, in MB."""
        total = 0
        for process in self.stack.processes():
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return total / 1e6

    def __enter__(self) -> Self:
        threading.Thread(target=self._sample, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()

    def _sample(self) -> None:
        while not self._stopped.wait(1.0):
            self.peak_mb = max(self.peak_mb, self.memory_mb())


def measure(
    progress: Callable[[str], None], *, messages: int = MESSAGES, latency_messages: int = 40
) -> dict[str, float]:
    """Run the load and the latency part; return flat figures with the unit in the key."""
    networks = {"alpha": DevelopmentNetwork(chain_id=42001), "beta": DevelopmentNetwork(chain_id=42002)}
    with Stack(networks) as stack:
        progress("starting the hub, registering two ledgers, opening a lane each way")
        stack.up()
        stack.join()
        stack.json("lane", "open", "alpha", "beta", "--both", "--window-limit", "1000000", "--max-payload", "1024")
        loaders = [prepare(stack, "alpha", "beta"), prepare(stack, "beta", "alpha")]
        progress("latency: one message a second")
        figures = _latency(stack, loaders, latency_messages)
        progress(f"load: {messages} messages of {PAYLOAD_BYTES} bytes")
        figures |= _load(stack, loaders, messages, progress)
    return figures


@dataclass
class LaneLoad:
    """A lane with its loader contract on the source and its idle receiver on the destination."""

    source: str
    destination: str
    lane_id: bytes
    loader: str
    receiver: bytes
    network: DevelopmentNetwork
    account: Any
    nonce: int
    fee: int

    def transaction(self, count: int, payload: bytes) -> str:
        """Sign one transaction of the loader that sends `count` messages."""
        data = encode_load(self.lane_id, self.receiver, payload, 100_000, 0, 0, count)
        call = Call(bytes.fromhex(self.loader[2:]), data, 200_000 + GAS_A_MESSAGE * count)
        signed = sign_with_base_fee(
            bytes(self.account.key),
            chain_id=self.network.chain_id,
            nonce=self.nonce,
            call=call,
            fee=self.fee,
            priority_fee=1,
        )
        self.nonce += 1
        return "0x" + signed.raw.hex()


def prepare(stack: Stack, source: str, destination: str, channel: str = "default") -> LaneLoad:
    """Deploy loader and receiver, and let the officers allow them."""
    network, other = stack.networks[source], stack.networks[destination]
    gateways = {item["name"]: item for item in stack.json("chain", "list")}
    account = Account.create()
    for place in (network, other):
        place.fund(account.address, 10**24)
    loader = _deploy(network, account, contract("Loader").creation_code(gateways[source]["gateway"]))
    receiver = _deploy(other, account, contract("Idle").creation_code())
    on = (source, destination, "--channel", channel)
    stack.json("lane", "allow", *on, "--sender", loader, "--limit", "65535")
    stack.json("lane", "allow", *on, "--receiver", receiver)
    lane_id = bytes.fromhex(stack.lane(source, destination, channel)["lane_id"][2:])
    fee = 4 * int(network.rpc("eth_gasPrice"), 16)
    nonce = int(network.rpc("eth_getTransactionCount", account.address, "latest"), 16)
    return LaneLoad(source, destination, lane_id, loader, bytes.fromhex(receiver[2:]), network, account, nonce, fee)


def _deploy(network: DevelopmentNetwork, account: Any, data: bytes) -> str:
    fee = 4 * int(network.rpc("eth_gasPrice"), 16)
    nonce = int(network.rpc("eth_getTransactionCount", account.address, "latest"), 16)
    signed = sign_with_base_fee(
        bytes(account.key),
        chain_id=network.chain_id,
        nonce=nonce,
        call=Call(b"", data, 3_000_000),
        fee=fee,
        priority_fee=1,
    )
    transaction = network.rpc("eth_sendRawTransaction", "0x" + signed.raw.hex())
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        receipt = network.rpc("eth_getTransactionReceipt", transaction)
        if receipt is not None and receipt["status"] == "0x1":
            return str(receipt["contractAddress"])
        time.sleep(0.05)
    raise AssertionError("a contract of the bench was not deployed")


def _counters(stack: Stack, lane_id: bytes) -> tuple[int, int]:
    store = stack.store()
    with store.read() as connection:
        row = connection.execute(select(lanes).where(lanes.c.lane_id == lane_id)).one()
    store.close()
    return row.delivered, row.settled


def _latency(stack: Stack, loads: list[LaneLoad], count: int) -> dict[str, float]:
    """About one message a second at random moments of the block, alternating lanes so that the networks' phases cancel out.

    The clock runs from the send until the destination's own node shows the delivery, asked every 20 ms.
    """
    chance, waits = random.Random(1), []
    gateways = {item["name"]: bytes.fromhex(item["gateway"][2:]) for item in stack.json("chain", "list")}
    ledgers = {
        name: open_ledger("evm", AdapterOptions((Endpoint(network.url),))) for name, network in stack.networks.items()
    }
    for index in range(count):
        load = loads[index % len(loads)]
        ledger, gateway = ledgers[load.destination], gateways[load.destination]
        before = ledger.lane_ends(gateway, LaneId(load.lane_id)).delivered
        raw = load.transaction(1, b"\x00" * PAYLOAD_BYTES)
        time.sleep(chance.random())
        began = time.monotonic()
        load.network.rpc("eth_sendRawTransaction", raw)
        while ledger.lane_ends(gateway, LaneId(load.lane_id)).delivered <= before:
            if time.monotonic() - began > 60:
                raise AssertionError("a message of the latency part was not delivered within a minute")
            time.sleep(0.02)
        waits.append(time.monotonic() - began)
    for ledger in ledgers.values():
        ledger.close()
    waits.sort()
    return {
        "latency_p50_s": waits[len(waits) // 2],
        "latency_p95_s": waits[min(len(waits) - 1, len(waits) * 95 // 100)],
    }


def _load(stack: Stack, loads: list[LaneLoad], messages: int, progress: Callable[[str], None]) -> dict[str, float]:
    each = messages // len(loads)
    payload = bytes(range(PAYLOAD_BYTES))
    batches = [
        (load, [load.transaction(A_TRANSACTION, payload) for _ in range(each // A_TRANSACTION)]) for load in loads
    ]
    starts = {load.lane_id: _counters(stack, load.lane_id) for load in loads}
    with Meter(stack) as meter:
        hub, operators = meter.cpu(HUB_ROLES), meter.cpu(OPERATOR_ROLES)
        began = time.monotonic()
        senders = [threading.Thread(target=_send, args=(load, raws)) for load, raws in batches]
        for sender in senders:
            sender.start()
        delivered_s = settled_s = 0.0
        shown = 0.0
        while not settled_s:
            done = [_counters(stack, load.lane_id) for load in loads]
            delivered = sum(item[0] - starts[load.lane_id][0] for item, load in zip(done, loads, strict=True))
            settled = sum(item[1] - starts[load.lane_id][1] for item, load in zip(done, loads, strict=True))
            now = time.monotonic() - began
            if delivered >= messages and not delivered_s:
                delivered_s = now
            if settled >= messages:
                settled_s = now
            if now > 900:
                raise AssertionError(f"only {delivered} of {messages} were delivered within 15 minutes")
            if now - shown > 2:
                shown = now
                progress(f"  {now:5.1f} s  delivered {delivered:6d}  settled {settled:6d}")
            time.sleep(0.1)
        hub_s, operators_s = meter.cpu(HUB_ROLES) - hub, meter.cpu(OPERATOR_ROLES) - operators
    for sender in senders:
        sender.join()
    return {
        "e2e_messages_per_s": messages / delivered_s,
        "e2e_settled_messages_per_s": messages / settled_s,
        "hub_cpu_ms_per_message": 1000 * hub_s / messages,
        "operators_cpu_ms_per_message": 1000 * operators_s / messages,
        "memory_peak_mb": meter.peak_mb,
    }


def _send(load: LaneLoad, raws: list[str]) -> None:
    for start in range(0, len(raws), 20):
        load.network.batch([("eth_sendRawTransaction", [raw]) for raw in raws[start : start + 20]])
