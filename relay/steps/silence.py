"""Entries that an endpoint keeps silent about, on ledgers whose headers do not tell which blocks hold events.

A light client shows that what is said to stand in a block does. Where neither a bloom filter nor a proof of state shows that nothing else
happened, an endpoint that leaves the newest entries out cannot be convicted by what it shows: their messages would wait until the
next one is sent. So the gateways' counters are asked now and then, of all fit endpoints. A look that has read the blocks up to there and
knows of fewer entries reads again from the last entry that it knows, and where that does not help, leaves its endpoint.

Nothing is believed because of a counter: a false one costs reading.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from adapters.guard import GuardedLedger
from adapters.protocol import AdapterError
from relay.following import Lied
from relay.observer import Track
from schemas.claim import Direction
from schemas.primitives import LaneId

ASK_EVERY_S = 5.0
ASKED_AT_ONCE = 5
"""Histories whose counters are asked at once; the others follow."""

Key = tuple[LaneId, Direction]


class Silence(Exception):
    """A history has more entries than were shown.

    Attributes:
        about: lane and direction.
    """

    def __init__(self, text: str, about: Key) -> None:
        super().__init__(text)
        self.about = about


@dataclass(slots=True)
class _Asked:
    """What the gateway of a ledger counted.

    Attributes:
        at: when it was asked last (monotonic seconds).
        counts: entries, by history.
        height: the headers up to there prove them.
        place: of the next history that is asked about.
        doubted: histories that were read again for it, with what was known then.
    """

    at: float = float("-inf")
    counts: dict[Key, int] = field(default_factory=dict)
    height: int = 0
    place: int = 0
    doubted: set[tuple[Key, int]] = field(default_factory=set)


_ASKED: WeakKeyDictionary[GuardedLedger, _Asked] = WeakKeyDictionary()
"""By the opened ledger of this process."""


def check_silence(ledger: GuardedLedger, known: Sequence[Track], height: int) -> None:
    """Hold what is known after a look up to a height against the counters of earlier.

    Raises:
        Silence: a history has more entries, and its blocks were not read again for that yet.
        Lied: they were, and nothing more came.
    """
    asked = _ASKED.get(ledger)
    if asked is None or not asked.counts or height < asked.height:
        return
    counts, asked.counts = asked.counts, {}
    for track in known:
        counted = counts.get(track.key, 0)
        if counted <= track.nonce:
            continue
        text = f"The gateway counted {counted} entries up to block {asked.height}, and only {track.nonce} are shown."
        if (track.key, track.nonce) in asked.doubted:
            raise Lied("EntriesWithheld", text, ledger.endpoint, track.key)
        asked.doubted.add((track.key, track.nonce))
        raise Silence(text, track.key)
    asked.doubted.clear()


def ask_counters(ledger: GuardedLedger, gateway: bytes, resting: Sequence[Track]) -> None:
    """Ask for the counters of some histories, if it is time; endpoints that do not answer are no matter here.

    Args:
        ledger: the opened ledger.
        gateway: its gateway.
        resting: histories that did not move with the look; one that moves shows by itself that something was left out before.
    """
    asked = _ASKED.setdefault(ledger, _Asked())
    now = time.monotonic()
    if not resting or asked.counts or now - asked.at < ASK_EVERY_S:
        return
    asked.at = now
    counts: dict[Key, int] = {}
    for place in range(asked.place, asked.place + min(ASKED_AT_ONCE, len(resting))):
        track = resting[place % len(resting)]
        with suppress(AdapterError):
            sent, delivered = ledger.counted(gateway, track.lane_id)
            counts[track.key] = sent if track.direction is Direction.OUTBOX else delivered
    asked.place = (asked.place + ASKED_AT_ONCE) % len(resting)
    with suppress(AdapterError):
        asked.height, asked.counts = ledger.middle_tip() + ledger.machine().proof_delay, counts
