"""Several relayers on the same ledgers and lanes, a block a second of a clock that the test moves."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.memory.calls import run_call
from adapters.memory.gateway import Frame, Reverted
from adapters.memory.transactions import sign_transaction
from adapters.protocol import Call, Delivery, Settlement
from light_clients.crypto.secp256k1 import address_of
from relay.steps.loads import entry_id
from schemas.suites import EVM
from tests.support.memory_hub import RECEIVER, MemoryHub, label_key

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


@dataclass
class Clock:
    """Unix seconds; stands still until it is moved."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


class Rivals:
    """Hubs beside each other, whose tasks run in an order that the seed decides.

    Args:
        folder: where their homes are made.
        monkeypatch: stops the machine's clock.
        hubs: how many.
        seed: of the order.
    """

    def __init__(self, folder: Path, monkeypatch: Any, *, hubs: int = 2, seed: int = 0, **options: Any) -> None:
        self.clock = Clock()
        monkeypatch.setattr(time, "time", self.clock)
        self.random = random.Random(seed)
        self.hubs: list[MemoryHub] = []
        for number in range(hubs):
            place = folder / f"rival-{number}"
            place.mkdir()
            beside = self.hubs[0] if self.hubs else None
            self.hubs.append(MemoryHub(place, seed=seed + number, beside=beside, **options))
        self.first = self.hubs[0]
        self.away: set[int] = set()
        self.seen = dict.fromkeys(self.first.names, 0)

    def close(self) -> None:
        """Forget the ledgers."""
        for hub in reversed(self.hubs):
            hub.close()

    def send(self, count: int, *lanes: tuple[str, str]) -> None:
        """Applications send so many messages on each lane."""
        for lane in lanes or (OUT,):
            for number in range(count):
                self.first.send(*lane, b"%d" % number, receiver=RECEIVER)

    def round(self) -> None:
        """One second: every hub that is there works, then each ledger has a block."""
        order = [hub for number, hub in enumerate(self.hubs) if number not in self.away]
        self.random.shuffle(order)
        for hub in order:
            hub.turn()
            hub.turn()
        self.mine()

    def mine(self) -> None:
        """Transactions of different accounts come into the block in any order, those of one account by their numbers."""
        self.clock.now += 1.0
        for ledger in self.first.ledgers.values():
            ledger.pool.sort(key=lambda _: self.random.random())
            ledger.mine()

    def accounts(self) -> dict[bytes, int]:
        """Which hub an account belongs to."""
        return {
            bytes(hub.context.chain(name).account): number
            for number, hub in enumerate(self.hubs)
            for name in self.first.names
        }

    def sent(self) -> Counter[tuple[int, bool]]:
        """Transactions of the hubs in the ledgers' blocks, by (hub, success)."""
        accounts, found = self.accounts(), Counter[tuple[int, bool]]()
        for ledger in self.first.ledgers.values():
            for block in ledger.blocks:
                for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
                    if transaction.sender in accounts:
                        found[accounts[transaction.sender], receipt.success] += 1
        return found

    def redundant(self) -> tuple[int, int]:
        """Transactions of the hubs that found nothing to do, and all of theirs."""
        found = self.sent()
        return sum(count for (_, success), count in found.items() if not success), found.total()

    def is_settled(self) -> bool:
        """Whether every hub that is there knows everything to be settled."""
        return all(
            hub.journey(*lane).in_flight == 0 and hub.caught_up(*lane)
            for number, hub in enumerate(self.hubs)
            if number not in self.away
            for lane in hub.lane_ids
        )

    def settle(self, rounds: int) -> int:
        """Rounds until everything is settled; how many it took."""
        for number in range(rounds):
            self.round()
            if self.is_settled():
                return number + 1
        raise AssertionError([(hub.journey(*OUT), hub.wait_of("lane", *OUT)) for hub in self.hubs])

    def check(self) -> None:
        """What must be so at every moment, in each hub."""
        for hub in self.hubs:
            hub.check()


class _Catch:
    """Stands in for a gateway, to read what a transaction would have it do."""

    lanes: dict[Any, Any]

    def __init__(self) -> None:
        self.action: Delivery | Settlement | None = None

    def deliver(self, _frame: Any, action: Delivery) -> None:
        self.action = action

    def settle(self, _frame: Any, action: Settlement) -> None:
        self.action = action


def waiting_actions(ledger: Any) -> list[Delivery | Settlement]:
    """Deliveries and settlements that wait in a ledger's pool, as everybody can see them there."""
    found = []
    for transaction in ledger.pool:
        catch = _Catch()
        try:
            run_call(catch, Frame(b"", 0, []), transaction.call.data)
        except (Reverted, AttributeError):
            continue
        if catch.action is not None:
            found.append(catch.action)
    return found


def part_of(action: Any, count: int) -> Any:
    """The first entries of a delivery or settlement, the ids of the others behind them; None where there are not so many."""
    entries = action.messages if isinstance(action, Delivery) else action.settled
    if len(entries) <= count:
        return None
    ids = tuple(entry_id(entry, EVM, action.lane_id) for entry in entries[count:])
    name = "messages" if isinstance(action, Delivery) else "settled"
    return replace(action, **{name: entries[:count]}, suffix_ids=ids + action.suffix_ids)


class FrontRunner:
    """Whoever watches the pool and comes first into the block, each time from a fresh account."""

    def __init__(self, world: Rivals) -> None:
        self.world = world
        self.count = 0

    def submit(self, ledger: Any, action: Any) -> None:
        """Send an action so that it is the first of the next block."""
        endpoint = self.world.first.context.ledger(self.world.first.context.chain(self._name(ledger)))
        call = endpoint.call_for(ledger.gateway.address, action)
        key = label_key(f"front-runner {self.count}")
        self.count += 1
        ledger.submit(sign_transaction(ledger.word, key, 0, Call(call.target, call.data, call.gas), 10_000).raw)
        ledger.pool.insert(0, ledger.pool.pop())
        assert ledger.nonce(address_of(key)) == 0

    def _name(self, ledger: Any) -> str:
        return next(name for name, found in self.world.first.ledgers.items() if found is ledger)
