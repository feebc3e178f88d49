"""The machine of the simulators: milliseconds of CPU for send, deliver and settle, on each platform's profile.

`python -m tests.bench.machine` prints them. Payloads of 200 bytes, a committee of two in three.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.support.evm_world import EvmWorld
from tests.support.machine_world import PLATFORMS, chain_of, make_end

PAYLOAD = bytes(1 + index % 255 for index in range(200))
BATCHES = (1, 10, 100)


def measure_machine() -> dict[str, float]:
    """Measure every profile; keys name the profile, the step and the batch. One batch goes before those measured."""
    figures: dict[str, float] = {}
    for label, platform in PLATFORMS.items():
        name = label.replace("-", "_")
        ends = [make_end(chain_of(end, platform), platform) for end in ("source", "destination")]
        world = EvmWorld.between(*ends, receiver="Idle")
        for batch in (1, *BATCHES):
            sending = _milliseconds(lambda batch=batch, world=world: [world.send(PAYLOAD) for _ in range(batch)])
            figures[f"machine_{name}_send_ms"] = sending / batch
            figures[f"machine_{name}_deliver_{batch}_ms"] = _milliseconds(world.deliver)
            figures[f"machine_{name}_settle_{batch}_ms"] = _milliseconds(world.settle)
    return figures


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    for figure, value in measure_machine().items():
        print(f"{figure:45} {value:8.1f}")
