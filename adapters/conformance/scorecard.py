"""Runs the checks on a world, and says of each what came out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.conformance.checks import CHECKS, Check, Trial
from adapters.conformance.findings import Broken, NotHere, one_line, stranger
from adapters.conformance.proving import Judge
from adapters.conformance.steps import World
from adapters.conformance.wire_checks import timed
from adapters.protocol import AdapterError, AdapterFactory

PASSED, FAILED, NOT_HERE, NOT_TRIED = "passed", "failed", "not here", "not tried"
CHECK_S = 120.0
"""Seconds that one check may take; what blocks for ever is left then."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of one check.

    Attributes:
        name: the check's.
        title: what it asks for.
        result: `passed`, `failed`, `not here` (the ledger has no subject for it), or `not tried` (it stands on one that
            failed).
        finding: the first failure, or why it was not tried, in one line.
        seconds: how long it took.
    """

    name: str
    title: str
    result: str
    finding: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Scorecard:
    """What came out of all checks."""

    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.failed

    @property
    def failed(self) -> list[Result]:
        """The checks that failed."""
        return [result for result in self.results if result.result == FAILED]


def run_checks(
    world: World,
    factory: AdapterFactory,
    judge: Judge | None,
    *,
    checks: Sequence[Check] = CHECKS,
    tell: Callable[[Result], None] | None = None,
    limit_s: float = CHECK_S,
) -> Scorecard:
    """Run checks in order.

    Args:
        world: two ledgers of the adapter's kind and a lane; the checks take messages along it.
        factory: the adapter.
        judge: the light clients.
        checks: which.
        tell: called with each result.
        limit_s: seconds that one check may take.

    Returns:
        The result of each.
    """
    done: dict[str, Result] = {}
    made = Trial(world, factory, judge)
    for check in checks:
        done[check.name] = result = _run(check, made, done, limit_s)
        if tell is not None:
            tell(result)
    return Scorecard(tuple(done.values()))


def _run(check: Check, made: Trial, done: dict[str, Result], limit_s: float) -> Result:
    for need in check.needs:
        before = done.get(need)
        if before is not None and before.result != PASSED:
            result = NOT_HERE if before.result == NOT_HERE else NOT_TRIED
            return Result(check.name, check.title, result, f"it stands on {need}")
    begun = time.monotonic()
    try:
        outcome = timed(lambda: check.run(made), check.title, limit_s)
    except Broken as error:
        outcome = error
    took = round(time.monotonic() - begun, 2)
    if outcome is None:
        return Result(check.name, check.title, PASSED, "", took)
    if isinstance(outcome, NotHere):
        return Result(check.name, check.title, NOT_HERE, one_line(outcome), took)
    return Result(check.name, check.title, FAILED, _finding(outcome), took)


def _finding(outcome: object) -> str:
    if isinstance(outcome, Broken):
        return one_line(outcome)
    if isinstance(outcome, AdapterError):
        return one_line(f"{type(outcome).__name__} came where an answer was due: {outcome}")
    if isinstance(outcome, BaseException):
        return stranger(outcome)
    return one_line(repr(outcome))
