"""What the demo shows is checked: each check has a name, what was expected and what was found; the first that fails ends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the demo showed.

    Attributes:
        name: its name, unlike any other of the demo.
        expected: what should be.
        found: what is.
        ok: whether that is as it should be.
    """

    name: str
    expected: str
    found: str
    ok: bool

    def as_json(self) -> dict[str, Any]:
        """The check as plain data."""
        return {"name": self.name, "expected": self.expected, "found": self.found, "ok": self.ok}


@dataclass(slots=True)
class Act:
    """A part of the demo: its title, how long it took, and its checks."""

    title: str
    seconds: float = 0.0
    checks: list[Check] = field(default_factory=list)


class CheckFailed(Exception):
    """Something that the demo shows is not so; the check says what."""

    def __init__(self, check: Check) -> None:
        super().__init__(f"{check.name}: expected {check.expected}; found {check.found}")
        self.check = check


class Audience(Protocol):
    """Who is told what happens: a terminal, a log, or nobody."""

    def act(self, title: str) -> None:
        """A new part begins."""

    def say(self, text: str) -> None:
        """Something happened."""

    def checked(self, check: Check) -> None:
        """Something was checked."""


class Record:
    """Everything that was checked, in order.

    Args:
        audience: who is told.
    """

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.acts: list[Act] = []

    @contextmanager
    def act(self, title: str) -> Iterator[None]:
        """Begin a part of the demo; its time is taken."""
        act = Act(title)
        self.acts.append(act)
        self.audience.act(title)
        began = time.monotonic()
        try:
            yield
        finally:
            act.seconds = round(time.monotonic() - began, 2)

    def expect(self, name: str, expected: object, found: object, *, ok: bool | None = None) -> None:
        """Write a check down.

        Args:
            name: its name.
            expected: what should be.
            found: what is.
            ok: whether it is as it should be; else whether the two are equal.

        Raises:
            CheckFailed: it is not.
        """
        check = Check(name, str(expected), str(found), ok=expected == found if ok is None else ok)
        self.note(check)
        if not check.ok:
            raise CheckFailed(check)

    def note(self, check: Check) -> None:
        """Write a check down, whatever it says."""
        if not self.acts:
            self.acts.append(Act("Begin"))
        self.acts[-1].checks.append(check)
        self.audience.checked(check)

    @property
    def failed(self) -> Check | None:
        """The first check that failed."""
        return next((check for act in self.acts for check in act.checks if not check.ok), None)

    def as_json(self) -> list[dict[str, Any]]:
        """The acts with their checks as plain data."""
        return [
            {"title": act.title, "seconds": act.seconds, "checks": [check.as_json() for check in act.checks]}
            for act in self.acts
        ]
