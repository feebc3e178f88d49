"""Microseconds of CPU an operation, the best of several."""

from __future__ import annotations

import time
from collections.abc import Callable


def best_us(operation: Callable[[], object], repeats: int = 15, loops: int = 300) -> float:
    """The best mean of `loops` calls among `repeats` tries, in microseconds of this process's CPU."""
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(loops):
            operation()
        best = min(best, time.process_time() - began)
    return best / loops * 1e6
