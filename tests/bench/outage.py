"""A destination that is away for longer than nodes keep state, while messages for it pile up: gas and another lane's latency.

Three development networks; one lane of each kind of verifier to the one that goes away, one lane to another. The messages
wait until the source's node has long pruned the states in which they were sent. Figures, never verdicts.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import select

from adapters.evm.devnet import DevelopmentNetwork
from adapters.evm.devnet.anvil import STATES_KEPT
from adapters.protocol import AdapterOptions, Endpoint
from adapters.registry import open_ledger
from relay.store.tables import lanes, transactions
from schemas.primitives import LaneId
from tests.bench.e2e import A_TRANSACTION, PAYLOAD_BYTES, LaneLoad, prepare
from tests.support.stack import Stack

MESSAGES = 100_000
LATENCY_MESSAGES = 20
KINDS = ("committee", "light-client")
PATIENCE_S = 1_800.0
FAST_BLOCK_S = 0.02
RECEIPTS_A_REQUEST = 50
PARTS = 4
"""The backlog's gas is compared over so many parts of it."""


@dataclass(frozen=True)
class Outage:
    """What one outage showed.

    Attributes:
        messages: on each lane to the ledger that was away.
        executed: of each kind of lane, how many the destination's receiver executed.
        gas: of each kind of lane, the gas a message of each quarter of the backlog, anchors included.
        usual_s: seconds until a message of the other lane was delivered, before.
        beside_s: the same while the backlog was delivered.
        overtook: whether a message of the other lane was delivered before the backlog was.
    """

    messages: int
    executed: dict[str, int]
    gas: dict[str, list[float]]
    usual_s: list[float]
    beside_s: list[float]
    overtook: bool

    def figures(self) -> dict[str, float]:
        """Flat figures with the unit in the key."""
        found = {
            "outage_latency_usual_p50_s": median(self.usual_s),
            "outage_latency_beside_backlog_p50_s": median(self.beside_s),
            "outage_latency_ratio": median(self.beside_s) / median(self.usual_s),
        }
        for kind, quarters in self.gas.items():
            name = kind.replace("-", "_")
            found[f"outage_gas_deliver_{name}_first_quarter"] = quarters[0]
            found[f"outage_gas_deliver_{name}_last_quarter"] = quarters[-1]
        return found


def measure_outage(
    progress: Callable[[str], None], *, messages: int = MESSAGES, latency_messages: int = LATENCY_MESSAGES
) -> Outage:
    """Let one ledger be away, and watch its backlog and another lane.

    Args:
        progress: told what happens.
        messages: of all lanes to it together.
        latency_messages: one after the other, before.
    """
    names = ("alpha", "beta", "gamma")
    networks = {name: DevelopmentNetwork(chain_id=45_001 + index) for index, name in enumerate(names)}
    with Stack(networks) as stack:
        progress("starting the hub, registering three ledgers, opening a lane of each kind to beta and one to gamma")
        stack.up()
        stack.join()
        options = ("--window-limit", "1000000", "--max-payload", "1024")
        for kind in KINDS:
            stack.json("lane", "open", "alpha", "beta", "--trust", kind, "--channel", kind, *options)
        stack.json("lane", "open", "alpha", "gamma", *options)
        loads = {kind: prepare(stack, "alpha", "beta", kind) for kind in KINDS}
        beside = prepare(stack, "alpha", "gamma")
        progress(f"latency of the lane to gamma: {latency_messages} messages")
        usual = [_latency(stack, beside, index) for index in range(latency_messages)]
        networks["beta"].kill()
        each = messages // len(KINDS)
        progress(f"beta is away; {each:,} messages for it on each of {len(KINDS)} lanes")
        _send_all(stack, list(loads.values()), each, progress)
        _prune(networks["alpha"])
        _wait(stack, loads, "final", each, progress)
        progress(f"alpha has made {STATES_KEPT + 100:,} blocks more; beta is back")
        networks["beta"].restart()
        during: list[float] = []
        delivered_before: list[bool] = []
        with _watching(
            stack, beside, during, lambda: delivered_before.append(not _all(stack, loads, "delivered", each))
        ):
            _wait(stack, loads, "delivered", each, progress)
        _wait(stack, loads, "settled", each, progress)
        gas = {kind: _gas(stack, load, each) for kind, load in loads.items()}
        executed = {kind: _counter(stack, load, "executed") for kind, load in loads.items()}
    return Outage(each, executed, gas, usual, during, overtook=any(delivered_before))


def _prune(network: DevelopmentNetwork) -> None:
    """Let a node make so many blocks that it keeps none of the states of before; their times are true ones."""
    goal = int(network.rpc("eth_blockNumber"), 16) + STATES_KEPT + 100
    network.rpc("devnet_setBlockTime", FAST_BLOCK_S)
    while int(network.rpc("eth_blockNumber"), 16) < goal:
        time.sleep(0.1)
    network.rpc("devnet_setBlockTime", 1.0)


def _send_all(stack: Stack, loads: list[LaneLoad], each: int, progress: Callable[[str], None]) -> None:
    """Send everything on every lane; each lane's loader sends fifty messages a transaction."""
    payload = bytes(range(PAYLOAD_BYTES))
    for done in range(0, each, 20 * A_TRANSACTION):
        count = min(20, (each - done) // A_TRANSACTION)
        for load in loads:
            raws = [load.transaction(A_TRANSACTION, payload) for _ in range(count)]
            load.network.batch([("eth_sendRawTransaction", [raw]) for raw in raws])
        if done % 10_000 == 0:
            progress(f"  sent {done:,} of {each:,} on each lane")


def _counter(stack: Stack, load: LaneLoad, name: str) -> int:
    store = stack.store()
    try:
        with store.read() as connection:
            row = connection.execute(select(lanes).where(lanes.c.lane_id == load.lane_id)).one()
    finally:
        store.close()
    return int(getattr(row, name))


def _all(stack: Stack, loads: dict[str, LaneLoad], name: str, each: int) -> bool:
    return all(_counter(stack, load, name) >= each for load in loads.values())


def _wait(stack: Stack, loads: dict[str, LaneLoad], name: str, each: int, progress: Callable[[str], None]) -> None:
    ends, shown = time.monotonic() + PATIENCE_S, 0.0
    while not _all(stack, loads, name, each):
        now = time.monotonic()
        if now > ends:
            stack.show_logs()
            raise AssertionError(f"not all {name} within {PATIENCE_S:.0f} s")
        if now - shown > 10:
            shown = now
            counts = ", ".join(f"{kind} {_counter(stack, load, name):,}" for kind, load in loads.items())
            progress(f"  {name}: {counts}")
        time.sleep(0.2)


def _latency(stack: Stack, load: LaneLoad, index: int) -> float:
    """Seconds from a send, at a moment of the block that differs each time, until the destination shows its delivery."""
    gateway = next(item["gateway"] for item in stack.json("chain", "list") if item["name"] == load.destination)
    ledger = open_ledger("evm", AdapterOptions((Endpoint(stack.networks[load.destination].url),)))
    try:
        return _timed(ledger, bytes.fromhex(gateway[2:]), load, random.Random(index).random())
    finally:
        ledger.close()


def _timed(ledger: Any, gateway: bytes, load: LaneLoad, pause_s: float) -> float:
    before = ledger.lane_ends(gateway, LaneId(load.lane_id)).delivered
    raw = load.transaction(1, bytes(PAYLOAD_BYTES))
    time.sleep(pause_s)
    began = time.monotonic()
    load.network.rpc("eth_sendRawTransaction", raw)
    while ledger.lane_ends(gateway, LaneId(load.lane_id)).delivered <= before:
        if time.monotonic() - began > PATIENCE_S:
            raise AssertionError(f"a message of the lane to {load.destination} was not delivered")
        time.sleep(0.02)
    return time.monotonic() - began


@contextmanager
def _watching(stack: Stack, load: LaneLoad, found: list[float], after_each: Callable[[], None]) -> Iterator[None]:
    """Meanwhile, one message after the other on another lane; at least one."""
    over = threading.Event()

    def watch() -> None:
        index = 0
        while not index or not over.is_set():
            found.append(_latency(stack, load, 1_000 + index))
            after_each()
            index += 1

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _gas(stack: Stack, load: LaneLoad, each: int) -> list[float]:
    """Gas a message of each part of the backlog, by the ledger's receipts: deliveries, and the anchors that lead to them."""
    store = stack.store()
    try:
        with store.read() as connection:
            rows = connection.execute(
                select(transactions.c.last, transactions.c.hash).where(
                    transactions.c.lane_id == load.lane_id,
                    transactions.c.purpose.in_(("deliver", "anchor")),
                    transactions.c.state.in_(("mined", "reverted")),
                )
            ).all()
    finally:
        store.close()
    network, parts = stack.networks[load.destination], [0.0] * PARTS
    for start in range(0, len(rows), RECEIPTS_A_REQUEST):
        asked = rows[start : start + RECEIPTS_A_REQUEST]
        receipts = network.batch([("eth_getTransactionReceipt", ["0x" + row.hash.hex()]) for row in asked])
        for row, receipt in zip(asked, receipts, strict=True):
            parts[min(PARTS - 1, (row.last - 1) * PARTS // each)] += int(receipt["gasUsed"], 16)
    return [part / (each / PARTS) for part in parts]
