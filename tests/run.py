"""`make test`: everything that CI runs, in order, with progress; the first failure of a part does not hide the others.

python -m tests.run            all parts
python -m tests.run unit       only the named ones
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PYTEST = [str(BIN / "python"), "-m", "pytest", "-q", "--no-header", "--durations=5"]
PURE = ["--cov=schemas", "--cov=light_clients", "--cov=relay.journey", "--cov-branch", "--cov-report=term:skip-covered"]
WHOLE_HUB = "stack"


@dataclass(frozen=True)
class Part:
    """One command of the test run."""

    name: str
    says: str
    command: Sequence[str]


PARTS = [
    Part("lint", "ruff", [str(BIN / "ruff"), "check", "."]),
    Part("lint", "formatting", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    Part("lint", "types (mypy, strict)", [str(BIN / "mypy")]),
    Part("lint", "imports: the pure part stays pure", [str(BIN / "lint-imports"), "--no-cache"]),
    Part("tools", "a browser, promtool and RabbitMQ, from Debian", [str(BIN / "python"), "-m", "tests.support.debian", "chromium", "fonts-noto-cjk", "prometheus", "rabbitmq-server"]),
    Part("tools", "geth for the live tests, built once", [str(BIN / "python"), "-m", "adapters.evm.clique.build"]),
    Part("tools", "evmd for the live tests, built once", [str(BIN / "python"), "-m", "adapters.cosmos.devnet.build"]),
    Part(
        "unit",
        "the pure part, with branch coverage",
        [*PYTEST, "-n", "2", *PURE, "--cov-fail-under=100", "tests/schemas", "tests/light_clients", "tests/relay/test_journey.py"],
    ),
    Part(
        "unit",
        "everything that needs no whole hub, two at a time",
        [
            *PYTEST, "-n", "2", "--dist", "loadfile", "-m", f"not {WHOLE_HUB}",
            "tests", "--ignore=tests/schemas", "--ignore=tests/light_clients", "--deselect", "tests/relay/test_journey.py",
        ],
    ),
    Part("stack", "whole hubs, two at a time: processes, crashes, demo, documents", [*PYTEST, "-n", "2", "--dist", "loadfile", "-m", WHOLE_HUB, "tests"]),
]  # fmt: skip


def main(names: Sequence[str]) -> int:
    """Run the parts; return the number of those that failed."""
    parts = [part for part in PARTS if not names or part.name in names]
    if not parts:
        print(f"No part named {', '.join(names)}; there are {', '.join(dict.fromkeys(part.name for part in PARTS))}.")
        return 2
    failed, began = [], time.monotonic()
    for number, part in enumerate(parts, 1):
        print(f"\n=== {number}/{len(parts)} {part.name}: {part.says}", flush=True)
        start = time.monotonic()
        code = subprocess.run(part.command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, check=False).returncode
        print(
            f"=== {part.name}: {'ok' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - start:.0f} s",
            flush=True,
        )
        if code:
            failed.append(f"{part.name}: {part.says}")
    print(f"\n{len(parts) - len(failed)} parts passed, {len(failed)} failed, {time.monotonic() - began:.0f} s in all")
    for name in failed:
        print(f"  failed: {name}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
