"""Certificates that an adapter uses to speak to its ledger: which end soon, and what is to be done about it.

Whoever follows a ledger (a worker, an operator) looks at them now and then; the status shows what a worker saw last, so that it
opens no connection. Files are read again by the adapters themselves, so a certificate that is replaced needs no restart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DAY_S = 86_400
AHEAD_S = 30 * DAY_S
"""An alarm comes so long before the end."""
ENDS, ENDED = "certificate_ends", "certificate_ended"
NEXT_STEP = "Put a renewed certificate in its place; it is read again by itself."


@dataclass(frozen=True, slots=True)
class Alarm:
    """A certificate that ends within 30 days, or has ended: the code, whose it is, its end (Unix seconds) and a sentence."""

    code: str
    name: str
    not_after: int
    text: str

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.code == ENDED


def alarms_of(certificates: Sequence[Mapping[str, Any]], now: float) -> list[Alarm]:
    """Which certificates need somebody's hand, the most urgent first.

    Args:
        certificates: `name` and `not_after` (Unix seconds) of each.
        now: Unix seconds.
    """
    urgent = sorted((item for item in certificates if item["not_after"] - now <= AHEAD_S), key=_end)
    return [_alarm(str(item["name"]), int(item["not_after"]), now) for item in urgent]


def earliest(certificates: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The certificate that ends first, or None where none is used."""
    return min(certificates, key=_end, default=None)


def _end(certificate: Mapping[str, Any]) -> int:
    return int(certificate["not_after"])


def _alarm(name: str, not_after: int, now: float) -> Alarm:
    date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(not_after))
    if not_after <= now:
        return Alarm(ENDED, name, not_after, f"The certificate {name} ended at {date}.")
    days = int((not_after - now) // DAY_S)
    left = f"in {days} days" if days > 1 else "tomorrow" if days == 1 else "today"
    return Alarm(ENDS, name, not_after, f"The certificate {name} ends {left}, at {date}.")
