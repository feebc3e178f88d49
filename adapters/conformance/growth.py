"""A check that an opened ledger does not keep what it answered."""

from __future__ import annotations

import gc
import tracemalloc

from adapters.conformance.findings import require
from adapters.conformance.steps import World

WARM_ROUNDS = 20
ROUNDS = 60
GROWTH_BYTES = 192 << 10
"""What caches of fixed size and the interpreter's own may add; an adapter that keeps every answer adds more."""


def memory_is_bounded(world: World) -> None:
    """The same questions asked again and again take no more memory."""
    ledger, gateway = world.ledgers[0], world.gateways[0]
    tip = ledger.tip()

    def ask(rounds: int) -> int:
        for _ in range(rounds):
            ledger.tip()
            ledger.headers(max(0, tip - 3), tip)
            ledger.events(0, tip, gateway)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        before = ask(WARM_ROUNDS)
        grown = ask(ROUNDS) - before
    finally:
        if not was_tracing:
            tracemalloc.stop()
    require(grown < GROWTH_BYTES, f"{ROUNDS} rounds of the same questions left {grown >> 10} KiB behind")
