"""What the demo sends over each lane, and what must become of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from relay.demo.world import CHANNEL, PAIRS, World
from relay.sending import Letter, expiry, send_all
from schemas.payloads import CallPayload, TextPayload, encode_payload

GAS = 300_000
EXPIRES_IN_S = 6
NOT_ALLOWED = "0x" + "d3" * 20
"""A receiver that no officer allowed."""

TEXTS = (
    "第 {number} 号提单已签发，请查收 📜",  # noqa: RUF001 - Chinese has its own commas
    "你好，世界！Hello from {lane} 🌏👋",  # noqa: RUF001 - Chinese has its own commas
    "货物 {number} 已到港 🚢⚓️ cargo is in port",
    "ありがとう · شكراً · спасибо · {number} 🙏🏽",
)


@dataclass(frozen=True, slots=True)
class Item:
    """A letter and the status that it must end with."""

    letter: Letter
    ending: str


@dataclass(slots=True)
class Traffic:
    """Everything that was sent.

    Attributes:
        sent: message ids by lane, in order.
        endings: how many messages of a lane must end with each status.
        payloads: every payload that must arrive at a receiver, and how often.
    """

    sent: dict[tuple[str, str], list[bytes]] = field(default_factory=lambda: {pair: [] for pair in PAIRS})
    endings: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: {pair: Counter() for pair in PAIRS})
    payloads: Counter[bytes] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Messages sent so far."""
        return sum(len(ids) for ids in self.sent.values())

    def send(self, world: World, compose: Callable[[tuple[str, str]], Sequence[Item]]) -> None:
        """Send over every lane at once; each source sends over its lanes in turn.

        Args:
            world: where.
            compose: the items of a lane.
        """
        sources = sorted({source for source, _ in PAIRS})
        world.wait_for(world.together(lambda source: self._send_from(world, source, compose), sources))

    def _send_from(self, world: World, source: str, compose: Callable[[tuple[str, str]], Sequence[Item]]) -> None:
        for pair in PAIRS:
            if pair[0] == source:
                self._send_over(world, pair, compose(pair))

    def _send_over(self, world: World, pair: tuple[str, str], items: Sequence[Item]) -> None:
        letters = [item.letter for item in items]
        found = send_all(world.store, (*pair, CHANNEL), world.sender, letters)
        self.sent[pair] += [sent.message_id for sent in found]
        self.endings[pair].update(item.ending for item in items)
        self.payloads.update(item.letter.payload for item in items if item.ending == "executed")


def texts(pair: tuple[str, str], count: int) -> list[Item]:
    """Texts in several scripts, with emoji."""
    lane = " → ".join(pair)
    letters = [TEXTS[number % len(TEXTS)].format(number=number, lane=lane) for number in range(1, count + 1)]
    return [_to("mailbox", encode_payload(TextPayload(text=text)), "executed") for text in letters]


def calls(pair: tuple[str, str], count: int) -> list[Item]:
    """Calls with arguments."""
    made = [CallPayload(method="release", arguments=[" → ".join(pair), number, True]) for number in range(1, count + 1)]
    return [_to("mailbox", encode_payload(call), "executed") for call in made]


def reverting(world: World, pair: tuple[str, str], count: int) -> list[Item]:
    """Messages whose receiver reverts."""
    receiver = "0x" + world.reverting[pair[1]].hex()
    return [_to(receiver, encode_payload(TextPayload(text="退回 ↩️")), "failed")] * count


def not_allowed(count: int) -> list[Item]:
    """Messages to a receiver that is not on the destination's list."""
    return [_to(NOT_ALLOWED, encode_payload(TextPayload(text="查无此人 🚫")), "refused")] * count


def expiring(count: int) -> list[Item]:
    """Messages that expire in a few seconds."""
    payload = encode_payload(TextPayload(text="过期作废 ⌛"))
    return [Item(Letter("mailbox", payload, GAS, 0, expiry(EXPIRES_IN_S)), "expired")] * count


def newest_block_time(world: World) -> int:
    """Time of the newest block, Unix seconds, of the ledger that is behind the others."""
    blocks = [network.rpc("eth_getBlockByNumber", "latest", False) for network in world.networks.values()]
    return min(int(block["timestamp"], 16) for block in blocks)


def last_expiry() -> int:
    """Unix seconds by which everything that was sent until now has expired."""
    return int(time.time()) + EXPIRES_IN_S


def _to(receiver: str, payload: bytes, ending: str) -> Item:
    return Item(Letter(receiver, payload, GAS), ending)
