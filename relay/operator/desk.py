"""Which claims are in hand, and which were refused and rest: the hub offers what is not signed again every two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from relay.operator.judge import Offer
from schemas.primitives import hex0x

RESTS_S = (2.0, 5.0, 10.0, 30.0, 60.0)
REFUSALS_KEPT = 10_000

log = structlog.get_logger("relay.operator")


class RefusalDesk:
    """Keeps count of claims by the hub's cursor; shared by the threads.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._in_hand: set[int] = set()
        self._refused: dict[int, tuple[int, float]] = {}  # cursor → (times, rests until)

    def accept(self, cursor: int) -> bool:
        """Take a claim in hand; False if it is already, or rests after a refusal."""
        with self._lock:
            if cursor in self._in_hand or self._clock() < self._refused.get(cursor, (0, 0.0))[1]:
                return False
            self._in_hand.add(cursor)
            return True

    def done(self, offer: Offer) -> None:
        """The claim was signed and taken by the hub, or is given back."""
        with self._lock:
            self._in_hand.discard(offer.cursor)
            self._refused.pop(offer.cursor, None)

    def refuse(self, offer: Offer, name: str, text: str) -> None:
        """The claim was refused: log it by name, and let it rest 2, 5, 10, 30, then 60 s."""
        with self._lock:
            self._in_hand.discard(offer.cursor)
            times = self._refused.get(offer.cursor, (0, 0.0))[0] + 1
            self._refused[offer.cursor] = (times, self._clock() + RESTS_S[min(times, len(RESTS_S)) - 1])
            for old in list(self._refused)[:-REFUSALS_KEPT]:
                del self._refused[old]
        log.warning(
            "claim_refused",
            refusal=name,
            text=text,
            lane=hex0x(offer.claim.lane_id)[:18],
            direction=int(offer.claim.direction),
            nonce=offer.claim.nonce,
            height=offer.claim.height,
        )

    def forget(self) -> None:
        """Begin anew after a change of the configuration."""
        with self._lock:
            self._in_hand.clear()
            self._refused.clear()
