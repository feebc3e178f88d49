"""One seed: acts, one after the other, until its time is up. `python -m tests.soak.seed --seed N --seconds S`, JSON out."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.soak.memory_act import MemoryAct
from tests.soak.mutation_act import FamilyMutationAct, MutationAct
from tests.soak.processes_act import ProcessesAct

PROCESSES_SECONDS = 25.0
MAKERS: dict[str, Callable[[int], Any]] = {
    "memory": MemoryAct,
    "mutations": MutationAct,
    "families": FamilyMutationAct,
    "processes": lambda seed: ProcessesAct(seed, PROCESSES_SECONDS),
}
WEIGHTS = {"memory": 6.0, "mutations": 2.0, "families": 2.0, "processes": 1.0}


def run_seed(seed: int, seconds: float, acts: tuple[str, ...] = tuple(MAKERS)) -> dict[str, Any]:
    """Play acts drawn by a seed until the time is up; the act that is on is played to its end.

    Args:
        seed: decides which acts, and what happens in each.
        seconds: no act begins after so many.
        acts: names from `MAKERS`.

    Returns:
        The seed, the acts and deeds by name, counts, and the failure: which act with which seed, what, and the last deeds.
    """
    chance = random.Random(seed)
    played: Counter[str] = Counter()
    deeds: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    began, failure = time.monotonic(), None
    while failure is None and (not played or time.monotonic() - began < seconds):
        name = chance.choices(acts, [WEIGHTS[act] for act in acts])[0]
        act_seed = chance.getrandbits(32)
        act = None
        try:
            act = MAKERS[name](act_seed)
            counts.update(act.play())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the find
            failure = {
                "act": name,
                "seed": act_seed,
                "error": f"{type(error).__name__}: {error}"[:4000],
                "trace": traceback.format_exc()[-6000:],
                "latest": list(act.menu.latest) if act is not None else [],
                "again": f"python -m tests.soak.seed --act {name} --act-seed {act_seed}",
            }
        finally:
            if act is not None:
                deeds.update(act.menu.done)
                act.close()
        played[name] += 1
    return {
        "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
        "acts": dict(played),
        "deeds": dict(deeds),
        "counts": dict(counts),
        "failure": failure,
    }


def main(arguments: list[str]) -> int:
    """Run one seed, or one act again; print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--acts", default=",".join(MAKERS), help="comma-separated: " + ", ".join(MAKERS))
    parser.add_argument("--act", choices=list(MAKERS), help="play one act again")
    parser.add_argument("--act-seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.act:
        act = MAKERS[options.act](options.act_seed)
        try:
            print(json.dumps({"counts": act.play(), "deeds": dict(act.menu.done)}, indent=1))
        finally:
            act.close()
        return 0
    report = run_seed(options.seed, options.seconds, tuple(options.acts.split(",")))
    print(json.dumps(report))
    return 1 if report["failure"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
