"""`make soak`: everything that may go wrong, at random and by seed, for an hour unless told otherwise; a report at the end.

python -m tests.soak                                  one hour, one seed after the other, each two minutes
python -m tests.soak --seeds 100 --each 120 --jobs 6  a hundred seeds of two minutes each
python -m tests.soak --mutations 1000000              at least so many mutations of the light clients' families in all
python -m tests.soak --unlike                         messages over each pair of unlike ledgers, with faults at random
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from relay.views.tables import table
from tests.soak.seed import MAKERS
from tests.soak.unlike import MESSAGES
from tests.soak.unlike import soak as soak_unlike

ROOT = Path(__file__).parents[2]
GRACE_S = 900.0
"""An act begun within the time may end so long after it; then the seed counts as stuck."""
MUTATIONS = 1_000_000
"""Of the families of light clients, in a soak whose seeds nobody counted: what is missing when its time is up is made up for."""


class Soak:
    """Seeds in processes of their own, so many at once.

    Args:
        first: the first seed; the following ones count up.
        each: seconds of a seed.
        acts: comma-separated names, empty for all.
    """

    def __init__(self, first: int, each: float, acts: str) -> None:
        self.first, self.each, self.acts = first, each, acts
        self.reports: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def run(self, *, seconds: float, seeds: int, jobs: int) -> list[dict[str, Any]]:
        """Run seeds until there were enough, or until the time is up."""
        ends = time.monotonic() + seconds
        numbers = iter(range(self.first, self.first + seeds))
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            for job in [pool.submit(self._worker, numbers, ends) for _ in range(jobs)]:
                job.result()
        return sorted(self.reports, key=lambda report: report["seed"])

    def make_up(self, mutations: int, jobs: int) -> None:
        """Run further seeds of nothing but the families' mutations until there were so many, or one failed."""
        while sum(report["counts"].get("family_mutations", 0) for report in self.reports) < mutations:
            self.first, self.acts = self.first + 10**6, "families"
            self.run(seconds=float("inf"), seeds=jobs, jobs=jobs)
            if any(report["failure"] for report in self.reports):
                return

    def _worker(self, numbers: Any, ends: float) -> None:
        while time.monotonic() < ends:
            with self._lock:
                number = next(numbers, None)
            if number is None:
                return
            report = self._seed(number, min(self.each, max(1.0, ends - time.monotonic())))
            with self._lock:
                self.reports.append(report)
                self._tell(report)

    def _seed(self, number: int, seconds: float) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.soak.seed", "--seed", str(number), "--seconds", str(seconds)]
        began = time.monotonic()
        try:
            done = subprocess.run(
                [*command, *(("--acts", self.acts) if self.acts else ())],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=seconds + GRACE_S,
                check=False,
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )
            return dict(json.loads(done.stdout.splitlines()[-1]))
        except subprocess.TimeoutExpired:
            error = f"not ended {GRACE_S:.0f} s after its time"
        except (ValueError, IndexError):
            error = f"it ended without a report: {done.stderr[-2000:]}"
        failure = {"act": "?", "seed": number, "error": error, "again": " ".join(command[1:])}
        spent = round(time.monotonic() - began, 1)
        return {"seed": number, "seconds": spent, "acts": {}, "deeds": {}, "counts": {}, "failure": failure}

    def _tell(self, report: dict[str, Any]) -> None:
        failure = report["failure"]
        counts = ", ".join(f"{value:,} {name}" for name, value in sorted(report["counts"].items()))
        verdict = "holds" if failure is None else f"FAILED in {failure['act']}: {failure['error'][:300]}"
        print(f"seed {report['seed']:>6}  {report['seconds']:>6.0f} s  {counts or '–'}  {verdict}", flush=True)


def summed(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """What all seeds did together."""
    total: dict[str, Counter[str]] = {name: Counter() for name in ("acts", "deeds", "counts")}
    for report in reports:
        for name, counter in total.items():
            counter.update(report[name])
    failures = [{"of_seed": report["seed"], **report["failure"]} for report in reports if report["failure"]]
    seconds = round(sum(report["seconds"] for report in reports), 1)
    return {
        "seeds": len(reports),
        "seconds": seconds,
        **{name: dict(counter) for name, counter in total.items()},
        "failures": failures,
    }


def told(total: dict[str, Any]) -> str:
    """The report as text."""
    rows = [(name, f"{count:,}") for name, count in sorted(total["deeds"].items(), key=lambda item: -item[1])]
    lines = ["", table(("WHAT HAPPENED", "TIMES"), rows), ""]
    acts = ", ".join(f"{count} × {name}" for name, count in sorted(total["acts"].items()))
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(total["counts"].items()))
    lines.append(f"{total['seeds']} seeds, {total['seconds']:,.0f} s in all: {acts}; {counts}.")
    if not total["failures"]:
        lines.append("Nothing false, nothing lost, nothing done twice, nothing stuck.")
    for failure in total["failures"]:
        lines += [f"FAILED: seed {failure['of_seed']}: {failure['error']}", f"  again: {failure['again']}"]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the soak; returns the number of seeds that failed, at most 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help="how long in all (default: an hour, or as --seeds need)")
    parser.add_argument("--seed", type=int, help="the first seed (default: drawn, and printed)")
    parser.add_argument("--seeds", type=int, help="how many seeds at most")
    parser.add_argument("--each", type=float, default=120.0, help="seconds of a seed (default 120)")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at once (default 2)")
    parser.add_argument("--acts", default="", help="only these, comma-separated: " + ", ".join(MAKERS))
    parser.add_argument(
        "--mutations", type=int, help=f"of the families in all ({MUTATIONS:,}; with --seconds, --seeds or --acts none)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the reports of all seeds there")
    parser.add_argument("--unlike", action="store_true", help="messages over pairs of unlike ledgers, and nothing else")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"over each unlike pair (default {MESSAGES:,})")
    parser.add_argument(
        "--pairs", default="", help="unlike ledgers, as a:b,c:d (default: every two that are installed)"
    )
    options = parser.parse_args(arguments)
    first = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    if options.unlike:
        try:
            return soak_unlike(first, options.messages, options.pairs, options.json or "")
        except ValueError as error:
            parser.error(str(error))
    seconds = options.seconds or (3_600.0 if options.seeds is None else float("inf"))
    print(f"soak from seed {first}, {options.jobs} at once, each {options.each:.0f} s", flush=True)
    soak = Soak(first, options.each, options.acts)
    soak.run(seconds=seconds, seeds=options.seeds or 10**9, jobs=options.jobs)
    whole = options.seeds is None and options.seconds is None and not options.acts
    soak.make_up(options.mutations if options.mutations is not None else MUTATIONS if whole else 0, options.jobs)
    reports = sorted(soak.reports, key=lambda report: report["seed"])
    total = summed(reports)
    print(told(total))
    if options.json:
        Path(options.json).write_text(json.dumps({"total": total, "seeds": reports}, indent=1) + "\n")
    return min(1, len(total["failures"]))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended then as well
    sys.exit(main(sys.argv[1:]))
