"""Times and amounts as a person reads them."""

from __future__ import annotations

import time

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400


def ago(at: float, now: float) -> str:
    """How long ago: `3 s`, `4 min`, `2 h`, `5 d`; `never` for 0."""
    return "never" if at <= 0 else span(now - at)


def span(seconds: float) -> str:
    """A span of time in its largest fitting unit."""
    seconds = max(seconds, 0.0)
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    if seconds < 2 * DAY_S:
        return f"{seconds / HOUR_S:.0f} h"
    return f"{seconds / DAY_S:.0f} d"


def clock(at: float) -> str:
    """A moment in local time, to the millisecond."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) + f".{int(at % 1 * 1000):03d}"


def coins(base_units: int, decimals: int = 18) -> str:
    """An amount of the ledger's coin, rounded to six significant digits: `99.9999`."""
    return f"{base_units / 10**decimals:.6g}"
